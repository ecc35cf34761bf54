from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.media.hls_bench import LOOK, TS, programme

from studio.media._ground.cues import CueBoard, RollUp
from studio.media._leave.hls import Hls, Rendition
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path


def cue(number: int, start: int, end: int, text: str = "tekst") -> Cue:
    return Cue(number, Ms(start), Ms(end), (text,))


def test_a_cue_stands_from_its_start_until_just_before_its_end() -> None:
    board = CueBoard()
    board.show(cue(1, 1000, 2000))
    assert [board.at(Ms(at)) is not None for at in (999, 1000, 1999, 2000)] == [False, True, True, False]


def test_a_late_cue_is_shown_for_what_remains() -> None:
    board = CueBoard()
    board.air(Ms(1400))
    board.show(cue(1, 1000, 2000))
    assert board.air(Ms(1440)) == ("tekst",)
    assert board.at(Ms(1440)) == cue(1, 1401, 2000)
    assert board.late == 1
    assert board.shown == 1


def test_a_cue_that_is_over_is_shown_in_full_length_from_now_until_the_next() -> None:
    board = CueBoard()
    board.show(cue(2, 5000, 6000))
    board.air(Ms(4000))
    board.show(cue(1, 1000, 2500))
    assert board.at(Ms(4001)) == cue(1, 4001, 5000)  # 1500 ms would run into the next one
    other = CueBoard()
    other.air(Ms(4000))
    other.show(cue(1, 1000, 2500))
    assert other.at(Ms(4001)) == cue(1, 4001, 5501)


def test_a_corrected_cue_replaces_the_one_that_has_not_aired() -> None:
    board = CueBoard()
    assert board.show(cue(1, 1000, 2000, "bład"))
    assert board.show(cue(1, 1000, 2000, "błąd"))
    assert not board.show(cue(1, 1000, 2000, "błąd"))
    assert board.air(Ms(1000)) == ("błąd",)
    assert not board.show(cue(1, 1000, 2000, "za późno"))
    assert board.at(Ms(1500)) == cue(1, 1000, 2000, "błąd")
    assert (board.shown, board.late) == (1, 0)


def test_a_cue_without_lines_takes_back_the_one_that_has_not_aired() -> None:
    board = CueBoard()
    gone = Cue(1, Ms(1000), Ms(2000), ())
    board.show(cue(1, 1000, 2000))
    board.show(cue(2, 2000, 3000))
    assert board.show(gone)
    assert not board.show(gone)
    assert board.at(Ms(1500)) is None
    assert board.within(Ms(0), Ms(5000)) == [cue(2, 2000, 3000)]
    assert board.coming(Ms(0)) == ("tekst",)
    board.air(Ms(2000))
    assert not board.show(Cue(2, Ms(2000), Ms(3000), ()))  # too late: it has been read
    assert board.at(Ms(2500)) == cue(2, 2000, 3000)
    assert (board.shown, board.late) == (1, 0)


def test_a_cue_over_a_border_is_within_both_segments() -> None:
    board = CueBoard()
    board.show(cue(1, 1500, 2500))
    board.show(cue(2, 2500, 4000, "drugi"))
    assert [found.number for found in board.within(Ms(0), Ms(2000))] == [1]
    assert [found.number for found in board.within(Ms(2000), Ms(4000))] == [1, 2]
    assert board.coming(Ms(2000)) == ("drugi",)
    assert board.coming(Ms(2501)) == ()


def test_what_stands_in_webvtt_is_closed_and_what_comes_after_it_is_late_there() -> None:
    board = CueBoard()  # of a translation: no picture airs it
    assert board.written_late is None
    board.show(cue(1, 1500, 2500))
    board.wrote(Ms(2000))
    assert not board.show(cue(1, 1500, 2500, "za późno"))
    assert board.written_late == 0
    assert board.show(cue(2, 1200, 3000))
    assert board.written_late == 800
    assert board.within(Ms(2000), Ms(4000)) == [cue(1, 1500, 2500), cue(2, 2000, 3000)]


def test_the_board_says_how_late_the_last_cue_came() -> None:
    board = CueBoard()
    assert board.picture_late is None
    board.air(Ms(999))
    board.show(cue(1, 1000, 2000))
    assert board.picture_late == 0
    board.air(Ms(2399))
    board.show(cue(2, 2000, 3000))
    assert board.picture_late == 400
    assert board.ahead(Ms(2400)) == [cue(2, 2400, 3000)]
    assert (board.postponed(1), board.postponed(2)) == (0, 400)


def test_lines_roll_up_until_it_has_been_quiet() -> None:
    board = CueBoard(RollUp(3, Ms(2000)))
    board.show(Cue(1, Ms(1000), Ms(2000), ("raz", "dwa")))
    board.show(Cue(2, Ms(2080), Ms(3000), ("trzy",)))
    board.show(Cue(3, Ms(4500), Ms(5000), ("cztery", "pięć")))
    board.show(Cue(4, Ms(7000), Ms(8000), ("sześć",)))
    assert board.coming(Ms(1500)) == ("raz", "dwa", "trzy")
    stands = {at: board.air(Ms(at)) for at in (999, 1000, 2040, 2080, 4499, 4500, 6999, 7000, 9999, 10_000)}
    assert stands == {
        999: (),
        1000: ("raz", "dwa"),
        2040: ("raz", "dwa"),  # between two cues they stay
        2080: ("raz", "dwa", "trzy"),
        4499: ("raz", "dwa", "trzy"),
        4500: ("trzy", "cztery", "pięć"),
        6999: ("trzy", "cztery", "pięć"),
        7000: ("sześć",),  # after two seconds of quiet it begins anew
        9999: ("sześć",),
        10_000: (),
    }


def test_what_rolls_up_follows_corrections_and_is_never_cut() -> None:
    board = CueBoard(RollUp(2, Ms(2000)))
    board.show(cue(1, 1000, 2000, "raz"))
    board.show(cue(2, 2000, 3000, "bład"))
    assert board.air(Ms(1500)) == ("raz",)
    assert not board.show(cue(1, 1000, 2000, "za późno"))
    assert board.show(Cue(2, Ms(2000), Ms(3000), ("błąd", "w tym", "miejscu")))
    assert board.air(Ms(2500)) == ("błąd", "w tym", "miejscu")
    board.show(cue(3, 3000, 4000, "dalej"))
    assert board.air(Ms(3000)) == ("miejscu", "dalej")
    assert board.show(Cue(4, Ms(4000), Ms(5000), ("nie",)))
    assert board.show(Cue(4, Ms(4000), Ms(5000), ()))
    assert board.air(Ms(4500)) == ("miejscu", "dalej")


class _AtTheWrongMoment(CueBoard):
    """A cue comes just when it has been said what stands in a segment."""

    def within(self, start: Ms, end: Ms) -> list[Cue]:
        found = super().within(start, end)
        self.show(cue(1, 1000, 2500))
        return found


def test_a_cue_that_comes_while_its_segment_is_written_stands_in_the_next(tmp_path: Path) -> None:
    board = _AtTheWrongMoment()
    preset = replace(TS, keyframe_seconds=4, segment_seconds=4)
    hls = Hls(tmp_path, preset, LOOK, [Rendition(board, "pl")])
    for coded in programme(preset, 8):
        hls.write(coded)
    hls.close()
    assert "tekst" not in (tmp_path / "seg-00000.vtt").read_text("utf-8")
    assert "tekst" in (tmp_path / "seg-00001.vtt").read_text("utf-8")
