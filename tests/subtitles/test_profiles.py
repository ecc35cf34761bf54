"""Reading profiles, what breaks them, and what mends it."""

from __future__ import annotations

import importlib.util
import itertools
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import DrawerError
from studio.subtitles import (
    Cue,
    Rules,
    Track,
    Word,
    check,
    compose,
    composed,
    fix,
    language_of,
    profile,
    profile_of,
    profiles,
    read,
    save,
)
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

NAMES = ("polish", "lithuanian", "english", "bbc", "sdh", "children")
LANGUAGES = ("pl", "lt", "en")
ALL = {(name, language): profile(name, language) for name in NAMES for language in LANGUAGES}
POLISH = ALL["polish", "pl"]

some_words = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(
                ["w", "z", "i", "się", "nie", "dr.", "że", "domu,", "koniec.", "Tak!", "2024", "kad", "the"]
            ),
            st.text(alphabet="abcąłżó", min_size=1, max_size=14),
        ),
        st.integers(min_value=0, max_value=1500),  # pause before it
        st.integers(min_value=20, max_value=900),  # its length
    ),
    max_size=40,
)


def spoken(parts: list[tuple[str, int, int]]) -> list[Word]:
    words, at = [], 0
    for text, pause, length in parts:
        words.append(Word(text, Ms(at + pause), Ms(at + pause + length)))
        at += pause + length
    return words


def said(text: str, each: int = 300, pause: int = 100, at: int = 1000) -> list[Word]:
    starts = itertools.count(at, each + pause)
    return [Word(word, Ms(start), Ms(start + each)) for word, start in zip(text.split(), starts, strict=False)]


def track(*cues: tuple[int, int, str]) -> Track:
    """Cues by begin, end and lines parted by |."""
    return Track(
        tuple(Cue(n, Ms(begin), Ms(end), tuple(text.split("|"))) for n, (begin, end, text) in enumerate(cues, 1))
    )


def kinds(*cues: tuple[int, int, str], rules: Rules = POLISH) -> list[str]:
    return [finding.kind for finding in check(track(*cues), rules).findings]


def test_every_profile_goes_with_every_language() -> None:
    assert set(NAMES) <= set(profiles())
    for (name, language), rules in ALL.items():
        assert rules.language == language
        assert rules.clinging
        assert rules.openers
        assert rules.abbreviations
        assert ("w" in rules.bound) == (language == "pl"), name
        assert language != "lt" or rules.shortest >= 1000


def test_profiles_have_the_numbers_of_their_broadcasters() -> None:
    speeds = {name: ALL[name, "pl"].characters_per_second for name in NAMES}
    assert speeds == {"polish": 17, "lithuanian": 17, "english": 17, "bbc": 18, "sdh": 20, "children": 13}
    assert POLISH.shortest == 840
    assert (POLISH.line_characters, POLISH.lines, POLISH.longest, POLISH.gap, POLISH.chain) == (42, 2, 7000, 80, 480)
    assert POLISH.lead + POLISH.borrow <= 80
    assert POLISH.overstay <= 480
    bbc = ALL["bbc", "en"]
    assert (bbc.words_per_minute, bbc.line_characters) == (180, 37)
    assert bbc.overstay <= 1500


def test_a_language_without_lists_is_cut_by_what_all_bear() -> None:
    rules = profile(profile_of("uk"), "uk")
    assert rules.language == "auto"
    assert {"w", "į", "the"} <= {*rules.bound, *rules.clinging}


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(DrawerError, match="children"):
        profile("childern", "pl")


def test_a_text_tells_its_language_by_its_small_words() -> None:
    assert language_of(track((0, 2000, "Nie wiem, czy to jest dobry pomysł na dziś"))) == "pl"
    assert language_of(track((0, 2000, "Aš nežinau, ar tai yra gera mintis šiai dienai"))) == "lt"
    assert language_of(track((0, 2000, "I do not know if this is the right idea for today"))) == "en"
    assert language_of(track((0, 2000, "Hmm."))) is None


@given(some_words, st.sampled_from(sorted(ALL)), st.sampled_from([None, 24000 / 1001, 25.0, 50.0]))
@settings(deadline=None, max_examples=60)
def test_no_profile_loses_a_word_or_breaks_a_hard_rule(
    parts: list[tuple[str, int, int]], which: tuple[str, str], rate: float | None
) -> None:
    words, rules = spoken(parts), ALL[which]
    made = composed(words, rules, rate=rate)
    cues = tuple(each.cue for each in made)
    assert [word for each in made for word in each.words] == words
    assert " ".join(cue.text for cue in cues).split() == [word.text for word in words]
    # A one-letter word ends a line only where so many stand in a row that they fill it.
    left = [finding for finding in check(Track(cues), rules).findings if finding.hard and finding.kind != "bound"]
    assert [str(finding) for finding in left] == []
    if rate is not None:
        frame = 1000 / Fraction(rate).limit_denominator(1001)
        for cue in cues:
            for at in (cue.start, cue.end):
                assert abs(at - round(at / frame) * frame) <= 1


