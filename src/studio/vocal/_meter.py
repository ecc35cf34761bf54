"""How loud each channel is, 25 times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.events import Levels
from studio.units import Decibels
from studio.vocal._hum import HumEar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

A_SECOND = 25
LOWEST = Decibels(-150.0)
_FULL = 2.0**31
_CLIPPED = (2**23 - 1) << 8
"""The highest sample of 24 bits."""


class Meter:
    """Adds up what is heard, and tells it."""

    def __init__(self, rate: int, channels: int, tell: Callable[[Levels], None]) -> None:
        self._window = rate // A_SECOND
        self._tell = tell
        self._hum = HumEar(rate, channels)
        self._begin(channels)

    def _begin(self, channels: int) -> None:
        self._frames = 0
        self._peak = np.zeros(channels, np.float64)
        self._energy = np.zeros(channels, np.float64)
        self._clipped = np.zeros(channels, np.int64)

    def hear(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Add (frames, channels), 24 bits on the left."""
        begin = 0
        while begin < len(block):
            piece = block[begin : begin + self._window - self._frames]
            self._add(piece)
            begin += len(piece)
            if self._frames == self._window:
                self._tell(self._levels(first_frame + begin - self._frames))
                self._begin(block.shape[1])

    def _add(self, piece: NDArray[np.int32]) -> None:
        self._frames += len(piece)
        high, low = piece.max(axis=0), piece.min(axis=0)
        np.maximum(self._peak, np.maximum(high.astype(np.float64), -low.astype(np.float64)), out=self._peak)
        sound = piece.astype(np.float32)
        self._energy += np.einsum("ij,ij->j", sound, sound)
        self._hum.hear(sound / np.float32(_FULL))
        if high.max() >= _CLIPPED or low.min() <= -_FULL:
            self._clipped += ((piece >= _CLIPPED) | (piece <= -_FULL)).sum(axis=0)

    def _levels(self, frame: int) -> Levels:
        return Levels(
            frame,
            self._frames,
            peak=_decibels(self._peak),
            rms=_decibels(np.sqrt(self._energy / self._frames)),
            clipped=tuple(self._clipped.tolist()),
            hum=self._hum.reading(),
        )


def _decibels(level: NDArray[np.float64]) -> tuple[Decibels, ...]:
    shown = 20 * np.log10(np.maximum(level / _FULL, 10 ** (LOWEST / 20)))
    return tuple(Decibels(round(value, 2)) for value in shown.tolist())
