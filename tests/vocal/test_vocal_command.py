"""`studio vocal …`, as people type it."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.vocal.sung import held

from studio.cli import main
from studio.events import TakeEnded, TakeStarted
from studio.vocal import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Studio = Callable[..., tuple[int, str, str]]

RATE = 48_000


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Studio:
    """Run a command; its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIO_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("STUDIO_SESSION", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("studio.cli._screen.out._width", 200)  # whatever it was where it was made

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["studio", "vocal", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def evening(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:  # noqa: ARG001 - comes first
    """A session with two takes, which the commands mean."""
    monkeypatch.setenv("STUDIO_SESSION", str(tmp_path / "wtorek"))
    session = Session.new(tmp_path / "wtorek", "Próba we wtorek")
    session.singer("Ola Żółta", child=True, consent="yes")
    session.song("Lulajże", tempo=72)
    session.arm(1, "Ola Żółta", ["ola-zolta"])
    session.arm(2, "Chór", ["ola-zolta"])
    for number in (1, 2):
        take = session.begin(song="lulajze")
        tone = np.sin(np.arange(RATE * 4) / 20)[:, None] * np.linspace(0, number / 2, RATE * 4)[:, None]
        soundfile.write(session.folder / f"takes/{number:03}.wav", tone * np.ones(2), RATE, subtype="PCM_24")
        session.started(TakeStarted(number, f"takes/{number:03}.wav", 0, "2026-11-27T10:00:00Z", RATE, ()), take)
        session.ended(TakeEnded(number, RATE * 4, "stopped"))
    return session


@pytest.mark.usefixtures("evening")
def test_a_session_is_kept_and_shown(studio: Studio) -> None:
    code, said, _ = studio("takes")
    assert (code, said.count("Lulajże"), said.count("0:04.0"), said.count("█") > 2) == (0, 2, 2, True)
    assert "✓ ★★★★" in studio("keep", "2", "--stars", "4")[1]
    assert "0:01.5 oddech za wcześnie" in studio("comment", "2", "0:01.5", "oddech", "za", "wcześnie")[1]
    takes = json.loads(studio("takes", "--keepers", "--json")[1])
    assert [(take["number"], take["stars"], take["comments"][0]["seconds"]) for take in takes] == [(2, 4, 1.5)]
    assert takes[0]["tracks"][1] == {"channel": 2, "name": "Chór", "singers": ["ola-zolta"]}
    assert max(takes[0]["peaks"]) > 0.9
    studio("keep", "1")
    assert "1: 0:00.0-0:02.0, 2: 0:02.0-0:04.0" in studio("comp", "1:-2", "2:2-", "--title", "płyta")[1]
    studio("note", "okno zamknięte")
    shown = studio("session", "show")[1]
    for word in ("Próba we wtorek", "Ola Żółta", "płyta", "okno zamknięte", "2 takes"):
        assert word in shown
    whole = json.loads(studio("session", "show", "--json")[1])
    assert (whole["songs"][0]["tempo"], whole["singers"][0]["consent"], whole["said"]) == (72, "yes", [])


def test_the_pitch_of_a_take_in_words_and_as_a_table(studio: Studio, evening: Session) -> None:
    sharp = held(4, 220 * 2 ** (30 / 1200))
    soundfile.write(evening.folder / "takes" / "002.wav", np.stack([sharp, sharp], axis=1), RATE, subtype="PCM_24")
    code, said, _ = studio("pitch", "2")
    assert code == 0
    assert re.search(r"^Take 2, Ola Żółta: too high by (2[5-9]|3[0-5]) cents on the whole, against the nearest", said)
    facts = json.loads(studio("pitch", "2", "--track", "Chór", "--json")[1])
    assert (facts["track"], facts["melody"], facts["words"].startswith("Take 2, Chór")) == ("Chór", None, True)
    lines = studio("pitch", "2", "--csv")[1].splitlines()
    assert lines[0] == "seconds,note,cents"
    assert len(lines) == len(facts["trace"]) + 1
    assert any(re.fullmatch(r"\d+\.\d+,57\.\d+,[23]\d\.\d", line) for line in lines)
    assert studio("pitch", "9")[2] == "There is no take 9 in this session.\n"


def test_tracks_and_singers_are_found_by_their_names(studio: Studio) -> None:
    assert studio("session", "new", "s", "--name", "S")[0] == 0
    studio("singer", "Ola Żółta", "--child", "--consent", "2027-06-30")
    studio("singer", "Jan")
    studio("arm", "1=Ola Żółta", "2=Chór:ola,jan", "3=Sala")
    assert "Ola Żółta, Jan" in studio("arm", "3=")[1]
    tracks = json.loads(studio("arm", "--json")[1])
    assert [(track["channel"], track["singers"]) for track in tracks] == [(1, ["ola-zolta"]), (2, ["ola-zolta", "jan"])]
    assert "until 2027-06-30" in studio("singer")[1]
    assert "no take yet" in studio("takes")[1]


def test_check_ends_with_1_where_something_is_wrong(studio: Studio, evening: Session) -> None:
    assert studio("check") == (0, "2 takes were read, nothing is wrong.\n", "")
    studio("singer", "ola żółta", "--consent", "2026-01-31")
    (evening.folder / "takes" / "001.wav").unlink()
    code, said, _ = studio("check")
    assert code == 1
    assert "The file of take 1 is not there." in said
    assert "Ola Żółta sings in the takes 1, 2" in said
    found = json.loads(studio("check", "--json")[1])
    assert (found["takes"], found["wrong"]) == (2, 2)
    studio("singer", "ola żółta", "--consent", "yes")
    code, said, complaint = studio("export", "1", "2")
    assert (code, said.count("lulajze-002.wav"), "Take 1 has no file any more" in complaint) == (1, 1, True)


def test_the_session_that_is_meant(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, said = studio("takes")
    assert (code, said.count("\n")) == (1, 1)
    assert "session new FOLDER" in said
    for name in ("a", "b"):
        studio("session", "new", name)
    assert "b\n" in studio("session", "show")[1]
    studio("session", "open", "a")
    assert "a\n" in studio("session", "show")[1]
    monkeypatch.chdir(tmp_path / "b" / "takes")
    assert "b\n" in studio("session", "show")[1]
    assert "a\n" in studio("session", "show", "--session", str(tmp_path / "a"))[1]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("arm", "Ola"), 2, "CHANNEL=NAME"),
        (("arm", "40=Ola"), 1, "1 to 32"),
        (("arm", "3=Alt:kasia"), 1, "`studio vocal singer` lists them); known here: ola-zolta, Ola Żółta."),
        (("arm", "1=:ola"), 2, "lacks the track's name"),
        (("singer", "Jan", "--consent", "maybe"), 2, "not “maybe”"),
        (("singer", "ola"), 1, "ola may be Ola Żółta, who is noted"),
        (("singer", "--child", "--consent", "no"), 2, "Say whom"),
        (("song", "--tempo", "96"), 2, "Say which song"),
        (("comp", "--title", "płyta"), 2, "Say what it is made of"),
        (("song", "Kolęda", "--backing", "nowhere.mp3"), 1, "nowhere.mp3 is not there"),
        (("keep", "9"), 1, "no take 9"),
        (("keep", "1", "--stars", "7"), 2, "no more than 5"),
        (("comment", "1", "abc", "x"), 2, "“abc” is no time"),
        (("comment", "1", "9:00", "x"), 1, "4.0 s long"),
        (("comp", "1-2"), 2, "TAKE:FROM-TO"),
        (("comp", "1:0-2"), 1, "is no keeper"),
        (("takes", "--song", "x"), 1, "`studio vocal song` lists them"),
        (("export", "1", "--track", "Alt=-3"), 1, "No track of it is called Alt; known here: Ola Żółta, Chór."),
        (("export", "1", "--track", "Chor=-3"), 1, 'No track of it is called Chor; did you mean "Chór"?\n'),
        (("export", "1", "--camera", "film.mp4", "--form", "mp3"), 2, "leave --form and --cover away"),
        (("session", "new", "wtorek"), 1, "a session in"),
        (("session", "new", "caf\udce9"), 1, "bytes that are no letters"),
        (("session", "open", "nowhere"), 1, "holds no session"),
        (("session", "new", "x", "--rate", "8000"), 1, "44100 to 96000"),
    ],
)
@pytest.mark.usefixtures("evening")
def test_what_cannot_be_is_one_sentence(studio: Studio, arguments: tuple[str, ...], code: int, complaint: str) -> None:
    ended, _, said = studio(*arguments)
    assert (ended, said.count("\n")) == (code, 1), said
    assert complaint in said
