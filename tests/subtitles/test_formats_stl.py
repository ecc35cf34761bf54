# ruff: noqa: RUF001 - letters that look alike are what is tested
"""EBU STL, byte by byte, and as ttconv's reader understands it."""

from __future__ import annotations

import datetime as dt
import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ttconv import model
from ttconv.stl import reader as ttconv_stl

from studio.errors import SubtitlesError
from studio.subtitles import Cue, Programme, Track, read, save, written
from studio.subtitles._formats import stl
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

POLISH = "aąbcćdeęfghijklłmnńoópqrsśtuvwxyzźż AĄBCĆDEĘFGHIJKLŁMNŃOÓPQRSŚTUVWXYZŹŻ"
LITHUANIAN = "aąbcčdeęėfghiįyjklmnoprsštuųūvzž AĄBCČDEĘĖFGHIĮYJKLMNOPRSŠTUŲŪVZŽ"
FILM = Programme(title="Zażółć gęślą jaźń", made=dt.date(2026, 11, 27))


def track(*cues: tuple[int, int, tuple[str, ...]], language: str = "pl") -> Track:
    return Track(tuple(Cue(at, Ms(cue[0]), Ms(cue[1]), cue[2]) for at, cue in enumerate(cues, 1)), language)


def as_ttconv_reads(raw: bytes) -> list[tuple[int, int, tuple[str, ...]]]:
    """Begin and end in milliseconds, and lines, of every subtitle."""
    paragraphs = [p for division in ttconv_stl.to_model(io.BytesIO(raw)).get_body() for p in division]
    return [(round(p.get_begin() * 1000), round(p.get_end() * 1000), tuple(words(p).split("\n"))) for p in paragraphs]


def words(element: Any) -> str:  # noqa: ANN401 - ttconv ships no types
    if isinstance(element, model.Text):
        return str(element.get_text())
    return "\n" if isinstance(element, model.Br) else "".join(words(child) for child in element)


def test_the_head_says_what_is_in_the_file() -> None:
    raw = written(track((10_040, 12_000, ("Pirmas",)), (12_080, 14_000, ("x" * 60,))), "stl", FILM).content
    assert raw[:16] == b"850STL25.0100020"  # code page, 25 frames, open subtitles, Latin, Polish
    assert raw[16:48] == b"Zaz\xa2lc gesla jazn".ljust(32)  # page 850 has ó and no other of them
    assert raw[224:238] == b"26112726112700"
    assert raw[238:251] == b"0000200002001"  # blocks, subtitles, groups
    assert raw[251:256] == b"60231"  # the longest row, the rows, times may be used
    assert raw[256:272] == b"0000000000001001"  # where the programme begins, and its first cue
    assert raw[272:277] == b"11POL"
    assert len(raw) == 1024 + 2 * 128


def test_a_block_says_when_and_where() -> None:
    raw = written(track((3_723_400, 3_725_000, ("Ąžuolas", "łódź")), language="lt"), "stl", FILM).content
    assert raw[14:16] == b"1A"
    block = raw[1024:]
    assert block[:16].hex(" ") == "00 00 00 ff 00 01 02 03 0a 01 02 05 00 15 02 00"
    assert block[16:34] == b"\xceA\xcfzuolas\x8a\xf8\xc2od\xc2z" + b"\x8f" * 2
    assert set(block[34:]) == {0x8F}


@pytest.mark.parametrize("letters", [POLISH, LITHUANIAN, 'It\'s "R&B" <i> 50% #1 @ $5 [x] {y} ~ ‘a’ “b” «c» ♪ — ° ½'])
def test_every_letter_arrives_at_another_reader(tmp_path: Path, letters: str) -> None:
    rows = tuple(letters[at : at + 40].strip() for at in range(0, len(letters), 40))
    cues = track((0, 1000, rows))
    made = written(cues, "stl")
    assert made.said == ()
    assert as_ttconv_reads(made.content) == [(0, 1000, rows)]
    save(cues, tmp_path / "a.stl")
    assert read(tmp_path / "a.stl").cues == cues.cues


