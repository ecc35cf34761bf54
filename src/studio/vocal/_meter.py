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
_CLIPPED = 1 - 2.0**-15
"""The highest sample of 16 bits, which many inputs give; of 24 bits this is 0.0003 dB below full scale."""
_SCALE = np.float32(2.0**-31)


class Meter:
    """Adds up what is heard, and tells it."""

    def __init__(self, rate: int, channels: int, tell: Callable[[Levels], None]) -> None:
        self._window = rate // A_SECOND
        self._tell = tell
        self._hum = HumEar(rate, channels)
        self._sound = np.zeros((channels, self._window), np.float32)  # a channel in one piece: three times as fast
        self._frames = 0

    def hear(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Add (frames, channels), 24 bits on the left."""
        begin = 0
        while begin < len(block):
            piece = block[begin : begin + self._window - self._frames]
            self._sound[:, self._frames : self._frames + len(piece)] = piece.T * _SCALE
            self._frames += len(piece)
            begin += len(piece)
            if self._frames == self._window:
                self._tell(self._levels(first_frame + begin - self._frames))
                self._frames = 0

    def _levels(self, frame: int) -> Levels:
        sound = self._sound
        high, low = sound.max(axis=1), sound.min(axis=1)
        clipped = np.zeros(len(sound), np.int64)
        if high.max() >= _CLIPPED or low.min() <= -_CLIPPED:
            clipped += (np.abs(sound) >= _CLIPPED).sum(axis=1)
        self._hum.hear(sound)
        return Levels(
            frame,
            self._window,
            peak=_decibels(np.maximum(high, -low)),
            rms=_decibels(np.sqrt(np.einsum("ij,ij->i", sound, sound) / self._window)),
            clipped=tuple(clipped.tolist()),
            hum=self._hum.reading(),
        )


def _decibels(level: NDArray[np.float32]) -> tuple[Decibels, ...]:
    shown = 20 * np.log10(np.maximum(level, 10 ** (LOWEST / 20)))
    return tuple(np.minimum(shown, 0).astype(np.float64).round(2).tolist())
