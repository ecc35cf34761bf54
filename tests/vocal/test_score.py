"""What is played with a take, on the song's own frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.errors import VocalError
from studio.events import ArmedTrack, Backing, Click, StartTake, Stretch
from studio.vocal._score import Part, Score, score

RATE = 1000
SONG = np.arange(1, 5001, dtype=np.float32)[:, None]
"""Five seconds, each frame with its own number."""


def laid(**wishes: Any) -> Score:  # noqa: ANN401
    take = StartTake(1, (ArmedTrack(1, "Ona"),), **wishes)
    return score(take, SONG if take.backing is not None else None, RATE)


def heard(part: Part, count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert isinstance(part.sound, np.ndarray)
    return part.sound[:count, 0]


def test_a_backing_begins_with_the_take() -> None:
    found = laid(backing=Backing("song.mp3"))
    assert (found.begin, found.first, found.frames, found.backing_ends) == (0, 0, None, 5000)
    assert found.parts[0].at == 0
    assert found.parts[0].outputs == (0, 1)


def test_a_backing_that_begins_later_or_before_the_song() -> None:
    assert laid(backing=Backing("song.mp3", offset=1.5)).parts[0].at == 1500
    part = laid(backing=Backing("song.mp3", offset=-1.5)).parts[0]
    assert part.at == 0
    assert list(heard(part, 5))[3:] == [1504, 1505]  # after it has faded in


def test_a_count_in_comes_before_the_take_and_the_click_ends_or_goes_on() -> None:
    counted = laid(click=Click(120, count_in=2))
    assert (counted.begin, counted.first) == (-4000, 0)
    assert counted.parts[0].frames == 4000
    through = laid(click=Click(120, count_in=0, through=True), seconds=30)
    assert (through.begin, through.frames, through.parts[0].frames) == (0, 30_000, None)
    assert laid(click=Click(120, count_in=0), backing=Backing("song.mp3")).parts[0].kind == "backing"


def test_tapped_beats_are_counted_in_up_to_the_first_of_them() -> None:
    found = laid(click=Click(0, taps=(1.0, 1.5, 2.0, 2.5, 3.0)))
    assert found.begin == -1000
    assert found.parts[0].frames == 2000


def test_a_punch_is_led_in_by_what_comes_before_it() -> None:
    found = laid(backing=Backing("song.mp3"), punch=Stretch(3.0, 4.0), lead=2.0)
    assert (found.begin, found.first, found.frames, found.loops) == (1000, 3000, 1000, False)
    assert found.parts[0].at == 1000
    assert heard(found.parts[0], 11)[10] == 1011
    early = laid(backing=Backing("song.mp3"), punch=Stretch(0.5, 1.0), lead=2.0)
    assert (early.begin, early.parts[0].at) == (-1500, 0)


def test_a_loop_plays_its_lead_once_and_then_itself() -> None:
    found = laid(
        backing=Backing("song.mp3", offset=0.5), loop=Stretch(1.0, 2.0), lead=1.0, click=Click(60, through=True)
    )
    assert (found.begin, found.first, found.frames, found.loops) == (0, 1000, 1000, True)
    backing, click = found.parts
    assert backing.again == click.again == (1000, 2000)
    assert found.backing_ends is None
    assert not heard(backing, 500).any()
    assert heard(backing, 600)[510] == 11
    assert isinstance(backing.sound, np.ndarray)
    assert len(backing.sound) == 2000
    assert backing.sound[999, 0] == 500
    assert backing.sound[1000, 0] == backing.sound[1999, 0] == 0  # it goes back without a crack


@pytest.mark.parametrize(
    "wishes",
    [
        {"punch": Stretch(1, 2)},
        {"backing": Backing("song.mp3"), "punch": Stretch(2, 2)},
        {"backing": Backing("song.mp3"), "punch": Stretch(7, 8)},
        {"backing": Backing("song.mp3", outputs=())},
        {"click": Click(120, outputs=(0,))},
        {"click": Click(5)},
    ],
)
def test_what_cannot_be_played_is_refused(wishes: dict[str, Any]) -> None:
    with pytest.raises(VocalError):
        laid(**wishes)
