"""The library: films, versions, search, the ledger."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from studio.archive import Conflict, Document, FilmCue, LibraryError, NotThere, open_library, suggestions
from studio.archive._library import Library
from studio.archive._schema import STEPS
from studio.archive._store import Store
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path / "films.db") as library:
        yield library


def cue(number: int, *lines: str, start: int | None = None) -> FilmCue:
    begin = Ms(number * 2000 if start is None else start)
    words = tuple(Word(word, begin, begin, 0.5) for line in lines for word in line.split())
    return FilmCue(number, begin, Ms(begin + 1500), lines, words)


def document(*lines: str, language: str = "pl") -> Document:
    return Document(language, "polish", tuple(cue(number, line) for number, line in enumerate(lines, 1)))


def reworded(before: Document, number: int, line: str) -> Document:
    cues = (
        msgspec.structs.replace(cue, lines=(line,), by="person") if cue.id == number else cue for cue in before.cues
    )
    return msgspec.structs.replace(before, cues=tuple(cues))


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_library_is_empty_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "not there yet" / "films.db"
    with open_library(path) as library:
        assert library.films() == ()
        library.add(tmp_path / "a.mp4")
    with open_library(path) as library:
        assert [film.title for film in library.films()] == ["a"]


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    path.write_bytes(b"these are not the films you are looking for" * 100)
    before = path.read_bytes()
    with pytest.raises(LibraryError, match="damaged"):
        open_library(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["films.db"]


def test_a_library_that_lost_its_end_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    with open_library(path) as library:
        library.add(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:20_000])
    before = path.read_bytes()
    with pytest.raises(LibraryError, match="damaged"):
        open_library(path)
    assert path.read_bytes() == before


def test_damage_in_the_midst_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    with open_library(path) as library:
        library.add(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(LibraryError, match="damaged"), open_library(path) as library:
        library.films()


def test_a_newer_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    open_library(path).close()
    Store(path, (*STEPS, lambda _connection: None)).close()
    with pytest.raises(LibraryError, match="newer studio"):
        open_library(path)


def test_an_older_library_is_brought_forward(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    with open_library(path) as library:
        library.add(tmp_path / "a.mp4")
    later = (*STEPS, lambda connection: connection.exec_driver_sql("ALTER TABLE films ADD COLUMN country TEXT"))
    store = Store(path, later)
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT title, country FROM films").all() == [("a", None)]
    store.close()


def test_a_step_forward_that_fails_leaves_the_older_library(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    open_library(path).close()

    def fail(connection: object) -> None:
        raise RuntimeError(connection)

    with pytest.raises(RuntimeError):
        Store(path, (*STEPS, fail))
    open_library(path).close()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    with pytest.raises(LibraryError, match="another program"):
        open_library(path)


# ── films ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_film_is_known_by_its_path(library: Library, tmp_path: Path) -> None:
    (tmp_path / 'Żółw i "Zając".mp4').touch()
    first = library.add(tmp_path / 'Żółw i "Zając".mp4', fingerprint="1")
    again = library.add(tmp_path / 'Żółw i "Zając".mp4', fingerprint="1", length=Ms(9000), title="Żółw")
    assert (again.id, again.title, again.length, again.state) == (first.id, "Żółw", 9000, "new")
    assert library.find("Żółw") == library.find(str(first.id)) == library.find(str(again.path)) == again


def test_a_name_that_is_no_utf_8_is_kept(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.mp4"
    path.touch()
    film = library.add(path)
    assert library.find(str(path)) == film
    assert (film.path, film.title) == (path, "caf?")


def test_a_film_that_moved_keeps_its_number(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    first = library.add(tmp_path / "a.mp4", fingerprint="1")
    copy = library.add(tmp_path / "copy.mp4", fingerprint="1")
    assert copy.id != first.id
    (tmp_path / "a.mp4").rename(tmp_path / "b.mp4")
    assert library.add(tmp_path / "b.mp4", fingerprint="1").id == first.id


def test_a_film_that_changed_says_so(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4", fingerprint="1")
    library.set_state(film.id, "done")
    assert library.add(tmp_path / "a.mp4", fingerprint="1").state == "done"
    assert library.add(tmp_path / "a.mp4", fingerprint="2").state == "changed"


def test_a_film_that_is_gone_says_so_until_it_is_back(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    film = library.add(tmp_path / "a.mp4")
    library.set_state(film.id, "done")
    (tmp_path / "a.mp4").rename(tmp_path / "elsewhere")
    assert [film.state for film in library.films()] == ["missing"]
    assert library.find("a").state == "missing"
    assert (len(library.films(state="missing")), library.count(state="missing")) == (1, 1)
    (tmp_path / "elsewhere").rename(tmp_path / "a.mp4")
    assert [film.state for film in library.films()] == ["done"]
    assert (library.films(state="missing"), library.count(state="missing")) == ((), 0)


def test_a_film_whose_run_was_killed_waits_once_its_lease_lapsed(tmp_path: Path) -> None:
    now = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
    (tmp_path / "a.mp4").touch()
    with Library.open(tmp_path / "films.db", lambda: now) as library:
        film = library.add(tmp_path / "a.mp4").id
        library.set_state(film, "running")
        job = library.jobs.add_job(film, "hear:1", [(Ms(0), Ms(9))]).id
        assert library.jobs.take(job, "desk:1:1")
        for _later in range(3):
            now += timedelta(seconds=90)
            library.jobs.keep("desk:1:1")
            assert library.film(film).state == "running"
        now += timedelta(minutes=3)
        assert (library.film(film).state, library.count(state="running")) == ("queued", 0)
        assert [film.state for film in library.films(state="queued")] == ["queued"]
        library.still([film])  # it is looked at again, before there is a job
        assert library.film(film).state == "running"


def test_pages_of_films(library: Library, tmp_path: Path) -> None:
    for name in ("c", "a", "b", "100%"):
        library.add(tmp_path / f"{name}.mp4")
    library.set_state(library.find("b").id, "failed", "No sound.")
    assert [film.title for film in library.films(first=1, most=2)] == ["a", "b"]
    assert [(film.title, film.reason) for film in library.films(state="failed")] == [("b", "No sound.")]
    assert [film.title for film in library.films(asked="%")] == ["100%"]
    assert (library.count(), library.count(asked="0%")) == (4, 1)


def test_a_film_that_nobody_knows_is_a_sentence(library: Library, tmp_path: Path) -> None:
    library.add(tmp_path / "one" / "a.mp4")
    library.add(tmp_path / "two" / "a.mp4")
    with pytest.raises(NotThere, match="no film"):
        library.find("zzz")
    with pytest.raises(NotThere, match="several"):
        library.find("a")
    with pytest.raises(NotThere):
        library.set_state(99, "done")


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_save_is_a_version_and_can_be_undone(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4", language="pl").id
    first = document("Dzień dobry.", "Witam państwa.")
    library.texts.save(film, None, first, "studio", "recognised")
    second = reworded(first, 2, "Witam Państwa.")
    assert library.texts.save(film, 1, second, "Ewa").number == 2
    assert library.texts.document(film) == second
    assert library.texts.undo(film) is not None
    assert library.texts.document(film) == first
    assert library.texts.undo(film) is None
    redone = library.texts.redo(film)
    assert redone is not None
    assert (redone.number, library.texts.document(film)) == (2, second)
    assert library.texts.redo(film) is None
    restored = library.texts.restore(film, "pl", 1, "Ewa")
    assert (restored.number, restored.kind, library.texts.document(film)) == (3, "restored", first)
    assert [(each.number, each.by, each.head) for each in library.texts.versions(film)] == [
        (3, "Ewa", True),
        (2, "Ewa", False),
        (1, "studio", False),
    ]


def test_nobody_takes_back_what_somebody_else_did_meanwhile(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4", language="pl").id
    first = document("Dzień dobry.", "Witam państwa.")
    library.texts.save(film, None, first, "studio", "recognised")
    second = reworded(first, 2, "Witam Państwa.")
    library.texts.save(film, 1, second, "Ewa")
    library.texts.save(film, 2, reworded(second, 1, "Dobry wieczór."), "Jan")
    changes: tuple[Callable[[], object], ...] = (
        lambda: library.texts.undo(film, "pl", 2),
        lambda: library.texts.redo(film, "pl", 2),
        lambda: library.texts.restore(film, "pl", 1, "Ewa", 2),
    )
    for change in changes:
        with pytest.raises(Conflict) as caught:
            change()
        assert caught.value.head.number == library.texts.head(film).number == 3
    assert library.texts.undo(film, "pl", 3) is not None
    assert library.texts.document(film) == second


def test_hundreds_of_edits_are_small_and_each_can_be_read(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    now = document(*(f"To jest wiersz numer {number} tego filmu." for number in range(1, 100)))
    library.texts.save(film, None, now, "studio", "recognised")
    was = {1: now}
    for number in range(2, 56):
        now = reworded(now, number, f"Zmiana {number}")
        was[library.texts.save(film, number - 1, now, "Ewa").number] = now
    assert {number: library.texts.document(film, None, number) for number in was} == was
    assert library.path.stat().st_size < 300_000


def test_an_order_that_is_not_of_time_is_kept(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    first = Document("pl", "polish", (cue(2, "b", start=0), cue(1, "a", start=0)))
    library.texts.save(film, None, first, "x", "imported")
    second = Document("pl", "polish", (cue(1, "a", start=0), cue(2, "b", start=0)))
    library.texts.save(film, 1, second, "x")
    assert library.texts.document(film, None, 1) == first
    assert library.texts.document(film, None, 2) == second


def test_saving_what_stands_there_makes_no_version(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    library.texts.save(film, None, document("a"), "x", "recognised")
    assert library.texts.save(film, 1, document("a"), "y").number == 1


def test_two_editors_at_once_are_told(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    first = document("jeden", "dwa")
    library.texts.save(film, None, first, "studio", "recognised")
    ewas, jans = reworded(first, 1, "Jeden."), reworded(first, 2, "Dwa.")
    library.texts.save(film, 1, ewas, "Ewa")
    with pytest.raises(Conflict, match="Ewa") as told:
        library.texts.save(film, 1, jans, "Jan")
    assert (told.value.head.number, told.value.theirs, told.value.mine) == (2, ewas, jans)
    assert library.texts.document(film) == ewas


def test_an_edit_after_acceptance_clears_it_and_keeps_its_history(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    first = document("jeden")
    library.texts.save(film, None, first, "studio", "recognised")
    library.texts.accept(film, None, "Dyrektorka")
    assert library.texts.head(film).accepted_by == "Dyrektorka"
    library.texts.save(film, 1, reworded(first, 1, "dwa"), "Ewa")
    head = library.film(film).heads[0]
    assert (head.accepted_by, head.was_accepted) == (None, 1)
    with pytest.raises(Conflict):
        library.texts.accept(film, "pl", "Dyrektorka", number=1)
    library.texts.undo(film)
    assert library.texts.head(film).accepted_by == "Dyrektorka"


def test_the_language_that_is_spoken_is_meant(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4", language="pl").id
    with pytest.raises(NotThere, match="no subtitles yet"):
        library.texts.document(film)
    library.texts.save(film, None, document("good day", language="en"), "x", "recognised")
    library.texts.save(film, None, document("dzień dobry"), "x", "recognised")
    assert library.texts.document(film).language == "pl"
    library.speaks(film, "lt")
    with pytest.raises(NotThere, match="say which"):
        library.texts.document(film)


# ── search ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_diacritics_do_not_count(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    library.texts.save(film, None, document("Żółw wszedł na łąkę.", "Ąžuolas, šiaurė, ėjo."), "x", "recognised")
    for asked, found in {
        "zolw": "Żółw",
        "ŁĄKĘ": "łąkę",
        "laka": None,
        "siaure": "šiaurė",
        "azuolas": "Ąžuolas",
    }.items():
        hits = library.search(asked).hits
        assert [hit.text[slice(*hit.marks[0])] for hit in hits] == ([found] if found else []), asked


def test_a_hit_says_where_to_jump_to(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4", title="Bajki").id
    library.texts.save(film, None, document("Był sobie król.", "Król był dobry, ten król."), "x", "recognised")
    found = library.search("król", most=1)
    assert [(hit.title, hit.cue, hit.start) for hit in found.hits] == [("Bajki", 1, 2000)]
    assert found.next is not None
    last = library.search("król", after=found.next)
    assert ([hit.marks for hit in last.hits], last.next) == ([((0, 4), (20, 24))], None)


@pytest.mark.parametrize(
    ("asked", "cues"),
    [
        ("dom kultury", [1, 2]),
        ('"dom kultury"', [1]),
        ("kult*", [1, 2]),
        ("kult", []),
        ("dom -nowy", [1]),
        ("-dom", []),
        ("", []),
        ('"', []),
        ("***", []),
        ('dom"', [1, 2]),
        ("AND OR NOT", []),
        ("dom AND", []),
        ("NEAR(dom)", []),
        ("body:dom", []),
        ("^dom", [1, 2]),
        ("(dom", [1, 2]),
        ("dom\x00", [1, 2]),
        ("'; DROP TABLE films; --", []),
        ("dom\ud800", [1, 2]),
    ],
)
def test_no_question_is_wrong(library: Library, tmp_path: Path, asked: str, cues: list[int]) -> None:
    film = library.add(tmp_path / "a.mp4").id
    library.texts.save(film, None, document("To jest dom kultury.", "Kultury nowy dom."), "x", "recognised")
    assert [hit.cue for hit in library.search(asked).hits] == cues


def test_the_index_follows_the_newest_version(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    first = document("łoś", "sarna", "zając")
    library.texts.save(film, None, first, "x", "recognised")
    library.texts.save(film, 1, reworded(first, 1, "łania"), "x")
    assert [len(library.search(asked).hits) for asked in ("los", "lania", "sarna")] == [0, 1, 1]
    library.texts.undo(film)
    assert [len(library.search(asked).hits) for asked in ("los", "lania", "sarna")] == [1, 0, 1]
    library.forget(film)
    assert [len(library.search(asked).hits) for asked in ("los", "lania", "sarna")] == [0, 0, 0]
    assert library.films() == ()


def test_a_phrase_is_found_where_it_goes_on_in_the_next_cue(library: Library, tmp_path: Path) -> None:
    lines = ("Dzień dobry. Przyszła", "żółta Łódź podwodna", "do domu", "żółta łódź", "i nic")
    for name in "ab":
        film = library.add(tmp_path / f"{name}.mp4")
        library.texts.save(film.id, None, document(*lines), "x", "recognised")

    def found(asked: str, film: int | None = None) -> list[tuple[int, int, str]]:
        hits = library.search(asked, film=film).hits
        return [(hit.film, hit.cue, "|".join(hit.text[begin:end] for begin, end in hit.marks)) for hit in hits]

    assert found('"przyszła żółta łódź"', film=1) == [(1, 1, "Przyszła żółta Łódź")]
    assert found('"przyszla zolta lodz"', film=2) == [(2, 1, "Przyszła żółta Łódź")]
    assert found('"dobry przyszła żółta"', film=1) == [(1, 1, "dobry. Przyszła żółta")]
    assert found('"podwodna do dom*"', film=1) == [(1, 2, "podwodna do domu")]
    assert found('"zolta lodz"', film=1) == [(1, 2, "żółta Łódź"), (1, 4, "żółta łódź")]
    assert found('"domu żółta"') == [(1, 3, "domu żółta"), (2, 3, "domu żółta")]
    for nowhere in ('"nic dzień"', '"przyszła łódź"', '"podwodna do dom"', '-"przyszła żółta"', '"przyszła żółta" nic'):
        assert not found(nowhere), nowhere
    hit = library.search('"domu żółta"').hits[0]
    assert (hit.start, hit.end) == (6000, 9500)
    assert hit.text == "do domu żółta łódź"

    page = library.search('"łódź i"', most=1)
    assert page.next is not None
    last = library.search('"łódź i"', after=page.next, most=1)
    assert [(hit.film, hit.cue) for hit in (*page.hits, *last.hits)] == [(1, 4), (2, 4)]
    assert last.next is None


def test_search_in_one_film_and_one_language(library: Library, tmp_path: Path) -> None:
    one, two = (library.add(tmp_path / f"{name}.mp4").id for name in "ab")
    for film in (one, two):
        for language in ("pl", "en"):
            library.texts.save(film, None, document("radio", language=language), "x", "recognised")
    assert [hit.film for hit in library.search("radio", film=two).hits] == [two, two]
    assert [hit.film for hit in library.search("radio", language="en").hits] == [one, two]
    assert len(library.search("rad", typing=True).hits) == 4


# ── corrections ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_people_put_right_is_suggested(library: Library, tmp_path: Path) -> None:
    for name in ("a", "b"):
        film = library.add(tmp_path / f"{name}.mp4").id
        first = document("Witamy w Kamienicy pod Lwami.", "Gra Moniuszka.")
        library.texts.save(film, None, first, "studio", "recognised")
        typed = reworded(first, 1, "Witamy w Kamienicy pod Lwem.")
        library.texts.save(film, 1, typed, "Ewa")
        library.texts.save(film, 2, reworded(typed, 1, "Witamy w Kamienicy pod Lipami."), "Ewa")
    assert [(each.before, each.after) for each in library.texts.corrections("pl")] == [("Lwami", "Lipami")] * 2
    assert [(each.heard, each.write, each.times, each.films) for each in suggestions(library.texts.corrections())] == [
        ("lwami", "Lipami", 2, 2)
    ]


# ── the ledger ────────────────────────────────────────────────────────────────────────────────────────────────────────

PARTS = ((Ms(0), Ms(60_000)), (Ms(60_000), Ms(90_000)))


def test_a_job_goes_through_its_chunks_once(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    job = library.jobs.add_job(film, "settings", PARTS, b"plan")
    assert library.jobs.add_job(film, "settings", PARTS, b"other") == job
    assert library.jobs.take(job.id, "me")
    first, second = library.jobs.claim(job.id, "w1"), library.jobs.claim(job.id, "w2")
    assert first is not None
    assert second is not None
    assert (first.number, second.number, library.jobs.claim(job.id, "w3")) == (0, 1, None)
    assert library.jobs.finish_chunk(job.id, 0, b"heard", "w1")
    assert not library.jobs.finish_chunk(job.id, 0, b"late", "w2")
    library.jobs.release(job.id, 1, "the worker is gone")
    again = library.jobs.claim(job.id, "w3")
    assert again is not None
    assert (again.attempts, again.error) == (2, "the worker is gone")
    assert library.jobs.finish_chunk(job.id, 1, b"more")
    assert [chunk.payload for chunk in library.jobs.chunks(job.id)] == [b"heard", b"more"]
    library.jobs.finish_job(job.id)
    assert library.jobs.job(job.id).state == "done"
    assert not library.jobs.take(job.id, "me")
    library.jobs.fail_job(job.id, "no")
    assert library.jobs.job(job.id).state == "done"


def test_what_was_done_stays_done_when_another_takes_the_job(library: Library, tmp_path: Path) -> None:
    film = library.add(tmp_path / "a.mp4").id
    job = library.jobs.add_job(film, "settings", PARTS).id
    assert library.jobs.take(job, "one")
    assert not library.jobs.take(job, "two")
    library.jobs.claim(job, "w")
    library.jobs.finish_chunk(job, 0, b"heard")
    library.jobs.claim(job, "w")
    library.jobs.leave("one")
    assert library.jobs.take(job, "two")
    assert [(chunk.number, chunk.state) for chunk in library.jobs.open_chunks(job)] == [(1, "open")]
    library.jobs.fail_job(job, "The disk is full.")
    assert library.jobs.job(job).reason == "The disk is full."
    assert [each.id for each in library.jobs.all("failed")] == [job]
    assert library.jobs.take(job, "three")
    assert library.jobs.job(job).done == 1


def test_a_copy_of_the_file_is_a_library(library: Library, tmp_path: Path) -> None:
    library.add(tmp_path / "a.mp4")
    library.close()
    shutil.copy(library.path, tmp_path / "copy.db")
    with open_library(tmp_path / "copy.db") as copy:
        assert copy.count() == 1
