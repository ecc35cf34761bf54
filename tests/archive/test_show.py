"""A show that was captioned live enters the library and leaves as a file for the archive."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from studio.archive import bring, open_library
from studio.captions._files import ShowFiles
from studio.catalogue import Catalogue
from studio.errors import ArchiveError
from studio.spoken import Cue, Word
from studio.subtitles import check, profile, read, save
from studio.units import HandClock, Ms

if TYPE_CHECKING:
    from pathlib import Path


SAID = (
    *("Dzień", "dobry", "państwu.", "Witamy", "w", "domu", "kultury,", "a", "to", "jest", "pierwszy", "wieczór."),
    *("Zagra", "dla", "nas", "Stefan", "Kowal", "z", "zespołem,", "i", "zaczynamy", "już", "za", "chwilę."),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of black pictures and silence."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    source = ["-f", "lavfi", "-i", "color=s=64x36:r=5:d=14", "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono"]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *source, "-shortest", "-c:a", "aac", str(path)], check=True)
    return path


@pytest.fixture
def show(tmp_path: Path, film: Path) -> Path:
    """The folder of a show, written by the very sink that shows have; a person has corrected a word on the air."""
    folder = tmp_path / "2026-11-27"
    folder.mkdir()
    shutil.copy(film, folder / "clean.mp4")
    files = ShowFiles(folder, HandClock(), lambda _trouble: None)
    files.keep_epoch(1)
    words = [Word(word, Ms(at * 500), Ms(at * 500 + 450), 0.8) for at, word in enumerate(SAID)]
    for at in range(0, len(words), 4):
        ids = files.settle(words[at : at + 4], Ms(at * 500 + 3000))
        cue = Cue(at // 4 + 1, words[at].start, words[ids[-1]].end, (" ".join(SAID[at : at + 4]),))
        files.show(cue, ids)
    script = files.kept.script
    files.revise(
        script.edit(SAID.index("Kowal"), "Kowalski", Ms(0), 40), Ms(0), {"id": 14, "text": "Kowalski", "by": "Ewa"}
    )
    files.close()
    with (folder / "captions.words.jsonl").open("a") as torn:
        torn.write('{"text": "half a li')
    return folder


def test_a_show_becomes_a_conformant_film(show: Path, tmp_path: Path) -> None:
    with open_library(tmp_path / "films.db") as library:
        known = bring(library, show, Catalogue(), language="pl")
        document = library.texts.document(known.id)
        assert (known.path, known.title, known.state) == (show / "clean.mp4", "2026-11-27", "done")
        assert " ".join(document.track.cues[0].lines + document.track.cues[1].lines).startswith("Dzień dobry państwu.")
        said = " ".join(" ".join(cue.lines) for cue in document.cues)
        assert said == " ".join(SAID).replace("Kowal", "Kowalski")
        assert {cue.by for cue in document.cues if "Kowalski" in " ".join(cue.lines)} == {"person"}
        assert {cue.by for cue in document.cues if "Kowalski" not in " ".join(cue.lines)} == {"live"}
        assert check(document.track, profile("polish", "pl")).hard == 0
        assert bring(library, show, Catalogue(), language="pl").heads[0].number == 1


def test_what_was_changed_in_the_subtitle_file_afterwards_is_a_persons(show: Path, tmp_path: Path) -> None:
    track = read(show / "captions.srt")
    cues = [replace(cue, lines=("To był pierwszy",)) if "pierwszy" in cue.text else cue for cue in track.cues]
    save(replace(track, cues=tuple(cues)), show / "captions.srt")
    with open_library(tmp_path / "films.db") as library:
        document = library.texts.document(bring(library, show, Catalogue(), language="pl").id)
    hand = next(cue for cue in document.cues if "pierwszy" in cue.lines[0])
    assert (hand.lines, hand.by) == (("To był pierwszy",), "person")
    assert " ".join(" ".join(cue.lines) for cue in document.cues).count("pierwszy") == 1


def test_what_did_not_air_is_not_in_an_aired_recording(show: Path, tmp_path: Path) -> None:
    (show / "clean.mp4").rename(show / "recording.mp4")
    kept = {"began": 6000, "planned": 6000, "hold": 3000, "turns": [[2000, 5000, False]], "picture": None}
    (show / "air.json").write_text(json.dumps(kept))
    with open_library(tmp_path / "films.db") as library:
        document = library.texts.document(bring(library, show, Catalogue(), language="pl").id)
    words = [(word.text, word.start) for cue in document.cues for word in cue.words]
    assert words[3:5] == [("Witamy", 1500), (SAID[10], 2000)]


@pytest.mark.parametrize("missing", ["clean.mp4", "captions.words.jsonl"])
def test_a_show_that_lacks_something_is_a_sentence(show: Path, tmp_path: Path, missing: str) -> None:
    (show / missing).unlink()
    with open_library(tmp_path / "films.db") as library, pytest.raises(ArchiveError, match=r"2026-11-27"):
        bring(library, show, Catalogue(), language="pl")


def test_a_show_whose_language_nobody_knows_is_a_sentence(show: Path, tmp_path: Path) -> None:
    with open_library(tmp_path / "films.db") as library, pytest.raises(ArchiveError, match="--lang"):
        bring(library, show, Catalogue())
