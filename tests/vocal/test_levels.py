"""What meters and verdicts say of voices, hum and dead microphones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.vocal_voices import RATE, Voice, sung

from studio import language
from studio.units import Decibels
from studio.vocal._levels import Ear, Heard, Kind, verdicts, wanted_gain
from studio.vocal._meter import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from studio.events import Levels
    from studio.vocal._levels import Verdict

SECONDS = 9
TIME = np.arange(SECONDS * RATE) / RATE
PHRASES = (TIME % 4.5 < 2.8).astype(np.float32)
"""Two phrases, with a breath of 1.7 s after each."""
SINGER = Voice("tenor", (55, 57, 60), seconds=0.5)
QUIET = 1e-4 * np.random.default_rng(1).standard_normal(len(TIME)).astype(np.float32)
"""A quiet room, -80 dBFS."""


@pytest.fixture(scope="module")
def voice() -> NDArray[np.float32]:
    return np.tile(sung(SINGER)[0], SECONDS * 2 // len(SINGER.notes)) * PHRASES


def hum(level: float) -> NDArray[np.float32]:
    wave = np.sin(2 * np.pi * 50 * TIME) + 0.5 * np.sin(2 * np.pi * 150 * TIME)
    return np.asarray(10 ** (level / 20) * wave / np.sqrt(np.mean(wave**2)), np.float32)


def judged(*channels: NDArray[np.float32], block: int = 512) -> tuple[tuple[Heard, ...], tuple[Verdict, ...]]:
    """What is said after all of it came in blocks, as it comes from a sound card."""
    sound = np.round(np.clip(np.stack(channels, axis=1), -1, 1) * (2**23 - 1)).astype(np.int32) << 8
    ear = Ear(len(channels))
    meter = Meter(RATE, len(channels), ear.take)
    for at in range(0, len(sound), block):
        meter.hear(sound[at : at + block], at)
    return ear.heard(), verdicts(ear.heard())


def test_full_scale_of_sixteen_bits_is_clipped_on_both_sides() -> None:
    told: list[Levels] = []
    top = np.array([32767, 32766, -32768, 0], np.int32) << 16
    Meter(RATE, 4, told.append).hear(np.tile(top, (RATE // 25, 1)), 0)
    assert told[0].clipped == (RATE // 25, 0, RATE // 25, 0)


def test_each_microphone_gets_its_verdict(voice: NDArray[np.float32]) -> None:
    group = {
        "good": voice + QUIET,
        "too low": voice * 0.2 + QUIET,
        "too hot": voice * 1.8 + QUIET,
        "clipped": np.clip(voice * 6, -1, 1),
        "dead": QUIET * 0.01,
        "hum": voice + hum(-50) + QUIET,
        "waiting": voice * 0.01 + QUIET,
    }
    heard, said = judged(*group.values())
    assert [str(verdict.kind) for verdict in said] == list(group)
    assert heard[0].average == pytest.approx(-18, abs=0.5)
    assert said[1].gain == pytest.approx(14, abs=1)
    assert heard[5].hum == pytest.approx(-50, abs=1.5)
    assert heard[6].average is None
    assert len({verdict.words for verdict in said}) == len(group)


def test_the_gain_asked_for_brings_the_average_and_keeps_the_headroom(voice: NDArray[np.float32]) -> None:
    for share in (0.05, 0.2, 0.5, 1.5):
        (heard,), _said = judged(voice * share + QUIET)
        (after,), (said,) = judged((voice * share + QUIET) * np.float32(10 ** (wanted_gain(heard) / 20)))
        assert said.kind is Kind.GOOD
        assert after.average == pytest.approx(-18, abs=1.5)
        assert after.peak <= -6


def test_a_note_at_a_harmonic_of_the_mains_is_no_hum() -> None:
    at_100 = [(1 / harmonic) * np.sin(2 * np.pi * 100 * harmonic * TIME) for harmonic in range(1, 20)]
    steady = (0.15 * np.sum(at_100, axis=0)).astype(np.float32) * PHRASES
    _heard, (said,) = judged(steady + QUIET)
    assert said.kind is Kind.GOOD


def test_hum_alone_is_no_singing() -> None:
    (heard,), (said,) = judged(hum(-40) + QUIET)
    assert said.kind is Kind.HUM
    assert float(said.gain) == 0
    assert heard.average is None


def test_a_microphone_that_hears_nothing_while_others_are_sung_into_is_dead(voice: NDArray[np.float32]) -> None:
    _heard, alone = judged(QUIET)
    _heard, beside = judged(QUIET, voice + QUIET)
    assert alone[0].kind is Kind.WAITING
    assert beside[0].kind is Kind.DEAD


def test_no_sound_at_all_is_dead_and_nothing_heard_is_not() -> None:
    _heard, (said,) = judged(np.zeros(len(TIME), np.float32))
    assert said.kind is Kind.DEAD
    assert [verdict.kind for verdict in verdicts(Ear(2).heard())] == [Kind.WAITING] * 2


@pytest.fixture
def spoken() -> Iterator[None]:
    was = language.spoken()
    yield
    language.speak(was)


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize(
    ("code", "words"), [("pl", "Za cicho. Podnieś czułość o 12 dB"), ("lt", "Per tyliai. Padidinkite stiprinimą 12 dB")]
)
def test_what_to_do_is_said_in_the_users_language(code: str, words: str) -> None:
    language.speak(code)
    quiet = Heard(average=Decibels(-30), peak=Decibels(-20), clipped=0, hum=None, sung=5, seconds=9)
    (said,) = verdicts([quiet])
    assert said.words.startswith(words)
