"""One encoder's stay at one input: its packets find their place on the show clock, and are kept while another airs."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.stream import Stream

from studio.media._arrive.anchor import SETTLE, Anchor
from studio.media._arrive.intake import Session, programme
from studio.media._ground.clock import RATE, Ticks, ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.container import InputContainer

    from studio.media._arrive.intake import Intake

KEPT = ticks(1.0)
"""How far what is kept of an encoder that does not air goes back at least, besides its last key frame before that: the
other one is found to be lost after less."""
LATE_KEY = ticks(0.2)
"""A key frame may be shown so long after it is to be decoded."""
MOST_KEPT = 64 << 20
"""Bytes of it at the most: 20 s at 25 Mb/s."""
_TIME = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet and its place."""

    packet: av.Packet[Stream]
    offset: Ticks
    at: Ticks
    """When it is to be decoded, on the show clock."""
    begins: bool
    """Whether a decoder may begin here."""


class Kept:
    """The last packets of a stream from a key frame on, so many that what airs can go on from any moment just past."""

    def __init__(self) -> None:
        self._packets: deque[Placed] = deque()
        self._begins: deque[Ticks] = deque()
        self.size = 0
        """Bytes."""

    def put(self, packet: Placed, before: Ticks) -> None:
        """Add at the end; let go of what a decoder need not know to show `before`, or of what is too much."""
        if not packet.begins and not self._packets:
            return
        self._packets.append(packet)
        self.size += packet.packet.size
        if packet.begins:
            self._begins.append(packet.at)
        while len(self._begins) > 1 and (self._begins[1] <= before or self.size > MOST_KEPT):
            self._drop()
        if self.size > MOST_KEPT:
            self.take(before)

    def _drop(self) -> None:
        """Let go of what comes before the second key frame."""
        self._begins.popleft()
        while True:
            self.size -= self._packets.popleft().packet.size
            if self._packets[0].begins:
                return

    def take(self, before: Ticks) -> list[tuple[av.Packet[Stream], Ticks]]:
        """Return what a decoder must know to show what comes after `before`, and keep nothing."""
        while len(self._begins) > 1 and self._begins[1] <= before:
            self._drop()
        taken = [(each.packet, each.offset) for each in self._packets]
        self._packets.clear()
        self._begins.clear()
        self.size = 0
        return taken

    def reaches(self, back: Ticks) -> bool:
        """Whether a decoder can begin at `back` or before."""
        return bool(self._begins) and self._begins[0] <= back