@given(some_words, st.sets(st.integers(0, 40)))
@settings(deadline=None, max_examples=60)
def test_two_speakers_never_share_a_line(parts: list[tuple[str, int, int]], turns: set[int]) -> None:
    words = spoken(parts)
    speaker = [sum(turn <= at for turn in turns if turn) for at in range(len(words))]
    at = 0
    for each in composed(words, POLISH, turns=turns):
        voices = [speaker[at + place] for place in range(len(each.words))]
        lines = [line.removeprefix("– ") for line in each.cue.lines]  # noqa: RUF001
        shared = len(set(voices)) > 1
        assert all(line.startswith("– ") == shared for line in each.cue.lines)  # noqa: RUF001
        if shared:
            assert [len(line.split()) for line in lines] == [len(list(group)) for _, group in itertools.groupby(voices)]
        at += len(each.words)


def test_two_short_lines_of_two_people_stand_in_one_cue_with_dashes() -> None:
    (cue,) = compose(said("Idziesz z nami? Nie, zostaję.", each=220, pause=30), POLISH, turns={3})
    assert cue.lines == ("– Idziesz z nami?", "– Nie, zostaję.")  # noqa: RUF001


def test_a_cue_takes_time_of_a_neighbour_that_has_some() -> None:
    fast = said("Przepraszam bardzo, czy mogłabym tutaj usiąść?", each=360, pause=10, at=2000)
    slow = said("Tak.", each=900, at=fast[-1].end + 500)
    first, second = compose([*fast, *slow], POLISH)
    assert first.end > fast[-1].end + 240
    assert second.start - first.end >= POLISH.gap
    assert abs(second.start - slow[0].start) <= 80
    assert check(Track((first, second)), POLISH).findings == ()


def test_speech_that_nobody_can_read_in_time_is_said_and_kept() -> None:
    words = said("Rozszyfrowywaliśmy niejednokrotnie najdziwniejsze hieroglify", each=400, pause=0)
    cues = compose([*words, *said("Dalej mówię szybciej niż ktokolwiek przeczyta", each=150, pause=0, at=2600)], POLISH)
    report = check(Track(tuple(cues)), POLISH)
    assert report.count("fast") == len(cues)
    assert report.hard == 0
    assert report.broken == 1


def test_pauses_are_closed_or_left_long_enough_to_be_seen() -> None:
    for pause in range(0, 2000, 50):
        first, second = said("Pierwsze zdanie mówi powoli.", each=600), said("Drugie też.", each=600, at=10_000)
        second = [Word(w.text, Ms(w.start - 10_000 + first[-1].end + pause), Ms(w.end + 4000)) for w in second]
        assert "flicker" not in {
            finding.kind for finding in check(Track(tuple(compose([*first, *second], POLISH))), POLISH).findings
        }, pause


def test_cues_come_and_go_with_a_change_of_picture() -> None:
    words = said("To jest pierwsze zdanie.", each=500)
    (calm,) = compose(words, POLISH)
    (cue,) = compose(words, POLISH, shots=[Ms(calm.start - 40), Ms(calm.end - 40)])
    assert cue.start == calm.start - 40
    assert cue.end == calm.end - 40 - POLISH.gap
    (far,) = compose(words, POLISH, shots=[Ms(calm.start + 700), Ms(calm.end + 2000)])
    assert far == calm


def test_a_unit_stays_with_its_number_and_an_initial_with_its_name() -> None:
    for text in (
        "Kosztowało nas to wtedy ponad dwieście 25 złotych w kasie",
        "Tę książkę napisał dawno temu stary J. Kowalski z Gdyni",
    ):
        lines = [line for cue in compose(said(text), POLISH) for line in cue.lines]
        assert not any(line.endswith((" 25", " J.")) for line in lines)


def test_each_kind_of_mistake_is_found() -> None:
    assert kinds((0, 2000, "Wszystko dobrze.")) == []
    assert kinds((0, 1000, "Czytam to o wiele za szybko")) == ["fast"]
    assert kinds((0, 5000, "Ten wiersz jest o wiele za długi na jeden wiersz")) == ["line"]
    assert kinds((0, 3000, "Raz,|dwa,|trzy.")) == ["lines"]
    assert kinds((0, 500, "Tak.")) == ["short"]
    assert kinds((0, 7500, "Tak.")) == ["long"]
    assert kinds((0, 2000, "Raz."), (1900, 4000, "Dwa.")) == ["overlap"]
    assert kinds((0, 2000, "Raz."), (2040, 4000, "Dwa.")) == ["gap"]
    assert kinds((0, 2000, "Raz."), (2080, 4000, "Dwa.")) == []
    assert kinds((0, 2000, "Raz."), (2300, 4000, "Dwa.")) == ["flicker"]
    assert kinds((0, 2000, "Byłem w|Wilnie.")) == ["bound"]
    assert kinds((0, 2000, "Byłem już na|Litwie.")) == ["clinging"]
    assert kinds((0, 2000, "One two three four five six seven."), rules=ALL["bbc", "en"]) == ["fast"]


