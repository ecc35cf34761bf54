"""The instant output: what the source sends, passed on as it came, without hold and without captions.

Whoever calls its socket says a line of JSON, `Asked`, and is told one, `Said`: the codecs of the fragmented MP4 that
follows, from the last key frame on; or why there is nothing to see, in one sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import msgspec
from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

from studio.language import _
from studio.media._ground.clock import RATE, Ticks, ticks_in
from studio.wire import fmp4

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

_AAC_FRAME = 1024

VIEWERS = 12
"""At a time; each costs as much as a copy of the programme on its way through a socket."""
MOST = 150
"""Packets that may wait for a viewer: two seconds. Then all of them go, up to the next key frame."""
KEPT = 16 << 20
"""Bytes kept since the last key frame, for whoever calls. Of a source without key frames so much, and no more."""
STEP = 90
"""Ticks that each picture before the newest one takes for whoever calls: the past is over in no time."""
PATIENCE = 5.0
"""Seconds that a caller may take to say what it wants."""
SLIP = 0.02
"""Seconds that sound may lie beside the end of the sound before it and still follow it: stamps are rounded."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """A picture since the last key frame."""

    number: int
    due: int
    """When it is to be decoded, in ticks."""
    shown: int
    """So much later it is seen."""
    length: int
    key: bool
    packet: av.Packet[Stream]
    """What it came in; the stamps there may have been changed since."""

    @property
    def data(self) -> bytes:
        """What a fragment holds."""
        return fmp4.with_lengths(bytes(self.packet))


class Asked(msgspec.Struct):
    """The line that a caller says first."""

    sound: bool = True
    """Whether it wants the sound, too: encoders send it in gusts, for which a player's picture waits."""


class Said(msgspec.Struct, omit_defaults=True):
    """The line that a caller is told first."""

    codecs: str = ""
    """Of what follows, as RFC 6381 names them; empty where nothing does."""
    why: str = ""
    """Why nothing follows, in one sentence."""


