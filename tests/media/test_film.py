"""What is in a film, however odd it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.media import films

from studio import media
from studio.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_whole_film_says_what_is_in_it(tmp_path: Path) -> None:
    film = media.film(films.whole(tmp_path / films.ODD_NAME))
    assert film.length is not None
    assert abs(film.length - 4000) < 50
    assert film.picture is not None
    assert (film.picture.width, film.picture.height, film.picture.rate, film.picture.steady) == (160, 90, 25, True)
    assert [(chapter.start, chapter.end, chapter.title) for chapter in film.chapters] == [
        (0, 2000, "Początek"),
        (2000, 4000, "Pabaiga"),
    ]
    assert (film.title, film.reads_to, film.texts) == ("Ąžuolas", None, ())


def test_of_twelve_sound_tracks_the_one_with_speech_in_the_wanted_language_is_taken(tmp_path: Path) -> None:
    film = media.film(films.twelve_tracks(tmp_path / "festival.mkv"))
    assert [track.number for track in film.sounds] == list(range(1, 13))
    polish = film.speech("pl")
    assert polish is not None
    assert (polish.number, polish.language, polish.layout, polish.aside) == (5, "pl", "5.1(side)", False)
    assert film.sounds[5].aside
    anybody = film.speech()
    assert anybody is not None
    assert anybody.number == 1


@pytest.mark.parametrize(("name", "least", "most"), [("a.mp4", 4500, 6500), ("a.mkv", 4500, 6500)])
def test_a_film_that_was_cut_off_says_how_far_it_can_be_read(tmp_path: Path, name: str, least: int, most: int) -> None:
    film = media.film(films.truncated(tmp_path / name))
    assert film.length is not None
    assert film.length > 11_000
    assert film.reads_to is not None
    assert least < film.reads_to < most


def test_pictures_that_do_not_follow_each_other_evenly_are_seen(tmp_path: Path) -> None:
    picture = media.film(films.unsteady(tmp_path / "phone.mp4")).picture
    assert picture is not None
    assert not picture.steady


def test_subtitles_that_are_pictures_are_told_from_text(tmp_path: Path) -> None:
    (text,) = media.film(films.with_bitmaps(tmp_path / "dvd.mkv")).texts
    assert (text.number, text.kind, text.language) == (1, "bitmap", "lt")


def test_no_sound_is_a_fact(tmp_path: Path) -> None:
    film = media.film(films.no_sound(tmp_path / "silent.mp4"))
    assert film.sounds == ()
    assert film.speech() is None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (films.no_media, "is it a media file?"),
        (films.without_index, "was cut off"),
        (lambda path: path, "is not there"),
        (lambda path: path.touch() or path, "is empty"),
        (lambda path: path.mkdir() or path, "is a folder"),
    ],
)
def test_what_cannot_be_read_says_so_in_a_sentence(tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    with pytest.raises(MediaError, match=says):
        media.film(make(tmp_path / "film.mp4"))
