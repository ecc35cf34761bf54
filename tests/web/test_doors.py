"""Servers of one user find each other, and not those that were killed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from studio.web._doors import Door, Doors

if TYPE_CHECKING:
    from pathlib import Path


def test_a_door_is_found_by_others_while_it_is_open(tmp_path: Path) -> None:
    show, vocal = Doors(tmp_path / "doors"), Doors(tmp_path / "doors")
    assert show.others() == []
    with show.open(["/"], "0.0.0.0", 8710), vocal.open(["/vocal"], "127.0.0.1", 8711):  # noqa: S104 - never bound
        assert show.others() == [Door(["/vocal"], 8711, "here")]
        assert vocal.others() == [Door(["/"], 8710, "any")]
        assert len(Doors(tmp_path / "doors").others()) == 2
    assert Doors(tmp_path / "doors").others() == []


def test_what_was_left_behind_or_is_no_note_is_no_door(tmp_path: Path) -> None:
    left = tmp_path / "17-8710.json"
    left.write_text('{"pages":["/"],"port":8710,"where":"here"}')
    assert Doors(tmp_path).others() == []
    assert not left.exists()
    with Doors(tmp_path).open(["/"], "10.0.0.5", 1) as _, Doors(tmp_path).open(["/films"], "fd00::5", 2):
        assert [door.where for door in Doors(tmp_path).others()] == ["10.0.0.5", "[fd00::5]"]
        (tmp_path / f"{os.getpid()}-1.json").write_text("{")
        assert [door.port for door in Doors(tmp_path).others()] == [2]


def test_a_folder_that_cannot_be_used_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file", tmp_path / "file" / "below"):
        doors = Doors(folder)
        with doors.open(["/"], "localhost", 8710):
            assert doors.others() == []


@pytest.mark.parametrize("name", ["studio.local", "localhost"])
def test_a_name_is_an_address_of_its_own(tmp_path: Path, name: str) -> None:
    with Doors(tmp_path).open(["/"], name, 1):
        (door,) = Doors(tmp_path).others()
        assert door.where == ("here" if name == "localhost" else name)
