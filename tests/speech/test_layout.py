"""How films are heard quickest is kept for each model, and asked for by whoever hears them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from studio import speech
from studio.app._films import _layout
from studio.speech import Layout, layout_for
from studio.speech import _layout as layout
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from studio.sound import AudioChunk

BY_CORE = Layout(layout.cores(), 1)
HOUR = 3_600_000


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model's folder, as far as nobody loads it, in a place for models of its own."""
    monkeypatch.setenv("STUDIO_MODELS", str(tmp_path))
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    return folder


def test_what_was_found_is_kept_for_that_model(model: Path, tmp_path: Path) -> None:
    assert layout_for(model) == BY_CORE
    assert layout.keep_layout(model, Layout(1, 7, 9.5))
    other = tmp_path / "small"
    other.mkdir()
    (other / "model.bin").touch()
    assert layout_for(model) == Layout(1, 7, 9.5)
    assert layout_for(other) == BY_CORE
    assert layout.keep_layout(other, Layout(1, 3, 2.0))
    assert layout_for(model) == Layout(1, 7, 9.5)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["base", "layouts.json", "small"]


def test_another_model_in_its_place_or_other_cores_were_not_measured(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert layout.keep_layout(model, Layout(1, 7, 9.5))
    (model / "model.bin").write_bytes(b"other weights")
    assert layout_for(model) == BY_CORE
    (model / "model.bin").write_bytes(b"weights")
    monkeypatch.setattr(layout, "cores", lambda: 64)
    assert layout_for(model) == Layout(64, 1)


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"base": 3}', "[]", '{"base": {"processes": 0, "threads": 1, "speed": 1, "cores": 2, "size": 7}}'],
)
def test_what_cannot_be_read_was_not_measured(model: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "layouts.json").write_text(text)
    assert layout_for(model) == BY_CORE
    assert layout.keep_layout(model, Layout(1, 7, 9.5))
    assert layout_for(model) == Layout(1, 7, 9.5)


def test_where_nothing_can_be_written_nothing_is_kept(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_MODELS", os.devnull)
    assert not layout.keep_layout(model, Layout(1, 7, 9.5))
    assert layout_for(model) == BY_CORE


def test_films_are_heard_as_was_quickest(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "cores", lambda: 4)
    assert _layout(model, 2, HOUR) == Layout(4, 1)
    assert layout.keep_layout(model, Layout(1, 4, 9.5))
    assert _layout(model, 2, HOUR) == Layout(1, 4)


def test_one_short_film_and_small_memory_leave_all_cores_to_one_process(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "cores", lambda: 4)
    assert _layout(model, 1, 60_000) == Layout(1, 4)
    with (model / "model.bin").open("r+b") as weights:
        weights.truncate(1 << 40)
    assert _layout(model, 9, HOUR) == Layout(1, 4)


def test_more_threads_hear_the_same(base: Path, talk: AudioChunk) -> None:
    heard = [speech.Archivist(base, "en", threads).transcribe(talk.samples, Ms(0)) for threads in (1, 2)]
    assert heard[0].words
    assert heard[0] == heard[1]
