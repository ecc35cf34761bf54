"""`studio vocal record`, `stop` and `levels` on pretended sound cards."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio.cli import main
from studio.vocal import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.vocal.booth import Booth

    Studio = Callable[..., tuple[int, str, str]]

RATE = 48_000
FEED = """
import sys
sound = open(sys.argv[1], "rb").read()
while True:
    sys.stdout.buffer.write(sound)
"""
MIC = ("--input", "booth_mic", "--channels", "2")


@pytest.fixture(scope="module", autouse=True)
def singing(booth: Booth) -> Iterator[None]:
    """Somebody sings on the left, and half as loud on the right."""
    tone = np.sin(np.arange(RATE) * 2 * np.pi * 220 / RATE)[:, None] * np.array([0.17, 0.06])
    player = subprocess.Popen(
        ["pacat", "--raw", f"--rate={RATE}", "--channels=2", "--format=float32le", "--device=booth"],
        env={**os.environ, **booth.env},
        stdin=subprocess.PIPE,
    )
    feeder = subprocess.Popen(
        [sys.executable, "-c", FEED, _raw(booth.folder, tone)],
        stdin=subprocess.DEVNULL,
        stdout=player.stdin,
        stderr=subprocess.DEVNULL,
    )
    yield
    for child in (feeder, player):
        child.kill()
        child.wait()
    assert player.stdin
    player.stdin.close()


def _raw(folder: Path, tone: np.ndarray) -> Path:
    path = folder / "tone.raw"
    path.write_bytes(tone.astype("<f4").tobytes())
    return path


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with two tracks, which the commands mean."""
    monkeypatch.setenv("STUDIO_SESSION", str(tmp_path / "s"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("studio.cli._screen.out._width", 200)  # whatever it was where it was made
    made = Session.new(tmp_path / "s", "Wtorek")
    made.singer("Ola")
    made.song("Lulajże")
    made.arm(1, "Ola", ["ola"])
    made.arm(2, "Sala")
    return made


@pytest.fixture
def studio(session: Session, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Studio:  # noqa: ARG001 - is meant
    """Run a command; its exit code and what it said."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["studio", "vocal", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def recording(session: Session, *arguments: str) -> subprocess.Popen[str]:
    """A terminal in which a take is being recorded."""
    begun = len(session.refresh().takes)
    terminal = subprocess.Popen(
        [sys.executable, "-m", "studio", "vocal", "record", *MIC, "--json", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: len(takes := session.refresh().takes) > begun and bool(takes[begun + 1].file))
    return terminal


def until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not so():
        assert time.monotonic() < end, "it never was so"
        time.sleep(0.02)


def recorder_of(session: Session) -> int:
    """The process that records into a session: whoever has its lock open."""
    lock = (session.folder / "recorder.lock").stat()
    for line in Path("/proc/locks").read_text("utf-8").splitlines():
        words = line.split()
        if words[1] == "FLOCK" and int(words[5].rpartition(":")[2]) == lock.st_ino:
            return int(words[4])
    raise AssertionError("nobody records")


def test_a_take_is_recorded_and_shown(studio: Studio, session: Session) -> None:
    code, said, _ = studio("record", "lulaj", "--seconds", "1.5", *MIC, "--json")
    (take,) = json.loads(said)
    assert (code, take["number"], take["song"], take["ended"], take["frames"]) == (0, 1, "Lulajże", "whole", 72_000)
    sound, rate = soundfile.read(session.folder / take["file"])
    assert (rate, sound.shape) == (RATE, (72_000, 2))
    assert np.abs(sound).max(axis=0) == pytest.approx([0.17, 0.06], abs=0.01)
    assert studio("check")[0] == 0
    again = Session.open(session.folder)
    assert (again.state.takes[1].singers, again.state.device and again.state.device.input) == (("ola",), "booth_mic")
    assert set("▅▆") & set(studio("takes")[1])


def test_ctrl_c_ends_the_take_in_order(session: Session) -> None:
    terminal = recording(session)
    terminal.send_signal(signal.SIGINT)
    said, _ = terminal.communicate(timeout=60)
    (take,) = json.loads(said)
    assert (terminal.returncode, take["ended"]) == (0, "stopped")
    assert len(soundfile.SoundFile(session.folder / take["file"])) == take["frames"] > 0


def test_keys_begin_end_and_keep_one_take_after_the_other(session: Session) -> None:
    hand, terminal = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "studio", "vocal", "record", *MIC, "--json", "--again"],
        stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for number, stars in ((1, b"4"), (2, b"0")):
        until(lambda number=number: number in (takes := session.refresh().takes) and bool(takes[number].file))  # type: ignore[misc]
        os.write(hand, b"\n")
        until(lambda number=number: session.refresh().takes[number].ended is not None)  # type: ignore[misc]
        os.write(hand, stars)
        os.write(hand, b"\n" if number == 1 else b"q")
    takes = json.loads(done.communicate(timeout=60)[0])
    os.close(hand)
    os.close(terminal)
    assert done.returncode == 0
    assert [(take["ended"], take["keeper"], take["stars"]) for take in takes] == [
        ("stopped", True, 4),
        ("stopped", False, 0),
    ]


def test_a_second_terminal_neither_records_nor_ends_the_take_but_stop_does(studio: Studio, session: Session) -> None:
    terminal = recording(session)
    code, _, said = studio("record", "--seconds", "1", *MIC)
    assert (code, said) == (1, "Take 1 is being recorded; `studio vocal stop` ends it.\n")
    assert "being recorded" in studio("takes")[1]
    assert terminal.poll() is None
    (stopped,) = json.loads(studio("stop", "--json")[1])
    (take,) = json.loads(terminal.communicate(timeout=60)[0])
    assert stopped["frames"] == take["frames"] > 0
    assert list(session.refresh().takes) == [1]
    assert studio("stop")[1] == "Nothing is being recorded.\n"


def test_a_recorder_that_is_killed_leaves_a_take_with_the_reason(studio: Studio, session: Session) -> None:
    terminal = recording(session)
    os.kill(recorder_of(session), signal.SIGKILL)
    said, _ = terminal.communicate(timeout=60)
    (take,) = json.loads(said)
    assert (terminal.returncode, take["ended"].startswith("The recorder ended in mid-take")) == (1, True)
    code, found, _ = studio("check")
    assert code == 1
    assert "Take 1 was cut off" in found


def test_a_terminal_that_is_killed_leaves_the_take_running(studio: Studio, session: Session) -> None:
    terminal = recording(session)
    terminal.kill()
    terminal.communicate()
    (take,) = json.loads(studio("stop", "--json")[1])
    assert (take["ended"], take["frames"] > 0) == ("stopped", True)
    os.kill(recorder_of(session), signal.SIGTERM)
    until(lambda: studio("takes")[0] == 0)


def test_channels_that_the_input_has_not_are_named(studio: Studio, session: Session) -> None:
    session.arm(7, "Alt")
    code, said, told = studio("record", "--seconds", "1", *MIC, "--json")
    (take,) = json.loads(said)
    assert (code, take["absent"], len(take["tracks"])) == (0, ["Alt"], 2)
    assert "Alt cannot be recorded" in told
    assert "Take 1 lacks Alt" in studio("check")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--input", "nowhere"), 1, "there is no microphone 'nowhere'"),
        (("--punch", "5-2"), 2, "ends before it begins"),
        (("--punch", "1-1e400"), 2, "is no time"),
        (("--punch", "1-2", "--no-backing"), 1, "Nothing is heard that tells where"),
        (("--form", "mp3"), 2, "wav or flac"),
        (("--click",), 1, "no tempo"),
        (("Kolęda",), 1, "No song is called Kolęda"),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence_and_no_take(
    studio: Studio, session: Session, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    ended, _, said = studio("record", "--seconds", "1", *arguments)
    assert (ended, said.strip().count("\n")) == (code, 0), said
    assert complaint.casefold() in said.casefold()
    assert (session.refresh().takes, session.state.device) == ({}, None)


def test_nothing_armed_is_said(studio: Studio, session: Session) -> None:
    session.disarm(1)
    session.disarm(2)
    assert "No track is armed" in studio("record", "--seconds", "1", *MIC)[2]


def test_the_level_assistant_judges_each_track(studio: Studio, session: Session) -> None:
    code, said, told = studio("levels", "--seconds", "3.5", *MIC, "--json")
    assert [(row["track"], row["verdict"]) for row in json.loads(said)] == [("Ola", "good"), ("Sala", "too low")]
    assert (code, "Sing the loudest part" in told) == (1, True)
    assert Session.open(session.folder).state.levels[2].verdict == "too low"
