"""The hold: encoded pictures between arriving and airing."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av

from studio.media._clock import RATE, Ticks


@dataclass(eq=False, slots=True)
class Reel:
    """Pictures of one source from its first packet to its last: they share a decoder."""

    decoder: av.VideoCodecContext
    shape: Fraction
    """Width of a pixel over its height."""
    fps: float
    """As the source says; 0 where it does not."""
    begin: Ticks
    """Earlier pictures are decoded, since later ones need them, and not aired."""


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
            self.size += held.packet.size if held.packet else 0
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
                if held.due <= until and held.packet and held.packet.is_keyframe and (held.packet.pts or 0) <= until
            ]
            if not keys:
                return None
            for _number in range(keys[-1]):
                lost = self._held.popleft()
                self.size -= lost.packet.size if lost.packet else 0
            return self._held[0].reel

    def rate(self) -> float:
        """Pictures a second as held; 0 where too few are held to tell."""
        with self._lock:
            dues = [held.due for held in self._held if held.packet][:100]
        steps = sorted(later - earlier for earlier, later in pairwise(dues) if later > earlier)
        enough = 8
        return RATE / steps[len(steps) // 2] if len(steps) >= enough else 0.0

    def __len__(self) -> int:
        return len(self._held)
