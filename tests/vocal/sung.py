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
    begins = np.cumsum(chance.uniform(0.2, 0.9, size=int(seconds * 5) + 2)) - 0.2
    note = np.maximum(np.searchsorted(begins, at) - 1, 0)
    melody = pitch * 2.0 ** (chance.integers(-5, 9, size=len(begins)) / 12)[note]
    vibrato = 0.008 * np.sin(2 * np.pi * np.cumsum(chance.uniform(4.8, 6.4, size=len(begins))[note]) / rate)
    phase = 2 * np.pi * np.cumsum(melody * (1 + vibrato)) / rate
    sound = np.zeros(len(at))
    for number in range(1, 25):
        hertz = melody * number
        formants = np.exp(-(((hertz - 700) / 350) ** 2)) + 0.5 * np.exp(-(((hertz - 2800) / 500) ** 2)) + 0.02
        sound += formants * np.sin(number * phase)
    rest = (chance.uniform(size=len(begins)) < 0.85) * chance.uniform(0.3, 1, size=len(begins))
    swell = rest[note] * np.clip((at - begins[note]) / 0.03, 0, 1)
    sound = sound * swell + 0.002 * chance.standard_normal(len(at))
    return np.asarray(level * sound / np.abs(sound).max(), np.float32)


def held(seconds: float, pitch: float = 220.0, level: float = 0.3, rate: int = RATE) -> NDArray[np.float32]:
    """One note, as straight as a beginner's, mono."""
    phase = 2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate
    sound = sum(np.sin(number * phase) / number for number in range(1, 13))
    return np.asarray(level * sound / np.abs(sound).max(), np.float32)
