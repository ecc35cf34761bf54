"""The hold: encoded pictures between arriving and airing."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

import av

from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.eyes import Eyes

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(eq=False, slots=True, weakref_slot=True)
class Reel:
    """Pictures of one source from its first packet to its last: they share a decoder."""

    decoder: Eyes
    shape: Fraction
    """Width of a pixel over its height."""
    fps: float
    """As the source says; 0 where it does not."""
    begin: Ticks
    """Earlier pictures are decoded, since later ones need them, and not aired."""
    end: Ticks | None = None
    """Nor are pictures from here on, where another reel goes on in its place: some before them never came."""

    def is_over(self, at: int) -> bool:
        """Whether another reel airs `at`."""
        return self.end is not None and at >= self.end


@dataclass(frozen=True, slots=True)
class Held:
    """An encoded picture, its stamps on the show clock in ticks."""

    reel: Reel
    due: Ticks
    """When it is to be decoded, on the show clock before the hold is added."""
    packet: av.Packet[av.VideoStream] | None
    """`None`: the reel ends here."""


class Hold:
    """Encoded pictures in their order of decoding. One thread puts, another takes."""

    def __init__(self, most: int) -> None:
        """Keep `most` bytes at the most; the oldest go first then, and are counted."""
        self._held: deque[Held] = deque()
        self._most = most
        self._lock = threading.Lock()
        self.size = 0
        """Bytes held."""
        self.overflow = 0
        """Packets that were lost because there was no room."""

    def put(self, held: Held) -> None:
        """Add at the end."""
        with self._lock:
            self._held.append(held)
            self._grown(held)

    def weave(self, early: Sequence[Held]) -> None:
        """Add pictures of another reel between those that are held, each where it is due.

        They are decoded beside those, a few at a time, so that their reel can go on at any picture.
        """
        if not early:
            return
        with self._lock:
            self._held = deque(merge(self._held, early, key=attrgetter("due")))
            self._grown(*early)

    def _grown(self, *more: Held) -> None:
        self.size += sum(held.packet.size for held in more if held.packet)
        while self.size > self._most:
            lost = self._held.popleft()
            self.size -= lost.packet.size if lost.packet else 0
            self.overflow += 1

    def take(self, until: Ticks) -> Held | None:
        """Return the first, if it is due by `until`."""
        with self._lock:
            if not self._held or self._held[0].due > until:
                return None
            held = self._held.popleft()
            self.size -= held.packet.size if held.packet else 0
            return held

    def skip(self, until: Ticks) -> Reel | None:
        """Let go of what need not be decoded to see what is due `until`; return the reel that begins anew, if any."""
        with self._lock:
            keys = [
                number
                for number, held in enumerate(self._held)
                if held.due <= until
                and held.packet
                and held.packet.is_keyframe
                and max(held.packet.pts or 0, held.reel.begin) <= until
            ]
            if not keys:
                return None
            shown = self._held[keys[-1]].reel
            early = []
            for _number in range(keys[-1]):
                lost = self._held.popleft()
                if lost.reel is not shown and lost.reel.begin > until:  # a reel that goes on later needs them all
                    early.append(lost)
                else:
                    self.size -= lost.packet.size if lost.packet else 0
            self._held.extendleft(reversed(early))
            return shown

    def key_after(self, reel: Reel) -> tuple[Ticks | None, Ticks]:
        """Return when the next key frame of `reel` is due, `None` where none is held, and the last of its pictures."""
        with self._lock:
            last = Ticks(0)
            for held in self._held:
                if held.reel is not reel:
                    continue
                last = held.due
                if held.packet is not None and held.packet.is_keyframe:
                    return held.due, last
        return None, last

    def rate(self) -> float:
        """Pictures a second as held; 0 where too few are held to tell."""
        with self._lock:
            dues = [held.due for held in self._held if held.packet][:100]
        steps = sorted(later - earlier for earlier, later in pairwise(dues) if later > earlier)
        enough = 8
        return RATE / steps[len(steps) // 2] if len(steps) >= enough else 0.0

    def __len__(self) -> int:
        return len(self._held)
