"""The clean recording: the programme as it arrives, copied before the hold."""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from studio.events import OutputReport
from studio.language import _
from studio.media._ground.aac import SoundEncoder
from studio.media._ground.clock import TICK, Ticks, ticks, ticks_in
from studio.media._ground.coded import Coded
from studio.media._ground.tape import AIR_RATE
from studio.media._leave.outputs import Output
from studio.media._leave.recording import next_part, parts
from studio.media._plan import EncodePreset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from av.container import OutputContainer
    from av.stream import Stream
    from numpy.typing import NDArray


logger = logging.getLogger(__name__)

NAME = "clean"
CARRIED = frozenset(
    ("h264", "hevc", "mpeg2video", "mpeg1video", "aac", "mp3", "mp2", "ac3", "eac3", "opus"),
)
"""What MPEG-TS carries and MP4 as well. Encoders that stream by RTMP or SRT send nothing else in practice."""
MOST = 64 << 20
"""Bytes that may wait for a slow disk: 80 s at 6 Mb/s."""
SHORT = 10.0
"""Seconds of a part that is only kept for the hold."""
BACK = 15.0
"""Seconds before what a hold wants that are kept too, for the key frame; encoders send one every 2 to 10 s."""
PATIENCE = 10.0
"""Seconds that the end of the show waits for the disk."""
_GENEROUS = EncodePreset(audio_bitrate=256)
"""A microphone's sound is encoded once more when it airs."""
_AVCC = 7
"""Bytes of the shortest `avcC`."""
_NEAR = 1024
"""Bytes of a key frame in which its parameter sets stand."""
_SPS = re.compile(rb"\x00\x00\x01([\x27\x47\x67].{3,120}?|\x42\x01.{3,120}?)\x00\x00[\x00\x01]", re.DOTALL)
"""Of H.264 or HEVC."""
_WRITING = {
    "flush_packets": "1",  # whoever kills us loses what has not been written
    "max_interleave_delta": "1",  # a packet waits for the next one, not for sound that may never come
    "pes_payload_size": "0",  # each frame of sound is written when it comes
    "avoid_negative_ts": "disabled",  # stamps are show time
}


@dataclass(frozen=True, slots=True)
class Arrived(Coded):
    """A packet as the source sent it; `stamp` is when it is shown."""

    head: bytes = b""
    """What a key frame says of the pictures' size, as the encoder says it; empty where it does not."""


class _Form:
    """What the streams of a session are like. The source may be gone when its last packets are written."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._never = av.open("nowhere", "w", "null")  # templates need a container; nothing is written to this one
        self._streams = {_kind(stream): self._never.add_stream_from_template(stream) for stream in streams}
        self.pictures = "picture" in self._streams

    def streams(self, container: OutputContainer) -> dict[str, Stream]:
        """Give `container` the same streams."""
        return {kind: container.add_stream_from_template(stream) for kind, stream in self._streams.items()}


class _Sound:
    """What a microphone's stream is like, once we have encoded it."""

    pictures = False

    def streams(self, container: OutputContainer) -> dict[str, Stream]:
        """Give `container` the stream."""
        return {"sound": container.add_mux_stream("aac", rate=AIR_RATE, time_base=TICK)}


class _Parts:
    """Writes one session into parts of some length each; each begins with a key frame."""

    def __init__(
        self, folder: Path, form: _Form | _Sound, seconds: float, wrote: Callable[[Path, Ticks], None]
    ) -> None:
        """`wrote` is told of each part that is complete, and where it ends on the show clock."""
        self._folder = folder
        self._form = form
        self._length = ticks(seconds)
        self._wrote = wrote
        self._open()

    def _open(self) -> None:
        self._path = next_part(self._folder, NAME)
        self.detail = str(self._path)
        # PyAV would open it without letting go of Python's lock, and a disk that does not answer would stop everybody
        self._disk = self._path.open("wb", buffering=0)
        self._file = av.open(self._disk, "w", "mpegts", options=_WRITING)
        self._streams = self._form.streams(self._file)
        self._began: Ticks | None = None
        self._end = Ticks(0)
        self._head = b""
        self._last: dict[str, int] = {}

    def write(self, coded: Coded) -> None:
        begins = coded.key and (coded.kind == "picture" or not self._form.pictures)
        head = coded.head if isinstance(coded, Arrived) else b""
        another = head and self._head and head != self._head  # players cannot follow inside one file
        if begins and self._began is not None and (another or coded.stamp - self._began >= self._length):
            self.close()
            self._open()
        self._head = head or self._head
        packet = coded.packet()
        due = packet.dts or 0
        after = self._last.get(coded.kind, -1)
        if due < 0 <= after + 1 <= (packet.pts or 0):  # the first pictures, which B-frames have decoded before the show
            due = packet.dts = after + 1
        if due < 0 or due <= after:
            return  # a muxer takes no packet twice, and none from before the show
        self._last[coded.kind] = due
        packet.stream = self._streams[coded.kind]
        self._file.mux(packet)
        self._began = coded.stamp if self._began is None else self._began
        self._end = Ticks(max(self._end, coded.stamp + coded.duration))

    def close(self) -> None:
        with self._disk:
            self._file.close()
        if self._began is not None:
            self._wrote(self._path, self._end)


