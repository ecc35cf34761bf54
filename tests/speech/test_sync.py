"""A subtitle file laid over where somebody speaks."""

from __future__ import annotations

import numpy as np
import pytest

from studio.speech import Stretch, Survey, fit
from studio.units import Ms


def talk(seed: int, count: int) -> list[Stretch]:
    random = np.random.default_rng(seed)
    at, found = 3000, []
    for _ in range(count):
        length = int(random.integers(700, 5000))
        found.append(Stretch(Ms(at), Ms(at + length)))
        at += length + int(random.integers(150, 6000))
    return found


def survey(voiced: list[Stretch]) -> Survey:
    return Survey(Ms(voiced[-1].end + 5000), tuple(voiced))


@pytest.mark.parametrize("rate", [1, 25 / 24, 24 / 25, 25 / (24000 / 1001)])
@pytest.mark.parametrize("shift", [0, 47_000, -2400])
def test_a_file_finds_its_place_and_its_rate(rate: float, shift: int) -> None:
    spoken = talk(1, 90)
    cues = [
        Stretch(Ms(round((one.start - shift) / rate) + 60_000), Ms(round((one.end - shift) / rate) + 60_300))
        for one in spoken
    ]
    found = fit(cues, survey(spoken))
    assert found.believed
    assert max(abs(found.at(cue.start) - one.start) for cue, one in zip(cues, spoken, strict=True)) <= 120


def test_half_of_the_cues_are_enough() -> None:
    spoken = talk(1, 90)
    found = fit([Stretch(Ms(one.start + 5000), Ms(one.end + 5000)) for one in spoken[::2]], survey(spoken))
    assert found.believed
    assert found.shift == pytest.approx(-5000, abs=40)


def test_another_film_is_not_believed() -> None:
    assert not any(fit(talk(seed, 60), survey(talk(seed + 1, 60))).believed for seed in range(10, 20))


def test_what_says_nothing_is_not_believed() -> None:
    spoken = talk(1, 30)
    assert not fit([], survey(spoken)).believed
    assert not fit(spoken[:3], survey(spoken)).believed
    assert not fit(spoken, Survey(Ms(60_000), ())).believed


def test_no_time_is_before_the_film() -> None:
    spoken = talk(1, 30)
    found = fit([Stretch(Ms(one.start + 10_000), Ms(one.end + 10_000)) for one in spoken], survey(spoken))
    assert found.at(Ms(2000)) == 0
