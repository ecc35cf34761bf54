from __future__ import annotations

import pytest

from studio.spoken import Cue
from studio.units import Ms
from studio.wire.cea608 import (
    BASIC,
    COLUMNS,
    ERASE_SHOWN,
    EXTENDED,
    NOTHING,
    PAIRS_A_SECOND,
    SHOW,
    SPECIAL,
    Feed,
    doubled,
    encode,
    escape,
    fold,
    insert,
    is_control,
    load,
    parity,
    place,
    rows,
    schedule,
    sei,
)

SHORT = Cue(1, Ms(2000), Ms(3500), ("Hello",))
NEXT = Cue(2, Ms(3500), Ms(5000), ("dark world",))


def frames(fps: float, seconds: float) -> list[Ms]:
    return [Ms(round(number * 1000 / fps)) for number in range(round(seconds * fps))]


def hexed(pairs: list[bytes] | tuple[bytes, ...]) -> str:
    return " ".join(pair.hex() for pair in pairs)


def sent(pairs: list[list[bytes]], at: list[Ms], pair: bytes) -> list[Ms]:
    return [moment for moment, of_frame in zip(at, pairs, strict=True) if pair in of_frame]


# ── letters and pairs ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_plain_letters_are_sent_with_odd_parity() -> None:
    assert hexed(encode("Hello")) == "c8e5 ecec ef80"
    assert all(code.bit_count() % 2 for first in range(128) for code in parity(first, first))


def test_letters_that_stand_where_ascii_has_something_else() -> None:
    assert hexed(encode("áéíóú")) == "2adc 5edf e080"
    assert hexed(encode("çñÑ÷")) == "fbfe fd7c"
    assert hexed(encode("it\u2019s")) == hexed(encode("it's"))


def test_special_letters_stand_alone_and_extended_ones_wipe_out_a_plain_one() -> None:
    assert hexed(encode("♪ a")) == "9137 2061"
    assert hexed(encode("a♪")) == "6180 9137"
    assert hexed(encode("ä")) == "6180 1331"
    assert hexed(encode("Für")) == "4675 9225 f280"  # two letters fill a pair, the second of them is wiped out
    assert hexed(doubled(encode("ü"))) == "7580 9225 9225"


def test_every_extended_letter_has_a_plain_one_before_it_and_a_code_of_its_own() -> None:
    assert len(set(EXTENDED.values())) == len(EXTENDED) == 63  # 29 of the first table is another apostrophe
    for letter, code in EXTENDED.items():
        before, pair = encode(letter)
        assert before[0] & 0x7F in BASIC.values()
        assert pair == parity(*code)
    assert len(SPECIAL) == 15
    assert len(set(SPECIAL.values())) == 15


def test_what_has_no_code_is_folded_and_told() -> None:
    assert fold("Zażółć gęślą jaźń") == ("Zazólc gesla jazn", tuple("żłćęśąźń"))
    assert fold("Ąžuolas, šįryt ėjęs čia") == ("Azuolas, siryt ejes cia", tuple("Ąžšįėęč"))
    assert fold("Größe, café, El Niño à São Paulo") == ("Größe, café, El Niño à São Paulo", ())
    assert fold("Zaz\u0307o\u0301l") == ("Zazól", ("ż",))  # taken apart, as some keyboards write
    assert fold("„tak” \u2013 nie…") == ("“tak” - nie...", ())
    assert fold("Ж☺") == ("??", ("Ж", "☺"))
    with pytest.raises(ValueError, match="ł"):
        encode("ł")


def test_rows_begin_where_they_are_placed() -> None:
    assert [place(row).hex() for row in (1, 11, 14, 15)] == ["91d0", "10d0", "94d0", "9470"]
    assert [place(15, column).hex() for column in (3, 4, 13, 28, 31)] == ["9470", "94f2", "9476", "94fe", "94fe"]


def test_lines_stay_as_they_are_where_they_fit_and_are_broken_anew_where_not() -> None:
    assert rows(("Dzień dobry", "państwu")) == ("Dzien dobry", "panstwu")
    long = ("Wystąpią dzisiaj przed państwem aktorzy", "teatru, na który czekaliśmy")
    assert rows(long) == ("Wystapia dzisiaj przed", "panstwem aktorzy teatru,", "na który czekalismy")
    assert all(len(row) <= COLUMNS for row in rows(("x" * 100,)))


def test_a_caption_is_loaded_unseen() -> None:
    assert hexed(doubled(load(("Hello",)))) == "94ae 94ae 9420 9420 9476 9476 c8e5 ecec ef80"


