"""Journals and subtitle files on a disk that is torn, full or gone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from studio.captions import ShowFiles, read_kept
from studio.captions._journal import Journal, cut_torn_line, read_lines
from studio.errors import CaptionsError
from studio.spoken import Cue, Word
from studio.units import HandClock, Ms

if TYPE_CHECKING:
    from pathlib import Path


class Complaints:
    """What a person was told."""

    def __init__(self) -> None:
        self.said: list[str | None] = []

    def file(self, _path: Path, sentence: str | None) -> None:
        self.said.append(sentence)

    def show(self, sentence: str | None) -> None:
        self.said.append(sentence)


def words(*texts: str, at: int = 0) -> list[Word]:
    return [Word(text, Ms(at + n * 500), Ms(at + n * 500 + 400), 0.9) for n, text in enumerate(texts)]


def test_a_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", Complaints().file)
    journal.append("pierwsza\n")
    assert (tmp_path / "j").read_text() == "pierwsza\n"
    journal.append("druga\n")
    assert (tmp_path / "j").read_text() == "pierwsza\ndruga\n"
    journal.close()


def test_a_full_disk_is_said_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path, complaints = tmp_path / "j", Complaints()
    path.symlink_to("/dev/full")
    journal = Journal(path, complaints.file)
    journal.append("a\n")
    journal.append("b\n")
    journal.retry()
    (sentence,) = complaints.said
    assert sentence is not None
    assert "cannot be written (the disk is full)" in sentence
    assert "free some space" in sentence
    assert journal.waiting == 2
    journal.close()
    path.unlink()
    journal.retry()
    assert path.read_text() == "a\nb\n"
    assert complaints.said[1:] == [None]
    journal.close()


def test_only_whole_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"a": 1}\n\x00\x00nonsense\n{"a": 2}\n{"a": 3')
    assert read_lines(path) == [{"a": 1}, {"a": 2}]
    cut_torn_line(path)
    assert path.read_bytes().endswith(b'{"a": 2}\n')
    assert read_lines(tmp_path / "none") == []


def test_a_torn_letter_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes('{"text": "ł'.encode()[:-1])
    cut_torn_line(path)
    assert path.read_bytes() == b""


def test_everything_is_read_again(tmp_path: Path) -> None:
    files = ShowFiles(tmp_path, HandClock(9000), Complaints().show)
    files.settle(words("Dzień", "dobry", "państwu"), Ms(3000))
    files.mark_gap(Ms(4000), Ms(5000))
    files.show(Cue(1, Ms(0), Ms(1400), ("Dzień dobry",)))
    files.mark_heard(Ms(2000))
    files.mark_heard(Ms(8000))
    files.close()
    kept = read_kept(tmp_path)
    assert kept.words == words("Dzień", "dobry", "państwu")
    assert kept.settled_at == [3000] * 3
    assert kept.words_in_cues == 2
    assert kept.gaps == [(4000, 5000)]
    assert kept.heard == 8000
    assert files.late == 7600
    assert (tmp_path / "captions.srt").read_text() == "1\n00:00:00,000 --> 00:00:01,400\nDzień dobry\n\n"


def test_silence_is_marked_now_and_then_only(tmp_path: Path) -> None:
    files = ShowFiles(tmp_path, HandClock(), Complaints().show)
    for until in range(0, 60_000, 100):
        files.mark_heard(Ms(until))
    files.close()
    assert len((tmp_path / "captions.words.jsonl").read_text().splitlines()) == 11


def test_of_two_lines_with_one_number_the_later_is_right(tmp_path: Path) -> None:
    lines = [
        {"number": 1, "start": 0, "end": 900, "lines": ["Dobry"], "words": 1},
        {"number": 2, "start": 1000, "end": 1900, "lines": ["Wilno"], "words": 1},
        {"number": 1, "start": 0, "end": 900, "lines": ["Labas"], "words": 1},
    ]
    (tmp_path / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = [{"text": text, "start": n, "end": n + 1} for n, text in enumerate(("Labas", "Wilno", "i"))]
    (tmp_path / "captions.words.jsonl").write_text("".join(json.dumps(line) + "\n" for line in said))
    kept = read_kept(tmp_path)
    assert [cue.text for cue in kept.cues] == ["Labas", "Wilno"]
    assert kept.words_in_cues == 2


def test_subtitle_files_that_fell_behind_are_made_anew(tmp_path: Path) -> None:
    complaints = Complaints()
    files = ShowFiles(tmp_path, HandClock(), complaints.show)
    files.settle(words("a", "b"), Ms(0))
    files.show(Cue(1, Ms(0), Ms(900), ("a",)))
    files.show(Cue(2, Ms(1000), Ms(1900), ("b",)))
    files.close()
    whole = (tmp_path / "captions.vtt").read_text()
    (tmp_path / "captions.vtt").write_text(whole[:-8])
    (tmp_path / "captions.srt").unlink()
    ShowFiles(tmp_path, HandClock(), complaints.show).close()
    assert (tmp_path / "captions.vtt").read_text() == whole
    assert "b" in (tmp_path / "captions.srt").read_text()
    assert complaints.said == []


def test_a_subtitle_file_that_cannot_be_made_is_made_when_it_can(tmp_path: Path) -> None:
    complaints = Complaints()
    (tmp_path / "captions.srt").mkdir()
    files = ShowFiles(tmp_path, HandClock(), complaints.show)
    files.settle(words("a"), Ms(0))
    files.show(Cue(1, Ms(0), Ms(900), ("a",)))
    assert len(complaints.said) == 1
    (tmp_path / "captions.srt").rmdir()
    files.retry()
    assert complaints.said[1:] == [None]
    assert (tmp_path / "captions.srt").read_text() == "1\n00:00:00,000 --> 00:00:00,900\na\n\n"
    files.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere, so no folder refuses it")
def test_a_folder_that_may_not_be_written_is_said_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    complaints = Complaints()
    files = ShowFiles(tmp_path, HandClock(), complaints.show)
    files.settle(words("a"), Ms(0))
    files.close()
    tmp_path.chmod(0o700)
    assert len(complaints.said) == 1


def test_files_of_another_clock_are_set_aside_one_after_the_other(tmp_path: Path) -> None:
    files = ShowFiles(tmp_path, HandClock(), Complaints().show)
    assert files.belongs_to(7)
    for number, epoch in enumerate((7, 8, 9)):
        if number:
            assert not files.belongs_to(epoch)
            assert files.set_aside() == f"captions-{number}"
        files.keep_epoch(epoch)
        files.settle(words("a", "b"), Ms(0))
        files.show(Cue(1, Ms(0), Ms(900), (f"a b {epoch}",)))
    files.close()
    kept = read_kept(tmp_path)
    assert (kept.epoch, len(kept.words), [cue.text for cue in kept.cues]) == (9, 2, ["a b 9"])
    assert "a b 8" in (tmp_path / "captions-2.srt").read_text()
    assert "a b 7" in (tmp_path / "captions-1.vtt").read_text()
    assert not ShowFiles(tmp_path, HandClock(), Complaints().show).belongs_to(7)


def test_what_was_translated_is_set_aside_along_with_what_was_said(tmp_path: Path) -> None:
    """Also where the show to come has no translation."""
    for track in ("", "en"):
        files = ShowFiles(tmp_path, HandClock(), Complaints().show, track)
        files.keep_epoch(7)
        files.settle(words("a"), Ms(0))
        files.close()
    files = ShowFiles(tmp_path, HandClock(), Complaints().show)
    assert files.set_aside() == "captions-1"
    files.close()
    assert not list(tmp_path.glob("captions.en*"))
    assert len(list(tmp_path.glob("captions-1.en.*"))) == len(list(tmp_path.glob("captions-1.*"))) // 2


def test_a_show_that_goes_on_in_another_language_keeps_the_last(tmp_path: Path) -> None:
    for language in ("pl", "lt"):
        files = ShowFiles(tmp_path, HandClock(), Complaints().show)
        files.keep_epoch(7, language)
        files.close()
    assert (read_kept(tmp_path).epoch, read_kept(tmp_path).language) == (7, "lt")


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "captions.words.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(CaptionsError, match="cannot be continued"):
        read_kept(tmp_path)
