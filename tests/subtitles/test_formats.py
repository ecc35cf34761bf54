"""Cues as text: the bytes of each form."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.catalogue import Catalogue
from studio.errors import SubtitlesError
from studio.spoken import Word
from studio.subtitles import (
    FORMATS,
    VTT_HEAD,
    Cue,
    Style,
    Track,
    read,
    reline,
    rgba,
    rules_for,
    save,
    srt,
    vtt,
    vtt_segment,
)
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

CUE = Cue(7, Ms(3_661_020), Ms(3_663_500), ("Zażółć gęślą", "R&B <jaźń>"))
TRACK = Track((Cue(1, Ms(0), Ms(1500), ("Pirmas.",)), Cue(2, Ms(2000), Ms(4000), ("Dwie {linie}", "a & b"))), "pl")


def test_srt() -> None:
    assert srt(CUE) == dedent("""\
        7
        01:01:01,020 --> 01:01:03,500
        Zażółć gęślą
        R&B <jaźń>

        """)


def test_vtt_escapes_what_would_be_markup() -> None:
    assert vtt(CUE) == dedent("""\
        7
        01:01:01.020 --> 01:01:03.500
        Zażółć gęślą
        R&amp;B &lt;jaźń&gt;

        """)


def test_a_blank_line_ends_no_cue_early() -> None:
    assert srt(Cue(1, Ms(0), Ms(900), ("a\n\nb", " ", "c"))) == "1\n00:00:00,000 --> 00:00:00,900\na b\nc\n\n"


def test_a_number_is_held_together_in_every_form(tmp_path: Path) -> None:
    lines = glued("Było", "25\u00a0000\u202fzł", " i\n\tszum ")
    assert lines == "Było 25\u00a0000\u202fzł i szum"
    track = Track((Cue(1, Ms(0), Ms(900), (lines,)),))
    for kind, form in FORMATS.items():
        save(track, tmp_path / f"number{form.ending}")
        (cue,) = read(tmp_path / f"number{form.ending}").cues
        assert cue.lines == (lines if kind != "stl" else lines.replace("\u00a0", " ").replace("\u202f", " "),)


def glued(*texts: str) -> str:
    words = [Word(text, Ms(at * 100), Ms(at * 100 + 90)) for at, text in enumerate(texts)]
    (line,) = reline(words, rules_for(Catalogue(), "pl"))
    return line


def test_vtt_segment_holds_every_cue_that_shows_in_it() -> None:
    cues = [Cue(number, Ms(start), Ms(start + 1000), ("x",)) for number, start in enumerate((0, 1500, 2000, 4000), 1)]
    assert vtt_segment(cues, Ms(2000), Ms(4000), (1 << 33) + 126_000, Ms(0)) == dedent("""\
        WEBVTT
        X-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000

        2
        00:00:01.500 --> 00:00:02.500
        x

        3
        00:00:02.000 --> 00:00:03.000
        x

        """)


def test_an_empty_segment_is_whole() -> None:
    assert vtt_segment([], Ms(0), Ms(2000), 126_000, Ms(0)).startswith(VTT_HEAD.rstrip("\n") + "\nX-TIMESTAMP-MAP=")


@pytest.mark.parametrize("ending", ["srt", "vtt", "ass", "ttml", "ebu-tt-d.xml"])
def test_what_is_saved_is_read_again(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"Zażółć gęślą.{ending}"
    save(TRACK, path)
    assert read(path).cues == TRACK.cues
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1))
def test_any_text_survives_vtt(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.vtt"
    cue = Cue(1, Ms(0), Ms(1000), (f"a{text}b",))
    path.write_text(VTT_HEAD + vtt(cue), encoding="utf-8")
    shown = [line for line in path.read_text(encoding="utf-8").split("\n") if "-->" in line]
    assert len(shown) == 1


def test_an_unknown_ending_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubtitlesError, match=r"use one of \.srt, \.vtt, \.ass"):
        save(TRACK, tmp_path / "film.doc")


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "film.srt"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(SubtitlesError, match=r"film\.srt cannot be read as subtitles"):
        read(path)
    with pytest.raises(SubtitlesError, match=r"there is no such file.*is it a subtitle file"):
        read(tmp_path / "missing.srt")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubtitlesError, match="cannot be written"):
        save(TRACK, tmp_path / "none" / "film.srt")


def test_every_shipped_style_is_whole() -> None:
    catalogue = Catalogue()
    styles = {name: catalogue.load("subtitles/styles", name, Style) for name in catalogue.names("subtitles/styles")}
    assert set(styles) >= {"hall", "large", "plain"}
    assert styles["plain"].box is None
    assert styles["large"].size > styles["hall"].size


def test_a_style_refuses_what_cannot_be() -> None:
    assert rgba("#FF8000") == (255, 128, 0, 255)
    assert rgba("#00000080")[3] == 128
    with pytest.raises(ValueError, match='"red" is no colour'):
        Style(colour="red")
    with pytest.raises(ValueError, match="size is 55"):
        Style(size=55)
