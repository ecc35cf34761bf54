"""Where a subtitle file belongs in a film: its cues laid over where somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from studio.speech._stretch import Stretch, Survey

_GRAIN = 40
"""Milliseconds that a place is found to at first: a frame."""
_FILM, _TAPE, _NTSC = Fraction(24), Fraction(25), Fraction(24000, 1001)
RATES = tuple(sorted({Fraction(1)} | {a / b for a in (_FILM, _TAPE, _NTSC) for b in (_FILM, _TAPE, _NTSC) if a != b}))
"""By which a film's clock goes slower or faster where it was shown at another rate: 25 for 24, 24 for 23.976 …"""
_SAME = 0.015
"""Correlation by which another rate must be better than the file's own."""
_NEIGHBOUR = 2000
"""Milliseconds around the best place in which a second one is the same one."""
_ONSET = 500
"""Milliseconds from a cue's begin within which somebody begins to speak because of it."""
_FEWEST = 4
"""Cues that say anything at all."""
_NOISE = 5.0
"""How many times the usual correlation of a wrong place the right one has at least."""
_SURE = 0.75
"""Files laid over films that were not theirs came to 0.70, with five cues; those of a minute and more to 0.65."""
_LEAST, _LEAD = 0.2, 1.25
"""What the right place correlates by at least, and how many times better than the next one."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a subtitle file belongs: a time `t` of it is `t * rate + shift` in the film."""

    rate: float
    shift: Ms
    sure: float
    """Share in [0..1]: how far the place stands out among all others."""

    @property
    def believed(self) -> bool:
        """Whether it may be written without a person having looked at it."""
        return self.sure >= _SURE

    def at(self, time: Ms) -> Ms:
        """Where a time of the file is in the film; never before its begin."""
        return Ms(max(0, round(time * self.rate) + self.shift))


def fit(cues: Sequence[Stretch], found: Survey) -> Fit:
    """Lay `cues`, when each stands on the picture, over a film's survey. Nothing to lay: not sure at all."""
    if len(cues) < _FEWEST or not found.voiced:
        return Fit(1.0, Ms(0), 0.0)
    best: tuple[float, Fraction, int, float] | None = None
    for rate in sorted(RATES, key=lambda rate: abs(rate - 1)):
        place, peak, sure = _laid(_drawn(cues, float(rate)), _drawn(found.voiced, 1.0))
        if best is None or peak > best[0] + _SAME:
            best = peak, rate, place, sure
    if best is None:
        return Fit(1.0, Ms(0), 0.0)
    _peak, rate, place, sure = best
    shift = place * _GRAIN
    return Fit(float(rate), Ms(shift + _onsets(cues, found.voiced, float(rate), shift)), round(sure, 2))


def _drawn(stretches: Sequence[Stretch], rate: float) -> NDArray[np.float64]:
    """1 where something is, 0 elsewhere, each `_GRAIN`."""
    drawn = np.zeros(round(stretches[-1].end * rate) // _GRAIN + 2)
    for one in stretches:
        drawn[round(one.start * rate / _GRAIN) : max(1, round(one.end * rate / _GRAIN))] = 1
    return drawn


def _laid(text: NDArray[np.float64], voice: NDArray[np.float64]) -> tuple[int, float, float]:
    """Return the shift of `text` at which both agree best, their correlation there, and how sure that is."""
    size = 1 << (len(text) + len(voice)).bit_length()
    a, b = np.zeros(size), np.zeros(size)
    a[: len(voice)], b[: len(text)] = voice - voice.mean(), text - text.mean()
    together = np.fft.irfft(np.fft.rfft(a) * np.conj(np.fft.rfft(b)), size)
    together /= max(1e-9, float(np.sqrt(np.square(a).sum() * np.square(b).sum())))
    place = int(together.argmax())
    peak = float(together[place])
    around = np.arange(place - _NEIGHBOUR // _GRAIN, place + _NEIGHBOUR // _GRAIN + 1) % size
    others = np.delete(together, around)
    second, usual = float(others.max()), float(others.std())
    ways = (peak / _LEAST, peak / (_NOISE * max(1e-6, usual)), peak / max(1e-6, second) / _LEAD)
    return (place if place < size // 2 else place - size), peak, min(1.0, max(0.0, min(ways) - 0.5))


def _onsets(cues: Sequence[Stretch], voiced: Sequence[Stretch], rate: float, shift: int) -> int:
    """What is still to be added: cues begin with somebody who begins to speak, half of them before and half after."""
    begins = np.array([one.start for one in voiced])
    off = []
    for cue in cues:
        at = cue.start * rate + shift
        nearest = begins[np.abs(begins - at).argmin()] - at
        if abs(nearest) <= _ONSET:
            off.append(float(nearest))
    return round(float(np.median(off))) if len(off) >= _FEWEST else 0
