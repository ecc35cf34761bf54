from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocal.sung import RATE, Held, noise

from studio.errors import VocalError
from studio.vocal._comp import EDGE, Comp, Piece

FADE = RATE // 20
ONE, TWO = Held(noise(3, seed=1)), Held(noise(3, seed=2))


def whole(comp: Comp) -> np.ndarray:
    return comp.read(0, comp.frames)


def test_outside_of_the_fades_every_sample_is_its_take_s() -> None:
    comp = Comp([Piece(1, ONE, 1000, 60_000), Piece(2, TWO, 60_000, 120_001, offset=10_000)], FADE)
    out, edge = whole(comp), round(EDGE * RATE)
    assert comp.frames == 119_001
    assert (out[edge : 59_000 - FADE // 2] == ONE.sound[1000 + edge : 60_000 - FADE // 2]).all()
    assert (out[59_000 + FADE // 2 : -edge] == TWO.sound[50_000 + FADE // 2 : 110_001 - edge]).all()


def test_a_crossfade_keeps_the_power() -> None:
    one, two = Held(noise(4, 400, seed=3)), Held(noise(4, 400, seed=4))
    tracks = tuple(str(number) for number in range(400))
    one, two = Held(one.sound[: 2 * FADE], tracks), Held(two.sound[: 2 * FADE], tracks)
    out = Comp([Piece(1, one, 0, FADE), Piece(2, two, FADE, 2 * FADE)], FADE).read(FADE // 2, FADE + FADE // 2)
    power = (out.astype(np.float64) ** 2).reshape(8, -1).mean(axis=1) / 0.05**2
    assert np.abs(10 * np.log10(power)).max() < 0.1


def test_a_take_that_goes_on_is_not_faded_into_itself() -> None:
    parted = Comp([Piece(1, ONE, 0, 50_000), Piece(1, ONE, 50_000, 100_000)], FADE)
    assert (whole(parted) == whole(Comp([Piece(1, ONE, 0, 100_000)], FADE))).all()


def test_a_punched_take_begins_at_the_cut_and_the_fade_lies_behind_it() -> None:
    comp = Comp([Piece(1, ONE, 0, 48_000), Piece(2, TWO, 48_000, 100_000, offset=48_000)], FADE)
    out = whole(comp)
    assert (out[1000:48_000] == ONE.sound[1000:48_000]).all()
    assert (out[48_000 + FADE : 99_000] == TWO.sound[FADE:51_000]).all()
    middle = 48_000 + FADE // 2
    expected = np.sqrt(0.5) * (ONE.sound[middle] + TWO.sound[FADE // 2])
    assert out[middle] == pytest.approx(expected, abs=1e-4)


def test_takes_that_only_touch_come_and_go_without_a_click() -> None:
    short = Held(np.full((48_000, 1), 0.5, np.float32))
    comp = Comp([Piece(1, short, 0, 48_000), Piece(2, short, 48_000, 96_000, offset=48_000)], FADE)
    assert np.abs(np.diff(whole(comp)[:, 0])).max() < 0.02


def test_gaps_are_silent_and_tracks_go_by_name() -> None:
    duet = Held(noise(1, 2, seed=5), ("anna", "bea"))
    solo = Held(noise(1, seed=6), ("bea",))
    comp = Comp([Piece(1, duet, 0, 40_000), Piece(2, solo, 45_000, 80_000, offset=40_000)], FADE)
    out = whole(comp)
    assert comp.tracks == ("anna", "bea")
    assert not out[40_000:45_000].any()
    assert not out[40_000:, 0].any()
    assert (out[46_000:79_000, 1] == solo.sound[6000:39_000, 0]).all()


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 143_999), min_size=1, max_size=6, unique=True),
    fade=st.integers(0, 20_000),
    start=st.integers(0, 143_000),
    count=st.integers(1, 30_000),
)
def test_a_part_is_what_the_whole_has_there(cuts: list[int], fade: int, start: int, count: int) -> None:
    places = [0, *sorted(cuts), 144_000]
    pieces = [Piece(number, (ONE, TWO)[number % 2], begin, end) for number, (begin, end) in enumerate(pairwise(places))]
    comp = Comp(pieces, fade)
    stop = min(start + count, comp.frames)
    assert (comp.read(start, stop) == whole(comp)[start:stop]).all()
    assert np.abs(whole(comp)).max() <= np.sqrt(2) * max(np.abs(ONE.sound).max(), np.abs(TWO.sound).max())


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([], "has no pieces"),
        ([Piece(7, ONE, 100, 100)], "piece of take 7 at 0.00 s is empty"),
        ([Piece(7, ONE, 0, 144_001)], "Take 7 has sound from 0.00 s to 3.00 s"),
        ([Piece(7, ONE, 0, 100, offset=1)], "Take 7 has sound from 0.00 s to 3.00 s"),
        ([Piece(1, ONE, 0, 48_000), Piece(2, TWO, 47_999, 50_000)], "take 1 and take 2 at once"),
        ([Piece(1, ONE, 0, 10), Piece(2, Held(TWO.sound, rate=44_100), 10, 20)], "Take 2 has 44100 Hz and not 48000"),
    ],
)
def test_what_cannot_be_put_together_is_refused(pieces: list[Piece], said: str) -> None:
    with pytest.raises(VocalError, match=said):
        Comp(pieces, FADE)
