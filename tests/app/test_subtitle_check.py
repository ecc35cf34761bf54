"""`studio subtitle check` and `fix` as somebody at a desk runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from studio.subtitles import Cue, Track, read, save
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.technician import Studio

LONG = "Wszyscy, którzy przyszli na ten wieczór, usłyszą muzykę, jakiej jeszcze nie było w tym domu"


def write(path: Path, *cues: tuple[int, int, str]) -> Path:
    save(Track(tuple(Cue(n, Ms(a), Ms(b), (text,)) for n, (a, b, text) in enumerate(cues, 1))), path)
    return path


def test_a_check_names_what_is_wrong_and_a_broken_file_stops_no_other(studio: Studio, tmp_path: Path) -> None:
    write(tmp_path / "good.srt", (1000, 3000, "Nie wiem, czy to się uda."))
    write(tmp_path / "bad.pl.srt", (1000, 9000, LONG))
    ended = studio("subtitle", "check", "gone.srt", "good.srt", "bad.pl.srt")
    assert ended.code == 1
    assert "gone.srt" in ended.said
    assert "good.srt (polish, pl): 1 cue, broken 0.0%" in ended.said
    assert "bad.pl.srt (polish, pl): 1 cue, broken 100.0%" in ended.said
    assert "characters in a line: 91, at most 42" in ended.said
    assert "Traceback" not in ended.said


def test_a_check_can_be_read_by_programs(studio: Studio, tmp_path: Path) -> None:
    write(tmp_path / "film.srt", (1000, 2000, "Czytam to o wiele za szybko"))
    ended = studio("subtitle", "check", "film.srt", "--lang", "pl", "--profile", "children", "--json")
    assert ended.code == 0  # what is said too fast cannot always be mended
    (told,) = json.loads(ended.said)
    assert (told["profile"], told["language"], told["cues"], told["broken"], told["hard"]) == (
        "children",
        "pl",
        1,
        1,
        0,
    )
    (finding,) = told["findings"]
    assert (finding["kind"], finding["value"], finding["allowed"]) == ("fast", 27, 13)


def test_mending_writes_beside_and_loses_no_word(studio: Studio, tmp_path: Path) -> None:
    write(tmp_path / "film.srt", (1000, 9000, LONG))
    before = (tmp_path / "film.srt").read_bytes()
    ended = studio("subtitle", "fix", "film.srt", "--fps", "25")
    assert ended.code == 0, ended.said
    assert "1 → 2 cues; broken 100.0% → 0.0%" in ended.said
    assert (tmp_path / "film.srt").read_bytes() == before
    mended = read(tmp_path / "film.fixed.srt").cues
    assert " ".join(cue.text for cue in mended) == LONG
    assert all(time % 40 == 0 for cue in mended for time in (cue.start, cue.end))
    again = studio("subtitle", "fix", "film.srt", "--fps", "25")
    assert (again.code, "film.fixed.srt is so already." in again.said) == (0, True)


def test_what_somebody_edited_is_not_mended_over_unasked(studio: Studio, tmp_path: Path) -> None:
    write(tmp_path / "film.srt", (1000, 9000, LONG))
    (tmp_path / "film.fixed.srt").write_text("by hand", encoding="utf-8")
    ended = studio("subtitle", "fix", "film.srt")
    assert (ended.code, "--overwrite replaces it" in ended.said) == (1, True)
    assert (tmp_path / "film.fixed.srt").read_text(encoding="utf-8") == "by hand"
    assert studio("subtitle", "fix", "film.srt", "--overwrite").code == 0
    assert len(read(tmp_path / "film.fixed.srt").cues) == 2


def test_a_profile_that_does_not_exist_is_one_sentence(studio: Studio, tmp_path: Path) -> None:
    write(tmp_path / "film.srt", (1000, 3000, "Nie wiem, czy to się uda."))
    ended = studio("subtitle", "fix", "film.srt", "--profile", "childern")
    assert ended.code == 2
    assert ended.said.strip() == 'there is no "childern" in subtitles/rules; did you mean "children"?'
    assert not (tmp_path / "film.fixed.srt").exists()
