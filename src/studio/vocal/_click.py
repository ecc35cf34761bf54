"""The click and the count-in: from a tempo, or from where somebody tapped."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import VocalError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SLOWEST, FASTEST = 20.0, 400.0
"""Beats a minute that can be clicked."""
MOST_BEATS = 32
"""In one bar."""
PAUSE = 3.0
"""Seconds without a tap after which somebody began anew: the slowest beat there is."""
_STRAY = 0.25
"""Share of a beat by which a tap may lie beside it; one further away is not counted."""
_LENGTH = 0.03
"""Seconds of one click."""
_DIES = 0.006
"""Seconds in which it becomes a third as loud: short enough to be heard as a point in time."""
_BAR, _BEAT = 1760.0, 1174.7
"""Hertz, of the first beat in a bar and of the others: away from each other, and from where most voices sing."""
_SOFTER = 0.7
"""How loud the others are beside the first."""


@dataclass(frozen=True, slots=True)
class Beats:
    """Where the beats of a song are; second 0 of the song is the first of a bar. Raises VocalError."""

    tempo: float
    """Beats a minute; not asked where there are taps."""
    bar: int = 4
    """Beats in it."""
    taps: tuple[float, ...] = ()
    """Seconds of the song, two or more, from the first of a bar on. Beats go on before and after them as they began
    and as they ended. Taps that stop for a bar are a bar without a click."""

    def __post_init__(self) -> None:
        if not 1 <= self.bar <= MOST_BEATS:
            raise VocalError(
                _("A bar of {beats} beats cannot be clicked; choose between 1 and {most}.").format(
                    beats=self.bar, most=MOST_BEATS
                )
            )
        if self.taps:
            if not self.taps[1:] or any(b <= a for a, b in pairwise(self.taps)):
                raise VocalError(_("Tap at least two beats, one after the other."))
        elif not SLOWEST <= self.tempo <= FASTEST:
            raise VocalError(
                _("{tempo} beats a minute cannot be clicked; choose between {least} and {most}.").format(
                    tempo=f"{self.tempo:g}", least=f"{SLOWEST:g}", most=f"{FASTEST:g}"
                )
            )

    @property
    def first_beat(self) -> float:
        """Seconds from one beat to the next where the song begins."""
        return _middle(np.diff(self.taps[: self.bar + 1])) if self.taps else 60 / self.tempo

    @property
    def last_beat(self) -> float:
        """Seconds from one beat to the next where the taps end."""
        return _middle(np.diff(self.taps[-self.bar - 1 :])) if self.taps else 60 / self.tempo

    def count_in(self, bars: int) -> float:
        """Return the second of the song, 0 or before, at which `bars` begin that are counted in."""
        start = self.taps[0] if self.taps else 0.0
        return min(0.0, start - bars * self.bar * self.first_beat) if bars > 0 else 0.0

    def between(self, start: float, end: float) -> list[tuple[float, bool]]:
        """Return each beat in [start, end), in seconds of the song, and whether it is the first of a bar."""
        return [(at, number % self.bar == 0) for at, number in self._numbered(start, end)]

    def _numbered(self, start: float, end: float) -> list[tuple[float, int]]:
        taps = self.taps or (0.0,)
        found: list[tuple[float, int]] = []
        before, after = self.first_beat, self.last_beat
        first = math.ceil((start - taps[0]) / before - 1e-9)
        found += [(taps[0] + n * before, n) for n in range(first, 0) if taps[0] + n * before < end]
        inside = range(bisect.bisect_left(taps, start), bisect.bisect_left(taps, end))
        found += [(taps[n], n) for n in inside]
        last = len(taps) - 1
        n = max(1, math.ceil((start - taps[-1]) / after - 1e-9))
        while taps[-1] + n * after < end:
            found.append((taps[-1] + n * after, last + n))
            n += 1
        return found


def tempo_of(taps: Sequence[float]) -> float | None:
    """Return the beats a minute that somebody taps, by the seconds of the taps; `None`: fewer than two, or no beat.

    What came before a pause does not count. A tap that was left out is two beats; one that went astray counts little.
    """
    run: list[float] = []
    for at in taps:
        run = [*run, at] if run and 0 < at - run[-1] <= PAUSE else [at]
    if not run[1:]:
        return None
    steps = np.diff(run)
    usual = _middle(steps)
    beats = np.maximum(1, np.round(steps / usual))
    near = np.abs(steps / beats - usual) <= _STRAY * usual
    tempo = 60 * float(beats[near].sum() / steps[near].sum())
    return tempo if SLOWEST <= tempo <= FASTEST else None


class Clicks:
    """The sound of `beats` at `rate`, of which any part can be had."""

    def __init__(self, beats: Beats, rate: int) -> None:
        self._beats = beats
        self._rate = rate
        self._sounds = {first: click_sound(rate, first=first) for first in (True, False)}
        self._long = len(self._sounds[True])

    def part(self, start: int, frames: int) -> NDArray[np.float32]:
        """Return `frames` of it from frame `start` of the song on, (frames, 1), full scale ±1."""
        out = np.zeros((frames, 1), np.float32)
        for at, first in self._beats.between((start - self._long) / self._rate, (start + frames) / self._rate):
            begin = round(at * self._rate) - start
            sound = self._sounds[first][max(0, -begin) : max(0, frames - begin)]
            out[max(0, begin) : max(0, begin) + len(sound), 0] += sound
        return out


def click_sound(rate: int, *, first: bool) -> NDArray[np.float32]:
    """Return one click; `first`: of the first beat in a bar. Its first frame is not silent."""
    at = np.arange(1, round(_LENGTH * rate) + 1) / rate
    fades = np.exp(-at / _DIES) * np.clip((_LENGTH - at) / (_LENGTH / 4), 0, 1)
    tone = np.sin(2 * np.pi * (_BAR if first else _BEAT) * at)
    return np.asarray(tone * fades * (1.0 if first else _SOFTER), np.float32)


def _middle(steps: NDArray[np.float64]) -> float:
    return float(np.median(steps))
