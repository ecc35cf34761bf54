"""Where somebody speaks in a film, and where it is cut."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.sound import SPEECH_RATE, AudioChunk
from studio.speech import Stretch, Survey, chunks, survey
from studio.speech._intake import Resampler
from studio.units import Ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE = np.random.default_rng(1)


@pytest.fixture(scope="module")
def said(talk: AudioChunk) -> NDArray[np.float32]:
    return Resampler(talk.rate).convert(talk.samples)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SPEECH_RATE), np.float32)


def voiced(*seconds: tuple[float, float]) -> tuple[Stretch, ...]:
    return tuple(Stretch(Ms(round(begin * 1000)), Ms(round(end * 1000))) for begin, end in seconds)


def test_speech_is_found_where_it_is(said: NDArray[np.float32]) -> None:
    found = survey([silence(40), said, silence(5)])
    assert found.length == pytest.approx((45 + len(said) / SPEECH_RATE) * 1000, abs=32)
    assert found.voiced[0].start == pytest.approx(40_000, abs=300)
    assert found.voiced[-1].end < 40_000 + len(said) * 1000 // SPEECH_RATE
    assert found.quiet == ()


def test_what_is_found_does_not_depend_on_the_pieces_it_comes_in(said: NDArray[np.float32]) -> None:
    sound = np.concatenate([silence(29), said, silence(3.3), said])
    assert survey(np.array_split(sound, 97)) == survey([sound])


@pytest.mark.parametrize("what", ["nothing", "silence", "noise", "nonsense"])
def test_nobody_speaks_where_nobody_does(what: str) -> None:
    sound = {
        "nothing": silence(0),
        "silence": silence(70),
        "noise": NOISE.normal(0, 0.1, 70 * SPEECH_RATE).astype(np.float32),
        "nonsense": np.full(SPEECH_RATE, np.nan, np.float32),
    }[what]
    found = survey([sound])
    assert (found.voiced, chunks(found, Ms(60_000))) == ((), ())


def test_how_far_it_came_is_told() -> None:
    told: list[int] = []
    survey([silence(33), silence(33)], told.append)
    assert told == [32_000, 64_000, 66_016]


def test_a_film_is_cut_in_its_longest_pauses() -> None:
    found = Survey(Ms(60_000), voiced((1, 8), (8.2, 14), (16, 19), (19.3, 29), (33, 40)))
    assert chunks(found, Ms(20_000)) == ((600, 14_400), (15_600, 29_400), (32_600, 40_400))


def test_no_chunk_is_longer_than_asked_and_all_speech_is_in_one() -> None:
    spans, at = [], 0.0
    for length, pause in NOISE.uniform((0.2, 0.1), (12, 3), (200, 2)):
        spans.append((at, at + length))
        at += length + pause
    found = Survey(Ms(round(at * 1000)), voiced(*spans))
    cut = chunks(found, Ms(30_000))
    assert all(0 < end - begin <= 30_000 for begin, end in cut)
    assert all(before[1] <= after[0] for before, after in pairwise(cut))
    assert all(any(begin <= one.start and one.end <= end for begin, end in cut) for one in found.voiced)


def test_who_speaks_without_end_is_cut_all_the_same() -> None:
    found = Survey(Ms(100_000), voiced((0, 70)))
    assert chunks(found, Ms(30_000)) == ((0, 30_000), (30_000, 60_000), (60_000, 70_400))


def test_a_murmur_is_kept_in_a_chunk_for_a_second_try() -> None:
    found = Survey(Ms(90_000), voiced((0, 5)), voiced((80, 82)))
    assert [begin for begin, _end in chunks(found, Ms(30_000))] == [0, 79_600]


def test_a_part_has_its_own_clock() -> None:
    found = Survey(Ms(60_000), voiced((1, 8), (12, 20)), voiced((30, 31)))
    assert found.part(Ms(5000), Ms(15_000)) == Survey(Ms(10_000), voiced((0, 3), (7, 10)))
