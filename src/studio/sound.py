"""A stretch of sound and its place on the show clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.units import Ms

if TYPE_CHECKING:
    # NumPy takes a tenth of a second to load, and whoever only wants a rate does without.
    import numpy as np  # noqa: TC004 - a dataclass that nobody decodes: its annotations stay text
    from numpy.typing import NDArray  # noqa: TC004 - as above

SPEECH_RATE = 16_000
"""Hertz: what speech recognition listens at."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A stretch of mono sound."""

    rate: int
    """Hertz."""
    start: Ms
    """Where it begins on the show clock."""
    samples: NDArray[np.float32]
    """Shape (n,), full scale is [-1..1]."""

    @property
    def end(self) -> Ms:
        """Where it ends on the show clock."""
        return Ms(self.start + round(len(self.samples) * 1000 / self.rate))
