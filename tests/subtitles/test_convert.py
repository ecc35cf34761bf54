"""Where converted files go, before anything is written."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from studio.errors import SubtitlesError
from studio.subtitles import ConvertWish, Track, convert, targets, write_whole

A, B = Path("x/a.pl.srt"), Path("y/b.ebu-tt-d.xml")


def test_beside_the_source_or_into_a_folder_or_as_named(tmp_path: Path) -> None:
    both = targets((A, B), ConvertWish(("stl", "ebu-tt-d")))
    assert [str(path) for places in both.values() for path in places.values()] == [
        "x/a.pl.stl",
        "x/a.pl.ebu-tt-d.xml",
        "y/b.stl",
        "y/b.ebu-tt-d.xml",
    ]
    assert targets((A, B), ConvertWish(("vtt",), tmp_path))[B]["vtt"] == tmp_path / "b.vtt"
    assert targets((A,), ConvertWish(("vtt",), Path("new")))[A]["vtt"] == Path("new/a.pl.vtt")
    assert targets((A,), ConvertWish((), Path("new.ttml"))) == {A: {"ttml": Path("new.ttml")}}
    assert targets((A,), ConvertWish(("ebu-tt-d",), Path("new.ttml"))) == {A: {"ebu-tt-d": Path("new.ttml")}}


@pytest.mark.parametrize(
    ("sources", "wish", "sentence"),
    [
        ((A,), ConvertWish(), "--format is missing"),
        ((A,), ConvertWish(("sub",)), 'no subtitle format "sub"; use one of srt, vtt, ass, ttml, ebu-tt-d, stl'),
        ((A,), ConvertWish((), Path("a.doc")), "an ending that is not known"),
        ((A, B), ConvertWish((), Path("a.stl")), "is one file"),
        ((A, Path("y/a.pl.vtt")), ConvertWish(("stl",), Path("new")), "would both become"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    sources: tuple[Path, ...], wish: ConvertWish, sentence: str
) -> None:
    with pytest.raises(SubtitlesError, match=sentence):
        targets(sources, wish)


def test_a_source_that_is_not_there_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(b"old")
    with pytest.raises(SubtitlesError, match="no such file"):
        convert(Track(()), tmp_path / "none.srt", "stl", tmp_path / "a.stl", ConvertWish(overwrite=True))
    assert (tmp_path / "a.stl").read_bytes() == b"old"


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    """So is what leads to one: root could put a file in the place of `/dev/null` or `/dev/stdout`."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        heard: list[str] = []
        reader = threading.Thread(target=lambda said=heard: said.append(pipe.read_text("utf-8")))
        reader.start()
        write_whole(path, "Zażółć")
        reader.join()
        assert heard == ["Zażółć"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_a_device_that_takes_nothing_is_a_sentence_and_stays(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(SubtitlesError, match="cannot be written"):
        write_whole(full, "Zażółć")
    assert stat.S_ISCHR(full.stat().st_mode)
    assert list(tmp_path.iterdir()) == [full]
