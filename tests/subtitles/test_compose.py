"""Words into cues: what may never happen, and how real speech comes out."""

from __future__ import annotations

import importlib.util
import itertools
import json
import random
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.catalogue import Catalogue
from studio.subtitles import Composer, Cue, Rules, Track, Word, compose, rules_for, save
from studio.units import Ms, ms

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

POLISH, LITHUANIAN = (rules_for(Catalogue(), language) for language in ("pl", "lt"))
ONE_LETTER = set("wziouaWZIOUA")

some_words = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(
                ["w", "z", "i", "o", "U", "a", "się", "nie", "dr.", "że", "domu,", "koniec.", "Tak!", "2024"]
            ),
            st.text(alphabet="abcąłżó", min_size=1, max_size=14),
            st.just("konstantynopolitańczykowianeczkówna-i-jej-siostry"),
        ),
        st.integers(min_value=0, max_value=1500),  # pause before it
        st.integers(min_value=20, max_value=900),  # its length
    ),
    max_size=60,
)


def spoken(parts: list[tuple[str, int, int]]) -> list[Word]:
    words, at = [], 0
    for text, pause, length in parts:
        words.append(Word(text, Ms(at + pause), Ms(at + pause + length)))
        at += pause + length
    return words


def said(text: str, each: int = 300, pause: int = 100, at: int = 1000) -> list[Word]:
    """A speaker as regular as a clock."""
    starts = itertools.count(at, each + pause)
    return [Word(word, Ms(start), Ms(start + each)) for word, start in zip(text.split(), starts, strict=False)]


def stand(cues: list[Cue], words: list[Word], rules: Rules) -> None:
    """What may never be otherwise."""
    assert " ".join(cue.text for cue in cues).split() == [word.text for word in words]
    assert [cue.number for cue in cues] == list(range(1, len(cues) + 1))
    for cue in cues:
        assert len(cue.lines) <= rules.lines
        assert rules.shortest <= cue.end - cue.start <= rules.longest
        for line in cue.lines:
            assert len(line) <= rules.line_characters or " " not in line
    for before, after in itertools.pairwise(cues):
        assert after.start - before.end >= rules.gap
    lines = [line for cue in cues for line in cue.lines]
    for line, following in itertools.pairwise(lines):
        last = line.rsplit(maxsplit=1)[-1]
        # A one-letter word stays behind only where what it belongs to fills the next line.
        assert last not in ONE_LETTER or len(f"{last} {first_piece(following)}") > rules.line_characters


def first_piece(line: str) -> str:
    """The first word of `line` that is longer than a letter, with all before it."""
    words = line.split()
    whole = next((index for index, word in enumerate(words) if word not in ONE_LETTER), len(words))
    return " ".join(words[: whole + 1])


@given(some_words)
@settings(deadline=None)
def test_whole_text_loses_nothing_and_keeps_the_rules(parts: list[tuple[str, int, int]]) -> None:
    words = spoken(parts)
    stand(compose(words, POLISH), words, POLISH)


@given(some_words, st.integers(0, 8000), st.integers(100, 4000), st.booleans())
@settings(deadline=None)
def test_live_text_loses_nothing_and_keeps_the_rules(
    parts: list[tuple[str, int, int]],
    hold: int,
    late: int,
    quiet: bool,  # noqa: FBT001 - hypothesis hands it in
) -> None:
    words = spoken(parts)
    composer = Composer(POLISH, Ms(hold))
    cues: list[Cue] = []
    now = 0
    waiting = list(words)
    while waiting:
        settled = [word for word in waiting if word.end + late <= now]
        del waiting[: len(settled)]
        cues += composer.settle(settled)
        silent = quiet and (not waiting or waiting[0].start > now)
        cues += composer.due(Ms(now), Ms(max(0, now - 100)) if silent else None)
        now += 250
    cues += composer.finish()
    stand(cues, words, POLISH)
    assert composer.waiting == ()


@pytest.mark.parametrize("rules", [POLISH, LITHUANIAN])
def test_cues_of_a_word_or_two_are_not_late_for_the_words_after_them(rules: Rules) -> None:
    # Each word is known between one and five seconds late, in a hold of six: many cues close before the next is known.
    words = said(" ".join(f"słowo{number}" for number in range(200)))
    chance = random.Random(1)  # noqa: S311 - the same each time
    known = list(itertools.accumulate((word.end + chance.randint(1000, 5000) for word in words), max))
    composer = Composer(rules, Ms(6000))
    cues: list[Cue] = []
    given = 0
    for now in range(0, known[-1] + 100, 100):
        come = bisect_right(known, now)
        full = composer.settle(words[given:come])
        given = come
        cues += full
        if cues and not full and now < cues[-1].start + 5750:  # it is not on the air yet
            stands = [word for word in words if word.text in cues[-1].text.split()]
            grown = composer.grow(cues[-1], [*stands, *composer.waiting], len(stands))
            if grown is not None:
                cues[-1] = grown
                cues += composer.reword(composer.waiting, len(composer.waiting))
        cues += composer.due(Ms(now))
    cues += composer.finish()
    assert all(cue.end - cue.start >= min(rules.shortest, 300 * len(cue.text.split())) for cue in cues)
    assert " ".join(cue.text for cue in cues).split() == [word.text for word in words]
    cue_of = {text: cue for cue in cues for text in cue.text.split()}
    moments = [(cue_of[word.text], at) for word in words for at in range(word.start, word.end, 20)]
    assert sum(cue.start <= at < cue.end for cue, at in moments) > 0.95 * len(moments)