class Stay:
    """Belongs to the thread that reads the encoder; what it does with a session is done under the desk's lock."""

    def __init__(
        self,
        intake: Intake,
        container: InputContainer,
        floor: Callable[[], Ticks],
        take: Callable[[Stay, Placed], None],
    ) -> None:
        """Nothing is placed before `floor`, asked when the first packets are; `take` is told of each one placed.

        Neither may know this stay, or it stays in memory with its decoders and their pictures, 20 MB of 720p, until
        Python looks for circles, which it does seldom.
        """
        self._intake = intake
        self._container = container
        self._floor = floor
        self._take = take
        self.video, self.audio = programme(container)
        self.streams: list[Stream] = [stream for stream in (self.video, self.audio) if stream is not None]
        self.kept = Kept()
        self.session: Session | None = None
        """While it airs."""
        self.over = False
        """The encoder left."""
        self._aired = False
        self._anchor: Anchor | None = None
        self._waiting: list[tuple[av.Packet[Stream], int]] = []
        """The first packets, and when each arrived."""
        self._last: dict[int, Ticks] = {}
        self.step = Ticks(0)
        """Between the last two pictures, or pieces of sound where there is no picture."""

    def arrived(self, packet: av.Packet[Stream]) -> None:
        """Place a packet that came just now."""
        stamp = Session.stamp(packet)
        if stamp is None:
            return
        now, intake = time.monotonic_ns(), self._intake
        if self._anchor is None:
            self._waiting.append((packet, now))
            if now - self._waiting[0][1] < SETTLE * _TIME // RATE:
                return
            _complete([held for held, _arrived in self._waiting if held.stream == self.video])
            self._anchor = self._first_anchor()
            for held, _arrived in self._waiting:
                self._place(self._anchor, held, Session.stamp(held) or Ticks(0))
            self._waiting.clear()
            return
        self._anchor.be_patient(Ticks(intake.delay // 2))  # the hold may have been changed
        self._place(self._anchor, packet, stamp)

    def _place(self, anchor: Anchor, packet: av.Packet[Stream], stamp: Ticks) -> None:
        at = anchor.place(packet.stream_index, stamp, self._intake.zero.now())
        picture = self.video is not None and packet.stream_index == self.video.index
        if picture or self.video is None:
            self.step = Ticks(max(0, stamp - self._last.get(packet.stream_index, stamp)))
        self._last[packet.stream_index] = stamp
        self._take(self, Placed(packet, anchor.offset, at, begins=packet.is_keyframe and (picture or not self.video)))

    @property
    def placed(self) -> bool:
        """Whether its first packets have their place."""
        return self._anchor is not None

    def put(self, placed: Placed) -> None:
        """Hand a packet over where it airs, keep it where it does not."""
        if self.session is not None:
            self.session.put(placed.packet, placed.offset)
        else:
            back = KEPT + self._intake.delay // 2  # the other may lag by so much (`Anchor`) when it is lost
            self.kept.put(placed, Ticks(self._intake.zero.now() - back))

    def take_over(self) -> None:
        """Air from where what was handed over before ends, as far as it is kept."""
        intake = self._intake
        self.session = Session(intake, self._container, intake.shown, again=self._aired)
        self._aired = True
        if intake.clean is not None:
            self.session.copy = intake.clean.begin(self.streams)
        if intake.instant is not None:
            self.session.passing = intake.instant.begin(self.streams)
        self.session.take_over(self.kept.take(Ticks(intake.shown - LATE_KEY)))

    def reaches(self, back: Ticks) -> bool:
        """Whether it can show what comes after `back`."""
        return self.kept.reaches(Ticks(back - LATE_KEY))

    def stand_by(self, end: Ticks | None = None) -> None:
        """Air no more; another stay does from `end` on, if that is given."""
        if self.session is not None:
            self.session.close(end)
            self.session = None

    def _first_anchor(self) -> Anchor:
        """Place the first packets: the one that waited least shows when all of them really came."""
        intake, waiting = self._intake, self._waiting
        stamps = [Session.stamp(packet) or Ticks(0) for packet, _arrived in waiting]
        came = min(arrived - stamp * _TIME // RATE for (_packet, arrived), stamp in zip(waiting, stamps, strict=True))
        # The show begins with the first picture that is shown; it is decoded earlier, where others are moved behind it.
        first = min(_shown(packet) for packet, _arrived in waiting)
        # No further back than the hold can bear: what is overdue when it is placed would never air.
        bearable = max(0, intake.delay - 2 * SETTLE) * _TIME // RATE
        came = max(came, waiting[0][1] - bearable - first * _TIME // RATE)
        intake.zero.begin(came + first * _TIME // RATE)
        offset = Ticks((came - (intake.zero.epoch or 0)) * RATE // _TIME)
        floor = self._floor()
        offset = Ticks(max(offset, floor - first))
        return Anchor(offset, Ticks(intake.delay // 2), floor)


def _complete(pictures: list[av.Packet[Stream]]) -> None:
    """Say when the first pictures are to be decoded: NUT does not, where they are shown in another order."""
    known = next((number for number, packet in enumerate(pictures) if packet.dts is not None), 0)
    for packet, after in reversed(list(itertools.pairwise(pictures[: known + 1]))):
        if packet.dts is None and after.dts is not None:
            packet.dts = after.dts - (packet.duration or after.duration or 1)


def _shown(packet: av.Packet[Stream]) -> Ticks:
    """When `packet` is shown, in ticks of the source."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return Ticks(round((stamp or 0) * packet.time_base * RATE))