class Instant:
    """Passes on what arrives. The source's thread puts, callers are served on the loop, and neither waits."""

    def __init__(self, why: str) -> None:
        """Belong to the running loop; `why` there is nothing to see before anything comes."""
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._nothing = self._why = why
        self._opening: dict[bool, bytes] = {}
        """With sound and without."""
        self._codecs: dict[bool, str] = {}
        self._passing: Passing | None = None
        """The session that is passed on."""
        self._since_key: deque[_Passed] = deque()
        self._kept = 0
        self._number = 0
        self._viewers: set[_Viewer] = set()
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    # ── for the source's thread ───────────────────────────────────────────────────────────────────────────────────────

    def begin(self, streams: Sequence[Stream]) -> Passing | None:
        """Begin with what another session sends; `None` where it cannot be passed on, which callers are told."""
        video = next((stream for stream in streams if isinstance(stream, VideoStream)), None)
        if video is None:
            self._none(_("The programme has no picture, so there is nothing to show at once."))
            return None
        codec = video.codec_context.codec.canonical_name
        if codec != "h264":
            self._none(
                _(
                    "The programme comes as {codec}, which browsers do not show as it is; set the encoder to H.264."
                    " What goes on the air does not mind."
                ).format(codec=codec)
            )
            return None
        sound = next((stream for stream in streams if isinstance(stream, AudioStream)), None)
        if sound is not None and sound.codec_context.codec.canonical_name != "aac":
            sound = None  # the picture alone
        self._passing = Passing(self, video, sound)
        return self._passing

    def opened(self, picture: fmp4.Picture, sound: fmp4.Sound | None) -> None:
        """Tell everybody what the packets that follow are like; who watches something else is hung up on."""
        opening = {True: fmp4.opening(picture, sound), False: fmp4.opening(picture, None)}
        with self._lock:
            gone = set() if opening == self._opening else self._viewers.copy()
            self._opening, self._why = opening, ""
            self._codecs = {True: f"{picture.codec},{sound.codec}" if sound else picture.codec, False: picture.codec}
            self._forget()
            for viewer in self._viewers:
                viewer.begin_anew()
        self._wake(gone, end=True)

    def picture(self, due: int, shown: int, length: int, packet: av.Packet[Stream], *, key: bool) -> None:
        """Pass a picture on: decoded `due`, shown so much later, in ticks."""
        with self._lock:
            self._number += 1
            if key or self._kept > KEPT:
                self._forget()
            passed = _Passed(self._number, due, shown, length, key, packet)
            if key or self._since_key:
                self._since_key.append(passed)
                self._kept += packet.size
            viewers = self._viewers.copy()
            if viewers:
                whole = fmp4.fragment(self._number, fmp4.PICTURE, due, length, passed.data, shown=shown, key=key)
                for viewer in viewers:
                    viewer.offer(whole, begins=key)
        self._wake(viewers)

    def sound(self, at: int, length: int, data: bytes) -> None:
        """Pass sound on that begins `at`, in samples."""
        with self._lock:
            self._number += 1
            viewers = {viewer for viewer in self._viewers if viewer.sound}
            if viewers:
                whole = fmp4.fragment(self._number, fmp4.SOUND, at, length, data)
                for viewer in viewers:
                    viewer.offer(whole, begins=False)
        self._wake(viewers)

    def ended(self, passing: Passing) -> None:
        """Nothing more comes of `passing`; who watches waits for what may come next."""
        if passing is self._passing:
            self._none(self._nothing, hang_up=False)

    def _none(self, why: str, *, hang_up: bool = True) -> None:
        with self._lock:
            gone = self._viewers.copy() if hang_up else set()
            self._why = why
            if hang_up:
                self._opening = {}
            self._forget()
        self._wake(gone, end=True)

    def _forget(self) -> None:
        self._since_key.clear()
        self._kept = 0

    def _wake(self, viewers: set[_Viewer], *, end: bool = False) -> None:
        if not viewers:
            return

        def wake() -> None:
            for viewer in viewers:
                viewer.wake(end=end)

        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(wake)

    # ── on the loop ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self, socket: Path) -> None:
        """Answer at `socket`. Raises OSError."""
        socket.unlink(missing_ok=True)  # the relay's own socket tells whether another one is alive
        self._server = await asyncio.start_unix_server(self._talk, socket)

    async def close(self, patience: float = 1.0) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for viewer in self._viewers.copy():
            viewer.wake(end=True)
        if self._talks:
            _done, late = await asyncio.wait(self._talks, timeout=patience)
            for talk in late:
                talk.cancel()

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (talk := asyncio.current_task()) is not None:
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)
        try:
            async with asyncio.timeout(PATIENCE):
                asked = msgspec.json.decode(await reader.readline(), type=Asked)
        except (TimeoutError, OSError, ValueError):  # not one of ours
            writer.close()
            return
        viewer = self._join(sound=asked.sound)
        said = viewer if isinstance(viewer, Said) else Said(codecs=self._codecs[asked.sound])
        try:
            writer.write(msgspec.json.encode(said) + b"\n")
            if isinstance(viewer, _Viewer):
                await viewer.serve(writer)
        except OSError:
            pass  # it has hung up
        finally:
            with self._lock:
                if isinstance(viewer, _Viewer):
                    self._viewers.discard(viewer)
            writer.close()

    def _join(self, *, sound: bool) -> _Viewer | Said:
        """Return a viewer that is told all from the last key frame on, or why there is nothing to tell."""
        with self._lock:
            if self._why:
                return Said(why=self._why)
            if len(self._viewers) >= VIEWERS:
                return Said(why=_("Too many watch the instant picture already; close one of them."))
            first = self._opening[sound] + b"".join(_hurried(self._since_key))
            viewer = _Viewer(first, waits=not self._since_key, sound=sound)
            self._viewers.add(viewer)
            return viewer


class _Viewer:
    """Somebody who watches. `offer` from the source's thread, the rest on the loop."""

    def __init__(self, first: bytes, *, waits: bool, sound: bool) -> None:
        self._first = first
        self.sound = sound
        self._queue: deque[bytes] = deque()
        self._waits = waits
        self._ended = False
        self._some = asyncio.Event()

    def offer(self, whole: bytes, *, begins: bool) -> None:
        if len(self._queue) >= MOST:
            self._queue.clear()
            self._waits = True
        if begins or not self._waits:
            self._waits = False
            self._queue.append(whole)

    def begin_anew(self) -> None:
        self._waits = True

    def wake(self, *, end: bool) -> None:
        self._ended = self._ended or end
        self._some.set()

    async def serve(self, writer: asyncio.StreamWriter) -> None:
        """Send what is offered until it ends, or the other side hangs up (OSError)."""
        writer.transport.set_write_buffer_limits(high=0)  # what waits, waits here, where it is counted
        first, self._first = self._first, b""  # which may be megabytes, and is sent once
        writer.write(first)
        del first
        await writer.drain()
        while not self._ended and not writer.is_closing():
            await self._some.wait()
            self._some.clear()
            with contextlib.suppress(IndexError):  # there are no more, or they were too many just now
                while True:
                    writer.write(self._queue.popleft())
                    await writer.drain()


