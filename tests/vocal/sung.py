"""Sound that nobody has to sing: material in memory, and voices made of sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 48_000


@dataclass(frozen=True, eq=False)
class Held:
    """Material in memory."""

    sound: NDArray[np.float32]
    tracks: tuple[str, ...] = ("voice",)
    rate: int = RATE

    @property
    def frames(self) -> int:
        return len(self.sound)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        assert 0 <= start <= stop <= self.frames
        return self.sound[start:stop]


def noise(seconds: float, channels: int = 1, seed: int = 1, level: float = 0.05) -> NDArray[np.float32]:
    """No two samples of it are alike."""
    chance = np.random.default_rng(seed)
    return (level * chance.standard_normal((round(seconds * RATE), channels))).astype(np.float32)


def voice(
    seconds: float, pitch: float = 220.0, level: float = 0.2, rate: int = RATE, seed: int = 1
) -> NDArray[np.float32]:
    """A sung phrase, mono: harmonics under two formants, vibrato, syllables and breaths."""
    chance = np.random.default_rng(seed)
    at = np.arange(round(seconds * rate)) / rate
    steps = 2.0 ** (chance.choice([-3, 0, 2, 4, 5, 7], size=len(at) // (rate // 2) + 2) / 12)
    melody = np.repeat(steps, rate // 2)[: len(at)] * pitch
    phase = 2 * np.pi * np.cumsum(melody * (1 + 0.008 * np.sin(2 * np.pi * 5.5 * at))) / rate
    sound = np.zeros(len(at))
    for number in range(1, 25):
        hertz = melody * number
        formants = np.exp(-(((hertz - 700) / 350) ** 2)) + 0.5 * np.exp(-(((hertz - 2800) / 500) ** 2)) + 0.02
        sound += formants * np.sin(number * phase)
    swell = (0.35 + 0.65 * np.abs(np.sin(2 * np.pi * 0.9 * at)) ** 0.5) * (at % 4 < 3.6)
    sound = sound * swell + 0.002 * chance.standard_normal(len(at))
    return np.asarray(level * sound / np.abs(sound).max(), np.float32)
