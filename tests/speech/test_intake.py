"""Sound on its way in."""

from __future__ import annotations

import numpy as np
import pytest

from studio.errors import SpeechError
from studio.sound import AudioChunk
from studio.speech._intake import Block, Intake, Resampler
from studio.speech._settle import Piece
from studio.speech._window import Window
from studio.units import Ms


def sound(start: int, samples: int, rate: int = 16_000) -> AudioChunk:
    return AudioChunk(rate, Ms(start), np.zeros(samples, np.float32))


def taken(intake: Intake) -> list[Block]:
    blocks = []
    while intake.peek() is not None:
        blocks.append(intake.take())
    return blocks


def test_blocks_stand_at_their_place_whatever_the_pieces() -> None:
    intake = Intake()
    for at in range(10):
        intake.hear(sound(5000 + at * 40, 640))
    assert intake.waiting() == 400
    blocks = taken(intake)
    assert [block.start for block in blocks] == [5000 + at * 32 for at in range(12)]
    assert not any(block.after_gap for block in blocks)


@pytest.mark.parametrize("jump", [10_000, -10_000])
def test_a_jump_of_the_clock_is_noticed_once(jump: int) -> None:
    intake = Intake()
    intake.hear(sound(20_000, 1600))
    intake.hear(sound(20_100 + jump, 1600))
    assert [(block.start, block.after_gap) for block in taken(intake)] == [
        (20_000, False),
        (20_032, False),
        (20_064, False),
        (20_100 + jump, True),
        (20_132 + jump, False),
        (20_164 + jump, False),
    ]


def test_rounding_of_the_clock_is_no_jump() -> None:
    intake = Intake()
    intake.hear(sound(0, 1600))
    intake.hear(sound(101, 1600))
    assert not any(block.after_gap for block in taken(intake))


def test_what_is_not_a_number_is_silence_and_what_is_too_loud_is_clipped() -> None:
    intake = Intake()
    samples = np.array([np.nan, np.inf, -np.inf, 7.0, -7.0, 0.5, *[0.0] * 506], np.float32)
    intake.hear(AudioChunk(16_000, Ms(0), samples))
    assert list(taken(intake)[0].sound[:6]) == [0.0, 1.0, -1.0, 1.0, -1.0, 0.5]


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_place(rate: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    resampler = Resampler(rate)
    out = np.concatenate([resampler.convert(part) for part in np.array_split(tone, 25)])
    expected = np.sin(2 * np.pi * 440 * (np.arange(len(out)) / 16_000 - resampler.delay / 1000))
    assert len(out) / 16_000 == pytest.approx(1, abs=0.005)
    assert np.corrcoef(out[1000:-1000], expected[1000:-1000])[0, 1] > 0.9


def test_what_16_khz_cannot_carry_is_filtered_out() -> None:
    tone = np.sin(2 * np.pi * 12_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(Resampler(48_000).convert(tone)[200:-200]).max() < 0.02


def test_sound_that_cannot_be_heard_is_refused() -> None:
    intake = Intake()
    with pytest.raises(SpeechError, match="Sound of 100 Hz cannot be listened to"):
        intake.hear(sound(0, 100, rate=100))
    with pytest.raises(SpeechError, match="Only mono"):
        intake.hear(AudioChunk(16_000, Ms(0), np.zeros((100, 8), np.float32)))
    assert intake.waiting() == 0


def test_skipping_leaves_the_newest() -> None:
    intake = Intake()
    for at in range(100):
        intake.hear(sound(at * 100, 1600))
    skipped = intake.skip(Ms(2000))
    assert skipped is not None
    assert skipped[0] == 0
    assert 7900 <= skipped[1] <= 8100
    assert intake.waiting() <= 2000
    blocks = taken(intake)
    assert blocks[0].after_gap
    assert blocks[0].start == skipped[1]
    assert Intake().skip(Ms(2000)) is None


def test_the_window_keeps_its_place_when_it_forgets() -> None:
    window = Window()
    window.open(np.zeros(16_000, np.float32), Ms(1000))
    window.open(np.zeros(32_000, np.float32), Ms(5000))
    assert (window.at(8000), window.at(16_000), window.at(32_000)) == (1500, 5000, 6000)
    window.settle([Piece("tak", (1,)), Piece("jest", (2,))], [24_000, 32_000])
    view = window.view(Ms(500), 1)
    assert [word.text for word in view.said] == ["jest"]
    assert window.at(view.begin + view.skip) == 5580
    window.forget(Ms(500), 1)
    assert len(window.sound) == len(view.sound)
    again = window.view(Ms(500), 1)
    assert (again.begin, again.skip, window.at(again.skip)) == (0, view.skip, 5580)
    assert window.unsettled(1) == 1420
