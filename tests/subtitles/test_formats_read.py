# ruff: noqa: RUF001 - letters that look alike are what is tested
"""Subtitle files as the world has them: old codes, odd line ends, other forms, and damage."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import SubtitlesError
from studio.subtitles import FORMATS, Cue, Track, kind_of, read, save, written
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

POLISH = "Pchnąć w tę łódź jeża\nlub ośm skrzyń fig. Źle?"
LITHUANIAN = "Įlinkdama fechtuotojo špaga\npragręžė apvalų arbūzą. Čia ėjo"


def srt(text: str) -> str:
    return f"1\n00:00:01,000 --> 00:00:02,500\n{text}\n\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (POLISH, "cp1250"),
        (POLISH, "iso8859_2"),
        (POLISH, "cp852"),
        ("– „Cześć”…", "cp1250"),
        ("Są.", "cp1250"),
        ("Idź.", "iso8859_2"),
        (LITHUANIAN, "cp1257"),
        (LITHUANIAN, "iso8859_13"),
        (LITHUANIAN, "cp775"),
        ("„Ačiū“ – šiandien", "cp1257"),
        ("Straße, café, señor", "cp1252"),
        ("Это было давно. Ёлка", "cp1251"),
        ("Привет, мир", "koi8_r"),
        ("Příliš žluťoučký kůň", "cp1250"),
    ],
)
def test_old_letters_read_right_and_that_they_were_guessed_is_said(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "old.srt").write_bytes(srt(text).replace("\n", "\r\n").encode(code))
    found = read(tmp_path / "old.srt")
    assert found.cues[0].lines == tuple(text.split("\n"))
    assert "is not in UTF-8" in found.remarks[0]


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_unicode_is_no_guess(tmp_path: Path, code: str) -> None:
    mark = "\ufeff" if code == "utf-16-be" else ""
    (tmp_path / "new.srt").write_bytes((mark + srt(POLISH + "\n" + LITHUANIAN)).encode(code))
    found = read(tmp_path / "new.srt")
    assert found.cues[0].lines == (*POLISH.split("\n"), *LITHUANIAN.split("\n"))
    assert found.remarks == ()


def test_subrip_as_people_write_it(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(
        "\n\n7\n0:00:03.5 -> 00:00:04,000 X1:40 X2:600\n<i>Trzecia</i> {\\an8}linia\n\ni czwarta\n2024\n\n"
        '3\n00:00:01,000 --> 00:00:02,000\n<font color="#fff">R&B</font> <3\n'
        "4\n00:00:05,000 --> 00:00:04,000\nnazad\n5\n00:00:06,000 --> 00:00:07,000\n",
        encoding="utf-8",
    )
    found = [(cue.number, cue.start, cue.end, cue.lines) for cue in read(tmp_path / "a.srt").cues]
    assert found == [
        (1, 1000, 2000, ("R&B <3",)),
        (2, 3500, 4000, ("Trzecia linia", "i czwarta", "2024")),
        (3, 5000, 5000, ("nazad",)),
    ]


def test_webvtt_as_browsers_take_it(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text(
        "WEBVTT - title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE 1 --> 2\n\nintro\n"
        "00:01.000 --> 00:02.000 line:0 align:start\n<v Ona><i.loud>Cześć</i></v> &amp; witaj\n<00:01.500>tu\n\n"
        "01:00:00.000 --> 01:00:01.000\nx",
        encoding="utf-8",
    )
    found = [(cue.start, cue.end, cue.lines) for cue in read(tmp_path / "a.vtt").cues]
    assert found == [(1000, 2000, ("Cześć & witaj", "tu")), (3_600_000, 3_601_000, ("x",))]


def test_frames_are_taken_as_25_a_second_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("{25}{50}Raz|dwa\n{75}{100}{y:i}trzy\n", encoding="utf-8")
    found = read(tmp_path / "a.txt")
    assert [(cue.start, cue.lines) for cue in found.cues] == [(1000, ("Raz", "dwa")), (3000, ("trzy",))]
    assert "25 were taken" in found.remarks[0]
    assert read(tmp_path / "a.txt", rate=50).cues[0].start == 500
    assert read(tmp_path / "a.txt", rate=50).remarks == ()


@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_a_file_that_is_cut_off_is_named_with_the_line(tmp_path: Path, name: str) -> None:
    whole = written(read_back(tmp_path), kind_of(tmp_path / name)).content
    (tmp_path / name).write_bytes(whole[: whole.rindex(b"-->") + 8])
    with pytest.raises(SubtitlesError, match=rf'{name} line \d+: "00:00:05.*" says no times'):
        read(tmp_path / name)


def read_back(tmp_path: Path) -> Track:
    (tmp_path / "two.srt").write_text(srt("jeden") + "2\n00:00:05,000 --> 00:00:06,000\ndwa\n", encoding="utf-8")
    return read(tmp_path / "two.srt")


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=60, deadline=None)
@given(
    at=st.lists(st.floats(0, 0.999), min_size=1, max_size=4),
    put=st.binary(max_size=4),
    gone=st.sampled_from((0, 1, 50)),
)
def test_damage_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, kind: str, at: list[float], put: bytes, gone: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    raw = written(Track((Cue(1, Ms(0), Ms(1500), ("Zażółć", "a & b")),) * 3, "pl"), kind).content
    for share in at:
        place = int(share * len(raw))
        raw = raw[:place] + put + raw[place + gone :]
    path.write_bytes(raw)
    with contextlib.suppress(SubtitlesError):
        read(path)


def test_an_empty_file_has_no_cues(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_bytes(b"")
    assert read(tmp_path / "a.srt") == Track(())
    for kind in ("srt", "vtt", "ass"):
        save(Track(()), tmp_path / f"b.{kind}")
        assert read(tmp_path / f"b.{kind}") == Track(())


def test_what_is_no_subtitle_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.srt"
    path.write_text("Szanowni Państwo,\n\nzapraszamy.\n", encoding="utf-8")
    with pytest.raises(SubtitlesError, match=r"letter\.srt cannot be read as subtitles"):
        read(path)
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nok\nÂ¡\x81\x8d\x8f\x90\x9d\n".encode("latin-1"))
    with pytest.raises(SubtitlesError, match=r"letter\.srt line 4: these letters are in no code"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(SubtitlesError, match="it is a folder"):
        read(path)
