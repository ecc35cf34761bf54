"""How long sound takes from being written to being heard: a ping, and what finds it in what was heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SWEEP = 0.12
"""Seconds of one sweep."""
BAND = (600.0, 11_000.0)
"""Hertz it goes through: what both a headphone held to a microphone and a cable carry."""
BEGINS = (0.0, 0.19, 0.43, 0.62, 0.91)
"""Seconds at which the sweeps begin. No two of their distances are alike, so that no beat, echo or loop is taken for
them."""
LEVEL = 0.25
"""Of full scale: clear, and no harm to an ear in a headphone."""
_AGREE = 0.00025
"""Seconds that the places of single sweeps may lie apart …"""
_ENOUGH = 4
"""… and how many of the five have to agree."""
_CLEAR = 9.0
"""How much the ping stands above the rest of what was heard, in standard deviations. Noise alone comes to 5.5."""
_ALONE = 0.6
"""How high any other place may stand beside it: two pings, or a loop, are no measurement."""
_ROOM = 0.03
"""Seconds around the ping in which the room answers …"""
_DIRECT = 0.5
"""… and how high, beside the highest, what came first has to be to be taken for the sound itself."""
_NEAR = 0.001
"""Seconds around it in which each sweep is looked for."""
_SMOOTH = 40.0
"""Hertz over which loudness is levelled: narrower than a sweep is coloured by any room."""
_RAYLEIGH = 1.1774
"""The median of an envelope of noise, in standard deviations."""
_FINER = 8
"""Places between two frames that are looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """A ping that was heard."""

    at: float
    """Frame of what was heard at which its first frame is, with its fraction."""
    spread: float
    """Frames between the earliest and the latest of the sweeps that agree."""
    clear: float
    """How much it stands above the rest, in standard deviations."""


@lru_cache
def ping(rate: int) -> NDArray[np.float32]:
    """Return the ping at `rate`: (frames,), about a second of five sweeps."""
    out = np.zeros(round((BEGINS[-1] + SWEEP) * rate) + 1, np.float32)
    for begin in _begins(rate):
        out[begin : begin + len(_sweep(rate))] += LEVEL * _sweep(rate)
    out.flags.writeable = False
    return out


def find(heard: NDArray[np.float32], rate: int) -> Found | None:
    """Return where the ping is in one channel of what was heard, (frames,); `None` where it is not, or not clearly.

    It has to be there whole. Neither noise nor music that is as loud as the ping hides it, and none is taken for it.
    """
    last = len(heard) - len(ping(rate)) + 1
    if last <= 0 or not np.any(heard):
        return None
    spectrum = _matched(np.asarray(heard, np.float64), rate)
    each = np.fft.ifft(spectrum)
    begins = _begins(rate)
    heaped = np.abs(sum(each[begin : begin + last] for begin in begins))
    best = int(np.argmax(heaped))
    room = round(_ROOM * rate)
    clear = float(heaped[best] / (np.median(heaped) / _RAYLEIGH + 1e-12))
    rest = np.concatenate([heaped[: max(0, best - room)], heaped[best + room :]])
    if clear < _CLEAR or rest.max(initial=0) > _ALONE * heaped[best]:
        return None
    early = max(0, best - room)
    first = early + int(np.argmax(heaped[early : best + 1] >= _DIRECT * heaped[best]))
    near = round(_NEAR * rate)
    first += int(np.argmax(heaped[first : first + near // 2]))
    places = np.array([_peak(np.abs(each[begin : begin + last]), first, near) for begin in begins])
    agree = places[np.abs(places - np.median(places)) <= _AGREE * rate]
    if len(agree) < _ENOUGH:
        return None
    return Found(_fine(spectrum, begins, round(float(np.median(agree)))), float(np.ptp(agree)), clear)


def _begins(rate: int) -> tuple[int, ...]:
    return tuple(round(begin * rate) for begin in BEGINS)


@lru_cache
def _sweep(rate: int) -> NDArray[np.float64]:
    at = np.arange(round(SWEEP * rate)) / rate
    low, high = BAND
    shape = np.minimum(1, np.minimum(at, SWEEP - at) / (SWEEP / 10))
    return np.asarray(np.sin(2 * np.pi * (low * at + (high - low) / (2 * SWEEP) * at * at)) * shape, np.float64)


def _matched(heard: NDArray[np.float64], rate: int) -> NDArray[np.complex128]:
    """Return the spectrum of how well one sweep fits at each frame; its inverse transform has the envelope.

    What was heard is made equally loud at all pitches first: tones and hum, however loud, then count little.
    """
    size = 1 << (len(heard) + round(SWEEP * rate)).bit_length()
    spectrum = np.fft.fft(heard, size)
    pitch = np.fft.fftfreq(size, 1 / rate)
    loud = np.abs(spectrum)
    wide = max(3, round(_SMOOTH * size / rate)) | 1
    summed = np.cumsum(np.concatenate([loud[-(wide // 2) - 1 :], loud, loud[: wide // 2]]))
    smooth = (summed[wide:] - summed[:-wide]) / wide
    inside = (pitch >= BAND[0]) & (pitch <= BAND[1])
    fits = spectrum * np.conj(np.fft.fft(_sweep(rate), size)) / np.maximum(smooth, 1e-9 * loud.max())
    return np.asarray(np.where(inside, fits, 0), np.complex128)


def _peak(fits: NDArray[np.float64], around: int, near: int) -> float:
    """Return the place of the highest within `near` frames, with its fraction."""
    start = max(1, around - near)
    at = start + int(np.argmax(fits[start : around + near + 1]))
    return at + (_parabola(*fits[at - 1 : at + 2]) if 0 < at < len(fits) - 1 else 0.0)


def _fine(spectrum: NDArray[np.complex128], begins: tuple[int, ...], around: int) -> float:
    """Return where the sweeps together fit best, looked at between the frames around one."""
    used = np.flatnonzero(spectrum)
    turns = 2j * np.pi * used / len(spectrum)
    together = spectrum[used] * sum(np.exp(turns * begin) for begin in begins)
    places = around + np.arange(-2 * _FINER, 2 * _FINER + 1) / _FINER
    fits = np.array([abs(np.sum(together * np.exp(turns * place))) for place in places])
    at = min(max(1, int(np.argmax(fits))), len(places) - 2)
    return float(places[at] + _parabola(*fits[at - 1 : at + 2]) / _FINER)


def _parabola(left: float, middle: float, right: float) -> float:
    """Return the place of the top of the parabola through three heights, counted from the middle one."""
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else float(np.clip((left - right) / (2 * bend), -0.5, 0.5))
