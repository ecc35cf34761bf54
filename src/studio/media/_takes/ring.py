"""Between PortAudio's thread, which may never wait, and the one that writes: a ring without a lock.

One thread puts, another takes. Each changes only what is its own, and shows it last: an index that Python replaces in
one piece.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of sound as one call of PortAudio brought it."""

    samples: NDArray[np.int32]
    """(frames, channels), 24 bits on the left. A view into the ring, good until the next `take`."""
    came: float
    """When, on the machine's monotonic clock, in seconds."""
    recorded: float
    """When its first frame was heard, as PortAudio says it, on the same clock; 0: it does not say."""
    missed: int
    """Frames before it for which the ring had no room."""
    life: int
    """How often the input had been opened before."""
    index: int
    """Of its first frame, counted from when the input was opened; what the ring had no room for counts, too."""

    def copy(self) -> Block:
        """Return it so that it may be kept."""
        return replace(self, samples=self.samples.copy())


class Ring:
    """Sound that waits to be written; what finds no room is counted and left out."""

    def __init__(self, frames: int, channels: int) -> None:
        """Hold at most so many."""
        self._sound = np.zeros((frames, channels), np.int32)
        self._put = 0
        self._taken = 0
        self._given = 0
        """Up to where the room is given back at the next `take`."""
        self._notes: deque[tuple[int, int, float, float, int, int, int]] = deque()
        """Of each block that waits: place in the ring, frames, `came`, `recorded`, `missed`, `life`, `index`."""
        self._missed = 0
        self._life, self._index = 0, 0

    @property
    def channels(self) -> int:
        """Of the sound."""
        return int(self._sound.shape[1])

    @property
    def waiting(self) -> int:
        """Frames that were put and not taken."""
        return self._put - self._taken

    def put(self, data: bytes, came: float, recorded: float, life: int = 0) -> None:
        """Copy a block in; never waits."""
        samples = np.frombuffer(data, np.int32).reshape(-1, self.channels)
        size, count = len(self._sound), len(samples)
        place = self._put % size
        if life != self._life:
            self._life, self._index = life, 0
        index, self._index = self._index, self._index + count
        skip = size - place if place + count > size else 0  # a block lies in one piece, so that it is taken as a view
        if self.waiting + skip + count > size:
            self._missed += count
            return
        place = 0 if skip else place
        self._sound[place : place + count] = samples
        self._notes.append((place, count, came, recorded, self._missed, life, index))
        self._missed = 0
        self._put += skip + count

    def take(self) -> Block | None:
        """Return the oldest block, and give the room of the one before it back; `None` where nothing waits."""
        self._taken = self._given
        if not self._notes:
            return None
        place, count, came, recorded, missed, life, index = self._notes.popleft()
        size = len(self._sound)
        ahead = (place - self._taken) % size
        self._given = self._taken + ahead + count
        return Block(self._sound[place : place + count], came, recorded, missed, life, index)
