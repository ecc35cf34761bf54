"""What is kept of films for their pages: up to a size, and what somebody asked for stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from studio.app._film_kept import Kept

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path, count: int) -> list[Path]:
    films = [folder / f"{number}.mp4" for number in range(count)]
    for film in films:
        film.write_bytes(film.name.encode())
    return films


def test_what_nobody_asked_for_longest_goes_first(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "waves", ".peaks", 30)
    files = [kept.file(film) for film in made(tmp_path, 4)]
    for age, file in enumerate(files[:3]):
        kept.put(file, bytes(10))
        os.utime(file, (age, age))
    assert kept.asked(files[0]), "it is the newest from now on"
    kept.put(files[3], bytes(10))
    assert [kept.asked(file) for file in files] == [True, False, True, True]


def test_the_newest_stays_whatever_its_size_and_what_was_left_half_written_goes(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "waves", ".peaks", 30)
    file = kept.file(made(tmp_path, 1)[0])
    kept.put(file, bytes(5))
    aside = file.with_name(f".{file.name}.1")
    aside.write_bytes(bytes(20))
    os.utime(aside, (1, 1))
    kept.put(file, bytes(99))
    assert list(file.parent.iterdir()) == [file]


def test_a_film_that_changed_has_another_file(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "waves", ".peaks", 30)
    film = made(tmp_path, 1)[0]
    before = kept.file(film)
    film.write_bytes(b"another film")
    assert kept.file(film) != before
    assert not kept.asked(kept.file(film))
