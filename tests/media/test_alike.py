from __future__ import annotations

import numpy as np
import pytest
from tests.vocal.sung import voice

from studio.media import alike

RATE = 8000
CAMERA = voice(120, rate=RATE, seed=5)


def in_the_hall(sound: np.ndarray, noise: float, level: float = 0.02) -> np.ndarray:
    """What a camera hears: quieter, with the hall's echo and noise, `noise` decibels against the voice."""
    chance = np.random.default_rng(3)
    echo = chance.standard_normal(2000) * np.exp(-np.arange(2000) / 600)
    echo[0] = 12
    heard = np.convolve(sound, echo)[: len(sound)]
    heard *= level / heard.std()
    return np.asarray(heard + level * 10 ** (noise / 20) * chance.standard_normal(len(sound)), np.float32)


@pytest.mark.parametrize(("begin", "seconds", "noise"), [(60, 30, -20), (60, 30, 6), (100, 8, 0), (0, 4, -10)])
def test_a_take_is_found_under_noise(begin: int, seconds: int, noise: float) -> None:
    found = alike(CAMERA[begin * RATE : (begin + seconds) * RATE], in_the_hall(CAMERA, noise))
    assert found is not None
    assert found.offset == pytest.approx(begin, abs=0.002)


@pytest.mark.parametrize("drift", [120e-6, -200e-6])
def test_clocks_that_run_apart_are_told(drift: float) -> None:
    at = np.arange(int(len(CAMERA) * (1 + drift)))
    camera = np.interp(at / (1 + drift), np.arange(len(CAMERA)), CAMERA)
    found = alike(CAMERA[10 * RATE : 110 * RATE], in_the_hall(camera, -6))
    assert found is not None
    assert found.offset == pytest.approx(10 * (1 + drift), abs=0.004)
    assert found.drift == pytest.approx(drift, abs=20e-6)


def test_a_take_that_began_before_the_camera() -> None:
    found = alike(CAMERA[: 60 * RATE], in_the_hall(CAMERA[15 * RATE :], -10))
    assert found is not None
    assert found.offset == pytest.approx(-15, abs=0.002)


def test_another_voice_noise_and_silence_are_nothing_alike() -> None:
    for other in (voice(120, rate=RATE, seed=6), np.zeros(60 * RATE, np.float32), CAMERA[: RATE // 2]):
        assert alike(CAMERA[: 40 * RATE], other) is None
    assert alike(voice(40, rate=RATE, seed=8), in_the_hall(CAMERA, 10)) is None
