"""Whether a browser plays a film, and a small copy for where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.language import _
from studio.media._film.facts import film
from studio.media._film.rewrite import Rewrite
from studio.media._plan import EncodePreset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.media._film.facts import Film
    from studio.media._film.rewrite import Progress
    from studio.media._film.source import Source

SMALL = EncodePreset(
    width=854, height=480, video_bitrate=1200, quality=27, preset="veryfast", keyframe_seconds=1, audio_bitrate=96
)
"""What is enough to see who speaks; a key frame each second, since whoever works at subtitles jumps to and fro."""
_PICTURES = {"mp4": {"h264", "av1", "libdav1d", "vp9", "libvpx-vp9"}, "webm": {"vp8", "vp9", "av1", "libdav1d"}}
_SOUNDS = {"mp4": {"aac", "mp3", "mp3float", "opus", "flac"}, "webm": {"opus", "vorbis", "libopus"}}
"""What Chrome, Firefox and Safari all decode, or two of them; names are FFmpeg's, of its decoders."""


@dataclass(frozen=True, slots=True)
class Playable:
    """Whether a browser plays a film."""

    picture: bool
    sound: bool
    """Whether it plays the sound that players take; True where there is none."""
    why: str
    """In one sentence, if not both; else empty."""

    @property
    def whole(self) -> bool:
        """Whether it plays all of it."""
        return self.picture and self.sound


def playable(source: Source, facts: Film | None = None) -> Playable:
    """See `studio.media.playable`."""
    facts = facts or film(source)
    names = facts.form.split(",")
    name = str(source).lower()
    form = "mp4" if "mp4" in names else "webm" if "webm" in names and name.endswith(".webm") else ""
    picture, sound = facts.picture, next((s for s in facts.sounds if s.default), next(iter(facts.sounds), None))
    if not form:
        return Playable(
            picture=False,
            sound=False,
            why=_("Browsers do not open files of this form ({form}).").format(form=names[0]),
        )
    seen = picture is None or (
        picture.codec in _PICTURES[form] and picture.pixels in {"yuv420p", "yuvj420p"} and not picture.hdr
    )
    heard = sound is None or sound.codec in _SOUNDS[form]
    why = ""
    if not seen and picture is not None:
        why = _("Browsers do not show such pictures ({codec}, {pixels}).").format(
            codec=picture.codec, pixels=picture.pixels
        )
    elif not heard and sound is not None:
        why = _("Browsers do not play such sound ({codec}).").format(codec=sound.codec or "?")
    return Playable(picture=seen, sound=heard, why=why)


def proxy(
    source: Source,
    out: Path,
    *,
    track: int | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None],
) -> None:
    """See `studio.media.proxy`."""
    heard = film(source).speech() if track is None else None
    number = track or (heard.number if heard is not None else 0)
    Rewrite(source, out, SMALL, sound=number, progress=progress, say=say).run()
