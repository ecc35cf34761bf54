"""Whisper's rough times, brought to the sound."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from studio.sound import SPEECH_RATE
from studio.speech import Stretch
from studio.speech._edges import Levels, snap
from studio.spoken import Word
from studio.units import Ms

PHRASES = ((500, 1900), (2600, 4000), (4450, 6000))
NEAR = 50
"""Milliseconds: an edge is put a little before what can be measured."""


def levels() -> Levels:
    sound = np.random.default_rng(1).normal(0, 1e-4, 7 * SPEECH_RATE).astype(np.float32)
    for start, end in PHRASES:
        part = sound[start * 16 : end * 16]
        part += 0.2 * np.sin(np.arange(len(part)) / 8).astype(np.float32)
    return Levels.of(sound)


def voiced() -> list[Stretch]:
    """As the detector says it: late, and long."""
    return [Stretch(Ms(start + 60), Ms(end + 90)) for start, end in PHRASES]


def word(text: str, start: int, end: int) -> Word:
    return Word(text, Ms(start), Ms(end), 0.9)


def test_sentences_begin_and_end_with_the_sound() -> None:
    rough = [
        word("Dobry", 700, 1000), word("wieczór.", 1000, 2100),
        word("Zaczynamy", 2150, 3500), word("teraz.", 3500, 3800),
        word("Proszę", 4200, 5000), word("siadać.", 5000, 5700),
    ]  # fmt: skip
    snapped = snap(rough, voiced(), levels())
    edges = [(snapped[at].start, snapped[at + 1].end) for at in (0, 2, 4)]
    assert all(
        abs(found - true) <= NEAR
        for pair, phrase in zip(edges, PHRASES, strict=True)
        for found, true in zip(pair, phrase, strict=True)
    )
    assert [one.text for one in snapped] == [one.text for one in rough]


def test_a_word_within_a_phrase_keeps_its_time() -> None:
    snapped = snap([word("raz", 520, 800), word("dwa", 900, 1200), word("trzy", 1300, 1850)], voiced()[:1], levels())
    assert (snapped[1].start, snapped[1].end) == (900, 1200)


def test_a_pause_that_belongs_between_no_two_words_is_left_alone() -> None:
    snapped = snap([word("Konstantynopolitańczykowianeczka", 600, 3900)], voiced()[:2], levels())
    assert abs(snapped[0].start - 500) <= NEAR
    assert abs(snapped[0].end - 4000) <= NEAR


def test_a_word_before_the_first_pause_begins_before_it() -> None:
    around = [Stretch(Ms(500), Ms(1000)), Stretch(Ms(1200), Ms(1900))]
    snapped = snap([word("A", 1080, 1150), word("potem.", 1400, 1850)], around, levels())
    assert abs(snapped[0].start - 500) <= NEAR
    assert snapped[0].end - snapped[0].start >= 40


def test_what_a_sound_ends_with_does_not_stand_at_its_begin() -> None:
    sound = np.zeros(SPEECH_RATE, np.float32)
    sound[-SPEECH_RATE // 10 :] = 0.5
    assert Levels.of(sound).decibels[0] < -100
    assert len(Levels.of(np.zeros(0, np.float32)).decibels) == 0


def test_words_stay_in_order_whatever_they_are_given() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        starts = np.sort(random.integers(0, 6500, 12))
        rough = [word("a.", int(start), int(start) + int(random.integers(0, 400))) for start in starts]
        snapped = snap(rough, voiced(), levels())
        assert all(one.start <= one.end for one in snapped)
        assert all(before.end <= after.start for before, after in pairwise(snapped))


def test_no_words_and_no_voice_are_no_trouble() -> None:
    assert snap([], voiced(), levels()) == []
    assert snap([word("tak", 1, 2)], [], levels()) == [word("tak", 1, 2)]
