"""Where somebody speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.sound import SPEECH_RATE, AudioChunk
from studio.speech import Tuning
from studio.speech._intake import Resampler
from studio.speech._vad import BLOCK, Detector, EndPointer, Verdict, blocks
from studio.units import Ms

if TYPE_CHECKING:
    from numpy.typing import NDArray


def at_speech_rate(sound: AudioChunk) -> NDArray[np.float32]:
    return Resampler(sound.rate).convert(sound.samples)


def test_speech_is_told_from_the_silence_between(talk: AudioChunk) -> None:
    sound = at_speech_rate(talk)
    likely = np.array(Detector().judge(sound[: len(sound) // BLOCK * BLOCK]))
    loud = np.array([np.abs(sound[at * BLOCK : (at + 1) * BLOCK]).max() for at in range(len(likely))]) > 0.05
    assert likely[loud].mean() > 0.8
    assert (likely[-15:] < 0.1).all()


def test_noise_is_not_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, BLOCK * 200).astype(np.float32)
    assert max(Detector().judge(noise)) < 0.5


def test_the_stream_may_come_in_any_pieces(talk: AudioChunk) -> None:
    sound = at_speech_rate(talk)[: BLOCK * 60]
    pieces = Detector()
    one_by_one = [value for at in range(60) for value in pieces.judge(sound[at * BLOCK : (at + 1) * BLOCK])]
    assert np.allclose(one_by_one, Detector().judge(sound), atol=1e-3)


def follow(likely: list[float]) -> list[Verdict]:
    pointer = EndPointer(Tuning(pause=Ms(96), breath=Ms(64)))
    return [pointer.follow(value) for value in likely]


def test_a_pause_ends_an_utterance() -> None:
    assert follow([0.1, 0.6, 0.4, 0.2, 0.2, 0.2, 0.1]) == [
        "quiet",
        "opens",
        "goes on",
        "goes on",
        "goes on",
        "ends",
        "quiet",
    ]


def test_a_breath_does_not() -> None:
    assert follow([0.6, 0.2, 0.2, 0.4, 0.2, 0.2, 0.2])[-1] == "ends"
    assert "ends" not in follow([0.6, 0.2, 0.2, 0.4, 0.2, 0.2])


def test_a_length_is_at_least_one_block() -> None:
    assert [blocks(Ms(length)) for length in (0, 32, 400)] == [1, 1, 12]
    assert BLOCK * 1000 == 32 * SPEECH_RATE
