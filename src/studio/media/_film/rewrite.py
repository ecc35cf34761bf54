"""A film written once more: its pictures encoded anew, all else copied where the new form can hold it."""

from __future__ import annotations

import contextlib
import logging
import os
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.video.frame import PictureType

from studio.errors import MediaError, why
from studio.language import _
from studio.media._arrive.probe import can_decode
from studio.media._arrive.sound import MOST_FAULTS
from studio.media._film.facts import first_picture
from studio.media._film.pictures import Pictures
from studio.media._film.sounds import Recoder
from studio.media._film.source import Source, name_of, open_film, zero_of
from studio.media._film.unbroken import Unbroken, is_broken
from studio.media._ground.files import look_at_place, settle
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    from studio.media._plan import EncodePreset

    Draw = Callable[[av.VideoFrame, Ms], None]
    Progress = Callable[[Ms, Ms | None], None]

logger = logging.getLogger(__name__)

FORMS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""What a film may become, by its ending; and what FFmpeg calls it."""
_NOT_IN_MP4 = ("vorbis", "pcm_", "wmav", "dca", "truehd")
"""Sound that MP4 could hold, and hardly a player reads there."""
TELL_EVERY = 25
"""Pictures between two words about progress."""


class Rewrite:
    """Writes one film from another. Used once; a call of `run` does it."""

    def __init__(
        self,
        source: Source,
        out: Path,
        preset: EncodePreset,
        *,
        draw: Draw | None = None,
        sound: int | None = None,
        progress: Progress | None = None,
        say: Callable[[str], None],
    ) -> None:
        """Read `source`, write `out` in the form that it ends in.

        `draw` is handed each picture, which is nobody else's, with its time. With `sound`, only that track is kept, as
        AAC in two channels; without, all that can be are copied, and subtitles and chapters too.
        """
        self._name = name_of(source)
        self._out_path = out
        self._preset = preset
        self._draw = draw
        self._sound = sound
        self._progress = progress
        self._say = say
        self._source = source
        self._said: set[str] = set()
        self._last = -1
        self._count = 0
        self._encoder: av.VideoStream | None = None
        if out.suffix.lower() not in FORMS:
            raise MediaError(
                _("{file} has an ending that no film is written with; use one of {endings}.").format(
                    file=out, endings=", ".join(FORMS)
                )
            )
        if isinstance(source, Path) and out.exists() and source.exists() and out.samefile(source):
            raise MediaError(_("{file} cannot be read and replaced at once; name another file.").format(file=out))

    def run(self) -> None:
        """Write it aside, and give it its name when it is whole. Raises MediaError; nothing is left behind then."""
        aside = self._out_path.with_name(f".{self._out_path.name[:200]}.{os.getpid()}.part")
        try:
            with _writing(self._out_path):
                look_at_place(self._out_path)
            with open_film(self._source) as container:
                self._glued = not isinstance(self._source, str) and is_broken(container)
            like = self._look()
            if like is None and self._draw is not None:
                raise MediaError(_("{file} has no picture, so nothing can be written into it.").format(file=self._name))
            with open_film(self._source) as container:
                options = {"movflags": "+faststart"} if self._form in {"mp4", "mov"} else {}
                with _writing(self._out_path), av.open(str(aside), "w", self._form, options=options) as out:
                    self._write(container, out, like)
            with _writing(self._out_path):
                settle(self._out_path, aside)
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()

    @property
    def _form(self) -> str:
        return FORMS[self._out_path.suffix.lower()]

    def _write(self, container: InputContainer, out: OutputContainer, like: av.VideoFrame | None) -> None:
        zero = zero_of(container)
        length = None if self._glued else _length(container)
        video = first_picture(container) if like is not None else None
        if video is not None and like is not None:
            self._encoder = _encoder(out, like, video, self._preset)
            self._ready = Pictures(_shape(video), self._preset, self._name)
            video.thread_type = "AUTO"
        copies, recoders = self._tracks(container, out)
        roads: dict[int, Callable[[av.Packet[Any]], None]] = {
            index: partial(self._copy, out, stream, zero) for index, stream in copies.items()
        }
        roads |= {index: partial(self._recode, out, recoder, zero) for index, recoder in recoders.items()}
        if video is not None:
            roads[video.index] = partial(self._pictures, out, zero, length)
        unbroken = {stream.index: Unbroken(stream) for stream in container.streams} if self._glued else {}
        for packet in self._packets(container):
            index = packet.stream.index
            if index in unbroken:
                unbroken[index].mend(packet)
            if index in roads:
                roads[index](packet)
        if self._encoder is not None:
            for frame in self._ready.rest():
                self._encode(out, frame, zero)
            out.mux(self._encoder.encode(None))
        for recoder in recoders.values():
            out.mux(list(recoder.rest()))
        if self._progress and length:
            self._progress(length, length)

    def _look(self) -> av.VideoFrame | None:
        """Return the first picture as it will be encoded; `None` where the film has none."""
        with open_film(self._source) as container:
            video = first_picture(container)
            if video is None:
                return None
            ready = Pictures(_shape(video), self._preset, self._name)
            with contextlib.suppress(av.FFmpegError, OSError):
                for frame in container.decode(video):
                    for first in ready.ready(frame):
                        return first
        raise MediaError(_("{file} has no picture that can be read.").format(file=self._name))

    def _tracks(self, container: InputContainer, out: OutputContainer) -> tuple[dict[int, Stream], dict[int, Recoder]]:
        """Give `out` all tracks but the picture; return which are copied and which are encoded, by their index."""
        copies: dict[int, Stream] = {}
        recoders: dict[int, Recoder] = {}
        bitrate = self._preset.audio_bitrate
        known = out.supported_codecs
        for number, audio in enumerate(container.streams.audio, 1):
            if self._sound is not None:
                if number == self._sound:
                    recoders[audio.index] = Recoder(out, audio, bitrate, "stereo")
                continue
            if not can_decode(audio):
                self._once(_("A sound track of {file} is of a kind that nobody here knows, and is left out."))
                continue
            names = {audio.codec_context.name, audio.codec_context.codec.canonical_name}
            strange = self._form != "matroska" and any(name.startswith(_NOT_IN_MP4) for name in names)
            if names & known and not strange:
                copies[audio.index] = out.add_stream_from_template(audio)
            else:
                recoders[audio.index] = Recoder(out, audio, bitrate)
            _like(copies.get(audio.index) or recoders[audio.index].stream, audio)
        if self._sound is None:
            self._rest(container, out, copies)
        return copies, recoders

    def _rest(self, container: InputContainer, out: OutputContainer, copies: dict[int, Stream]) -> None:
        """Give `out` subtitles, chapters, and what the film says of itself."""
        for text in container.streams.subtitles:
            context: Any = text.codec_context
            names = {context.name, context.codec.canonical_name} if context is not None else set()
            if names & out.supported_codecs:
                copies[text.index] = out.add_stream_from_template(text)
                _like(copies[text.index], text)
            else:
                self._once(_("Subtitle tracks of {file} that the new film cannot hold are left out."))
        zero = zero_of(container)
        chapters = container.chapters()
        for chapter in chapters:
            base = chapter["time_base"] or Fraction(1)
            chapter["start"] -= round(zero / base)
            chapter["end"] -= round(zero / base)
        if chapters:
            out.set_chapters(chapters)
        own = {"major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER"}
        out.metadata.update({key: value for key, value in container.metadata.items() if key not in own})

    def _packets(self, container: InputContainer) -> Iterator[av.Packet[Any]]:
        faults = 0
        while True:
            try:
                for packet in container.demux():
                    faults = 0
                    yield packet
            except (OSError, av.FFmpegError) as problem:
                logger.info("%s: %s", self._name, problem)
                self._once(_("Parts of {file} cannot be read and are left out."))
                faults += 1
                if faults > MOST_FAULTS:
                    return
            else:
                return

    def _pictures(self, out: OutputContainer, zero: Fraction, length: Ms | None, packet: av.Packet[Any]) -> None:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self._once(_("Parts of {file} cannot be read and are left out."))
            return
        for frame in frames:
            for ready in self._ready.ready(frame):
                at = self._encode(out, ready, zero)
                if self._progress and self._count % TELL_EVERY == 0:
                    self._progress(at, length)

    def _encode(self, out: OutputContainer, frame: av.VideoFrame, zero: Fraction) -> Ms:
        """Draw on `frame` and encode it; one that does not come after the last one is left out."""
        assert self._encoder is not None  # noqa: S101 - made before the first packet
        base = frame.time_base or Fraction(1, 90_000)
        to = self._encoder.codec_context.time_base or base
        stamp = self._last + 1 if frame.pts is None else round((frame.pts * base - zero) / to)
        at = ms(float(stamp * to))
        if stamp <= self._last or stamp < 0:
            return at
        self._last = stamp
        self._count += 1
        if self._draw is not None:
            self._draw(frame, at)
        frame.pts, frame.dts, frame.time_base, frame.pict_type = stamp, None, to, PictureType.NONE
        out.mux(self._encoder.encode(frame))
        return at

    def _copy(self, out: OutputContainer, stream: Stream, zero: Fraction, packet: av.Packet[Any]) -> None:
        shift = round(zero / packet.time_base)
        if not packet.size or (packet.pts is None and packet.dts is None):
            return
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = stream
        out.mux(packet)

    def _recode(self, out: OutputContainer, recoder: Recoder, zero: Fraction, packet: av.Packet[Any]) -> None:
        out.mux(list(recoder.packets(packet, zero)))

    def _once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence.format(file=self._name))


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except MediaError:
        raise
    except (OSError, av.FFmpegError) as problem:
        raise MediaError(
            _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
                file=path, problem=why(problem)
            )
        ) from problem


def _length(container: InputContainer) -> Ms | None:
    return Ms(container.duration // 1000) if container.duration else None


def _shape(video: av.VideoStream) -> Fraction:
    """Return that of its pixels."""
    shape = video.sample_aspect_ratio or Fraction(1)
    return shape if shape > 0 else Fraction(1)


def _encoder(out: OutputContainer, like: av.VideoFrame, video: av.VideoStream, preset: EncodePreset) -> av.VideoStream:
    """Return an H.264 stream for pictures like this one, which keep the stamps that they have."""
    rate = video.average_rate or video.guessed_rate or Fraction(25)
    most = round(preset.video_bitrate * 1000)
    stream = out.add_stream(
        "libx264",
        rate=Fraction(rate).limit_denominator(1001),
        options={
            "preset": preset.preset,
            "crf": str(preset.quality),
            "maxrate": str(most),
            "bufsize": str(round(most * preset.buffer_seconds)),
        },
    )
    assert isinstance(stream, av.VideoStream)  # noqa: S101 - it is x264
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = like.width, like.height, "yuv420p"
    context.time_base = stream.time_base = like.time_base or Fraction(1, 90_000)
    context.gop_size = max(1, round(float(rate) * preset.keyframe_seconds))
    context.thread_count = preset.threads
    context.colorspace, context.color_primaries, context.color_trc = (
        like.colorspace,
        like.color_primaries,
        like.color_trc,
    )
    context.color_range = 1
    stream.metadata.update({key: value for key, value in video.metadata.items() if key in {"language", "title"}})
    return stream


def _like(made: Stream, given: Stream) -> None:
    """Let a track say of itself what it said."""
    made.metadata.update({key: given.metadata[key] for key in ("language", "title") if key in given.metadata})
    made.disposition = given.disposition