@dataclass(frozen=True, slots=True)
class _Begin:
    form: _Form | _Sound


class Clean:
    """Writes what arrives in a thread of its own, so that a slow disk keeps nobody waiting."""

    def __init__(self, folder: Path, hold: float, *, keep: bool, seconds: float, say: Callable[[str], None]) -> None:
        """Write parts of `seconds` into `folder`; without `keep` the older ones go, beyond what the `hold` needs."""
        self._folder = folder
        self._keep = keep
        self._margin = ticks(hold + BACK)
        self._seconds = seconds if keep else min(seconds, SHORT)
        self._say = say
        self._queue: queue.SimpleQueue[_Begin | Coded | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._full = False
        self._full_said = False
        self._refused: set[str] = set()
        self._output: Output | None = None
        self._size = 0
        self._paused = ""
        self._latest = Ticks(0)
        self._done: deque[tuple[Path, Ticks | None]] = deque((part, None) for part in parts(folder, NAME))
        self._thread: threading.Thread | None = None
        self.lost = 0
        """Packets that the disk was too slow for."""

    # ── for the source ────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, streams: Sequence[Stream]) -> Copy | None:
        """Begin with what another session sends; `None` where nothing of it can be copied."""
        carried: list[Stream] = []
        for stream in streams:
            name = stream.codec_context.codec.canonical_name
            if name in CARRIED:
                carried.append(stream)
            elif name not in self._refused:
                self._refused.add(name)
                self._say(
                    _(
                        "The encoder sends {codec}, which the clean recording cannot take; set it to H.264 and AAC."
                        " What goes on the air is recorded all the same."
                    ).format(codec=name)
                )
        if not carried:
            return None
        form = _Form(carried)
        self._start(form)
        return Copy(self, carried, pictures=form.pictures)

    def begin_sound(self) -> SoundCopy:
        """Begin with sound that comes as samples."""
        self._start(_Sound())
        return SoundCopy(self)

    def put(self, arrived: Coded, *, begins: bool) -> None:
        """Take a packet; never blocks. `begins`: a player may begin here, whatever is missing before it."""
        with self._lock:
            if self._waiting > MOST:
                self._full = True
            elif self._full and begins and self._waiting < MOST // 2:
                self._full = False
            if self._full:
                self.lost += 1
                said, self._full_said = self._full_said, True
            else:
                self._waiting += len(arrived.data)
                said = True
                self._queue.put(arrived)
        if not said:
            self._say(
                _(
                    "The disk of {place} is too slow, so parts of the clean recording are missing; what goes on the air"
                    " is recorded all the same. Close other programs that write there, or take a faster disk."
                ).format(place=self._folder)
            )

    # ── for others ────────────────────────────────────────────────────────────────────────────────────────────────────

    def pause(self, why: str) -> bool:
        """Write nothing while `why` says a reason; go on with an empty one, at the next key frame.

        False where that would make no room: what only the hold needs takes no more in the end.
        """
        if self._keep:
            self._paused = why
        return self._keep

    @property
    def size(self) -> int:
        """Bytes written that stay."""
        return self._size if self._keep else 0

    def report(self) -> OutputReport | None:
        """How it is doing; `None` while there is nothing to copy, or nothing that stays."""
        output = self._output
        if output is None or not self._keep:
            return None
        report = output.report()
        if self._paused:
            return OutputReport(NAME, "failed", self._paused, self._size, dropped=self.lost)
        return OutputReport(NAME, report.state, report.detail, self._size, dropped=self.lost)

    def close(self) -> bool:
        """Write what waits; return whether the disk took it in time."""
        if self._thread is None:
            return True
        self._queue.put(None)
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def forget(self) -> None:
        """Remove the parts, unless the recording is to be kept: all that they hold has aired. Call it after `close`."""
        if not self._keep:
            for part in parts(self._folder, NAME):
                with contextlib.suppress(OSError):
                    part.unlink()

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, form: _Form | _Sound) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
            self._thread.start()
        self._queue.put(_Begin(form))

    def _run(self) -> None:
        pictures, paused = False, False
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Begin):
                self._end()
                form, pictures = item.form, item.form.pictures
                self._output = Output(NAME, self._folder, lambda form=form: self._open(form), self._say)  # type: ignore[misc] # bound now
                continue
            with self._lock:
                self._waiting -= len(item.data)
            begins = item.key and (item.kind == "picture" or not pictures)
            paused = bool(self._paused) or (paused and not begins)
            if self._output is not None and not paused:
                self._latest = Ticks(max(self._latest, item.stamp))
                self._output.write((item,))
                self._size += len(item.data)
        self._end()

    def _open(self, form: _Form | _Sound) -> _Parts:
        return _Parts(self._folder, form, self._seconds, self._wrote)

    def _end(self) -> None:
        if self._output is not None:
            self._output.close()

    def _wrote(self, part: Path, end: Ticks) -> None:
        """Remember a part that is complete, and let go of those that no hold can want any more."""
        if self._keep:
            return
        self._done = deque((path, end if known is None else known) for path, known in self._done)
        self._done.append((part, end))
        while self._done and (self._done[0][1] or 0) < self._latest - self._margin:
            self._done.popleft()[0].unlink(missing_ok=True)