def test_a_line_breaks_after_punctuation_and_before_a_conjunction() -> None:
    (cue,) = compose(said("Nie wiem jeszcze tego dokładnie, ale jutro się dowiem na pewno"), POLISH)
    assert cue.lines == ("Nie wiem jeszcze tego dokładnie,", "ale jutro się dowiem na pewno")


def test_a_one_letter_word_waits_for_the_word_it_belongs_to() -> None:
    words = [Word("Byliśmy", Ms(0), Ms(500)), Word("w", Ms(600), Ms(700)), Word("Wilnie", Ms(9000), Ms(9500))]
    first, second = compose(words, POLISH)
    assert first.lines == ("Byliśmy",)
    assert second.lines == ("w Wilnie",)
    assert 8500 < second.start < 9000


def test_an_abbreviation_ends_no_sentence() -> None:
    words = said("Wykład wygłosi prof. Nowak z uniwersytetu, a potem wystąpi dr Kowalska z chórem.")
    lines = [line for cue in compose(words, POLISH) for line in cue.lines]
    assert not any(line.endswith(("prof.", " dr")) for line in lines)


def test_a_cue_stands_long_enough_to_be_read() -> None:
    (cue,) = compose([Word("Tak.", Ms(5000), Ms(5200))], POLISH)
    assert cue.start == 5000 - POLISH.lead
    assert cue.end - cue.start >= POLISH.shortest


def test_live_a_cue_is_closed_inside_the_hold() -> None:
    composer = Composer(POLISH, Ms(6000))
    words = said("Dzień dobry państwu i witamy")
    assert composer.settle(words) == []
    assert composer.due(Ms(5000)) == []
    (cue,) = composer.due(Ms(6300))
    assert cue.text == "Dzień dobry państwu i witamy"
    assert cue.start == 1000 - POLISH.lead


def test_live_a_sentence_is_closed_when_the_speaker_stops() -> None:
    composer = Composer(POLISH, Ms(6000))
    words = said("Dziękuję państwu.")
    assert composer.settle(words) == []
    assert composer.due(Ms(2500), quiet_since=Ms(1700), heard=Ms(2000)) == []
    (cue,) = composer.due(Ms(3400), quiet_since=Ms(1700), heard=Ms(3300))
    assert cue.end >= words[-1].end + POLISH.linger


def test_live_a_full_cue_does_not_wait_for_its_moment() -> None:
    composer = Composer(POLISH, Ms(20_000))
    cues = composer.settle(said("słowo za słowem " * 16, each=100, pause=20))
    assert cues
    assert len(cues[0].lines) == 2


def test_live_a_late_cue_moves_to_where_it_can_be_seen() -> None:
    composer = Composer(POLISH, Ms(2000))
    composer.settle(said("Spóźnione słowa"))
    (cue,) = composer.due(Ms(6000))
    assert cue.start >= 4000
    assert cue.end - cue.start >= POLISH.shortest


def test_live_a_cue_of_long_ago_keeps_its_true_time() -> None:
    composer = Composer(POLISH, Ms(2000))
    composer.settle(said("Dawne słowa"))
    (cue,) = composer.due(Ms(60_000))
    assert 1000 - POLISH.lead - POLISH.borrow <= cue.start <= 1000


def test_live_goes_on_after_the_last_cue_of_an_earlier_life() -> None:
    composer = Composer(POLISH, Ms(6000), first_number=8, after=Ms(1500))
    composer.settle(said("Dalej."))
    (cue,) = composer.finish()
    assert cue.number == 8
    assert cue.start == 1500 + POLISH.gap


def test_rules_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="line_characters is 3"):
        Rules(line_characters=3)
    with pytest.raises(ValueError, match="longest is shorter"):
        Rules(shortest=Ms(3000), longest=Ms(2000))


def test_every_language_has_its_rules() -> None:
    catalogue = Catalogue()
    assert [rules_for(catalogue, code).language for code in ("pl", "lt", "en", "auto", "uk")] == [
        "pl",
        "lt",
        "en",
        "auto",
        "auto",
    ]


def judge(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("subtitle_check", shared / "judge" / "subtitle_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words_of(file: Path) -> list[Word]:
    """The text as written, with the word ends that the offline model measured (`….txt.words.json`)."""
    ends = json.loads(file.with_name(file.name + ".words.json").read_text())["ends"]
    words: list[Word] = []
    known, before = 0, 0.0
    for token in file.read_text().split():
        parts = re.sub(r"[^\w']", " ", token.replace("’", "'")).split()  # noqa: RUF001 - as the judges do
        known += len([part for part in parts if part.strip("'")])
        end = max(before + 0.02, ends[known - 1] if 0 < known <= len(ends) else before)
        words.append(Word(token, ms(max(before, end - 0.1 - 0.09 * len(token))), ms(end)))
        before = end
    return words


@pytest.mark.shared
@pytest.mark.parametrize("live", [False, True], ids=["whole", "live"])
@pytest.mark.parametrize("language", ["pl", "lt", "en"])
def test_real_speech_breaks_no_hard_rule(shared: Path, tmp_path: Path, language: str, live: bool) -> None:  # noqa: FBT001
    rules = rules_for(Catalogue(), language)
    files = sorted(file for file in (shared / "data" / language).glob("*.txt"))
    assert files
    for file in files:
        words = words_of(file)
        if live:
            composer = Composer(rules, Ms(6000))
            cues: list[Cue] = []
            for word in words:  # each settled two seconds after it was spoken
                cues += composer.due(Ms(word.end + 2000))
                cues += composer.settle([word])
            cues += composer.finish()
        else:
            cues = compose(words, rules)
        srt = tmp_path / f"{file.stem}.srt"
        save(Track(tuple(cues)), srt)
        row = judge(shared).check(srt, language, 17)
        assert (row["hard"], row["clinging"]) == (0.0, 0.0), row
