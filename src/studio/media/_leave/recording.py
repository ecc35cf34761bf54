"""The recording: flushed MPEG-TS while the show goes on, one MP4 afterwards."""

from __future__ import annotations

import contextlib
import logging
import math
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import av

from studio.errors import MediaError
from studio.language import _
from studio.media._ground.clock import TICK, ticks
from studio.media._ground.files import settle
from studio.media._leave.marks import Marks, marks_of
from studio.media._leave.outputs import trouble
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    from studio.media._ground.clock import Ticks
    from studio.media._ground.coded import Coded
    from studio.media._leave.marks import Text
    from studio.media._plan import Form

logger = logging.getLogger(__name__)

NAME = "recording"
CLEAN = "clean"
FORMS = {"mp4": "mp4", "mkv": "matroska"}
"""What the whole may be, by its ending; and what FFmpeg calls it."""
NAMES = (NAME, CLEAN)
"""What a show folder has recordings of: what aired, and the same as it came (see `clean`)."""
PART = 600.0
"""Seconds of a part: what a bad sector can cost, and what can be copied away while the show goes on."""
TELL_EVERY = 500
"""Packets between two words about progress."""
LOOKED_AT = 2000
"""Packets of a part in which its first keyframe is looked for."""

_Begin = tuple[float, float]
"""Where pictures or sound begin, in seconds: when the first is decoded, and when it is shown."""
_NOTHING = -math.inf, -math.inf


def parts(folder: Path, name: str = NAME) -> list[Path]:
    """Return the parts of the recording `name` in `folder`, oldest first."""
    found = [path for path in folder.glob(f"{name}.part-*.ts") if path.stem.rpartition("-")[2].isdecimal()]
    return sorted(found, key=_number)


def whole_of(folder: Path, name: str = NAME) -> Path | None:
    """Return the recording `name` of the show in `folder`, once it is whole; `None` while it is not."""
    return next((whole for form in FORMS if (whole := folder / f"{name}.{form}").exists()), None)


def next_part(folder: Path, name: str = NAME) -> Path:
    """Return where the next part of the recording `name` goes; an empty one is written over."""
    taken = [_number(path) for path in parts(folder, name) if path.stat().st_size]
    return folder / f"{name}.part-{max(taken, default=0) + 1:03}.ts"


def _number(part: Path) -> int:
    return int(part.stem.rpartition("-")[2])


class Recording:
    """What one life of the relay airs, in parts that begin with a key frame."""

    def __init__(self, folder: Path, seconds: float = PART) -> None:
        """Begin the next part in `folder`; each is `seconds` long."""
        self._folder = folder
        self._length = ticks(seconds)
        self._open()

    def _open(self) -> None:
        self.path = next_part(self._folder)
        self.detail = str(self.path)
        self._began: Ticks | None = None
        # PyAV would open it without letting go of Python's lock, and a disk that does not answer would stop everybody
        self._disk = self.path.open("wb", buffering=0)
        # Flushed packet by packet: whoever kills us loses less than a tenth of a second.
        self._file = av.open(self._disk, "w", "mpegts", options={"flush_packets": "1"})
        self._streams = mux_streams(self._file)

    def write(self, coded: Coded) -> None:
        """Append a packet."""
        if coded.kind == "picture" and coded.key:
            if self._began is None:
                self._began = coded.stamp
            elif coded.stamp - self._began >= self._length:
                self.close()
                self._open()
                self._began = coded.stamp
        packet = coded.packet()
        packet.stream = self._streams[coded.kind]
        self._file.mux(packet)

    def close(self) -> None:
        """Write what waits for its neighbour."""
        with self._disk:
            self._file.close()


def mux_streams(container: OutputContainer) -> dict[str, Stream]:
    """Give `container` the two streams of the programme, in show time."""
    return {
        "picture": container.add_mux_stream("h264", time_base=TICK),
        "sound": container.add_mux_stream("aac", rate=48_000, time_base=TICK),
    }


def join_all(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = logger.warning,
    *,
    language: str = "",
    names: Collection[str] = NAMES,
    form: Form = "mp4",
) -> Path | None:
    """Join the parts of every recording in `folder` that is among `names`; see `studio.media.recover`.

    `language` is that of the captions, which become a track of the whole; empty where nobody knows. Where one cannot
    be joined the others are, before MediaError is raised.
    """
    problem: MediaError | None = None
    made: list[Path] = []
    for name in (name for name in NAMES if name in names):
        try:
            made += join(folder, progress, say, name, language=language, form=form)
        except MediaError as found:
            problem = problem or found
    if problem is not None:
        raise problem
    return made[0] if made else None