class Copy:
    """One session's way to the clean recording."""

    def __init__(self, clean: Clean, streams: Sequence[Stream], *, pictures: bool) -> None:
        self._clean = clean
        self._kinds = {stream.index: _kind(stream) for stream in streams}
        self._pictures = pictures
        self._head = b"".join(
            _in_band(stream.codec_context.extradata or b"") for stream in streams if _kind(stream) == "picture"
        )
        """What RTMP has said of the pictures."""
        self._changed = False
        """It has said so since they began, so that they must carry it."""

    def put(self, packet: av.Packet[Stream], offset: Ticks) -> None:
        """Take a packet as it came, not yet on the show clock; show time is its stamp + `offset`."""
        kind = self._kinds.get(packet.stream_index)
        value = packet.dts if packet.dts is not None else packet.pts
        if kind is None or value is None:
            return
        base = packet.time_base
        due = ticks_in(value, base)
        shown = due if packet.pts is None else ticks_in(packet.pts, base)
        length = ticks_in(packet.duration or 0, base)
        key = packet.is_keyframe
        data = bytes(packet)
        head = b""
        if kind == "picture":
            if packet.has_sidedata("new_extradata"):
                self._head = _in_band(bytes(packet.get_sidedata("new_extradata")))
                self._changed = True
            if key:
                data = self._head + data if self._changed else data
                head = self._head or _head(data)
        arrived = Arrived(
            "picture" if kind == "picture" else "sound",
            Ticks(max(shown, due) + offset),
            key,
            data,
            Ticks(length),
            Ticks(due + offset),
            head,
        )
        self._clean.put(arrived, begins=key and (kind == "picture" or not self._pictures))


class SoundCopy:
    """A microphone's way to the clean recording."""

    def __init__(self, clean: Clean) -> None:
        self._clean = clean
        self._encoder: SoundEncoder | None = None
        self._next = 0

    def put(self, at: int, samples: NDArray[np.int16]) -> None:
        """Take 48 kHz stereo, shape (n, 2), that begins with sample `at` of the show."""
        if self._encoder is None or at != self._next:
            if self._encoder is not None:
                self._hand_on(self._encoder.flush())
            self._encoder = SoundEncoder(_GENEROUS)
        self._next = at + len(samples)
        self._hand_on(self._encoder.encode(samples, at))

    def _hand_on(self, coded: list[Coded]) -> None:
        for one in coded:
            self._clean.put(one, begins=True)


def _in_band(head: bytes) -> bytes:
    """Return the parameter sets of an `avcC` as pictures carry them, each after its length; else nothing."""
    if len(head) < _AVCC or head[0] != 1 or head[4] & 3 != 3:  # noqa: PLR2004 - lengths of four bytes
        return b""
    sets, at = bytearray(), 5
    for mask in (0x1F, 0xFF):  # sequences, pictures
        if at >= len(head):
            break
        count, at = head[at] & mask, at + 1
        for _number in range(count):
            length = int.from_bytes(head[at : at + 2], "big")
            sets += length.to_bytes(4, "big") + head[at + 2 : at + 2 + length]
            at += 2 + length
    return bytes(sets)


def _head(data: bytes) -> bytes:
    """Return the sequence parameter set of a key frame that carries its own, as MPEG-TS does; else nothing."""
    found = _SPS.search(data, 0, _NEAR)
    return found.group(1) if found else b""


def _kind(stream: Stream) -> str:
    return "picture" if stream.type == "video" else "sound"