def test_what_the_form_lacks_is_written_nearest_and_said() -> None:
    made = written(track((0, 1000, ("– „Tak”… 5 €", "Ǻ ė̃ 字 ﬁ", "a\u00a0b"))), "stl")
    assert as_ttconv_reads(made.content) == [(0, 1000, ("- “Tak”... 5 EUR", "Å ė ? fi", "a b"))]
    (sentence,) = made.said
    for pair in ("– → -", "„ → “", "… → ...", "€ → EUR", "字 → ?", "ﬁ → fi", "Ǻ → Å"):
        assert pair in sentence


def test_lithuanian_quotes_become_a_pair() -> None:
    made = written(track((0, 1000, ("Jis tarė: „Taip“.",)), language="lt"), "stl")
    assert as_ttconv_reads(made.content)[0][2] == ("Jis tarė: “Taip”.",)


def test_cyrillic_has_a_table_of_its_own(tmp_path: Path) -> None:
    cues = track((0, 1000, ("Ёлка, «друг»", "їжак і ґанок")), language="uk")
    made = written(cues, "stl")
    assert made.content[12:16] == b"0149"
    assert as_ttconv_reads(made.content)[0][2] == ('Ёлка, "друг"', "їжак і ганок")
    save(cues, tmp_path / "a.stl")
    assert read(tmp_path / "a.stl").language == "uk"


@pytest.mark.parametrize("letters", [110, 111, 112, 113, 222, 223, 224, 3000])
def test_a_long_text_goes_over_several_blocks_and_parts_no_letter(tmp_path: Path, letters: int) -> None:
    text = ("x" + "ą" * letters)[:letters]
    raw = written(track((0, 1000, (text,)), (2000, 3000, ("y",))), "stl").content
    blocks = [raw[at : at + 128] for at in range(1024, len(raw), 128)]
    assert int(raw[238:243]) == len(blocks)
    assert raw[243:248] == b"00002"
    assert [block[3] for block in blocks] == [*range(len(blocks) - 2), 0xFF, 0xFF]
    assert all(block[16:].rstrip(b"\x8f")[-1:] not in {b"\xce", b""} for block in blocks)
    assert as_ttconv_reads(raw) == [(0, 1000, (text,)), (2000, 3000, ("y",))]
    (tmp_path / "a.stl").write_bytes(raw)
    assert read(tmp_path / "a.stl").cues[0].lines == (text,)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 80_000_000), st.integers(0, 9000)), max_size=20, unique_by=lambda one: one[0]))
