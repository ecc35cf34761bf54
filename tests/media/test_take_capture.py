"""Capture on a real PulseAudio, below the recorder: a slow reader, an input that goes, what is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.vocal.hall import CHANNELS, RATE, Hall, judge

from studio.errors import MediaError
from studio.media._arrive import portaudio
from studio.media._takes import capture
from studio.media._takes.capture import Capture
from studio.media._takes.wav import TakeNotes
from studio.media._takes.writer import TakeWriter
from studio.vocal._take import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from studio.media import Loss


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    with Hall(tmp_path / "hall") as made:
        for name, value in made.added.items():
            monkeypatch.setenv(name, value)
        made.count()
        yield made


@pytest.mark.usefixtures("hall")
def test_what_a_slow_disk_loses_is_counted_to_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "1.wav"
    writer = TakeWriter(path, RATE, [str(n) for n in range(CHANNELS)], TakeNotes(1, now()))
    marks: list[tuple[int, int]] = []
    hangs, goes_on, enough = threading.Event(), threading.Event(), threading.Event()

    def hear(block: NDArray[np.int32], first: int) -> None:
        assert first == writer.frames
        writer.write(block)
        if first > RATE and not goes_on.is_set():
            hangs.set()
            goes_on.wait()
        if marks and first > marks[-1][0] + RATE:
            enough.set()

    def lost(loss: Loss) -> None:
        assert (loss.how, loss.first_frame) == ("ring", writer.frames)
        marks.append((loss.first_frame, loss.frames))
        writer.silence(loss.frames)

    with Capture("desk", RATE, CHANNELS, hear, lost=lost, seconds=0.5) as heard:
        assert hangs.wait(90)
        calls = heard._calls
        while heard._calls < calls + 70:  # a second and a half: thrice what the ring holds
            assert not threading.Event().wait(0.05)
        goes_on.set()
        assert enough.wait(90)
    writer.close()
    found = judge(path, range(CHANNELS), marks)
    assert (found.wrong, found.astray) == (0, [])
    assert found.lost == found.marked == sum(loss.frames for loss in heard.losses) > RATE // 2


def test_an_input_that_is_unplugged_is_told_and_found_again(hall: Hall) -> None:
    told: list[str] = []
    gone, back, sound = threading.Event(), threading.Event(), threading.Event()
    losses: list[Loss] = []

    def hear(_block: NDArray[np.int32], first: int) -> None:
        if first > 2.5 * RATE:
            sound.set()

    def leaves(sentence: str) -> None:
        told.append(sentence)
        gone.set()

    with Capture("desk", RATE, CHANNELS, hear, lost=losses.append, gone=leaves, back=back.set):
        assert sound.wait(90)
        hall.unplug()
        assert gone.wait(90)
        assert not back.is_set()
        hall.plug()
        assert back.wait(90)
        sound.clear()
        assert sound.wait(90)
    # An input that is found while the sound server still sets it up may go once more: each time it is told.
    assert set(told) == {"desk gives no sound; is it plugged in, and does the sound server run?"}
    assert [loss.how for loss in losses] == ["reopened"]


def test_the_inputs_are_known_by_name(hall: Hall) -> None:
    assert hall.channels == CHANNELS
    assert "desk" in [one.name for one in capture.inputs()]
    with pytest.raises(MediaError, match="There is no microphone 'balcony'"), Capture("balcony", RATE, 2, print):
        pass


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (-9985, "Another program holds desk; close it there, then try again."),
        (-9997, "desk does not run at 96000 Hz; set it to that, or record at the rate it has."),
        (-9998, "desk does not give 18 channels; choose fewer."),
        (-9999, "desk cannot be opened (Unanticipated host error); is it plugged in, and does the sound server run?"),
    ],
)
def test_what_portaudio_refuses_is_said_so_that_it_can_be_put_right(number: int, sentence: str) -> None:
    assert portaudio.refusal("input", "desk", 96_000, 18, OSError(number, "Unanticipated host error")) == sentence
