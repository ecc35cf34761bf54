"""How loud a film is over its length, to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.media._film.sound import TrackSound
from studio.sound import SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from studio.media._film.source import Source


def peaks(
    source: Source, track: int | None, per_second: int, stopped: Callable[[], bool] = lambda: False
) -> NDArray[np.int8]:
    """See `studio.media.peaks`."""
    if not 1 <= per_second <= SPEECH_RATE // 2 or SPEECH_RATE % per_second:
        raise ValueError(per_second)
    step = SPEECH_RATE // per_second
    found: list[NDArray[np.int8]] = []
    rest = np.zeros(0, np.float32)
    sound = TrackSound(source, track=track, say=_nobody)
    for chunk in sound.chunks():
        samples = np.concatenate([rest, chunk.samples])
        whole = len(samples) // step * step
        found.append(_of(samples[:whole].reshape(-1, step)))
        rest = samples[whole:]
        if stopped():
            break
    if len(rest):
        found.append(_of(rest[None, :]))
    return np.concatenate([np.zeros((0, 2), np.int8), *found])


def _of(stretches: NDArray[np.float32]) -> NDArray[np.int8]:
    if not stretches.size:
        return np.zeros((0, 2), np.int8)
    both = np.stack([stretches.min(axis=1), stretches.max(axis=1)], axis=1)
    return np.asarray(np.rint(both * 127).clip(-127, 127), np.int8)


def _nobody(_sentence: str) -> None:
    """Damage is told to whoever listens."""
