"""Who speaks and what sounds, in subtitles for people who cannot hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.archive import (
    Document,
    EditError,
    FilmCue,
    NotThere,
    as_track,
    changes,
    confirm,
    label,
    open_library,
    shift,
    suggest,
)
from studio.archive._schema import STEPS
from studio.archive._store import Store
from studio.catalogue import Catalogue
from studio.speech import Heard, Turn
from studio.spoken import Word
from studio.subtitles import SoundLabels, composed, profile, sound_labels
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

LABELS = SoundLabels("pl", {"[muzyka]": ("Music", "Piano"), "[oklaski]": ("Applause",)}, "OSOBA {n}")


def cue(number: int, start: int, end: int, **more: str) -> FilmCue:
    return FilmCue(number, Ms(start), Ms(end), ("Tak.",), **more)  # type: ignore[arg-type]


def heard(start: int, end: int, sound: str, share: float = 0.9) -> Heard:
    return Heard(Ms(start), Ms(end), sound, share)


FILM = Document("pl", "sdh", (cue(1, 1000, 3000), cue(2, 3080, 5000), cue(3, 9000, 11_000)))


def test_who_speaks_most_of_a_cue_is_its_speaker() -> None:
    turns = [
        Turn(Ms(900), Ms(3100), 1),
        Turn(Ms(3100), Ms(4000), 2),
        Turn(Ms(4000), Ms(4900), 1),
        Turn(Ms(9000), Ms(12_000), 2),
    ]
    assert [one.speaker for one in label(FILM, turns, LABELS).cues] == ["OSOBA 1", None, "OSOBA 2"]
    assert label(FILM, [], LABELS) is FILM


def test_where_another_person_begins_composing_is_told() -> None:
    words = [
        Word(text, Ms(at * 1000), Ms(at * 1000 + 800)) for at, text in enumerate(("Kto", "tam?", "To", "ja,", "Anna."))
    ]
    turns = [Turn(Ms(0), Ms(1900), 1), Turn(Ms(1700), Ms(4900), 2), Turn(Ms(3000), Ms(3300), 1)]
    assert changes(words, turns) == {2}
    lines = [
        line for one in composed(words, profile("sdh", "pl"), turns=changes(words, turns)) for line in one.cue.lines
    ]
    assert lines == ["Kto tam?", "To ja, Anna."]
    assert changes(words, []) == frozenset()


def test_what_a_person_did_stays() -> None:
    film = Document("pl", "sdh", (cue(1, 0, 1000, by="person"), cue(2, 2000, 3000, speaker="Anna")))
    assert label(film, [Turn(Ms(0), Ms(3000), 1)], LABELS) is film


def test_a_label_is_suggested_where_no_cue_stands_and_changes_nothing() -> None:
    found = suggest(
        FILM,
        [heard(0, 20_000, "Music"), heard(480, 1440, "Piano"), heard(5000, 8500, "Applause"), heard(0, 9000, "Dog")],
        LABELS,
    )
    assert [(one.label, one.start, one.end) for one in found] == [("[muzyka]", 5080, 8080)]


def test_two_labels_never_stand_at_once_and_none_is_squeezed_in() -> None:
    found = suggest(FILM, [heard(5000, 8900, "Applause"), heard(5000, 8900, "Music", 0.5)], LABELS)
    assert [(one.label, one.start, one.end) for one in found] == [("[oklaski]", 5080, 8080)]
    assert suggest(FILM, [heard(1000, 4900, "Music")], LABELS) == ()


def test_a_label_keeps_its_distance_from_a_cue_that_begins_as_the_sound_ends() -> None:
    [found] = suggest(FILM, [heard(7000, 8960, "Applause")], LABELS)
    assert (found.start, found.end) == (7000, 8920)


def test_the_same_label_is_not_suggested_again_at_once() -> None:
    empty = Document("pl", "sdh")
    found = suggest(
        empty, [heard(0, 4000, "Music"), heard(8000, 9000, "Music"), heard(30_000, 31_000, "Piano")], LABELS
    )
    assert [(one.start, one.end) for one in found] == [(0, 3000), (30_000, 31_500)]


def test_a_person_confirms_and_only_then_it_is_a_cue() -> None:
    (one,) = suggest(FILM, [heard(5000, 8500, "Applause")], LABELS)
    after = confirm(FILM, one, new=40)
    assert [(cue.id, cue.lines, cue.by) for cue in after.cues if cue not in FILM.cues] == [
        (40, ("[oklaski]",), "person")
    ]
    with pytest.raises(EditError, match="There is a cue at"):
        confirm(after, one)
    assert as_track([one], "pl").cues[0].lines == ("[oklaski]",)


def test_suggestions_wait_in_the_library_and_what_was_refused_does_not_come_back(tmp_path: Path) -> None:
    Store(tmp_path / "films.db", STEPS[:2]).close()  # made by a studio that kept none
    found = suggest(FILM, [heard(5000, 8500, "Applause"), heard(12_000, 20_000, "Music")], LABELS)
    with open_library(tmp_path / "films.db") as library:
        film = library.add(tmp_path / "a.mp4", language="pl").id
        with pytest.raises(NotThere):
            library.sounds.keep(film, "pl", found)
        library.texts.save(film, None, FILM, "studio", "recognised")
        library.sounds.keep(film, "pl", found)
        clapping, music = library.sounds.waiting(film, FILM)
        assert (clapping.label, music.label) == ("[oklaski]", "[muzyka]")
        assert library.texts.document(film) == FILM

        library.sounds.refuse(film, "pl", [music.id])
        library.sounds.keep(film, "pl", found)
        assert library.sounds.waiting(film, FILM) == (clapping,), "it keeps its number, too"

        made = library.sounds.accept(film, "pl", 1, [clapping.id], "Ona")
        after = library.texts.document(film)
        assert (made.number, made.by, made.kind) == (2, "Ona", "edited")
        assert [cue.lines for cue in after.cues if cue.by == "person"] == [("[oklaski]",)]
        library.sounds.keep(film, "pl", found)
        assert library.sounds.waiting(film, after) == ()
        with pytest.raises(NotThere, match="waits any more"):
            library.sounds.accept(film, "pl", 2, [clapping.id], "Ona")
        library.texts.undo(film)
        assert [one.label for one in library.sounds.waiting(film, library.texts.document(film))] == ["[oklaski]"]
        library.forget(film)
        with library.store.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM sounds").scalar() == 0
            assert connection.exec_driver_sql("SELECT count(*) FROM sound_clocks").scalar() == 0


def test_suggestions_move_with_the_cues_around_them(tmp_path: Path) -> None:
    found = suggest(FILM, [heard(5000, 8500, "Applause"), heard(12_000, 20_000, "Music")], LABELS)
    with open_library(tmp_path / "films.db") as library:
        film = library.add(tmp_path / "a.mp4", language="pl").id
        library.texts.save(film, None, FILM, "studio", "recognised")
        library.sounds.keep(film, "pl", found)

        def waiting() -> list[tuple[str, int]]:
            now = library.sounds.waiting(film, library.texts.document(film))
            return [(one.label, one.start - was.start) for one, was in zip(now, found, strict=True)]

        library.texts.save(film, 1, shift(FILM, Ms(700), FILM.cues[2].start), "Ona")
        assert waiting() == [("[oklaski]", 0), ("[muzyka]", 700)]
        library.texts.undo(film)
        assert waiting() == [("[oklaski]", 0), ("[muzyka]", 0)]
        library.texts.redo(film)
        later = library.texts.save(film, 2, shift(library.texts.document(film), Ms(300)), "Ona").number
        assert waiting() == [("[oklaski]", 300), ("[muzyka]", 1000)]

        applause, music = library.sounds.waiting(film, library.texts.document(film))
        library.sounds.refuse(film, "pl", [applause.id])
        library.sounds.keep(film, "pl", [applause, music])  # as it is heard in the film as it is moved
        assert library.sounds.waiting(film, library.texts.document(film)) == (music,)
        library.sounds.accept(film, "pl", later, [music.id], "Ona")
        (label,) = (cue for cue in library.texts.document(film).cues if cue.by == "person")
        assert (label.start, label.end) == (music.start, music.end)


@pytest.mark.parametrize("language", ["pl", "lt", "en"])
def test_every_shipped_label_is_bracketed_and_names_the_same_kinds(language: str) -> None:
    labels, polish = sound_labels(language), sound_labels("pl")
    assert labels.language == language
    assert set(labels.of) == set(polish.of)
    assert all(one.startswith("[") and one.endswith("]") and len(one) <= 42 for one in labels.labels)
    assert labels.person(2).endswith(" 2")
    assert sound_labels("de", Catalogue()).language == "en"


def test_a_kind_has_one_label() -> None:
    with pytest.raises(ValueError, match='"Music" stands for'):
        SoundLabels("pl", {"[muzyka]": ("Music",), "[pieśń]": ("Music",)})