def join(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = logger.warning,
    name: str = NAME,
    *,
    language: str = "",
    form: Form = "mp4",
) -> list[Path]:
    """Join the parts of the recording `name` in `folder` to one file of this form that begins at show time 0.

    Where an encoder came back with another size or codec, a file of its own begins there: players cannot follow inside
    one. `say` is told of each part that could not be read to its end: it is kept, under a name that is no part's.
    """
    for empty in parts(folder, name):
        if not empty.stat().st_size:
            empty.unlink()
    groups = _alike(parts(folder, name))
    marks = marks_of(folder, language, aired=name == NAME) if groups else Marks()
    return [_join(folder, alike, progress, say, name=name, marks=marks, form=form) for alike in groups]


def _join(
    folder: Path,
    found: list[Path],
    progress: Callable[[int, int], None] | None,
    say: Callable[[str], None],
    *,
    name: str,
    marks: Marks,
    form: Form,
) -> Path:
    whole, number = folder / f"{name}.{form}", 1
    while whole.exists():  # an earlier show in this folder is somebody's evening
        number += 1
        whole = folder / f"{name}-{number}.{form}"
    aside = folder / f".{whole.name}.part"
    try:
        copied, torn = _remux(found, aside, progress, marks, form)
        if copied:
            settle(whole, aside)
    except (OSError, av.FFmpegError) as problem:
        aside.unlink(missing_ok=True)
        logger.warning("joining %s failed: %s", folder, problem)
        raise MediaError(
            trouble(whole.name, problem, folder)
            + " "
            + _("The parts of the recording are kept; `studio recover` joins them.")
        ) from problem
    if not copied:
        aside.unlink(missing_ok=True)
        raise MediaError(
            _("{parts} cannot be read; they are kept as they are.").format(parts=folder / f"{name}.part-*.ts")
        )
    for part in found:
        if part not in torn:
            part.unlink()
            continue
        kept = _keep(part)
        say(
            _("{part} could not be read to its end and is kept as {kept}; check the disk.").format(
                part=part.name, kept=kept.name
            )
        )
    return whole


def _alike(found: list[Path]) -> list[list[Path]]:
    """Part `found` where its size or codecs change; one that cannot be read goes with its neighbours."""
    groups: list[list[Path]] = []
    shared: dict[str, tuple[object, ...]] = {}
    for part in found:
        form = _form(part)
        if not groups or any(shared.get(kind, of) != of for kind, of in form.items()):
            groups.append([])
            shared = {}
        groups[-1].append(part)
        shared |= form
    return groups


def _form(part: Path) -> dict[str, tuple[object, ...]]:
    """What the streams of `part` are like, as far as it tells."""
    form: dict[str, tuple[object, ...]] = {}
    with contextlib.suppress(OSError, av.FFmpegError), av.open(str(part), "r", "mpegts") as source:
        for video in source.streams.video[:1]:
            picture = video.codec_context
            if picture.width:
                form["picture"] = picture.name, picture.width, picture.height
        for audio in source.streams.audio[:1]:
            sound = audio.codec_context
            if sound.sample_rate:
                form["sound"] = sound.name, sound.sample_rate, sound.layout.name
    return form


