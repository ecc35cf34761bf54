"""Programme sound on its way to the ears."""

from __future__ import annotations

import numpy as np

from studio.captions._intake import SoundIntake
from studio.events import Sound
from studio.units import Ms


def sound(start: int, length: int, value: int = 16384) -> Sound:
    return Sound(Ms(start), np.full(length * 16, value, "<i2").tobytes())


def test_sound_becomes_a_chunk_on_the_show_clock() -> None:
    intake = SoundIntake(Ms(0))
    chunk, gap = intake.take(sound(0, 100))
    assert chunk is not None
    assert (chunk.start, chunk.end, chunk.rate) == (0, 100, 16_000)
    assert chunk.samples.dtype == np.float32
    assert set(chunk.samples.tolist()) == {0.5}
    assert gap is None
    assert intake.until == 100


def test_what_was_received_before_is_not_heard_twice() -> None:
    intake = SoundIntake(Ms(1000))
    assert intake.take(sound(800, 100)) == (None, None)
    chunk, gap = intake.take(sound(950, 100))
    assert chunk is not None
    assert (chunk.start, chunk.end) == (1000, 1050)
    assert gap is None


def test_a_gap_is_noticed_and_a_stumble_is_not() -> None:
    intake = SoundIntake(Ms(0))
    assert intake.take(sound(60, 100))[1] is None
    assert intake.take(sound(5000, 100))[1] == (160, 5000)


def test_a_programme_that_jumps_back_is_heard_from_there() -> None:
    intake = SoundIntake(Ms(60_000))
    chunk, gap = intake.take(sound(40_000, 100))
    assert chunk is not None
    assert chunk.start == 40_000
    assert gap is None


def test_half_a_sample_and_no_sample_are_no_sound() -> None:
    intake = SoundIntake(Ms(0))
    assert intake.take(Sound(Ms(0), b"")) == (None, None)
    assert intake.take(Sound(Ms(0), b"\x01")) == (None, None)
