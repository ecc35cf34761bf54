"""Films on their way: what is heard, what is not heard twice, what is written, and what is said when it cannot be."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from studio.archive import CrewLost, Hearing, Result, Settings, Stopped, open_library, reword, subtitle, targets
from studio.archive._crew import Done
from studio.archive._cupboard import FolderLock
from studio.archive._library import Library
from studio.archive._paper import frames_of
from studio.archive._watch import Pace
from studio.archive._work import (
    Cut,
    Cuts,
    Hear,
    Heard,
    Look,
    Looked,
    Outcome,
    Refused,
    Render,
    Task,
    Tell,
    Told,
    pack,
)
from studio.errors import ArchiveError
from studio.speech import Stretch, Turn
from studio.spoken import Word
from studio.subtitles import Rules, SoundLabels, read
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator


LONG = 6
"""Seconds of a film; a chunk has two of them."""


NOBODY = Refused("Nobody can tell.")


class Ears:
    """A crew whose films say `one`, `two`, `three`: a word in each chunk. It may die."""

    hands = 2

    def __init__(
        self, heard: list[str], *, silent: bool = False, dies_after: int = 99, turns: Told | Refused = NOBODY
    ) -> None:
        self.heard = heard
        self._turns = turns
        self._silent = silent
        self._left = dies_after
        self._tasks: deque[tuple[int, bytes]] = deque()

    def submit(self, key: int, task: bytes) -> None:
        self._tasks.append((key, task))

    def news(self, timeout: float) -> Done | None:  # noqa: ARG002 - it is never waited
        if not self._tasks:
            return None
        if not self._left:
            raise CrewLost
        self._left -= 1
        key, packed = self._tasks.popleft()
        return Done(key, pack(self._done(msgspec.msgpack.decode(packed, type=Task))))

    def _done(self, task: Task) -> Outcome:
        name, begin = task.sight.source.rsplit("/", 1)[-1], task.sight.begin
        if isinstance(task, Look):
            spoken = () if self._silent else (200, 2200, 4200)
            return Looked(Ms(LONG * 1000), tuple(Stretch(Ms(at), Ms(at + 1500)) for at in spoken), ())
        if isinstance(task, Cut):
            self.heard.append(f"{name} seen")
            return Cuts((Ms(2120),))
        if isinstance(task, Tell):
            self.heard.append(f"who speaks in {name}")
            return self._turns
        if isinstance(task, Render):
            self.heard.append(f"{name} in English")
            return Heard(tuple(Word("English", start, end) for start, end, _code in task.spoken))
        assert isinstance(task, Hear)
        start = task.voiced[0].start
        number = start // 2000
        self.heard.append(f"{name} {number}")
        return Heard(
            (Word(("One.", "Two.", "Three.")[number], start, Ms(start + 1000)),), ((begin, Ms(begin + 2000), "pl"),)
        )

    def close(self) -> None:
        self._tasks.clear()


@dataclass
class Looks:
    """Whoever looks on."""

    said: list[str] = field(default_factory=list)
    ends: list[Result] = field(default_factory=list)
    stop_after: int = 99
    stop: threading.Event = field(default_factory=threading.Event)

    def begins(self, film: str) -> None: ...
    def at(self, film: str, stage: str, share: float) -> None:  # noqa: ARG002 - the share is what is looked at
        assert 0 <= share <= 1

    def ended(self, result: Result) -> None:
        self.ends.append(result)
        if len(self.ends) >= self.stop_after:
            self.stop.set()

    def all_at(self, films: int, of: int, share: float, left: tuple[float, float] | None) -> None:  # noqa: ARG002
        assert 0 <= share <= 1
        assert left is None or 0 <= left[0] <= left[1]

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


SETTINGS = Settings(Hearing("base", "1", "pl", longest=Ms(2000)), {"": Rules()}, "")


@dataclass
class Cupboard:
    """A folder of films, a library, and a way to run."""

    folder: Path
    shelf: Library
    heard: list[str] = field(default_factory=list)

    def run(self, settings: Settings = SETTINGS, *crews: Ears, looks: Looks | None = None) -> dict[str, Result]:
        looks = looks or Looks()
        self.heard.clear()
        waiting = deque([*crews, Ears(self.heard)])
        found = targets([self.folder], settings.out, looks.say)
        results = subtitle(
            found, settings, self.shelf, lambda _films, _length: waiting.popleft(), watch=looks, stop=looks.stop
        )
        assert not list(self.folder.rglob(".studio*"))
        return {result.film: result for result in results}


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    made = f"ffmpeg -v error -f lavfi -i testsrc2=size=64x36:rate=5 -f lavfi -i sine -t {LONG} -c:a aac {path}"
    subprocess.run(made.split(), check=True)
    return path


@pytest.fixture
def cupboard(film: Path, tmp_path: Path) -> Iterator[Cupboard]:
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(film, folder / "a.mp4")
    with open_library(tmp_path / "films.db") as library:
        yield Cupboard(folder, library)


def test_a_film_is_heard_once_and_its_files_stand_beside_it(cupboard: Cupboard) -> None:
    result = cupboard.run()["a.mp4"]
    assert (result.fate, result.cues, result.language) == ("done", 3, "pl")
    assert [cue.text for cue in read(cupboard.folder / "a.pl.srt").cues] == ["One.", "Two.", "Three."]
    assert sorted(cupboard.heard) == ["a.mp4 0", "a.mp4 1", "a.mp4 2"]
    assert cupboard.run()["a.mp4"].fate == "already"
    assert cupboard.heard == []


def test_another_format_or_profile_is_made_of_what_was_heard(cupboard: Cupboard) -> None:
    cupboard.run()
    other = replace(SETTINGS, formats=("srt", "vtt"), rules={"": Rules(characters_per_second=12)}, profile="children")
    result = cupboard.run(other)["a.mp4"]
    assert [file.name for file in result.files] == ["a.pl.srt", "a.pl.vtt"]
    assert cupboard.heard == []
    assert cupboard.run(replace(SETTINGS, hearing=replace(SETTINGS.hearing, beam=1)))["a.mp4"].fate == "done"
    assert len(cupboard.heard) == 3


def test_cuts_are_looked_for_once_and_move_cues_without_hearing_the_film_again(cupboard: Cupboard) -> None:
    cupboard.run()
    before = [cue.start for cue in read(cupboard.folder / "a.pl.srt").cues]
    cut = replace(SETTINGS, shots=True)
    assert cupboard.run(cut)["a.mp4"].fate == "done"
    assert cupboard.heard == ["a.mp4 seen"]
    after = [cue.start for cue in read(cupboard.folder / "a.pl.srt").cues]
    assert after == [before[0], 2120, before[2]]
    assert cupboard.run(cut)["a.mp4"].fate == "already"
    cupboard.run(replace(cut, formats=("vtt",), translate=True))
    assert cupboard.heard == ["a.mp4 in English"] * 3


@pytest.mark.parametrize(
    ("rate", "start", "steady", "frames"),
    [
        (25, 0, True, 25),
        (24000 / 1001, 42, True, 24000 / 1001),
        (25, 21, True, None),
        (5, 0, True, None),
        (1000, 0, True, None),
        (25, 0, False, None),
    ],
)
def test_cues_count_in_frames_where_a_film_does(rate: float, start: int, *, steady: bool, frames: float | None) -> None:
    assert frames_of(rate, Ms(start), steady=steady) == frames


def test_a_film_without_speech_gives_valid_empty_files_and_says_so(cupboard: Cupboard) -> None:
    settings = replace(SETTINGS, formats=("srt", "vtt", "ttml", "stl"))
    result = cupboard.run(settings, Ears(cupboard.heard, silent=True))["a.mp4"]
    assert (result.fate, result.cues, cupboard.heard) == ("silent", 0, [])
    assert "Nobody speaks in it" in result.said[-1]
    assert all(not read(file).cues for file in result.files if file.suffix != ".srt")
    assert (cupboard.folder / "a.pl.srt").read_bytes() == b""


def test_a_crew_that_dies_costs_what_it_had_not_told(cupboard: Cupboard) -> None:
    heard: list[str] = []
    looks = Looks()
    assert cupboard.run(SETTINGS, Ears(heard, dies_after=2), looks=looks)["a.mp4"].fate == "done"
    assert (heard, sorted(cupboard.heard)) == (["a.mp4 0"], ["a.mp4 1", "a.mp4 2"])
    assert len(looks.said) == 1


def test_a_run_that_was_ended_goes_on_where_it_was(cupboard: Cupboard) -> None:
    for name in "bc":
        shutil.copy(cupboard.folder / "a.mp4", cupboard.folder / f"{name}.mp4")
    with pytest.raises(Stopped):
        cupboard.run(looks=Looks(stop_after=1))
    first = list(cupboard.heard)
    states = {film.title: film.state for film in cupboard.shelf.films()}
    assert states["a"] == "done"
    assert "running" not in states.values()
    fates = {name: result.fate for name, result in cupboard.run().items()}
    assert fates == {"a.mp4": "already", "b.mp4": "done", "c.mp4": "done"}
    assert len(first) + len(cupboard.heard) == 9
    assert not set(first) & set(cupboard.heard)


def test_a_piece_after_the_end_is_refused_and_what_was_written_stays(cupboard: Cupboard) -> None:
    [file] = cupboard.run()["a.mp4"].files
    before = file.read_bytes()
    late = replace(SETTINGS, hearing=replace(SETTINGS.hearing, begin=Ms(99_000)))
    result = cupboard.run(late)["a.mp4"]
    assert (result.fate, "before --from" in result.reason) == ("failed", True)
    assert file.read_bytes() == before


def test_what_a_person_edited_is_written_and_never_heard_over(cupboard: Cupboard) -> None:
    cupboard.run()
    film = cupboard.shelf.find("a")
    document = cupboard.shelf.texts.document(film.id, "pl")
    edited = reword(document, document.cues[1].id, ["Deux."])
    cupboard.shelf.texts.save(film.id, 1, edited, "Ola")
    cupboard.run()
    assert [cue.text for cue in read(cupboard.folder / "a.pl.srt").cues] == ["One.", "Deux.", "Three."]
    cupboard.run(replace(SETTINGS, hearing=replace(SETTINGS.hearing, beam=1)))
    assert [cue.text for cue in read(cupboard.folder / "a.pl.srt").cues] == ["One.", "Deux.", "Three."]


def test_a_run_killed_before_a_file_was_renamed_knows_its_own_old_file(cupboard: Cupboard) -> None:
    file = cupboard.folder / "a.pl.srt"
    cupboard.run()
    old = file.read_bytes()
    film = cupboard.shelf.find("a")
    document = cupboard.shelf.texts.document(film.id, "pl")
    cupboard.shelf.texts.save(film.id, 1, reword(document, document.cues[1].id, ["Deux."]), "Ola")
    cupboard.run()
    file.write_bytes(old)  # noted, and killed before it was there
    assert cupboard.run()["a.mp4"].fate == "done"
    assert [cue.text for cue in read(file).cues] == ["One.", "Deux.", "Three."]


def test_somebody_elses_subtitles_are_not_replaced_unasked(cupboard: Cupboard) -> None:
    (cupboard.folder / "a.pl.srt").write_text("by hand", encoding="utf-8")
    result = cupboard.run()["a.mp4"]
    assert result.fate == "failed"
    assert "--overwrite" in result.reason
    assert (cupboard.folder / "a.pl.srt").read_text(encoding="utf-8") == "by hand"
    assert cupboard.run(replace(SETTINGS, overwrite=True))["a.mp4"].fate == "done"
    assert cupboard.heard == []


def test_the_translation_is_a_second_file(cupboard: Cupboard) -> None:
    cupboard.run()
    result = cupboard.run(replace(SETTINGS, translate=True))["a.mp4"]
    assert [file.name for file in result.files] == ["a.pl.srt", "a.en.srt"]
    assert cupboard.heard == ["a.mp4 in English"] * 3
    assert result.said == ()


def test_what_is_not_translated_is_counted(cupboard: Cupboard) -> None:
    class Deaf(Ears):
        def _done(self, task: Task) -> Outcome:
            return Heard() if isinstance(task, Render) and task.spoken[0][0] > 2000 else super()._done(task)

    result = cupboard.run(replace(SETTINGS, translate=True), Deaf(cupboard.heard))["a.mp4"]
    assert result.said == (
        "2 sentences of 3 could not be translated and are missing in English; a larger model does more.",
    )


TOLD = Told((Turn(Ms(0), Ms(2000), 1), Turn(Ms(2000), Ms(6000), 2)))
WHO = replace(SETTINGS, speakers="models", labels={"": SoundLabels("pl", speaker="OSOBA {n}")})


def test_speakers_are_told_apart_of_a_film_that_was_heard(cupboard: Cupboard) -> None:
    cupboard.run()
    result = cupboard.run(WHO, Ears(cupboard.heard, turns=TOLD))["a.mp4"]
    assert (result.fate, result.said, cupboard.heard) == ("done", (), ["who speaks in a.mp4"])
    document = cupboard.shelf.texts.document(cupboard.shelf.find("a").id, "pl")
    assert [cue.speaker for cue in document.cues] == ["OSOBA 1", "OSOBA 2", "OSOBA 2"]
    assert cupboard.run(WHO)["a.mp4"].fate == "already"
    cupboard.run(replace(WHO, translate=True))
    assert sorted(set(cupboard.heard)) == ["a.mp4 in English"]


def test_a_film_has_its_subtitles_where_nobody_can_tell_who_speaks(cupboard: Cupboard) -> None:
    translated = replace(WHO, translate=True)
    result = cupboard.run(translated)["a.mp4"]
    assert (result.fate, result.said) == ("done", ("Nobody can tell.",))
    assert [file.name for file in result.files if file.is_file()] == ["a.pl.srt", "a.en.srt"]
    assert cupboard.run(replace(SETTINGS, translate=True))["a.mp4"].said == ()
    again = cupboard.run(translated, Ears(cupboard.heard, turns=TOLD))["a.mp4"]
    assert (again.fate, again.said, cupboard.heard) == ("done", (), ["who speaks in a.mp4"])


def test_one_bad_film_stops_no_other(cupboard: Cupboard, tmp_path: Path) -> None:
    folder = cupboard.folder
    (folder / "empty.mkv").touch()
    (folder / "letter.mp4").write_text("Dear all, " * 500, encoding="utf-8")
    whole = (folder / "a.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    picture = f"ffmpeg -v error -i {folder / 'a.mp4'} -an -c copy {folder / 'mute.mp4'}"
    subprocess.run(picture.split(), check=True)
    odd = "za\u017c\u00f3\u0142\u0107 \"g\u0119\u015bl\u0105\" 'ja\u017a\u0144'\n2.mp4"
    shutil.copy(folder / "a.mp4", folder / odd)
    (folder / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    results = cupboard.run()
    fates = {name: result.fate for name, result in results.items()}
    shown = odd.replace("\n", "\ufffd")
    failed = dict.fromkeys(("empty.mkv", "letter.mp4", "half.mp4", "mute.mp4", "gone.mp4"), "failed")
    assert fates == {"a.mp4": "done", shown: "done", **failed}
    assert all(result.reason and "\n" not in result.reason for result in results.values() if result.fate == "failed")
    assert "has no sound" in results["mute.mp4"].reason
    assert (folder / odd).with_suffix(".pl.srt").exists()
    assert [film.title for film in cupboard.shelf.films(state="failed")] == ["empty", "half", "letter", "mute"]
    assert "has no sound" in cupboard.shelf.find("mute").reason


def test_a_film_that_failed_at_first_sight_and_is_mended_is_done(cupboard: Cupboard) -> None:
    film = cupboard.folder / "a.mp4"
    whole = film.read_bytes()
    film.write_bytes(b"")
    assert cupboard.run()["a.mp4"].fate == "failed"
    assert cupboard.shelf.find("a").state == "failed"
    film.write_bytes(whole)
    assert cupboard.run()["a.mp4"].fate == "done"
    assert [(film.state, film.reason) for film in cupboard.shelf.films()] == [("done", "")]
    film.write_bytes(b"")
    cupboard.run()
    assert cupboard.shelf.find("a").state == "failed"
    film.write_bytes(whole)
    assert cupboard.run()["a.mp4"].fate == "already"
    assert cupboard.shelf.find("a").state == "done"


def test_a_folder_without_films_is_a_failure(cupboard: Cupboard) -> None:
    (cupboard.folder / "a.mp4").unlink()
    [result] = cupboard.run().values()
    assert (result.fate, "There is no film in" in result.reason) == ("failed", True)
    assert cupboard.shelf.films() == ()


def test_a_film_that_changes_meanwhile_is_not_written(cupboard: Cupboard) -> None:
    class Touches(Ears):
        def news(self, timeout: float) -> Done | None:
            if len(self.heard) == 2:
                (cupboard.folder / "a.mp4").write_bytes((cupboard.folder / "a.mp4").read_bytes() + b" ")
            return super().news(timeout)

    result = cupboard.run(SETTINGS, Touches(cupboard.heard))["a.mp4"]
    assert "was changed" in result.reason
    assert not (cupboard.folder / "a.pl.srt").exists()
    assert cupboard.run()["a.mp4"].fate == "done"
    assert len(cupboard.heard) == 3


def test_a_pipe_in_the_place_of_a_file_is_not_replaced(cupboard: Cupboard) -> None:
    os.mkfifo(cupboard.folder / "a.pl.srt")
    result = cupboard.run(replace(SETTINGS, overwrite=True))["a.mp4"]
    assert result.fate == "failed"
    assert "it is a device or a pipe" in result.reason
    assert (cupboard.folder / "a.pl.srt").is_fifo()


def test_two_runs_in_one_folder_do_not_meet(cupboard: Cupboard) -> None:
    lock = FolderLock(cupboard.folder)
    looks = Looks()
    results = subtitle(
        targets([cupboard.folder], None, looks.say), SETTINGS, cupboard.shelf, lambda *_: Ears([]), watch=looks,
        stop=looks.stop,
    )  # fmt: skip
    lock.release()
    assert [result.fate for result in results] == ["failed"]
    assert "Another studio works in" in results[0].reason
    assert "process" in results[0].reason
    assert "wait until it has ended" in results[0].reason
    assert cupboard.shelf.films() == ()
    assert cupboard.run()["a.mp4"].fate == "done"


def test_a_lock_that_does_not_fit_on_the_disk_is_not_left_behind(tmp_path: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most[1]))
    try:
        for _again in range(2):
            with pytest.raises(ArchiveError, match="--out"):
                FolderLock(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert list(tmp_path.iterdir()) == []
    FolderLock(tmp_path).release()


def test_a_folder_that_takes_no_files_is_said_before_anything_is_heard(cupboard: Cupboard, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = cupboard.run(replace(SETTINGS, out=tmp_path / "file" / "below"))["a.mp4"]
    assert "--out" in result.reason
    assert cupboard.heard == []


def test_out_keeps_folders_and_films_of_one_name_keep_their_endings(cupboard: Cupboard, tmp_path: Path) -> None:
    (cupboard.folder / "1999").mkdir()
    for name in ("1999/a.mp4", "1999/a.mov"):
        shutil.copy(cupboard.folder / "a.mp4", cupboard.folder / name)
    cupboard.run(replace(SETTINGS, out=tmp_path / "out"))
    found = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.srt"))
    assert found == ["1999/a.mov.pl.srt", "1999/a.mp4.pl.srt", "a.pl.srt"]


def test_the_guess_is_wide_at_first_and_narrow_later() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    pace.begin()
    assert pace.left(0, 600_000, 0, 1) is None
    widths = []
    for part in range(1, 10):
        now = part * 6.0
        pace.part(Ms(60_000))
        least, most = pace.left(part * 60_000.0, 600_000.0 - part * 60_000, 0, 1) or (0, 0)
        assert least <= (10 - part) * 6 <= most
        widths.append(most / least)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2.5
    assert widths[-1] < 2
