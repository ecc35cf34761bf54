"""What a person does to subtitles, and what of it survives when the film is heard again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from studio.archive import (
    Document,
    EditError,
    FilmCue,
    Pattern,
    delete,
    insert,
    merge,
    merge_recognised,
    open_library,
    replace_in,
    replacements,
    retime,
    reword,
    shift,
    speak,
    split,
)
from studio.spoken import Word
from studio.subtitles import Rules
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path


def cue(id_: int, start: int, end: int, *lines: str, words: bool = True) -> FilmCue:
    said = " ".join(lines).split()
    each = (end - start) // max(1, len(said))
    heard = (Word(word, Ms(start + at * each), Ms(start + (at + 1) * each), 0.9) for at, word in enumerate(said))
    return FilmCue(id_, Ms(start), Ms(end), lines, tuple(heard) if words else ())


def document(*cues: FilmCue) -> Document:
    return Document("pl", "polish", cues)


TALK = document(
    cue(1, 1000, 3000, "Dzień dobry,", "witam państwa"),
    cue(2, 3500, 5000, "w domu kultury."),
    cue(3, 6000, 8000, "Zaczynamy."),
)


def shown(document: Document) -> list[tuple[int, int, int, str, str]]:
    return [(cue.id, cue.start, cue.end, "|".join(cue.lines), cue.by) for cue in document.cues]


def test_a_cue_that_is_reworded_keeps_its_id_and_what_was_heard() -> None:
    done = reword(TALK, 2, ["  w Domu ", "", "Kultury. "])
    assert shown(done)[1] == (2, 3500, 5000, "w Domu|Kultury.", "person")
    assert done.cues[1].words == TALK.cues[1].words
    assert reword(TALK, 2, ["w domu kultury."]) is TALK
    assert [cue.id for cue in reword(TALK, 2, [" "]).cues] == [1, 3]


def test_a_cue_is_moved_and_never_into_its_neighbour() -> None:
    assert shown(retime(TALK, 2, start=Ms(2000), end=Ms(9000)))[1][1:3] == (3000, 6000)
    assert shown(retime(TALK, 3, end=Ms(9000)))[2][1:3] == (6000, 9000)
    with pytest.raises(EditError, match="no time"):
        retime(TALK, 3, start=Ms(9000))


def test_a_cue_is_split_between_its_words() -> None:
    done = split(TALK, 1, len("Dzień dobry,\nwit"))
    assert shown(done)[:2] == [
        (1, 1000, 2420, "Dzień dobry,|witam", "person"),
        (4, 2500, 3000, "państwa", "person"),
    ]
    assert [word.text for word in done.cues[1].words] == ["państwa"]
    assert split(TALK, 1, 5, new=70).cues[1].id == 70


def test_a_cue_whose_words_nobody_timed_is_split_by_its_letters() -> None:
    done = split(document(cue(1, 0, 4000, "abcd efgh", words=False)), 1, 4)
    assert shown(done) == [(1, 0, 1920, "abcd", "person"), (2, 2000, 4000, "efgh", "person")]


@pytest.mark.parametrize("caret", [0, -5, 900])
def test_half_a_cue_needs_text(caret: int) -> None:
    with pytest.raises(EditError, match="caret"):
        split(TALK, 2, caret)


def test_cues_are_merged_under_the_first_ones_id() -> None:
    done = merge(TALK, 3, 2)
    assert shown(done)[1] == (2, 3500, 8000, "w domu kultury.|Zaczynamy.", "person")
    assert len(done.cues[1].words) == 4
    assert shown(merge(TALK, 1, 3, Rules()))[0][3] == "Dzień dobry, witam państwa w domu kultury.|Zaczynamy."
    with pytest.raises(EditError, match="nothing to merge"):
        merge(TALK, 2, 2)


def test_a_cue_is_put_in_and_taken_out() -> None:
    done = insert(TALK, Ms(5200), Ms(5800), ["(brawa)"])
    assert shown(done)[2] == (4, 5200, 5800, "(brawa)", "person")
    assert delete(done, 4) == TALK
    with pytest.raises(EditError, match="already"):
        insert(TALK, Ms(4000), Ms(4500), ["x"])
    with pytest.raises(EditError, match="no longer there"):
        delete(TALK, 9)
    assert speak(TALK, 1, " Ewa ").cues[0].speaker == "Ewa"


def test_all_cues_are_shifted_with_their_words() -> None:
    done = shift(TALK, Ms(-500), since=Ms(3200))
    assert shown(done)[1] == (2, 3000, 4500, "w domu kultury.", "machine")
    assert done.cues[1].words[0].start == 3000
    with pytest.raises(EditError, match=r"by 1\.000 s at most"):
        shift(TALK, Ms(-1500))


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [
        (Pattern("witam państwa w", "-"), None),
        (Pattern("dobry, witam", "rano, witam"), "Dzień rano, witam państwa"),
        (Pattern("DZIEŃ", "Noc"), "Noc dobry,|witam państwa"),
        (Pattern("DZIEŃ", "Noc", case=True), None),
        (Pattern("pań", "x", words=True), None),
        (Pattern("państwa", r"\1", words=True), r"Dzień dobry,|witam \1"),
        (Pattern(r"(\w+) (dobry)", r"\2 \1", regexp=True), "dobry Dzień,|witam państwa"),
        (Pattern(".+", "", regexp=True), ""),
    ],
)
def test_find_and_replace(pattern: Pattern, lines: str | None) -> None:
    done, count = replace_in(document(TALK.cues[0]), pattern)
    if lines is None:
        assert (done.cues, count) == ((TALK.cues[0],), 0)
    else:
        assert ["|".join(cue.lines) for cue in done.cues] == [lines] * bool(lines)
        assert replacements(document(TALK.cues[0]), pattern)[0].times == count > 0


@pytest.mark.parametrize("pattern", [Pattern("(", "", regexp=True), Pattern("a", r"\9", regexp=True), Pattern("", "x")])
def test_a_pattern_that_is_none_is_a_sentence(pattern: Pattern) -> None:
    with pytest.raises(EditError):
        replace_in(document(cue(1, 0, 1000, "a")), pattern)


# ── heard again ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_person_wrote_survives_and_the_rest_is_heard_anew() -> None:
    mine = reword(TALK, 2, ["w Domu Kultury."])
    again = document(
        cue(1, 1000, 3000, "Dzień dobry,", "witam państwa"), cue(2, 3400, 7900, "w domu kultury zaczynamy,", "proszę")
    )
    assert shown(merge_recognised(mine, again)) == [
        (1, 1000, 3000, "Dzień dobry,|witam państwa", "machine"),
        (2, 3500, 5000, "w Domu Kultury.", "person"),
        (4, 5080, 7900, "kultury zaczynamy,|proszę", "machine"),
    ]


def test_what_was_moved_is_moved_again() -> None:
    """Also where the part that was moved is heard and cut otherwise, and one moves it twice."""
    mine = reword(shift(TALK, Ms(2000), since=Ms(3200)), 2, ["w Domu Kultury."])
    mine = shift(mine, Ms(-500))
    assert shown(mine) == [
        (1, 500, 2500, "Dzień dobry,|witam państwa", "machine"),
        (2, 5000, 6500, "w Domu Kultury.", "person"),
        (3, 7500, 9500, "Zaczynamy.", "machine"),
    ]
    assert merge_recognised(mine, TALK) == mine
    again = document(TALK.cues[0], cue(2, 3400, 5100, "w domu kultury."), cue(3, 6100, 8000, "zaczynamy teraz"))
    heard = merge_recognised(mine, again)
    assert shown(heard) == [*shown(mine)[:2], (4, 7600, 9500, "zaczynamy teraz", "machine")]
    assert heard.cues[2].words[0].start == 7600
    assert merge_recognised(heard, again) == heard


def test_a_part_that_was_moved_earlier_never_comes_to_stand_in_what_stays() -> None:
    mine = shift(TALK, Ms(-450), since=Ms(3200))
    again = document(cue(1, 1000, 3150, "Dzień dobry witam"), cue(2, 3300, 3450, "państwa"), *TALK.cues[1:])
    assert [row[1:3] for row in shown(merge_recognised(mine, again))] == [
        (1000, 3150), (3150, 3190), (3190, 4550), (5550, 7550),
    ]  # fmt: skip


def test_a_cue_around_a_persons_becomes_two() -> None:
    mine = document(reword(document(cue(7, 4000, 5000, "trzy")), 7, ["Trzy!"]).cues[0])
    again = document(cue(1, 2000, 8000, "raz dwa trzy", "cztery pięć sześć"))
    assert shown(merge_recognised(mine, again)) == [
        (8, 2000, 3920, "raz dwa", "machine"),
        (7, 4000, 5000, "Trzy!", "person"),
        (9, 5080, 8000, "cztery pięć sześć", "machine"),
    ]


def test_a_cue_of_a_frame_and_a_half_is_not_split() -> None:
    with pytest.raises(EditError, match="too short"):
        split(document(cue(1, 1000, 1060, "raz dwa")), 1, 3)


def test_a_cue_without_timed_words_gives_way_where_most_of_it_is_taken() -> None:
    mine = reword(TALK, 2, ["w Domu Kultury."])
    again = document(cue(1, 3400, 5100, "w dom", words=False), cue(2, 4800, 7000, "kultura", words=False))
    assert shown(merge_recognised(mine, again))[1] == (4, 5080, 7000, "kultura", "machine")


spans = some.lists(some.tuples(some.integers(0, 40), some.integers(1, 8), some.booleans()), max_size=12)


moves = some.lists(some.tuples(some.integers(-30, 30), some.integers(0, 60)), max_size=3)


@given(spans, spans, moves)
@example([(0, 1, False), (0, 1, False), (38, 5, True), (1, 1, True)], [(26, 1, False), (40, 1, False)], [])
@example([(8, 1, True)], [(0, 1, False), (0, 1, False)], [(-3, 1)])
@example([(8, 1, True)], [(0, 1, False), (0, 1, False)], [(-8, 1)])
@settings(max_examples=80, deadline=None)
def test_a_persons_cues_always_survive_to_the_letter(
    old: list[tuple[int, int, bool]], new: list[tuple[int, int, bool]], moved: list[tuple[int, int]]
) -> None:
    def made(spans: list[tuple[int, int, bool]], name: str) -> Document:
        cues: list[FilmCue] = []
        at = 0
        for gap, length, person in spans:
            start, end = at + gap * 100, at + gap * 100 + length * 500
            at = end
            lines = tuple(" ".join(f"{name}{len(cues)}.{word}" for word in range(length)).split("  "))
            one = cue(len(cues) + 1, start, end, *lines)
            cues.append(FilmCue(one.id, one.start, one.end, one.lines, one.words, "person" if person else "machine"))
        return document(*cues)

    before, heard = made(old, "a"), made([(gap, length, False) for gap, length, _ in new], "b")
    for by, since in moved:
        with contextlib.suppress(EditError):
            before = shift(before, Ms(by * 100), Ms(since * 100))
    alone = merge_recognised(Document("pl", "polish", (), before.shifts), heard)
    assert " ".join(line for cue in alone.cues for line in cue.lines).split() == [
        word for cue in heard.cues for line in cue.lines for word in line.split()
    ]
    after = merge_recognised(before, heard, 100)
    persons = [cue for cue in before.cues if cue.by == "person"]
    assert [cue for cue in after.cues if cue.by == "person"] == persons
    assert len({cue.id for cue in after.cues}) == len(after.cues)
    assert all(one.end <= two.start for one, two in zip(after.cues, after.cues[1:], strict=False))
    outside = [
        word.text
        for cue in alone.cues
        for word in cue.words
        if not any(mine.start <= (word.start + word.end) // 2 < mine.end for mine in persons)
    ]
    said = " ".join(line for cue in after.cues if cue.by != "person" for line in cue.lines).split()
    assert said == outside
    assert merge_recognised(after, heard, 200) == after


def test_the_library_takes_in_what_is_heard_again(tmp_path: Path) -> None:
    with open_library(tmp_path / "films.db") as library:
        film = library.add(tmp_path / "a.mp4").id
        library.texts.recognised(film, TALK, "studio")
        library.texts.save(film, 1, delete(reword(TALK, 2, ["w Domu Kultury."]), 3), "Ewa")
        assert library.texts.next_id(film) == 4
        again = document(*TALK.cues, cue(9, 9000, 9900, "Koniec."))
        done = library.texts.recognised(film, again, "studio")
        assert (done.number, done.kind) == (3, "recognised")
        assert [row[3] for row in shown(library.texts.document(film))] == [
            "Dzień dobry,|witam państwa",
            "w Domu Kultury.",
            "Koniec.",
        ]
        assert library.texts.document(film).cues[-1].id == 4
        once_more = document(*TALK.cues, cue(9, 9000, 9900, "To koniec."))
        library.texts.recognised(film, once_more, "studio")
        assert [row[3] for row in shown(library.texts.document(film))][1:] == ["w Domu Kultury.", "To koniec."]
        assert [each.number for each in library.texts.versions(film)] == [4, 3, 2, 1]


def test_the_library_moves_what_is_heard_again(tmp_path: Path) -> None:
    """What was moved, and what was taken out before and after: whole, in parts, and undone."""
    with open_library(tmp_path / "films.db") as library:
        film = library.add(tmp_path / "a.mp4").id
        texts = library.texts
        texts.recognised(film, TALK, "studio")
        texts.save(film, 1, delete(TALK, 3), "Ewa")
        texts.save(film, 2, shift(texts.document(film), Ms(2000), since=Ms(3200)), "Ewa")
        texts.save(film, 3, reword(texts.document(film), 1, ["Dzień dobry"]), "Ewa")
        again = document(*TALK.cues, cue(9, 9000, 9900, "Koniec."))
        texts.recognised(film, again, "studio")
        moved = [(1, 1000, 3000, "Dzień dobry", "person"), (2, 5500, 7000, "w domu kultury.", "machine")]
        assert shown(texts.document(film)) == [*moved, (4, 11000, 11900, "Koniec.", "machine")]
        texts.save(film, 5, delete(texts.document(film), 4), "Ewa")
        texts.save(film, 6, shift(texts.document(film), Ms(-500)), "Ewa")
        texts.recognised(film, again, "studio")
        assert [row[:3] for row in shown(texts.document(film))] == [(1, 500, 2500), (2, 5000, 6500)]
        texts.restore(film, None, 5, "Ewa")
        texts.save(film, 8, delete(texts.document(film), 4), "Ewa")
        texts.recognised(film, again, "studio")
        assert shown(texts.document(film)) == moved
        texts.restore(film, None, 1, "Ewa")
        texts.recognised(film, document(cue(1, 1000, 3000, "Dobry wieczór.")), "studio")
        assert [row[:3] for row in shown(texts.document(film))] == [(5, 1000, 3000)]
