"""How the air is doing: what was on time, and what was not."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from studio.media._ground.clock import RATE, Ticks, ticks
from studio.units import Ms

ON_TIME = ticks(0.1)
"""What may pass, besides one frame's length, until a frame counts as late."""


@dataclass(slots=True)
class Figures:
    """How the air is doing; written by the air alone, read by anyone."""

    width: int = 0
    height: int = 0
    frames: int = 0
    on_time: int = 0
    dropped: int = 0
    phase: Literal["waiting", "on air", "draining", "done"] = "waiting"
    corrupt: int = 0
    """Packets that could not be decoded."""
    slate: bool = False
    """The slate is on the air."""
    _lateness: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=2000))

    def count(self, late: int, length: Ticks) -> None:
        """Count a frame of `length` that aired `late` ticks after its moment."""
        self._lateness.append((time.monotonic(), late))
        self.frames += 1
        self.on_time += late <= max(length, ON_TIME)

    def late_p95(self) -> Ms | None:
        """Lateness that 95 of 100 frames of the last ten seconds kept within; `None` without frames."""
        after = time.monotonic() - 10
        late = sorted(late for at, late in list(self._lateness) if at > after)
        return Ms(round(late[int(len(late) * 0.95)] / (RATE / 1000))) if late else None

    def fps(self) -> float:
        """Frames a second over the last five seconds."""
        now = time.monotonic()
        times = [at for at, _late in list(self._lateness) if at > now - 5]
        enough = 5
        return (
            round((len(times) - 1) / (times[-1] - times[0]), 1) if len(times) > enough and times[-1] > times[0] else 0.0
        )
