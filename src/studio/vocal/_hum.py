"""Whether a microphone hums: lines at 50 Hz and its harmonics, looked for twice a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.units import Decibels

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAINS = 50.0
"""Hertz, all over Europe."""
PIECE = 12
"""Readings of the meters in which hum is looked for: 0.48 s, short enough for a breath, and 24 waves of 50 Hz."""
_HARMONICS = 10
_STANDS_OUT = 15.0
"""Decibels by which a mains line stands above its neighbours within 15 Hz."""
_SLOW = 2000
"""Hertz at least that hum is looked for at; the sound is averaged down to it, which is filter enough below 500 Hz."""


class HumEar:
    """Listens to all channels of an input."""

    def __init__(self, rate: int, channels: int) -> None:
        """`rate` in hertz."""
        self._share = max(1, rate // _SLOW)
        self._rate = rate / self._share
        self._rest = np.zeros((channels, 0), np.float32)
        self._slow: list[NDArray[np.float32]] = []
        self._readings = 0

    def hear(self, sound: NDArray[np.float32]) -> None:
        """Take (channels, frames), full scale [-1..1], that follow those before."""
        if self._rest.size:
            sound = np.concatenate([self._rest, sound], axis=1)
        whole = sound.shape[1] // self._share
        self._slow.append(sound[:, : whole * self._share].reshape(len(sound), whole, self._share).mean(axis=2))
        self._rest = sound[:, whole * self._share :].copy()

    def reading(self) -> tuple[Decibels | None, ...]:
        """What each channel hummed in the piece that ends with this reading of the meters; empty while none ends."""
        self._readings += 1
        if self._readings < PIECE:
            return ()
        slow, self._slow, self._readings = np.concatenate(self._slow, axis=1), [], 0
        return mains(slow.T, self._rate)


def mains(piece: NDArray[np.float32], rate: float) -> tuple[Decibels | None, ...]:
    """Level (dBFS) of the lines at 50 Hz and its harmonics in each channel; `None` where none stands out.

    `piece` is half a second, shape (frames, channels), at `rate` hertz, 1000 or more. Only lines that stand out are
    counted, and they must not all be one that could be a note: two of them, or 50 Hz itself.
    """
    shape = np.hanning(len(piece))
    power = (
        np.abs(np.fft.rfft(piece * shape[:, None], axis=0)) ** 2 / (shape.sum() / 2) ** 2 / 2
    )  # of a sine: its square
    step = rate / len(piece)
    near, around = round(4 / step), round(15 / step)
    lines = []
    for harmonic in range(1, _HARMONICS + 1):
        at = round(harmonic * MAINS / step)
        line = power[at - near : at + near + 1].sum(axis=0) / 1.5  # the window spreads a line so much
        beside = np.concatenate([power[max(1, at - around) : at - near], power[at + near + 1 : at + around]])
        stands_out = line > 10 ** (_STANDS_OUT / 10) * np.median(beside, axis=0) * 2 * near
        lines.append(np.where(stands_out, line, 0.0))
    found = np.asarray(lines)
    hums = (found[0] > 0) | ((found > 0).sum(axis=0) > 1)
    levels = 10 * np.log10(np.maximum(found.sum(axis=0), 1e-15))
    return tuple(
        Decibels(round(level, 1)) if so else None for level, so in zip(levels.tolist(), hums.tolist(), strict=True)
    )
