"""Time, level and share, each with its unit in its type; the show clock and the hand-turned clock of the tests."""

from __future__ import annotations

import re
import time
from typing import NewType, Protocol

Ms = NewType("Ms", int)
"""Whole milliseconds. On the show clock, 0 is the first programme frame that ever arrived."""

Decibels = NewType("Decibels", float)
"""Level relative to full scale (dBFS) unless a name says otherwise; never above 0 for sound."""

Lufs = NewType("Lufs", float)
"""Loudness as people hear it, by EBU R128: 0 is as loud as full scale, speech on the air about -23."""

Percent = NewType("Percent", int)
"""A share in [0..100]."""

_TIMECODE = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,3}))?")


def ms(seconds: float) -> Ms:
    """Seconds as whole milliseconds, rounded to the nearest: the one conversion at each edge."""
    return Ms(round(seconds * 1000))


def timecode(at: Ms, separator: str = ".") -> str:
    """Write `at` as `HH:MM:SS.mmm`; negative times are written as zero, hours go past 99.

    SRT separates the milliseconds with a comma, WebVTT with a full stop.
    """
    seconds, rest = divmod(max(0, at), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{separator}{rest:03}"


def parse_timecode(text: str) -> Ms:
    """Read `[HH:]MM:SS[.mmm]` (comma or full stop); ValueError for anything else."""
    found = _TIMECODE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hours, minutes, seconds, rest = found.groups()
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return Ms(whole * 1000 + int((rest or "0").ljust(3, "0")))


class Clock(Protocol):
    """Whatever tells the time of the show."""

    def now(self) -> Ms:
        """Milliseconds since the show's first frame; negative before it."""
        ...


class ShowClock:
    """The time of the show, the same in every process of one machine.

    It counts from `epoch`, a reading of the system's monotonic clock, which all processes share and no
    time server moves.
    """

    def __init__(self, epoch: int) -> None:
        """Count from `epoch`, in nanoseconds of `time.monotonic_ns`."""
        self.epoch = epoch

    @classmethod
    def starting_now(cls) -> ShowClock:
        """Return a clock that reads 0 at this moment."""
        return cls(time.monotonic_ns())

    def now(self) -> Ms:
        """Milliseconds since the epoch."""
        return Ms((time.monotonic_ns() - self.epoch) // 1_000_000)


class HandClock:
    """A clock that a test turns by hand."""

    def __init__(self, at: int = 0) -> None:
        self._at = at

    def now(self) -> Ms:
        """Milliseconds, as last turned."""
        return Ms(self._at)

    def turn(self, by: int) -> None:
        """Move on by so many milliseconds; a negative number moves back, as broken clocks do."""
        self._at += by
