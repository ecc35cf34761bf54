"""As loud as a delivery asks, and no true peak above what it allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.media._air.loudness import Limiter
from studio.media._takes.measure import Measured, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from studio.media._takes.spool import Spool

CEILING = -1.0
"""dBTP that no delivery goes above."""
KEPT_BELOW = 0.2
"""Decibels kept below a ceiling: meters interpolate otherwise than we do."""
NEAR = 0.05
"""LU beside the target that are right."""
MOST_PASSES = 8
RELEASE = 150.0
"""Decibels a second in which the limiter lets go: after a consonant the vowel is as loud as it was."""
MOST_UP = 40.0
"""Decibels: what is quieter than that under the target is no take."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What makes a mix as loud as it shall be."""

    gain: float
    """Decibels."""
    ceiling: float
    """dBTP that the limiter keeps."""
    comes_to: Measured


def treated(
    blocks: Iterable[NDArray[np.float32]], rate: int, gain: float, ceiling: float
) -> Iterator[NDArray[np.float32]]:
    """Yield stereo turned by `gain` decibels and limited to `ceiling` dBTP, no sample earlier or later than it was."""
    limiter = Limiter(ceiling - KEPT_BELOW, RELEASE / rate)
    turn = np.float32(10 ** (gain / 20))
    late = limiter.behind
    for block in blocks:
        out = limiter.limited(block * turn)
        skipped = min(late, len(out))
        late -= skipped
        yield out[skipped:]
    yield limiter.limited(np.zeros((limiter.behind, 2), np.float32))[late:]


def treatment(spool: Spool, target: float, ceiling: float = CEILING) -> Treatment:
    """Find what brings a mix to `target` LUFS below `ceiling`. Silence stays as it is."""
    before = spool.measured
    if before.integrated is None:
        return Treatment(0.0, ceiling, before)
    gain = min(MOST_UP, target - before.integrated)
    if before.true_peak + gain <= ceiling - KEPT_BELOW:
        return Treatment(gain, ceiling, Measured(before.integrated + gain, before.true_peak + gain))
    after, slope, last = before, 1.0, (0.0, 0.0)
    for number in range(MOST_PASSES):
        after = measured(treated(spool.blocks(), spool.rate, gain, ceiling), spool.rate)
        reached = target if after.integrated is None else after.integrated
        if abs(target - reached) <= NEAR or gain >= MOST_UP:
            break
        if number:  # the limiter takes a part of what is added
            slope = min(1.0, max(0.2, (reached - last[1]) / (gain - last[0]))) if gain != last[0] else 1.0
        last = gain, reached
        gain = min(MOST_UP, gain + (target - reached) / slope)
    return Treatment(gain, ceiling, after)
