"""What `studio captions` writes, on a disk that takes no more for a while."""

from __future__ import annotations

import json
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.captions.scripted_ears import ScriptedEars

from studio.captions import Alone, Paper, View
from studio.catalogue import Catalogue
from studio.errors import CaptionsError
from studio.sound import SPEECH_RATE, AudioChunk
from studio.spoken import Cue, Word
from studio.subtitles import read, rules_for
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.speech import Hearing

NAMES = ("a.srt", "a.vtt", "a.ass")


@contextmanager
def full_disk() -> Iterator[None]:
    """The system refuses to let any file of this process grow past its first bytes: what a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def say_three(paper: Paper) -> None:
    for n in range(3):
        word = Word(f"word{n}", Ms(n * 1000), Ms(n * 1000 + 800))
        paper.see(View(n, (word,), "", Ms(0), quiet=False, position=word.end))
        paper.show(Cue(n + 1, word.start, word.end, (word.text,)))


def test_a_full_disk_is_said_once_and_nothing_is_missing_when_there_is_room_again(tmp_path: Path) -> None:
    said: list[str] = []
    paper = Paper(tmp_path / "e.jsonl", [tmp_path / name for name in NAMES], "en", said.append)
    with full_disk():
        say_three(paper)
    assert len(said) == 1
    assert "captions go on" in said[0]
    paper.finish(heard=True)
    assert said[1:] == ["There is room again; everything is written, nothing is missing."]
    for name in NAMES:
        assert [cue.text for cue in read(tmp_path / name).cues] == ["word0", "word1", "word2"]
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert [event["settled"] for event in events] == ["word0", "word0 word1", "word0 word1 word2"]
    assert (tmp_path / "a.captions.jsonl").read_text("utf-8").count("\n") == 6


def test_a_disk_that_stays_full_fails_the_run_and_names_the_files(tmp_path: Path) -> None:
    said: list[str] = []
    paper = Paper(None, [tmp_path / "a.srt"], "en", said.append)
    paper.patience = 0
    with full_disk():
        say_three(paper)
        with pytest.raises(CaptionsError, match=r"a\.srt"):
            paper.finish(heard=True)
    assert len(said) == 1


class Silence:
    """Ten seconds of it."""

    live = False
    length: Ms | None = None

    def chunks(self) -> Iterator[AudioChunk]:
        for start in range(0, 10_000, 100):
            yield AudioChunk(SPEECH_RATE, Ms(start), np.zeros(SPEECH_RATE // 10, np.float32))

    def stop(self) -> None:
        """It ends by itself."""


class Impatient(ScriptedEars):
    """Somebody presses Ctrl-C a second time while the last words are looked at."""

    def finish(self) -> Hearing:
        raise KeyboardInterrupt


def test_what_was_settled_stands_in_the_subtitles_also_after_a_second_ctrl_c(tmp_path: Path) -> None:
    paper = Paper(None, [tmp_path / "a.srt"], "pl", lambda _sentence: None)
    alone = Alone(
        Silence(), Impatient(looks=True), paper, rules_for(Catalogue(), "pl"), lambda _view: None, fast=True, looks=True
    )
    with pytest.raises(KeyboardInterrupt):
        alone.run()
    lines = [json.loads(line) for line in (tmp_path / "a.captions.jsonl").read_text("utf-8").splitlines()]
    words = " ".join(cue.text.replace("\n", " ") for cue in read(tmp_path / "a.srt").cues).split()
    assert words[-1] == [line["text"] for line in lines if "text" in line][-1], "the last that the journal has"
    assert words[0] == "słowo0"


@pytest.mark.parametrize(
    ("events", "outs"),
    [
        ("x/../e.srt", ["e.srt"]),
        (None, ["k.srt", "x/../k.srt"]),
        ("linked.jsonl", ["m.srt"]),
        ("m.captions.jsonl", ["m.srt"]),
    ],
)
def test_a_file_named_twice_is_noticed_however_it_is_written(
    events: str | None, outs: list[str], tmp_path: Path
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "m.captions.jsonl").write_text("kept", "utf-8")
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "m.captions.jsonl")
    names = [tmp_path / name for name in outs]
    with pytest.raises(CaptionsError, match="named twice"):
        Paper(tmp_path / events if events else None, names, "en", lambda _sentence: None)
    assert (tmp_path / "m.captions.jsonl").read_text("utf-8") == "kept"