class Passing:
    """One session's way to those who watch; for the source's thread."""

    def __init__(self, instant: Instant, video: VideoStream, sound: AudioStream | None) -> None:
        self._instant = instant
        self._video = video
        self._sound = sound
        self._sound_index = None if sound is None else sound.index
        self._rate = 0
        self._opened = False
        self._last = -1
        self._next: int | None = None

    def put(self, packet: av.Packet[Stream], offset: Ticks) -> None:
        """Take a packet as it came, not yet on the show clock; show time is its stamp + `offset`."""
        value = packet.dts if packet.dts is not None else packet.pts
        if value is None:
            return
        if packet.stream_index == self._video.index:
            base = packet.time_base
            shown = 0 if packet.pts is None else ticks_in(packet.pts - value, base)
            self._put_picture(ticks_in(value, base) + offset, shown, ticks_in(packet.duration or 0, base), packet)
        elif self._opened and self._sound_index == packet.stream_index and self._instant.viewers:
            base = packet.time_base
            self._put_sound(value * base.numerator / base.denominator + offset / RATE, packet)

    def end(self) -> None:
        """Nothing more comes of this session."""
        self._instant.ended(self)

    def _put_picture(self, due: int, shown: int, length: int, packet: av.Packet[Stream]) -> None:
        key = packet.is_keyframe
        if not self._opened and not (key and self._open(bytes(packet))):
            return
        due = max(due, self._last + 1, 0)
        length = length or min(max(due - self._last, 1), RATE // 5) if self._last >= 0 else RATE // 25
        self._last = due
        self._instant.picture(due, shown, length, packet, key=key)

    def _put_sound(self, seconds: float, packet: av.Packet[Stream]) -> None:
        at = round(seconds * self._rate)
        if self._next is not None and abs(at - self._next) <= SLIP * self._rate:
            at = self._next
        if at < 0 or (self._next is not None and at < self._next):
            return
        length = round((packet.duration or 0) * packet.time_base * self._rate)
        length = _AAC_FRAME if not length or abs(length - _AAC_FRAME) < SLIP * self._rate else length
        self._next = at + length
        self._instant.sound(at, length, fmp4.without_header(bytes(packet)))

    def _open(self, data: bytes) -> bool:
        """Say what the session is like, now that its first key frame is here; False where nobody can tell."""
        context = self._video.codec_context
        setup = fmp4.avc_setup(context.extradata or b"") or fmp4.avc_setup(data)
        if setup is None:
            return False
        shape = self._video.sample_aspect_ratio or 1
        picture = fmp4.Picture(context.width, context.height, setup, (shape.numerator or 1, shape.denominator or 1))
        sound = None
        if self._sound is not None:
            heard = self._sound.codec_context
            self._rate = heard.sample_rate
            setup = fmp4.aac_setup(heard.extradata or b"", heard.sample_rate, heard.layout.nb_channels)
            sound = fmp4.Sound(heard.sample_rate, heard.layout.nb_channels, setup)
        self._instant.opened(picture, sound)
        self._opened = True
        return True


def _hurried(pictures: deque[_Passed]) -> list[bytes]:
    """Return the pictures since the key frame, in no time before the last one, for whoever must decode them to go on.

    Their order stays; a player that takes them as they are is at the live edge at once.
    """
    if not pictures:
        return []
    last = pictures[-1]
    order = {number: rank for rank, number in enumerate(sorted(range(len(pictures)), key=lambda i: _time(pictures[i])))}
    deepest = max(0, *(number - order[number] for number in order)) if len(order) > 1 else 0
    begin = last.due - STEP * (len(pictures) - 1)
    if begin < 0:  # the show has only just begun
        return [
            fmp4.fragment(each.number, fmp4.PICTURE, each.due, STEP, each.data, shown=each.shown, key=each.key)
            for each in pictures
        ]
    return [
        fmp4.fragment(
            each.number, fmp4.PICTURE, begin + number * STEP,
            # a browser lets go of what follows a picture by more than twice its length
            each.length if each is last else STEP,
            each.data, shown=(order[number] - number + deepest) * STEP, key=each.key,
        )
        for number, each in enumerate(pictures)
    ]  # fmt: skip


def _time(each: _Passed) -> int:
    return each.due + each.shown
