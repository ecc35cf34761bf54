"""`studio films …`, as people type it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import docx
import pytest

from studio.archive import Document, FilmCue, SoundCue, open_library
from studio.cli import main
from studio.cli._main import SISTERS
from studio.cli._main import studio as command_line
from studio.cli._unnamed import UNNAMED
from studio.cli._usage import translated
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Studio = Callable[..., tuple[int, str, str]]


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Studio:
    """Run a command in a folder where a library with two films lies; its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIO_LIBRARY", str(tmp_path / "films.db"))
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["studio", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    with open_library() as library:
        for name, lines in {"Żółw": ("Żółw idzie", "do domu kultury."), "Zając": ("Zając biegnie.",)}.items():
            (tmp_path / f"{name}.mp4").touch()
            film = library.add(tmp_path / f"{name}.mp4", length=Ms(5_400_000), language="pl").id
            cues = (FilmCue(at, Ms(at * 2000), Ms(at * 2000 + 1500), (line,)) for at, line in enumerate(lines, 1))
            library.texts.save(film, None, Document("pl", "polish", tuple(cues)), "studio", "recognised")
    return run


def test_an_empty_library_says_how_to_fill_it(studio: Studio, tmp_path: Path) -> None:
    assert studio("films", "list", "--library", str(tmp_path / "new.db")) == (
        0,
        "The library is empty; `studio films add` fills it.\n",
        "",
    )


def test_films_are_listed_and_found(studio: Studio) -> None:
    code, said, _ = studio("films", "list")
    assert (code, said.index("Zając") < said.index("Żółw"), said.count("1:30:00")) == (0, True, 2)
    assert [film["title"] for film in json.loads(studio("films", "list", "--find", "zolw", "--json")[1])] == ["Żółw"]
    assert "pl" in studio("films", "show", "Żółw")[1]
    assert studio("films", "search", "kultury")[1].splitlines() == [
        "1  Żółw  [pl]",
        "  00:00:04  do domu kultury.",
    ]
    assert [hit["start"] for hit in json.loads(studio("films", "search", "domu kultury", "--json")[1])] == [4000]
    assert studio("films", "search", "nosorożec")[1] == "Nothing was found.\n"


def test_what_is_there_already_is_brought_in_and_given_out(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nŻółw stoi.\n")
    with open_library() as library:
        assert library.find("Żółw").heads[0].number == 1
    assert studio("films", "export", "Żółw", "--format", "srt,docx,ebu-tt-d", "--out", "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "Żółw.pl.docx",
        "Żółw.pl.ebu-tt-d.xml",
        "Żółw.pl.srt",
    ]
    assert (
        docx.Document(str(tmp_path / "out" / "Żółw.pl.docx")).paragraphs[1].text.endswith("Żółw idzie do domu kultury.")
    )
    code, said, wrong = studio("films", "export", "Żółw", "Łoś")
    assert (code, wrong.count("\n"), "Żółw.pl.srt" in said) == (1, 1, True)


def test_a_film_that_is_gone_and_one_of_two_lines_are_listed(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "Zając.mp4").unlink()
    (tmp_path / "two\nlines.mp4").touch()
    with open_library() as library:
        library.add(tmp_path / "two\nlines.mp4")
    said = studio("films", "list")[1]
    assert [line.split("  ")[1] for line in said.splitlines()[1:]] == ["two\ufffdlines", "Zając", "Żółw"]
    assert "file is missing" in said.splitlines()[2]


def test_suggested_sounds_are_listed_accepted_and_refused(studio: Studio) -> None:
    found = [SoundCue(Ms(start), Ms(start + 2000), "[muzyka]", "Music", 0.8) for start in (10_000, 40_000, 70_000)]
    with open_library() as library:
        library.sounds.keep(library.find("Żółw").id, "pl", found)
    code, said, _ = studio("films", "sounds", "Żółw", "--refuse", "1", "--accept", "2", "--by", "Ona")
    assert (code, said.count("[muzyka]")) == (0, 1)
    assert "No suggested sound waits" in studio("films", "sounds", "Żółw", "--accept", "all")[1]
    with open_library() as library:
        document = library.texts.document(library.find("Żółw").id)
    assert [cue.start for cue in document.cues if cue.lines == ("[muzyka]",)] == [40_000, 70_000]
    code, said, wrong = studio("films", "sounds", "Żółw", "--accept", "9")
    assert (code, said, wrong) == (2, "", "No suggestion 9 waits any more; look again at what does.\n")


def test_versions_are_accepted_and_restored(studio: Studio) -> None:
    assert studio("films", "accept", "1", "--by", "Dyrektorka")[0] == 0
    with open_library() as library:
        library.texts.save(1, 1, Document("pl", "polish", ()), "Ewa")
    assert "edited since version 1 was accepted" in studio("films", "list")[1]
    assert studio("films", "restore", "1", "1", "--by", "Ewa")[1] == "Version 3 reads as version 1 did.\n"
    assert [each["number"] for each in json.loads(studio("films", "versions", "1", "--json")[1])] == [3, 2, 1]
    assert "Dyrektorka" in studio("films", "versions", "1")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("show", "Łoś"), 2, "no film"),
        (("versions", "1", "--lang", "lt"), 2, 'no subtitles in "lt"'),
        (("restore", "1", "9"), 2, "no version 9 of these subtitles; `studio films versions` lists"),
        (("accept", "1"), 2, "Say who accepts the subtitles: --by NAME;"),
        (("accept", "1", "--by", " "), 2, "--by NAME"),
        (("export", "1", "--format", "doc"), 2, "use one of srt"),
        (("list", "--state", "x"), 2, "use one of new"),
        (("add", "nowhere.mp4"), 1, "nowhere.mp4"),
        (("list", "--library", "broken.db"), 1, "damaged"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    studio: Studio, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "broken.db").write_text("no library")
    ended, said, wrong = studio("films", *arguments)
    assert (ended, said, wrong.count("\n")) == (code, "", 1)
    assert sentence in wrong


def test_the_subtitle_command_loads_its_sisters_only_where_one_is_named() -> None:
    """Every sister is known by name, and alone or with all of them the command takes the same."""

    def names(*words: str) -> set[str]:
        return set(translated(command_line(*words)).commands["subtitle"].commands)  # type: ignore[attr-defined]  # a group

    assert names("subtitle") == names("subtitle", "check") == {UNNAMED, *SISTERS}
    assert names("subtitle", "check.mp4") == {UNNAMED}
