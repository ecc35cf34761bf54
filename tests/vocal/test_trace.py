"""How a take was sung: held notes whose distance from the melody is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mido
import numpy as np
import pytest
import soundfile
from tests.vocal.sung import RATE, held

from studio.errors import VocalError
from studio.events import TakeEnded, TakeStarted
from studio.vocal import Session, melody_of, trace

if TYPE_CHECKING:
    from pathlib import Path

A3 = 220.0
SHARP = A3 * 2 ** (30 / 1200)
"""30 cents above it."""


def midi(path: Path, note: int, seconds: int = 8) -> Path:
    file = mido.MidiFile()
    line = file.add_track("melody")
    line.append(mido.Message("note_on", note=note))
    line.append(mido.Message("note_off", note=note, time=960 * seconds))
    file.save(path)
    return path


def sing(session: Session, *hertz: float, offset: float | None = 0.0, keeper: bool = False) -> int:
    """Record a take as the recorder would: each track holds one note for two seconds."""
    take = session.begin(song=session.state.song)
    file = f"takes/{take.number:03}.wav"
    soundfile.write(session.folder / file, np.stack([held(2, one) for one in hertz], axis=1), RATE, subtype="PCM_24")
    session.started(TakeStarted(take.number, file, 0, "2026-11-27T10:00:00Z", RATE, (), offset), take)
    session.ended(TakeEnded(take.number, 2 * RATE, "stopped"))
    if keeper:
        session.keep(take.number)
    return take.number


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session.new(tmp_path / "evening", "Wieczór")
    session.song("Zielony las")
    session.arm(1, "Anna")
    session.arm(2, "Jan")
    return session


def test_a_take_is_held_against_the_melody_of_its_song(session: Session, tmp_path: Path) -> None:
    number = sing(session, SHARP, A3 / 2)
    session.song("Zielony las", melody=midi(tmp_path / "las.mid", 57))
    anna, jan = trace(session, number), trace(session, number, "Jan")
    assert (anna.track, anna.melody is not None) == ("Anna", True)
    assert anna.median == pytest.approx(30, abs=5)
    assert anna.near == pytest.approx(0, abs=0.1)
    assert jan.median == pytest.approx(0, abs=5)  # in his own octave
    assert jan.near == pytest.approx(1, abs=0.1)
    assert np.nanmedian(jan.notes) == pytest.approx(45, abs=0.1)


def test_what_was_sung_to_nothing_is_held_against_semitones(session: Session, tmp_path: Path) -> None:
    session.song("Zielony las", melody=midi(tmp_path / "las.mid", 60))
    found = trace(session, sing(session, SHARP, A3, offset=None))
    assert found.melody is None
    assert found.median == pytest.approx(30, abs=5)


def test_the_first_keeper_is_the_melody_where_there_is_no_file(session: Session) -> None:
    assert melody_of(session, "zielony-las") is None
    sing(session, A3 * 2, A3, offset=None, keeper=True)  # nobody knows where in the song
    first = sing(session, A3, A3 * 2 ** (2 / 12), keeper=True)
    number = sing(session, SHARP, SHARP)
    found = trace(session, number)
    assert found.melody is not None
    assert found.melody.name == f"take {first}"
    assert found.median == pytest.approx(30, abs=6)
    assert trace(session, number, "Jan").median == pytest.approx(-170, abs=6)
    assert trace(session, first).melody is None  # against itself says nothing


def test_what_is_not_there_is_one_sentence(session: Session) -> None:
    with pytest.raises(VocalError, match="There is no take 7 in this session"):
        trace(session, 7)
    number = sing(session, A3, A3)
    with pytest.raises(VocalError, match="has no track Ola; it has: Anna, Jan"):
        trace(session, number, "Ola")
    (session.folder / "takes" / "001.wav").unlink()
    with pytest.raises(VocalError, match="has no file any more"):
        trace(session, number)


def test_silence_has_no_median(session: Session) -> None:
    found = trace(session, sing(session, 1.0, 1.0))
    assert (found.median, found.apart, found.near) == (None, None, None)