def test_a_finding_is_a_sentence_with_what_is_and_what_may_be() -> None:
    (finding,) = check(track((61_000, 62_000, "Czytam to o wiele za szybko")), POLISH).findings
    assert str(finding) == "00:01:01.000 characters a second: 27, at most 17"
    assert (finding.cue, finding.value, finding.allowed, finding.hard) == (1, 27, 17, False)


@given(
    st.lists(
        st.tuples(
            st.integers(-500, 6000),  # from the last one's begin
            st.integers(0, 9000),
            st.lists(
                st.lists(
                    st.sampled_from(["w", "na", "domu,", "tak.", "konstytucja", "-", "2024", "się"]),
                    min_size=1,
                    max_size=14,
                ),
                min_size=1,
                max_size=4,
            ),
        ),
        max_size=20,
    ),
    st.sampled_from(sorted(ALL)),
)
@settings(deadline=None, max_examples=60)
def test_mending_loses_nothing_and_leaves_no_hard_fault(
    parts: list[tuple[int, int, list[list[str]]]], which: tuple[str, str]
) -> None:
    cues, at = [], 0
    for number, (after, length, lines) in enumerate(parts, 1):
        at = max(0, at + after)
        cues.append(Cue(number, Ms(at), Ms(at + length), tuple(map(" ".join, lines))))
    before, rules = Track(tuple(cues), "pl"), ALL[which]
    mended = fix(before, rules)
    wanted = sorted(cues, key=lambda cue: cue.start)
    assert sorted(" ".join(cue.text for cue in mended.cues).split()) == sorted(
        " ".join(cue.text for cue in wanted).split()
    )
    left = [finding for finding in check(mended, rules).findings if finding.hard]
    assert [str(finding) for finding in left if finding.kind != "bound"] == []
    assert mended.language == "pl"


def test_what_is_right_stays_as_it_is() -> None:
    right = track((1000, 3000, "Dzień dobry państwu."), (3600, 6000, "Witamy w naszym|domu kultury."))
    assert fix(right, POLISH) == right


def test_a_dialogue_keeps_a_line_for_each_speaker() -> None:
    text = "– Czy ktoś z państwa widział może moje nowe okulary?|– Nie, ale proszę zajrzeć na fortepian."  # noqa: RUF001
    mended = fix(track((0, 6000, text)), POLISH)
    assert [cue.lines[0][:5] for cue in mended.cues] == ["– Czy", "– Nie"]  # noqa: RUF001
    assert check(mended, POLISH).hard == 0


def test_crumbs_are_joined_rather_than_pushed_away() -> None:
    words = said("Każde słowo stoi tu jako osobny napis i nikt tego nie zdąży przeczytać.", each=380, pause=20)
    crumbs = track(*((word.start, word.end, word.text) for word in words))
    mended = fix(crumbs, POLISH)
    assert len(mended.cues) < 5
    assert mended.cues[-1].end <= crumbs.cues[-1].end + POLISH.overstay
    assert check(mended, POLISH).hard == 0


def judge(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("subtitle_check", shared / "judge" / "subtitle_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.shared
def test_the_check_agrees_with_the_judge(shared: Path, tmp_path: Path) -> None:
    kind_of = {"fast": "cps", "line": "line", "lines": "lines", "short": "short", "long": "long", "overlap": "overlap"}
    kind_of |= {"gap": "gap", "bound": "one_letter"}
    files = [shared / "data" / name for name in ("subs/tears_of_steel_en.srt", "pl/nemo_dialogue1_emotional.srt")]
    for file in files:
        for language in LANGUAGES:
            rules = profile(profile_of(language), language)
            copy = tmp_path / "mended.srt"
            save(fix(read(file), rules), copy)
            for path in (file, copy):
                row, report = judge(shared).check(path, language, 17), check(read(path), rules)
                assert round(100 * report.broken, 1) == row["broken"]
                assert round(100 * report.hard, 1) == row["hard"]
                for kind, theirs in kind_of.items():
                    assert round(100 * report.counts.get(kind, 0) / report.cues, 1) == row[theirs], kind  # type: ignore[call-overload]
