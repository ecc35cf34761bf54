"""Where in another recording of the same evening a take was sung, by its sound alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 8000
"""Hertz that both are compared at."""
_SEGMENT = 10
"""Seconds of the take that are looked for in all of the other recording."""
_MOST_SEGMENTS = 12
_BAND = (150.0, 3500.0)
"""Hertz: below is the hall's rumble, above is nothing that a camera's microphone shares with ours."""
_WHITE = 0.8
"""How far frequencies count alike: 1 hears noise as well as song, 0 takes one pitch period for another."""
_SURE, _AGREEING = 1.6, 1.15
"""How much higher a place must stand than any other: alone, and where two places of the take agree. Voices that hold
the same note look alike everywhere, at no place much more than at others."""
_APART = 0.04
"""Seconds by which segments that agree differ, besides what clocks drift."""
_DRIFT = 500e-6
"""Most that two clocks run apart; good ones by 50e-6, cheap ones by 200e-6."""
_FINE = 2
"""Seconds that are compared again when it is known about where: so little that drift does not smear them."""
_MOST_FINE = 60
_AROUND = 0.08
"""Seconds around the place that was found in which the exact one lies."""
_LONG_ENOUGH = 30
"""Seconds of take over which drift can be told."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Where a take lies in another recording."""

    offset: float
    """Second of the other recording at which the take begins; below 0 where it began before."""
    drift: float
    """By how much longer a second of the take lasts there: 50e-6 is 0.18 s an hour. 0 where the take is too short."""
    sure: float
    """How much higher this place stands than any other, 1 or more."""


class _Place(NamedTuple):
    at: float
    """Second of the take."""
    offset: float
    """Second of the other recording, less `at`."""
    sure: float


def alike(take: NDArray[np.float32], other: NDArray[np.float32]) -> Alike | None:
    """Return where `take` lies in `other`, both mono at `RATE`; `None` where they are not of the same sound.

    Neither level nor noise matters much, nor that they only overlap in part.
    """
    length = min(_SEGMENT * RATE, len(take))
    if length < RATE or len(other) < RATE:
        return None
    size = 1 << (len(other) + length - 1).bit_length()
    spectrum = _whitened(other, size)
    count = min(_MOST_SEGMENTS, max(1, len(take) // length))
    found = []
    for start in np.linspace(0, len(take) - length, count).astype(int):
        lag, sure = _lag(take[start : start + length], spectrum, size, len(other))
        found.append(_Place(start / RATE, (lag - start) / RATE, sure))
    best = max(found, key=lambda each: _support(each, found))
    agreeing = [each for each in found if _agree(each, best) and each.sure >= _AGREEING]
    sure = max((each.sure for each in agreeing), default=0.0)
    if not agreeing or (len(agreeing) == 1 and sure < _SURE):
        return None
    offset, drift = _line(agreeing)
    fine = _looked_closer(take, other, offset, drift)
    if fine:
        offset, drift = _line(fine)
    return Alike(offset, drift, sure)


def _support(one: _Place, found: list[_Place]) -> float:
    return sum(min(each.sure, 5.0) for each in found if each.sure >= _AGREEING and _agree(each, one))


def _agree(one: _Place, other: _Place) -> bool:
    return abs(one.offset - other.offset) <= _APART + _DRIFT * abs(one.at - other.at)


def _line(found: list[_Place]) -> tuple[float, float]:
    """Return offset at the take's beginning, and drift: medians, which single mistakes do not move."""
    at = np.array([each.at for each in found])
    offsets = np.array([each.offset for each in found])
    if np.ptp(at) < _LONG_ENOUGH:
        return float(np.median(offsets)), 0.0
    one, other = np.nonzero(at[:, None] - at[None, :] >= _LONG_ENOUGH / 2)
    drift = float(np.median((offsets[one] - offsets[other]) / (at[one] - at[other])))
    drift = max(-_DRIFT, min(_DRIFT, drift))
    return float(np.median(offsets - drift * at)), drift


def _looked_closer(take: NDArray[np.float32], other: NDArray[np.float32], offset: float, drift: float) -> list[_Place]:
    length, around = _FINE * RATE, round(_AROUND * RATE)
    size = 1 << (length + 2 * around + length - 1).bit_length()
    found = []
    count = min(_MOST_FINE, len(take) // length)
    for start in np.linspace(0, max(0, len(take) - length), count).astype(int):
        begin = round(start + (offset + drift * start / RATE) * RATE) - around
        if begin < 0 or begin + length + 2 * around > len(other):
            continue
        near = _whitened(other[begin : begin + length + 2 * around], size)
        together = np.fft.irfft(np.conj(_whitened(take[start : start + length], size)) * near, size)[: 2 * around]
        top = int(np.argmax(together))
        if together[top] > _SURE * 2 * np.median(np.abs(together)) / 0.6745:
            lag = begin + top + _between(together, top)
            found.append(_Place(start / RATE, (lag - start) / RATE, 0.0))
    return found


def _whitened(sound: NDArray[np.float32], size: int) -> NDArray[np.complex64]:
    spectrum = np.fft.rfft(sound, size).astype(np.complex64)
    strength = np.abs(spectrum)
    floor = np.float32(1e-3) * (strength.max() or np.float32(1))
    spectrum /= np.maximum(strength, floor) ** np.float32(_WHITE)
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    spectrum[(hertz < _BAND[0]) | (hertz > _BAND[1])] = 0
    return spectrum


def _lag(segment: NDArray[np.float32], spectrum: NDArray[np.complex64], size: int, length: int) -> tuple[float, float]:
    """Return where in the other `segment` begins, in samples, and how much higher that place stands than any other."""
    together = np.fft.irfft(np.conj(_whitened(segment, size)) * spectrum, size)
    heights = np.abs(np.concatenate((together[:length], together[size - len(segment) :])))
    top = int(np.argmax(heights))
    height = float(heights[top])
    lag = (top if top < length else top - length - len(segment)) + _between(heights, top)
    near = round(_AROUND * RATE)
    heights[max(0, top - near) : top + near + 1] = 0
    elsewhere = float(heights.max())
    return lag, height / elsewhere if elsewhere > 0 else 0.0


def _between(heights: NDArray[np.float64], top: int) -> float:
    """Where between samples the top of a parabola through three of them lies."""
    if not 0 < top < len(heights) - 1:
        return 0.0
    left, middle, right = (float(height) for height in heights[top - 1 : top + 2])
    bend = left - 2 * middle + right
    return 0.0 if bend == 0 else max(-0.5, min(0.5, 0.5 * (left - right) / bend))