# ── cues to frames ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fps", [12.5, 15, 24, 25, 29.97, 30, 50, 59.94, 60])
def test_cues_are_shown_and_erased_on_their_own_frames(fps: float) -> None:
    at = frames(fps, 8)
    pairs = schedule([SHORT, NEXT, Cue(3, Ms(6500), Ms(7000), ("a",))], at)
    slot = max(1000 / fps, 1000 / PAIRS_A_SECOND) + 1
    shown = sent(pairs, at, SHOW)
    firsts = [moment for number, moment in enumerate(shown) if number == 0 or moment - shown[number - 1] > 2 * slot]
    for moment, due in zip(firsts, (2000, 3500, 6500), strict=True):
        assert 0 <= moment - due <= slot
    erased = sent(pairs, at, ERASE_SHOWN)
    assert 0 <= erased[0] - 5000 <= slot  # the first gave way to the second: nothing to erase
    assert sum(map(len, pairs)) <= PAIRS_A_SECOND * 8 + 2


def test_at_25_frames_a_second_each_carries_one_pair() -> None:
    pairs = schedule([SHORT], frames(25, 4))
    assert {len(of_frame) for of_frame in pairs} == {1}
    said = [pair for (pair,) in pairs if pair != NOTHING]
    assert hexed(said[:9]) == hexed(doubled(load(SHORT.lines)))
    assert hexed(said[9:]) == "942f 942f 942c 942c"
    assert [pair for (pair,) in pairs].index(SHOW) == 50


def test_every_command_comes_twice_in_a_row_whatever_comes_between() -> None:
    many = [Cue(number, Ms(number * 900), Ms(number * 900 + 800), ("ä♪ü" * 3,)) for number in range(1, 9)]
    said = [pair for of_frame in schedule(many, frames(25, 10)) for pair in of_frame]
    at = 0
    while at < len(said):
        if is_control(said[at]):
            assert said[at + 1] == said[at]
            at += 1
        at += 1


def test_what_changes_before_it_is_shown_is_loaded_anew() -> None:
    feed, at = Feed(), frames(25, 4)
    right = Cue(1, SHORT.start, SHORT.end, ("Halo",))
    said = [pair for moment in at for pair in feed.frame(moment, [SHORT if moment < 1800 else right])]
    assert hexed(doubled(load(right.lines))) in hexed(said)
    assert 0 < (feed.late or 0) <= 200  # begun at 1800, it takes nine frames


def test_what_is_taken_back_is_not_shown() -> None:
    feed = Feed()
    said = [pair for moment in frames(25, 4) for pair in feed.frame(moment, [SHORT] if moment < 1900 else [])]
    assert SHOW not in said
    assert feed.late is None


def test_a_late_cue_is_shown_when_it_is_loaded() -> None:
    feed, at = Feed(), frames(25, 4)
    said = [feed.frame(moment, [SHORT] if moment >= 2400 else []) for moment in at]
    assert sent(said, at, SHOW)[0] == 2400 + 9 * 40
    assert feed.late == 760


def test_letters_that_were_folded_are_counted_when_they_are_shown() -> None:
    feed = Feed()
    cue = Cue(1, Ms(2000), Ms(3500), ("żółw, żaba",))
    for moment in frames(25, 4):
        feed.frame(moment, [cue])
    assert feed.folded == {"ż": 2, "ł": 1}
    assert feed.late == 0


# ── frames to H.264 ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_picture_carries_pairs_as_atsc_says() -> None:
    assert sei([parity(0x48, 0x65)]).hex(" ") == "06 04 0e b5 00 31 47 41 39 34 03 c1 ff fc c8 e5 ff 80"


def test_nothing_looks_like_a_start_code() -> None:
    assert escape(b"\0\0\1").hex() == "00000301"
    assert escape(b"\0\0\0\0\0\3\0\0\4").hex() == "00000300000300030000" + "04"
    assert b"\0\0\1" not in sei([b"\0\0", b"\0\1"])


def test_it_stands_before_the_first_slice() -> None:
    parameters, slices = b"\0\0\0\1\x67\x64\0\0\0\1\x68\xee", b"\0\0\1\x65\x88\0\0\1\x65\x44"
    assert insert(parameters + slices, b"\x06x") == parameters + b"\0\0\0\1\x06x" + slices
    assert insert(b"\0\0\0\1\x41\x9a", b"\x06x") == b"\0\0\0\1\x06x\0\0\0\1\x41\x9a"
    assert insert(parameters, b"\x06x") == parameters
