"""`studio captions` as a technician runs it: words of a file, and one sentence for each mistake."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio.errors import SpeechError
from studio.speech import resolve
from studio.subtitles import read

if TYPE_CHECKING:
    from tests.app.technician import Studio


@pytest.fixture(scope="module")
def spoken(shared: Path) -> Path:
    """Eleven seconds of English; skips aloud without it or the model."""
    try:
        resolve("base", offline=True)
    except SpeechError as problem:
        pytest.skip(f"the base model of the tests is not here: {problem}")
    return shared / "data" / "en" / "jfk_inaugural.flac"


def one_sentence(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    assert "Traceback" not in said
    assert len(lines) == 1, said
    return lines[0]


@pytest.mark.shared
def test_a_file_becomes_events_and_subtitles(studio: Studio, spoken: Path, tmp_path: Path) -> None:
    outs = ("--out", "a.srt", "--out", "a.vtt", "--out", "a.ass")
    ended = studio("captions", spoken, "--lang", "en", "--pace", "fast", "--events", "e.jsonl", *outs)
    assert ended.code == 0, ended.said
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert "your country can do for you" in events[-1]["settled"].casefold()
    assert all(after["settled"].startswith(before["settled"]) for before, after in pairwise(events))
    assert all(set(event) == {"t", "settled", "tentative"} for event in events)
    texts = {
        " ".join(cue.text for cue in read(tmp_path / f"a.{kind}").cues).casefold() for kind in ("srt", "vtt", "ass")
    }
    journal = [json.loads(line) for line in (tmp_path / "a.captions.jsonl").read_text("utf-8").splitlines()]
    assert {"text", "number"} <= {key for entry in journal for key in entry}
    words = [entry["text"] for entry in journal if "text" in entry]
    assert " ".join(words) == events[-1]["settled"]
    for entry in reversed([entry for entry in journal if "revised" in entry]):
        words[entry["revised"] : entry["upto"]] = [word["text"] for word in entry["words"]]
    assert texts == {" ".join(words).casefold()}
    assert "what you can do for your country" in texts.pop()


@pytest.mark.shared
def test_what_stood_there_is_kept_and_an_empty_run_touches_nothing(
    studio: Studio, spoken: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nmine\n\n", encoding="utf-8")
    soundfile.write(tmp_path / "quiet.wav", np.zeros(32_000, np.float32), 16_000)
    ended = studio("captions", "quiet.wav", "--lang", "en", "--pace", "fast", "--out", "a.srt")
    assert ended.code == 0, ended.said
    assert "mine" in (tmp_path / "a.srt").read_text("utf-8")
    assert "a.srt" in ended.said
    ended = studio("captions", spoken, "--lang", "en", "--pace", "fast", "--seconds", "4", "--out", "a.srt")
    assert "a.before-1.srt" in ended.said
    assert "mine" in (tmp_path / "a.before-1.srt").read_text("utf-8")
    assert "mine" not in (tmp_path / "a.srt").read_text("utf-8")


@pytest.mark.shared
@pytest.mark.parametrize(("ends_by", "codes"), [(signal.SIGINT, {0, 130}), (signal.SIGKILL, {-9})])
def test_what_was_settled_stands_in_the_files_however_it_ends(
    spoken: Path, tmp_path: Path, ends_by: signal.Signals, codes: set[int]
) -> None:
    command = [sys.executable, "-m", "studio", "captions", str(spoken), "--lang", "en", "--out", "a.srt"]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "STUDIO_LANG": "en"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline().decode().strip()  # a sentence is settled and shown
        process.send_signal(ends_by)
        process.communicate()
    assert process.returncode in codes
    assert first
    lines = (tmp_path / "a.captions.jsonl").read_text("utf-8").splitlines()
    words = [entry["text"] for entry in map(json.loads, lines) if "text" in entry]
    assert " ".join(words).startswith(first)
    if ends_by == signal.SIGINT:
        assert first.split()[0].casefold() in (tmp_path / "a.srt").read_text("utf-8").casefold()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.wav",), "nowhere.wav"),
        ((".",), "folder"),
        (("empty.wav",), "empty"),
        (("text.txt",), "text.txt"),
        (("quiet.wav", "--lang", "xx"), "pl, lt, en"),
        (("quiet.wav", "--pace", "slow"), "realtime"),
        (("quiet.wav", "--out", "a.docx"), ".srt, .vtt, .ass"),
        (("quiet.wav", "--out", "nowhere/a.srt"), "nowhere/a.srt"),
        (("quiet.wav", "--events", "nowhere/e.jsonl"), "nowhere/e.jsonl"),
        (("quiet.wav", "--out", "a.srt", "--events", "a.srt"), "twice"),
        (("quiet.wav", "--model", "./half"), "incomplete"),
        (("quiet.wav", "--model", "huge"), "huge"),
        (("quiet.wav", "--seconds", "0"), "--seconds"),
        (("quiet.wav", "--threads", "0"), "threads"),
        (("quiet.wav", "--preset", "liv"), 'did you mean "live"'),
        (("mic:no such thing",), "There is no"),
        (("ftp://host/a.wav",), "address"),
        (("http://127.0.0.1:9/a.wav", "--out", "b.srt"), "127.0.0.1:9"),
        (("repair", "nowhere"), "nowhere"),
        (("repair", "half"), "recording"),
        (("./repair",), "repair is not there"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    studio: Studio, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(16_000, np.float32), 16_000)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.txt").write_text("no sound", encoding="utf-8")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}", encoding="utf-8")
    ended = studio("captions", *arguments)
    assert ended.code in (1, 2)
    assert said in one_sentence(ended.said)
    assert not list(tmp_path.glob("*.srt"))


@pytest.mark.shared
def test_a_recording_without_captions_gets_them_and_then_has_them(studio: Studio, spoken: Path, tmp_path: Path) -> None:
    (tmp_path / "show").mkdir()
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", spoken, "-c:a", "aac", tmp_path / "show" / "recording.mp4"],
        check=True,
        timeout=60,
    )
    ended = studio("captions", "repair", "show", "--lang", "en")
    assert ended.code == 0, ended.said
    assert "00:00:00" in ended.said
    made = (tmp_path / "show" / "captions.srt").read_text("utf-8")
    assert "country" in made
    assert "nothing to fill in" in studio("captions", "repair", "show/recording.mp4", "--lang", "en").said
    assert (tmp_path / "show" / "captions.srt").read_text("utf-8") == made


def test_the_help_says_the_command_as_it_is_typed(studio: Studio) -> None:
    assert " captions [OPTIONS] {INPUT}" in studio("captions", "--help").said
    assert " captions repair [OPTIONS] {RECORDING}" in studio("captions", "repair", "--help").said
    assert " captions --help tells" in studio("captions", "a.wav", "b.wav").said


def test_a_show_that_is_on_the_air_is_not_repaired(studio: Studio) -> None:
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as relay:  # a short path, as sockets want
        (Path(name) / "run").mkdir()
        relay.bind(f"{name}/run/relay.sock")
        relay.listen()
        ended = studio("captions", "repair", name)
    assert ended.code == 1
    assert "still running" in one_sentence(ended.said)
