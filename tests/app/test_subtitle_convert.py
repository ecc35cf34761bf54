"""`studio subtitle convert` as a technician runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from studio.subtitles import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.technician import Studio

FILM = "1\n00:00:01,000 --> 00:00:02,500\n{}\n\n"


def test_several_files_into_several_forms_and_the_broken_one_stops_no_other(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "Jeż „ą”.pl.srt").write_bytes(FILM.format("Zażółć gęślą jaźń…").encode("cp1250"))
    (tmp_path / "broken.vtt").write_text("WEBVTT\n\n00:00:01.000 --> 00:0", encoding="utf-8")
    (tmp_path / "silent.srt").write_bytes(b"")
    files = ("Jeż „ą”.pl.srt", "broken.vtt", "silent.srt")
    ended = studio("subtitle", "convert", *files, "--format", "stl,ttml,ebu-tt-d", "--out", "sent")
    assert ended.code == 1
    assert "Traceback" not in ended.said
    assert ended.said.count('broken.vtt line 3: "00:00:01.000 --> 00:0" says no times') == 1
    assert "was read as Windows-1250" in ended.said
    assert "… → ..." in ended.said
    assert "silent.stl: nobody speaks in it" in ended.said
    for ending, words in ((".stl", "Zażółć gęślą jaźń..."), (".ttml", "Zażółć gęślą jaźń…"), (".ebu-tt-d.xml", None)):
        found = read(tmp_path / "sent" / f"Jeż „ą”.pl{ending}")
        assert found.language == "pl"
        assert found.cues[0].lines == (words or "Zażółć gęślą jaźń…",)
        assert read(tmp_path / "sent" / f"silent{ending}").cues == ()
    assert len(list((tmp_path / "sent").iterdir())) == 6


def test_nothing_else_is_overwritten_and_twice_is_once(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(FILM.format("Raz"), encoding="utf-8")
    os.utime(tmp_path / "a.srt", (1_700_000_000, 1_700_000_000))
    once = studio("subtitle", "convert", "a.srt", "--out", "a.stl", "--fps", "50", "--lang", "lt")
    assert once.code == 0, once.said
    raw = (tmp_path / "a.stl").read_bytes()
    assert raw[3:16] == b"STL50.010001A"
    assert raw[224:230] == b"231114"
    again = studio("subtitle", "convert", "a.srt", "--out", "a.stl", "--fps", "50", "--lang", "lt")
    assert again.code == 0
    assert "a.stl is so already." in again.said
    other = studio("subtitle", "convert", "a.srt", "--out", "a.stl")
    assert other.code == 1
    assert "a.stl is there and says something else; --overwrite replaces it" in other.said
    assert (tmp_path / "a.stl").read_bytes() == raw
    assert studio("subtitle", "convert", "a.srt", "--out", "a.stl", "--overwrite").code == 0
    assert (tmp_path / "a.stl").read_bytes()[3:11] == b"STL25.01"
