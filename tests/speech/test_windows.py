"""What Whisper hears at once."""

from __future__ import annotations

import numpy as np

from studio.sound import SPEECH_RATE
from studio.speech import Stretch
from studio.speech._windows import Window, halves, softest, windows
from studio.units import Ms

SOUND = np.zeros(60 * SPEECH_RATE, np.float32)


def spans(*seconds: tuple[float, float]) -> tuple[Stretch, ...]:
    return tuple(Stretch(Ms(round(begin * 1000)), Ms(round(end * 1000))) for begin, end in seconds)


def cut(*seconds: tuple[float, float]) -> list[tuple[int, int]]:
    found = windows(spans(*seconds), SOUND, Ms(14_000), Ms(2000))
    return [(one.start, one.end) for one in found]


def test_speech_near_each_other_is_heard_at_once_with_silence_around() -> None:
    assert cut((1, 4), (5, 8), (9, 11)) == [(600, 11_400)]


def test_a_long_pause_parts_windows() -> None:
    assert cut((1, 4), (7, 9)) == [(600, 4400), (6600, 9400)]


def test_what_is_too_long_is_cut_in_the_longest_pause_of_its_latter_half() -> None:
    assert cut((1, 3), (4.5, 9), (10, 12), (12.2, 14), (14.3, 19)) == [(600, 9400), (9600, 19_400)]


def test_between_two_windows_that_touch_the_pause_is_shared() -> None:
    assert cut((1, 10), (10.2, 20)) == [(600, 10_100), (10_100, 20_400)]


def test_who_draws_no_breath_is_cut_where_it_is_softest() -> None:
    sound = np.ones(30 * SPEECH_RATE, np.float32)
    sound[12 * SPEECH_RATE : round(12.3 * SPEECH_RATE)] = 0.01
    first, second, third = windows(spans((0, 28)), sound, Ms(14_000), Ms(2000))
    assert 12_000 <= first.end == second.start <= 12_300
    assert third.end == 28_400


def test_the_softest_moment_of_nothing_is_its_middle() -> None:
    assert softest(SOUND[:100], Ms(0), Ms(6)) == 3


def test_halves_part_in_the_longest_pause_of_the_middle() -> None:
    window = Window(Ms(0), Ms(12_000), spans((0.4, 1), (3, 5), (5.5, 7), (8, 11)))
    parts = halves(window)
    assert parts is not None
    assert [(one.start, one.end, len(one.voiced)) for one in parts] == [(0, 7500, 3), (7500, 12_000, 1)]
    assert halves(Window(Ms(0), Ms(9000), spans((0.4, 8.6)))) is None
