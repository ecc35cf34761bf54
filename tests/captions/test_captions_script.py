"""Words that are corrected until they air, and the cues that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from studio.captions._desk import Desk
from studio.captions._files import Kept, ShowFiles, read_kept
from studio.captions._script import CLOSES, Script, align
from studio.catalogue import Catalogue
from studio.errors import CaptionsError
from studio.spoken import Cue, Word
from studio.subtitles import rules_for, srt
from studio.units import HandClock, Ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RULES = rules_for(Catalogue(), "pl")
HOLD = Ms(6000)


def said(text: str, at: int = 0, step: int = 400) -> list[Word]:
    return [Word(word, Ms(at + n * step), Ms(at + n * step + step - 50), 0.9) for n, word in enumerate(text.split())]


def script_of(text: str, at: int = 0) -> Script:
    script = Script()
    script.settle(said(text, at))
    return script


def now_reads(script: Script) -> str:
    return " ".join(word.text for word in script.words())


class TwentyFive:
    """Puts one number right, and keeps swearing from the stage."""

    reach = 2

    def correct(self, texts: Sequence[str]) -> list[str]:
        out = ["c…" if text == "cholera" else text for text in texts]
        for at in range(len(out) - 1):
            if out[at : at + 2] == ["dwadzieścia", "pięć"]:
                out[at : at + 2] = ["25", ""]
        return out


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ("a b c", "a b c", [(0, 0), (1, 1), (2, 2)]),
        ("dobry wieczur państwu", "Dobry wieczór państwu", [(0, 0), (1, 1), (2, 2)]),
        ("to jest jest pies", "to jest pies", [(0, 0), (1, 1), (2, None), (3, 2)]),
        ("mam nadzieję", "mam wielką nadzieję", [(0, 0), (None, 1), (1, 2)]),
        ("", "a", [(None, 0)]),
        ("a", "", [(0, None)]),
    ],
)
def test_two_readings_stand_side_by_side(old: str, new: str, pairs: list[tuple[int | None, int | None]]) -> None:
    found = align(said(old), said(new))
    if old == "to jest jest pies":  # either of the two may go
        assert [new for _old, new in found if new is not None] == [0, 1, 2]
        assert sum(new is None for _old, new in found) == 1
    else:
        assert found == pairs


def test_the_second_look_replaces_word_by_word_and_ids_stay() -> None:
    script = script_of("Dobry wieczur państwu tu Wilno")
    changed = script.revise([0, 1, 2, 3, 4], said("Dobry wieczór państwu tu Wilno"), Ms(0))
    assert changed == [1]
    assert now_reads(script) == "Dobry wieczór państwu tu Wilno"
    shown = script.shown(1)
    assert (shown.heard, shown.by, shown.word.text) == ("wieczur", "second look", "wieczór")
    assert script.corrected == 1
    assert script.revise([0, 1], said("Dobry wieczór"), Ms(0)) == []


def test_a_word_that_was_never_said_becomes_empty() -> None:
    script = script_of("to to jest pies")
    script.revise([0, 1, 2, 3], [said("to")[0], *said("jest pies", 800)], Ms(0))
    assert now_reads(script) == "to jest pies"
    assert len(script) == 4


def test_a_word_found_between_two_clings_to_the_nearer_one() -> None:
    script = script_of("mam nadzieję")
    words = [Word("mam", Ms(0), Ms(150)), Word("wielką", Ms(200), Ms(340)), Word("nadzieję", Ms(400), Ms(750))]
    assert script.revise([0, 1], words, Ms(0)) == [0]
    assert [word.text for word in script.words()] == ["mam wielką", "nadzieję"]
    assert script.ids == [0, 1]


def test_a_word_found_far_from_both_gets_a_place_of_its_own() -> None:
    script = script_of("mam")
    script.settle(said("nadzieję", 9000))
    far = Word("wielką", Ms(4000), Ms(4400))
    assert script.revise([], [far], Ms(0), after=0) == [2]
    assert script.ids == [0, 2, 1]
    assert script.shown(2).heard == ""
    assert script.shown(2).by == "second look"


def test_a_persons_word_beats_every_later_look_and_can_be_taken_back() -> None:
    script = script_of("Klara Szuman gra")
    assert script.edit(1, "  Schumann\n", Ms(0), 42) == [1]
    script.revise([0, 1, 2], said("Klara Szumann gra"), Ms(0))
    assert now_reads(script) == "Klara Schumann gra"
    script.edit(1, None, Ms(0), 42)
    assert now_reads(script) == "Klara Szumann gra"
    assert script.shown(1).by == "second look"


def test_a_word_found_beside_a_persons_word_leaves_that_alone() -> None:
    script = script_of("Klara")
    script.edit(0, "Clara", Ms(0), 42)
    script.revise([0], [Word("pani", Ms(-200), Ms(-10)), *said("Klara")], Ms(0))
    assert now_reads(script) == "pani Clara"


def test_what_has_aired_is_closed() -> None:
    script = script_of("Dobry wieczur")
    script.air([0, 1], Ms(6000))
    closed = Ms(6000 - CLOSES)
    with pytest.raises(CaptionsError, match="“wieczur” has aired already"):
        script.edit(1, "wieczór", closed, 42)
    assert script.revise([0, 1], said("Dobry wieczór"), closed) == []
    assert script.edit(1, "wieczór", Ms(closed - 1), 42) == [1]


@pytest.mark.parametrize(
    ("id_", "text", "sentence"), [(7, "a", "no such word"), (0, "a" * 43, "at most 42 characters")]
)
def test_an_edit_that_cannot_be_is_refused(id_: int, text: str, sentence: str) -> None:
    with pytest.raises(CaptionsError, match=sentence):
        script_of("a").edit(id_, text, Ms(0), 42)


def test_what_takes_several_places_stands_in_the_first() -> None:
    script = Script(TwentyFive())
    script.settle(said("cholera dwadzieścia"))
    assert script.correct(Ms(0)) == [0]
    script.settle(said("pięć osób", 800))
    assert script.correct(Ms(0)) == [1, 2]
    assert now_reads(script) == "c… 25 osób"
    assert (script.shown(1).heard, script.shown(1).by) == ("dwadzieścia", "glossary")
    assert script.correct(Ms(0)) == []
    assert script.corrected == 0
    script.revise([2], said("sześć", 800), Ms(0))
    script.correct(Ms(0))
    assert now_reads(script) == "c… dwadzieścia sześć osób"


def test_what_follows_a_closed_word_is_put_right_alone() -> None:
    script = Script(TwentyFive())
    script.settle(said("dwadzieścia"))
    script.air([0], Ms(1000))
    script.settle(said("pięć cholera", 400))
    script.correct(Ms(1000))
    assert now_reads(script) == "dwadzieścia pięć c…"


def test_the_rest_of_a_number_that_has_begun_to_air_does_not_come_back() -> None:
    script = Script(TwentyFive())
    script.settle(said("dwadzieścia pięć"))
    script.correct(Ms(0))
    script.air([0], Ms(1000))
    script.settle(said("osób", 800))
    script.correct(Ms(5000))
    assert now_reads(script) == "25 osób"


# ── cues ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def desk_of(kept: Kept, text: str, *, look: bool, step: int = 400) -> Desk:
    desk = Desk(kept, RULES, HOLD, look=look)
    desk.add(kept.script.settle(said(text, step=step)))
    assert desk.compose() == []
    return desk


def aired(desk: Desk, now: int) -> list[Cue]:
    cues = desk.due(Ms(now), None, None)
    for cue in cues:
        desk.air(cue)
    return cues


def test_a_revision_before_composing_stands_in_the_cue() -> None:
    kept = Kept()
    desk = desk_of(kept, "Dobry wieczur państwu", look=True)
    desk.looked_at([0, 1, 2])
    kept.script.revise([0, 1, 2], said("Dobry wieczór państwu"), Ms(2000))
    assert desk.compose() == []
    (cue,) = aired(desk, 5500)
    assert cue.text == "Dobry wieczór państwu"
    assert desk.ids(cue) == [0, 1, 2]


def test_a_cue_is_relined_by_a_revision_after_composing_and_closed_after_airing() -> None:
    kept = Kept()
    desk = desk_of(kept, "Dobry wieczur państwu", look=True)
    (cue,) = aired(desk, 5400)
    assert cue.text == "Dobry wieczur państwu"
    changed = kept.script.revise([0, 1, 2], said("Dobry wieczór państwu"), Ms(5500))
    (again,) = desk.follow(changed)
    assert again == replace(cue, lines=("Dobry wieczór państwu",))
    assert kept.script.edit(2, "Państwu", Ms(5600), 42) == [2]
    assert [cue.text for cue in desk.follow([2])] == ["Dobry wieczór Państwu"]
    assert kept.script.airs(0) == cue.start + HOLD
    with pytest.raises(CaptionsError):
        kept.script.edit(2, "wszystkim", Ms(cue.start + HOLD), 42)


def test_a_cue_whose_words_are_all_struck_is_taken_back_and_can_come_again() -> None:
    kept = Kept()
    desk = desk_of(kept, "Dobry wieczór", look=False)
    (cue,) = aired(desk, 5400)
    for id_ in (0, 1):
        kept.script.edit(id_, "", Ms(5450), 42)
    assert desk.follow([0, 1]) == [replace(cue, lines=())]
    kept.script.edit(0, None, Ms(5500), 42)
    assert desk.follow([0]) == [replace(cue, lines=("Dobry",))]


def test_a_hold_that_changes_on_the_air_moves_what_has_not_aired() -> None:
    kept = Kept()
    desk = desk_of(kept, "Dobry wieczór państwu", look=True)
    assert desk.change_hold(Ms(10_000), Ms(3000)) == [0, 1, 2]
    assert aired(desk, 5500) == []  # there is more time now
    (cue,) = aired(desk, 9500)
    assert kept.script.airs(0) == cue.start + 10_000
    desk.change_hold(Ms(12_000), Ms(9600))
    assert kept.script.airs(0) == cue.start + 12_000
    kept.script.edit(0, "Miły", Ms(11_000), 42)
    desk.change_hold(Ms(2000), Ms(11_100))
    with pytest.raises(CaptionsError, match="has aired already"):
        kept.script.edit(0, "Dobry", Ms(11_100), 42)
    desk.change_hold(Ms(30_000), Ms(11_200))  # what has aired stays so
    assert kept.script.airs(0) == cue.start + 2000


def test_struck_words_that_wait_make_no_cue_and_are_closed_in_time() -> None:
    kept = Kept()
    desk = desk_of(kept, "yyy eee", look=False)
    for id_ in (0, 1):
        kept.script.edit(id_, "", Ms(1000), 42)
    assert desk.compose() == []
    assert aired(desk, 5400) == []
    assert aired(desk, 7000) == []
    desk.looked_at([0, 1])
    assert desk._final == set()
    with pytest.raises(CaptionsError, match="“yyy” has aired already"):
        kept.script.edit(0, None, Ms(7000), 42)


def test_a_word_found_late_joins_the_cue_it_was_said_in() -> None:
    kept = Kept()
    desk = Desk(kept, RULES, HOLD, look=True)
    desk.add(kept.script.settle([Word("Dobry", Ms(0), Ms(300)), Word("wieczór.", Ms(4000), Ms(4300))]))
    desk.compose()
    (cue, *_rest) = desk.finish()
    desk.air(cue)
    (id_,) = kept.script.revise([], [Word("tak", Ms(1500), Ms(1700))], Ms(1000), after=0)
    desk.adopt([id_], Ms(1000))
    (again,) = desk.follow([id_])
    assert again.number == cue.number
    assert again.text.startswith("Dobry tak")


def test_a_word_found_late_may_wait_with_the_others() -> None:
    kept = Kept()
    desk = Desk(kept, RULES, HOLD, look=True)
    desk.add(kept.script.settle([Word("Dobry", Ms(0), Ms(300)), Word("wieczór.", Ms(3000), Ms(3300))]))
    (id_,) = kept.script.revise([], [Word("[…]", Ms(1500), Ms(1700))], Ms(1000), after=0)
    desk.adopt([id_], Ms(1000))
    desk.compose()
    assert " ".join(cue.text for cue in desk.finish()) == "Dobry […] wieczór."


def test_for_a_word_found_late_nobody_walks_back_to_the_beginning_of_the_show() -> None:
    kept = Kept()
    desk = Desk(kept, RULES, HOLD, look=False)
    desk.add(kept.script.settle(said("raz dwa trzy. " * 40)))
    desk.compose()
    for cue in desk.finish():
        desk.air(cue)
    last = kept.script.ids[-1]
    end = kept.script[last].read.end
    (id_,) = kept.script.revise([], [Word("wreszcie", Ms(end + 1500), Ms(end + 1800))], Ms(0), after=last)
    asked: list[int] = []
    following = kept.script.following

    def counted(id_: int, step: int = 1) -> int | None:
        asked.append(step)
        return following(id_, step)

    kept.script.following = counted  # type: ignore[method-assign]
    desk.adopt([id_], Ms(1 << 40))
    assert min(asked) == -1
    assert [cue.text for cue in [*desk.compose(), *desk.finish()]] == ["wreszcie"]


def test_with_a_second_look_only_words_that_were_looked_at_close_a_full_cue() -> None:
    kept = Kept()
    desk = Desk(kept, RULES, Ms(30_000), look=True)
    ids = kept.script.settle(said("tak było wtedy zawsze i wszędzie " * 12))
    desk.add(ids)
    assert desk.compose() == []
    desk.looked_at(ids[:40])
    cues = desk.compose()
    assert cues
    assert sum(len(desk.ids(cue)) for cue in cues) <= 40


def test_a_cue_that_must_close_ends_with_its_final_words_if_they_fill_one() -> None:
    text = "Dobry wieczór państwu i witamy serdecznie na naszym koncercie"
    # Three words of one second are too fast to be read; where there is time, the better place to stop counts.
    hurried, calm = "Dobry wieczór państwu i witamy", "Dobry wieczór państwu"
    for looked, step, cue_is in ((9, 400, text), (5, 400, hurried), (5, 500, calm), (2, 400, text)):
        kept = Kept()
        desk = desk_of(kept, text, look=True, step=step)
        desk.looked_at(list(range(looked)))
        assert desk.compose() == []
        cue, *_others = aired(desk, 5400)
        assert cue.text == cue_is


def test_a_cue_that_had_to_close_early_grows_until_it_airs() -> None:
    kept = Kept()
    words = said("Dobry wieczór państwu i witamy serdecznie")
    desk = Desk(kept, RULES, HOLD, look=True)
    desk.add(kept.script.settle(words[:1]))
    assert desk.compose() == []
    (cue,) = aired(desk, 5400)
    assert cue.text == "Dobry"
    desk.add(kept.script.settle(words[1:4]))
    (more,) = desk.join(Ms(5500))
    assert (more.number, more.start, more.text) == (cue.number, cue.start, "Dobry wieczór państwu")  # “i” belongs on
    assert more.end > cue.end
    assert desk.ids(more) == [0, 1, 2]
    assert desk.compose() == []
    desk.air(more)
    assert kept.script.airs(2) == cue.start + HOLD
    desk.add(kept.script.settle(words[4:]))
    assert desk.join(Ms(cue.start + HOLD - 100)) == []  # it is on its way
    assert desk.compose() == []
    (following,) = desk.finish()
    assert (following.number, following.text) == (cue.number + 1, "i witamy serdecznie")
    assert following.start >= more.end


def test_a_text_that_fits_no_caption_is_refused() -> None:
    kept = Kept()
    desk = desk_of(kept, "tak było wtedy zawsze i tu", look=False)
    aired(desk, 5400)
    long = "bardzo bardzo długie słowa bez końca razem"
    for id_ in (0, 1):
        desk.check(id_, long)
        kept.script.edit(id_, long, Ms(5400), 42)
    with pytest.raises(CaptionsError, match="no room for this in the caption"):
        desk.check(2, long)


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_correction_is_read_again_and_the_files_follow(tmp_path: Path) -> None:
    files = ShowFiles(tmp_path, HandClock(), lambda _sentence: None)
    files.settle(said("Dobry wieczur państwu tu Wilno"), Ms(3000))
    script = files.kept.script
    files.show(Cue(1, Ms(0), Ms(900), ("Dobry wieczur",)), [0, 1])
    files.show(Cue(2, Ms(1000), Ms(1900), ("państwu",)), [2])
    files.revise(script.revise([0, 1], said("Dobry wieczór"), Ms(0)), Ms(0))
    files.show(Cue(1, Ms(0), Ms(900), ("Dobry wieczór",)), [0, 1])
    files.revise(script.edit(4, "", Ms(0), 42), Ms(0), {"id": 4, "text": "", "by": "Ania"})
    files.revise(script.revise([], [Word("na", Ms(-2000), Ms(-1800))], Ms(0)), Ms(0))
    files.show(Cue(2, Ms(1000), Ms(1900), ()), [2])
    files.close()
    kept = read_kept(tmp_path)
    assert [word.text for word in kept.words] == ["na", "Dobry", "wieczór", "państwu", "tu"]
    assert list(kept.script) == list(script)
    assert (kept.script.corrected, kept.script.next_id, len(kept.settled_at)) == (3, 6, 5)
    assert kept.words_in_cues == 3
    assert (tmp_path / "captions.srt").read_text() == srt(Cue(1, Ms(0), Ms(900), ("Dobry wieczór",)))
    assert "państwu" not in (tmp_path / "captions.vtt").read_text()
    before = (tmp_path / "captions.vtt").read_bytes()
    ShowFiles(tmp_path, HandClock(), lambda _sentence: None).close()
    assert (tmp_path / "captions.vtt").read_bytes() == before


def test_a_correction_that_the_crash_kept_from_its_cue_is_taken_up(tmp_path: Path) -> None:
    files = ShowFiles(tmp_path, HandClock(), lambda _sentence: None)
    files.settle(said("Dobry wieczur"), Ms(3000))
    files.show(Cue(1, Ms(0), Ms(900), ("Dobry wieczur",)), [0, 1])
    files.revise(files.kept.script.edit(1, "wieczór", Ms(0), 42), Ms(0), {"id": 1, "text": "wieczór", "by": ""})
    found = files.kept.script.revise([], [Word("no", Ms(-2000), Ms(-1800))], Ms(0))
    files.revise(found, Ms(0))
    files.close()
    desk = Desk(read_kept(tmp_path), RULES, HOLD, look=True)
    (cue,) = desk.outdated()
    assert cue == Cue(1, Ms(0), Ms(900), ("no Dobry wieczór",))
    assert desk.ids(cue) == [2, 0, 1]
    assert desk.outdated() == []


def test_subtitle_files_that_cannot_be_rewritten_are_made_anew_when_they_can(tmp_path: Path) -> None:
    said_so: list[str | None] = []
    files = ShowFiles(tmp_path, HandClock(), said_so.append)
    files.settle(said("a b"), Ms(0))
    files.show(Cue(1, Ms(0), Ms(900), ("a",)), [0])
    (tmp_path / "captions.srt").unlink()
    (tmp_path / "captions.srt").symlink_to("/dev/full")
    files._made[0].journal.let_go()
    files.show(Cue(1, Ms(0), Ms(900), ("A",)), [0])
    assert said_so[0] is not None
    (tmp_path / "captions.srt").unlink()
    files.retry()
    files.show(Cue(2, Ms(1000), Ms(1900), ("b",)), [1])
    files.close()
    assert said_so[-1] is None
    assert (tmp_path / "captions.srt").read_text() == "".join(map(srt, read_kept(tmp_path).cues))
    assert "A" in (tmp_path / "captions.srt").read_text()