def _end(found: list[Path]) -> Ms:
    """Where the last of the parts `found` ends that can be read, 0 where none can."""
    for part in reversed(found):
        with contextlib.suppress(OSError, av.FFmpegError), av.open(str(part), "r", "mpegts") as source:
            if source.duration is not None:
                return Ms(((source.start_time or 0) + source.duration) // 1000)
    return Ms(0)


def _keep(part: Path) -> Path:
    """Give `part` a name that no later join takes for a part's; return it."""
    name = part.stem.replace("part", "unread")
    kept, number = part.with_name(f"{name}.ts"), 1
    while kept.exists():
        number += 1
        kept = part.with_name(f"{name}-{number}.ts")
    return part.rename(kept)


def _remux(
    found: list[Path], aside: Path, progress: Callable[[int, int], None] | None, marks: Marks, form: Form
) -> tuple[int, list[Path]]:
    """Copy every packet of `found` to `aside`; return how many, and the parts with more in them that we cannot read.

    Stamps stay, so gaps stay.
    """
    total, before = sum(part.stat().st_size for part in found), 0
    torn: list[Path] = []
    joiner = _Joiner(av.open(str(aside), "w", FORMS[form]), marks.within(_end(found)))
    try:
        for part, until in zip(found, _cuts(found), strict=True):
            joiner.until = until
            try:
                source = av.open(str(part), "r", "mpegts")
            except (OSError, av.FFmpegError) as problem:
                logger.warning("%s cannot be read and is left out: %s", part, problem)
                torn.append(part)
                continue
            with source:
                if not joiner.add(source, partial(_tell, progress, before, total)):
                    torn.append(part)
            before += part.stat().st_size
    finally:
        joiner.close()
    if progress:
        progress(total, total)
    return joiner.copied, torn


def _cuts(found: list[Path]) -> list[dict[str, _Begin]]:
    """Return up to where each of `found` is copied, by kind: a later one that goes further back cuts it.

    An encoder that takes over from another begins with its last key frame, which came before the other was lost.
    """
    cuts: list[dict[str, _Begin]] = []
    cut: dict[str, _Begin] = {}
    for part in reversed(found):
        cuts.append(dict(cut))
        for kind, at in _begins(part).items():
            cut[kind] = min(at, cut.get(kind, at))
    return cuts[::-1]


def _begins(part: Path) -> dict[str, _Begin]:
    """Where pictures and sound of `part` begin that would be copied, by kind."""
    begins: dict[str, _Begin] = {}
    with contextlib.suppress(OSError, av.FFmpegError), av.open(str(part), "r", "mpegts") as source:
        kinds = {stream.type for stream in (*source.streams.video[:1], *source.streams.audio[:1])}
        for packet in islice(source.demux(), LOOKED_AT):
            kind = packet.stream.type
            if kind in kinds - begins.keys() and packet.dts is not None and (kind == "audio" or packet.is_keyframe):
                begins[kind] = _times(packet)
                if begins.keys() >= kinds:
                    break
    return begins


def _times(packet: av.Packet[Stream]) -> _Begin:
    decoded = packet.dts or 0
    return float(decoded * packet.time_base), float((decoded if packet.pts is None else packet.pts) * packet.time_base)


def _tell(progress: Callable[[int, int], None] | None, before: int, total: int, at: int) -> None:
    if progress:
        progress(min(total, before + at), total)


class _Joiner:
    """Puts parts one after the other into one container."""

    def __init__(self, out: OutputContainer, marks: Marks) -> None:
        self._out = out
        self._marks = marks
        self._texts: list[Text] = []
        self._streams: dict[str, Stream] = {}
        self._last: dict[str, int] = {}
        self.until: dict[str, _Begin] = {}
        """Up to where the next part is copied, by kind; absent: to its end."""
        self.copied = 0
        """Packets."""

    def add(self, source: InputContainer, told: Callable[[int], None]) -> bool:
        """Copy what comes after the parts before; return whether `source` could be read to its end.

        Pictures are copied from their first keyframe on. The first keyframe of all decides which streams the whole has:
        a header alone promises some that never came.
        """
        keyed = not source.streams.video
        waiting: list[av.Packet[Stream]] = []
        packets = source.demux()
        while True:
            try:
                packet = next(packets, None)
            except (OSError, av.FFmpegError) as problem:
                logger.warning("%s cannot be read further: %s", source.name, problem)
                return False
            if packet is None:
                return True
            kind = packet.stream.type
            if packet.dts is None or packet.is_corrupt or kind not in {"video", "audio"}:
                continue
            keyed = keyed or (kind == "video" and packet.is_keyframe)
            if kind == "video" and not keyed:
                continue
            waiting.append(packet)
            if not self._streams:
                if not keyed:
                    continue
                for stream in (*source.streams.video[:1], *source.streams.audio[:1]):
                    self._streams[stream.type] = self._out.add_stream_from_template(stream)
                self._texts = self._marks.into(self._out)
            for next_one in waiting:
                self._put(next_one, told)
            waiting.clear()

    def _put(self, packet: av.Packet[Stream], told: Callable[[int], None]) -> None:
        kind = packet.stream.type
        if kind not in self._streams or packet.dts is None or packet.dts <= self._last.get(kind, -1):
            return
        until = self.until.get(kind)
        if until is not None and any(at >= end for at, end in zip(_times(packet), until, strict=True)):
            self.until[kind] = _NOTHING  # what is decoded later may need what is left out
            return
        self._last[kind] = packet.dts
        for text in self._texts:
            text.upto(Ms(round(packet.dts * packet.time_base * 1000)))
        at = packet.pos or 0
        packet.stream = self._streams[kind]
        self._out.mux(packet)
        self.copied += 1
        if not self.copied % TELL_EVERY:
            told(at)

    def close(self) -> None:
        """Finish the file, if anything is in it."""
        if self.copied:
            self._out.close()