def test_times_arrive_to_the_nearest_frame_and_never_overlap(times: list[tuple[int, int]]) -> None:
    starts = [(begin, begin + length, ("x",)) for begin, length in sorted(times)]
    apart = [one for one, after in pairwise([*starts, (10**9, 0, ("x",))]) if after[0] - one[0] >= 40]
    apart = [(b, min(e, n[0]), t) for (b, e, t), n in pairwise([*apart, (10**9, 0, ("x",))])]
    found = as_ttconv_reads(written(track(*apart), "stl").content)
    assert [begin for begin, _end, _lines in found] == [(begin + 20) // 40 * 40 for begin, _end, _lines in apart]
    for (begin, end, _lines), (_b, asked, _l) in zip(found, apart, strict=True):
        assert end == max(begin + 40, (asked + 20) // 40 * 40) or end - asked <= 40
    assert all(one[1] <= after[0] for one, after in pairwise(found))


def test_cues_that_overlap_are_shown_one_at_a_time_and_that_is_said() -> None:
    made = written(track((0, 5000, ("a",)), (2000, 3000, ("b",)), (2000, 4000, ("c",))), "stl")
    assert as_ttconv_reads(made.content) == [(0, 2000, ("a",)), (2000, 4000, ("b", "c"))]
    assert made.said[0].startswith("2 cues began while another was still shown")


def test_a_film_without_speech_is_a_head_alone(tmp_path: Path) -> None:
    save(Track((), "lt"), tmp_path / "silent.stl")
    raw = (tmp_path / "silent.stl").read_bytes()
    assert len(raw) == 1024
    assert as_ttconv_reads(raw) == []
    assert read(tmp_path / "silent.stl") == Track((), "lt")


def test_what_others_do_is_read(tmp_path: Path) -> None:
    """Teletext controls, double height, a start at ten hours, cumulative lines, comments and user data."""
    head = bytearray(written(track((0, 1000, ("x",))), "stl").content[:1024])
    head[11:12] = b"1"
    head[256:264] = b"10000000"
    head[238:243] = b"00006"

    def block(begin: str, end: str, text: bytes, *, part: int = 0xFF, cumulative: int = 0, comment: int = 0) -> bytes:
        times = bytes.fromhex(begin + end)
        return bytes([0, 1, 0, part, cumulative]) + times + bytes([20, 2, comment]) + text.ljust(112, b"\x8f")

    blocks = [
        block("0A000100", "0A000200", b"\r\x0b\x0bDzie\xc2n\x8a\x8a\r\x03\x0b\x0bdobry\n\n"),
        block("0A000300", "0A000500", b"eins", cumulative=1),
        block("0A000400", "0A000500", b"\x80zwei\x81", cumulative=3),
        block("0A000600", "0A000700", b"not for the screen", comment=1),
        block("0A000600", "0A000700", b"\x01\x02\x03", part=0xFE),
        block("0A000800", "0A000818", b"Ende"),
    ]
    (tmp_path / "other.stl").write_bytes(bytes(head) + b"".join(blocks))
    found = [(cue.start, cue.end, cue.lines) for cue in read(tmp_path / "other.stl").cues]
    assert found == [
        (1000, 2000, ("Dzień", "dobry")),
        (3000, 4000, ("eins",)),
        (4000, 5000, ("eins", "zwei")),
        (8000, 8960, ("Ende",)),
    ]


def test_damage_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "film.stl"
    raw = written(track((0, 1000, ("a",)), (2000, 3000, ("b" * 200,)), (4000, 5000, ("c",))), "stl").content
    for broken, sentence in (
        (raw[:500], r"film\.stl is cut off within its first 1024 bytes"),
        (raw[:-100], "is cut off in block 4 of 4"),
        (raw[: 1024 + 2 * 128], r"ends in the middle of a cue \(block 2\)"),
        (raw[:1024] + raw[1024:1029] + b"\x00\x63" + raw[1031:], "the times of block 1 cannot be"),
    ):
        path.write_bytes(broken)
        with pytest.raises(SubtitlesError, match=sentence):
            read(path)
    path.write_bytes(raw[:-128])
    assert "says that it has 4 blocks and has 3" in read(path).remarks[0]


def test_what_it_cannot_hold_at_all_is_refused() -> None:
    with pytest.raises(SubtitlesError, match="within 24 hours"):
        written(track((86_399_000, 86_401_000, ("x",))), "stl")
    with pytest.raises(SubtitlesError, match="24, 25, 30, 50 frames a second, not 23"):
        written(track((0, 1, ("x",))), "stl", Programme(rate=23))
    with pytest.raises(SubtitlesError, match="too long for EBU STL"):
        written(track((0, 1000, ("x" * 30_000,))), "stl")


def test_more_blocks_than_five_digits_count_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stl, "_BLOCKS", 3)
    written(track(*((at * 1000, at * 1000 + 900, ("x",)) for at in range(3))), "stl")
    with pytest.raises(SubtitlesError, match="and no more"):
        written(track((0, 900, ("x" * 120,)), (1000, 1900, ("x" * 120,))), "stl")


@pytest.mark.parametrize("rate", [24, 25, 30, 50])
def test_other_rates_count_their_own_frames(tmp_path: Path, rate: int) -> None:
    save(track((1000, 2500, ("x",))), tmp_path / "a.stl", programme=Programme(rate=rate))
    assert (tmp_path / "a.stl").read_bytes()[3:11] == f"STL{rate}.01".encode()
    (cue,) = read(tmp_path / "a.stl").cues
    assert (cue.start, cue.end) == (1000, 2500 if rate != 25 else 2520)
