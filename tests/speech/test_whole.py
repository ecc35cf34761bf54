"""A film heard as a whole."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.errors import SpeechError
from studio.sound import SPEECH_RATE, AudioChunk
from studio.speech import Archivist, survey
from studio.speech._intake import Resampler
from studio.speech._settle import plain
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def sound(talk: AudioChunk) -> NDArray[np.float32]:
    said = Resampler(talk.rate).convert(talk.samples)
    return np.concatenate([np.zeros(3 * SPEECH_RATE, np.float32), said])


@pytest.fixture(scope="module")
def ears(base: Path) -> Archivist:
    return Archivist(base, "en", 1)


def test_every_word_is_heard_in_its_time(ears: Archivist, sound: NDArray[np.float32], text: tuple[str, ...]) -> None:
    told: list[tuple[int, int]] = []
    found = ears.transcribe(sound, Ms(60_000), lambda done, length: told.append((done, length)))
    assert [plain(word.text) for word in found.words] == [plain(word) for part in text for word in part.split()]
    assert found.words[0].start == pytest.approx(63_000, abs=150)
    assert all(before.end <= after.start for before, after in pairwise(found.words))
    assert [one.language for one in found.languages] == ["en"]
    assert found.unsure == ()
    length = len(sound) * 1000 // SPEECH_RATE
    assert told[-1] == (length, length)


def test_the_same_is_heard_twice_and_with_a_survey_made_before(ears: Archivist, sound: NDArray[np.float32]) -> None:
    film = np.concatenate([np.zeros(7 * SPEECH_RATE, np.float32), sound])
    found = ears.transcribe(film, Ms(0))
    assert ears.transcribe(film, Ms(0), surveyed=survey(np.array_split(film, 11))) == found


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_nothing_is_invented_where_nobody_speaks(ears: Archivist, noise: float) -> None:
    hiss = np.random.default_rng(1).normal(0, noise, 40 * SPEECH_RATE).astype(np.float32)
    assert ears.transcribe(hiss, Ms(0)).words == ()
    assert ears.transcribe(hiss[:0], Ms(0)).words == ()


def test_the_language_is_found_out(ears: Archivist, sound: NDArray[np.float32]) -> None:
    found = ears.speaking("auto").transcribe(sound, Ms(0))
    assert [one.language for one in found.languages] == ["en"]
    assert plain(found.words[0].text) == "good"


def test_a_language_that_no_model_knows_is_refused(ears: Archivist) -> None:
    with pytest.raises(SpeechError, match="xx"):
        ears.speaking("xx")
