"""The second look against a decoder that says what it is told: what it does to the words that were settled."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from studio.speech._intake import Block
from studio.speech._look import Finding, SecondLook
from studio.speech._settle import Piece
from studio.speech._translate import Translator
from studio.speech._tuning import Tuning
from studio.speech._vad import BLOCK
from studio.speech._whisper import Guess, Timing
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from numpy.typing import NDArray

LOOK = Ms(4800)
TUNING = Tuning(look_step=Ms(1000), ahead=Ms(500))
ALIGNMENT_IS_EARLY = 130


def words(said: str, first: int = 0, every: int = 400, confidence: float = 0.9) -> list[Word]:
    """`said`, a word each `every` ms from `first` on."""
    return [
        Word(text, Ms(first + at * every), Ms(first + at * every + every - 50), confidence)
        for at, text in enumerate(said.split())
    ]


@dataclass
class Told:
    """A model that hears what it was told to hear, wherever the window begins."""

    hears: list[Word]
    breaks: int = 0
    """So many passes fail first."""
    windows: list[Ms] = field(default_factory=list)

    def encode(self, sound: NDArray[np.float32], padding: Ms, skip: int = 0) -> object:
        assert padding > 0
        assert skip == 0
        return sound

    def follow(self, encoded: object, language: str, said: Sequence[Piece], beam: int, **more: object) -> Guess:
        assert beam
        assert not said
        assert language
        assert more.keys() <= {"hint", "task"}
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError("out of memory")
        self.windows.append(Ms(len(np.asarray(encoded)) * 1000 // 16000))
        heard = [word for word in self.hears if word.start < self.windows[-1]]
        return Guess([Piece(word.text, (1,)) for word in heard], ran_away=False, logprob=-0.2, silence=0.0)

    def align(self, _encoded: object, _language: str, pieces: Sequence[Piece]) -> list[Timing]:
        return [
            Timing((word.start - ALIGNMENT_IS_EARLY) * 16, (word.end - ALIGNMENT_IS_EARLY) * 16, word.confidence or 0.0)
            for word in self.hears[: len(pieces)]
        ]


class Hearer:
    """A first pass that has heard so much."""

    def __init__(self, told: Told) -> None:
        self.look = SecondLook(told, TUNING, LOOK, (), None)  # type: ignore[arg-type]
        self.now = Ms(0)
        self.voiced: list[tuple[Ms, Ms]] = []
        self.heard: list[Word] = []

    def hear(self, until: int, *, gap: bool = False) -> None:
        while self.now < until:
            sound = np.zeros(BLOCK, np.float32)
            self.look.hear(Block(self.now, sound, 0.9, gap))
            self.now, gap = Ms(self.now + BLOCK // 16), False

    def speak(self, settled: list[Word], until: int, *, gap: bool = False, language: str = "pl") -> None:
        """Hear an utterance up to `until` and settle it."""
        start = self.now
        self.hear(until, gap=gap)
        self.voiced.append((start, self.now))
        self.look.open(start, language)
        self.look.settle(settled)
        self.heard += settled

    def look_again(self) -> None:
        self.look.want(self.now, "pl", self.voiced, quiet=True)

    def aired(self, findings: Sequence[Finding]) -> str:
        """What goes on the air after `findings`."""
        text, at = [], 0
        for finding in findings:
            assert finding.first == at
            text += [word.text for word in finding.words]
            at = finding.upto
        return " ".join([*text, *(word.text for word in self.heard[at:])])


def test_what_the_look_hears_stands_in_place_of_what_was_settled_in_a_hurry() -> None:
    hearer = Hearer(Told(words("Moja teściowa przyjeżdża do nas")))
    hearer.speak(words("No ja też ciowa przyjeżdża"), 2100)
    hearer.look_again()
    assert hearer.aired(hearer.look.collect(hearer.now)) == "Moja teściowa przyjeżdża do nas"


def test_words_from_before_the_window_stay() -> None:
    hearer = Hearer(Told(words("Good evening to all of you")))
    hearer.speak(words("Dzień dobry"), 900, language="lt")
    hearer.speak(words("God evening", 1000), 3300)
    hearer.look_again()
    assert hearer.aired(hearer.look.collect(hearer.now)).startswith("Dzień dobry Good evening")


def test_a_gap_leaves_the_words_before_it_as_they_are() -> None:
    hearer = Hearer(Told([]))
    hearer.speak(words("Dzień dobry"), 900)
    hearer.hear(3000, gap=True)
    hearer.look_again()
    findings = hearer.look.collect(hearer.now)
    hearer.look_again()
    assert hearer.aired([*findings, *hearer.look.collect(hearer.now)]) == "Dzień dobry"


def test_a_look_that_fails_is_not_tried_for_ever() -> None:
    told = Told(words("Dobry wieczór"), breaks=1)
    hearer = Hearer(told)
    hearer.speak(words("Dobry wieczur"), 1200)
    hearer.look_again()
    assert hearer.aired(hearer.look.collect(hearer.now)) == "Dobry wieczur"
    hearer.look_again()
    assert not hearer.look.busy
    assert told.windows == []


def test_a_slow_machine_looks_at_less_at_once_so_that_words_are_looked_at_before_they_air(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    told = Told(words("raz dwa trzy", every=5000))
    follow = told.follow

    def slow(encoded: object, *others: object, **more: object) -> Guess:
        clock[0] += 0.5 * (len(np.asarray(encoded)) / 16000 + TUNING.padding / 1000)
        return follow(encoded, *others, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(told, "follow", slow)
    hearer = Hearer(told)
    for second in range(20, 180, 20):
        hearer.speak(words("raz dwa trzy", 1000 * second - 20_000, every=5000), 1000 * second)
        hearer.look_again()
        hearer.look.collect(hearer.now)
    assert told.windows[0] > 13_000
    assert 3500 <= told.windows[-1] <= 5000
    # 3.3 s are left for a look after what it waits for; half a second for each second of sound and of padding.
    assert 0.5 * (told.windows[-1] + TUNING.padding) <= LOOK - TUNING.look_step - TUNING.ahead + 200


def test_the_last_words_are_looked_at_with_all_the_sound_there_is() -> None:
    hearer = Hearer(Told(words("Dobry wieczór państwu")))
    hearer.speak(words("Dobry wieczur"), 700)
    hearer.look.want(hearer.now, "pl", list(hearer.voiced), quiet=False)
    hearer.speak(words("panstwu", 800), 1400)
    assert hearer.aired(hearer.look.finish(hearer.voiced)) == "Dobry wieczór państwu"


def test_a_sentence_that_the_look_leaves_out_stays() -> None:
    hearer = Hearer(Told(words("Is")))
    hearer.speak(words("I wanted it was life on my hands"), 3300)
    hearer.look_again()
    assert hearer.aired(hearer.look.collect(hearer.now)) == "I wanted it was life on my hands"


def test_what_nobody_spoke_is_not_believed() -> None:
    hearer = Hearer(Told([*words("Dobry wieczór"), *words("Dziękuję za oglądanie", 2400)]))
    hearer.speak(words("Dobry wieczór"), 800)
    hearer.hear(4000)
    hearer.look_again()
    assert hearer.aired(hearer.look.collect(hearer.now)) == "Dobry wieczór"


def test_an_utterance_that_hardly_can_have_been_said_was_laughter() -> None:
    hearer = Hearer(Told([*words("Dobry wieczór"), *words("Ha ha ha", 1600, confidence=0.1)]))
    hearer.speak(words("Dobry wieczór"), 1000)
    hearer.hear(1300)
    hearer.speak([], 3000)
    hearer.look_again()
    assert hearer.aired(hearer.look.collect(hearer.now)) == "Dobry wieczór"


def test_where_the_first_pass_heard_nobody_the_look_must_be_sure() -> None:
    for confidence, aired in ((0.45, ""), (0.8, "Co mam zrobić?")):
        hearer = Hearer(Told(words("Co mam zrobić?", confidence=confidence)))
        hearer.speak([], 2500)
        hearer.look_again()
        assert hearer.aired(hearer.look.collect(hearer.now)) == aired


def test_a_word_at_the_border_of_two_looks_comes_once() -> None:
    told = Told(words("nie zachowuj się jak Zigolak"))
    hearer = Hearer(told)
    hearer.speak(words("nie zachowuj się jak zigolak"), 2000)
    hearer.look_again()
    findings = hearer.look.collect(hearer.now)
    told.hears = [*words("nie zachowuj się jak"), *words("żigolak ród smoka", 1950)]
    hearer.speak(words("rod smoka", 2400), 3400)
    hearer.look_again()
    findings += hearer.look.collect(hearer.now)
    assert hearer.aired(findings) == "nie zachowuj się jak Zigolak ród smoka"


def test_music_taken_for_speech_is_not_looked_at_again_and_again() -> None:
    told = Told([])
    hearer = Hearer(told)
    hearer.speak([], 2000)
    for _ in range(10):
        hearer.hear(hearer.now + 100)
        hearer.look_again()
        hearer.look.collect(hearer.now)
    assert len(told.windows) <= 2


def test_a_translation_comes_when_the_thread_is_free_and_the_oldest_goes_when_too_many_wait() -> None:
    told = Told(words("Good evening"))
    translator = Translator(told, TUNING, None)  # type: ignore[arg-type]
    sound = np.zeros(16000, np.float32)
    for start in (0, 2000, 4000):
        translator.take(sound, Ms(start), Ms(start + 1000), "pl")
    translator.take(sound, Ms(6000), Ms(7000), "en")
    assert translator.step(free=False) == []
    assert [word.start for word in translator.finish()] == [2000, 2384, 4000, 4384]


def test_a_translation_that_says_the_same_sentence_again_was_made_up() -> None:
    translator = Translator(Told(words("I do not care")), TUNING, None)  # type: ignore[arg-type]
    for start in (0, 2000):
        translator.take(np.zeros(32000, np.float32), Ms(start), Ms(start + 1600), "pl")
    assert [word.text for word in translator.finish()] == ["I", "do", "not", "care"]
