"""Where beats are, and what they sound like."""

from __future__ import annotations

import numpy as np
import pytest

from studio.errors import VocalError
from studio.vocal._click import Beats, Clicks, tempo_of

RATE = 48_000


def onsets(sound: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[int]:
    """Return the frames at which something begins after silence."""
    loud = np.flatnonzero(sound)
    return [int(at) for at, before in zip(loud, np.r_[-RATE, loud[:-1]], strict=True) if at - before > RATE // 50]


def test_beats_never_drift_from_their_tempo() -> None:
    beats = Beats(97, bar=3)
    hour = beats.between(3600, 3601)
    assert [at for at, _first in hour] == pytest.approx([5820 * 60 / 97, 5821 * 60 / 97])
    assert [first for _at, first in beats.between(0, 4)] == [True, False, False, True, False, False, True]


def test_a_count_in_of_two_bars_ends_where_the_song_begins() -> None:
    beats = Beats(120, bar=4)
    assert beats.count_in(2) == -4.0
    counted = beats.between(-4, 0)
    assert [at for at, _first in counted] == [-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5]
    assert [first for _at, first in counted] == [True, False, False, False] * 2
    assert Beats(120).count_in(0) == 0


def test_taps_are_followed_and_go_on_as_they_began_and_ended() -> None:
    beats = Beats(0, bar=2, taps=(1.0, 1.5, 2.0, 2.6, 3.2))
    assert beats.count_in(1) == 0.0
    assert beats.count_in(2) == -1.0
    found = beats.between(-1.0, 4.5)
    assert [at for at, _first in found] == pytest.approx([-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.6, 3.2, 3.8, 4.4])
    assert [first for _at, first in found][4:8] == [True, False, True, False]


def test_any_part_of_the_click_is_the_same_as_the_whole() -> None:
    clicks = Clicks(Beats(133, bar=4), RATE)
    whole = clicks.part(-RATE, 4 * RATE)
    parts = [clicks.part(start, 480) for start in range(-RATE, 3 * RATE, 480)]
    assert np.array_equal(np.concatenate(parts), whole)
    expected = [round(n * 60 / 133 * RATE) + RATE for n in range(-2, 7)]
    assert [at for at in onsets(whole[:, 0]) if at] == expected
    bar, beat = (np.abs(whole[at : at + 1000]).max() for at in expected[2:4])
    assert bar > beat * 1.2


@pytest.mark.parametrize(
    ("taps", "tempo"),
    [
        ([0, 0.5, 1.0, 1.5], 120),
        ([0, 0.52, 0.98, 1.51, 2.0], 120),
        ([0, 0.5, 1.0, 2.0, 2.5], 120),  # one was left out
        ([0, 2.0, 9.0, 9.6, 10.2], 100),  # somebody began anew
        ([0, 0.5, 1.0, 1.15, 1.5, 2.0, 2.5], 120),  # a finger slipped
        ([3.0], None),
        ([], None),
        ([0, 0.05, 0.1], None),
    ],
)
def test_tempo_by_tapping(taps: list[float], tempo: float | None) -> None:
    found = tempo_of(taps)
    assert found == (None if tempo is None else pytest.approx(tempo, rel=0.03))


@pytest.mark.parametrize(
    ("tempo", "bar", "taps"), [(0, 4, ()), (1000, 4, ()), (120, 0, ()), (120, 4, (1.0,)), (120, 4, (2.0, 1.0))]
)
def test_what_cannot_be_clicked_is_refused(tempo: float, bar: int, taps: tuple[float, ...]) -> None:
    with pytest.raises(VocalError):
        Beats(tempo, bar, taps)
