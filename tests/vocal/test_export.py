from __future__ import annotations

import fcntl
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import mutagen
import numpy as np
import pytest
import soundfile
from tests.vocal.sung import RATE, voice

from studio.errors import MediaError, VocalError
from studio.events import ArmedTrack, TakeEnded, TakeStarted
from studio.vocal import Delivery, Piece, Placed, Session, Until, export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TODAY = date(2026, 11, 27)
SAID: list[str] = []


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = Session.new(tmp_path / "evening", "Wieczór")
    made.singer("Anna")
    made.singer("Ola", child=True, consent="yes")
    made.song("Zielony las")
    made.arm(1, "alto", ("anna",))
    made.arm(2, "child", ("ola",))
    return made


def sing(session: Session, seconds: float = 3.0, offset: float | None = None, *, keeper: bool = True) -> int:
    """Record a take as the recorder would."""
    take = session.begin(song="zielony-las")
    file = f"takes/{take.number:03}.wav"
    sound = np.stack([voice(seconds, seed=take.number), voice(seconds, 440, seed=take.number + 50)], axis=1)
    soundfile.write(session.folder / file, sound, RATE, subtype="PCM_24")
    session.started(
        TakeStarted(
            number=take.number,
            path=file,
            at=datetime.now(UTC).isoformat(),
            first_frame=0,
            rate=RATE,
            tracks=tuple(ArmedTrack(track.channel, track.name) for track in take.tracks),
            backing_offset=offset,
        ),
        take,
    )
    session.ended(TakeEnded(number=take.number, frames=len(sound), ended="stopped"))
    if keeper:
        session.keep(take.number)
    return take.number


def run(session: Session, wanted: Delivery, say: Callable[[str], None] = SAID.append) -> list[str]:
    left = export(session, wanted, say=say, today=TODAY)
    return [path.name for one in left for path in one.files]


def test_all_keepers_leave_and_nothing_is_overwritten(session: Session) -> None:
    sing(session)
    sing(session, keeper=False)
    sing(session)
    seen: list[tuple[str, float]] = []
    left = export(
        session,
        Delivery(forms=("wav", "mp3")),
        progress=lambda name, share: seen.append((name, share)),
        say=SAID.append,
        today=TODAY,
    )
    assert [one.name for one in left] == ["Take 1", "Take 3"]
    assert seen[-1] == ("Take 3", 1.0)
    assert left[0].entry.files == ("exports/zielony-las-001.wav", "exports/zielony-las-001.mp3")
    assert mutagen.File(left[0].files[1]).tags["TPE1"].text == ["Wieczór"]
    first = left[0].files[0].read_bytes()
    assert run(session, Delivery(takes=(1,))) == ["zielony-las-001-2.wav"]
    assert left[0].files[0].read_bytes() == first
    noted = Session.open(session.folder).state.exported
    assert [entry.takes for entry in noted] == [(1,), (3,), (1,)]
    assert noted[0].loudness == pytest.approx(-14, abs=0.3)


def test_a_comp_leaves(session: Session, tmp_path: Path) -> None:
    one, two = sing(session, 4), sing(session, 4, offset=1.0)
    comp = session.comp([Piece(one, 0.0, 2.5), Piece(two, 2.5, 5.0)])
    assert run(session, Delivery(comps=(comp.number,), folder=tmp_path / "out")) == ["zielony-las-comp-1.wav"]
    assert soundfile.info(tmp_path / "out" / "zielony-las-comp-1.wav").frames == 5 * RATE


def test_level_and_pan_of_a_track(session: Session) -> None:
    sing(session)
    placed = {"alto": Placed(pan=-1), "child": Placed(level=-60, pan=-1)}
    (left,) = export(session, Delivery(tracks=placed), say=SAID.append, today=TODAY)
    written, _rate = soundfile.read(left.files[0])
    assert np.abs(written[:, 1]).max() < 1e-4
    assert np.abs(written[:, 0]).max() > 0.1


@pytest.mark.parametrize(
    ("child", "consent", "leaves"),
    [
        (True, None, False),
        (True, "no", False),
        (True, Until(date(2026, 11, 26)), False),
        (True, Until(TODAY), True),
        (False, "no", False),
        (False, Until(date(2026, 11, 26)), False),
        (False, None, True),
    ],
)
def test_without_consent_nothing_leaves(session: Session, child: bool, consent: object, leaves: bool) -> None:  # noqa: FBT001 - a table
    session.singer("Ewa Mała", child=child, consent=consent)  # type: ignore[arg-type]
    session.arm(2, "child", ("ola", "ewa-mala"))
    other, take = sing(session), sing(session)
    comp = session.comp([Piece(take, 0.0, 2.0)])
    for wanted in (Delivery(), Delivery(takes=(take,)), Delivery(comps=(comp.number,))):
        if leaves:
            assert run(session, wanted)
            continue
        with pytest.raises(VocalError, match="consent of Ewa Mała"):
            run(session, wanted)
        assert list((session.folder / "exports").iterdir()) == []
    assert other


def test_a_track_without_names_may_be_anybody(session: Session) -> None:
    session.arm(2, "choir")
    take = session.begin()
    with (session.folder / "recorder.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a recorder that lives
        with pytest.raises(VocalError, match=f"Take {take.number} is being recorded"):
            run(session, Delivery(takes=(take.number,)))
    session.ended(TakeEnded(take.number, 0, "stopped"))
    sing(session)
    assert run(session, Delivery())
    session.singer("Jonas", child=True)
    with pytest.raises(VocalError, match="consent of Jonas"):
        run(session, Delivery())


def test_consent_that_is_withdrawn_counts_at_once(session: Session) -> None:
    sing(session)
    session.singer("Ola", consent="no")
    with pytest.raises(VocalError, match="consent of Ola"):
        run(session, Delivery())


def test_whose_line_is_damaged_may_be_a_child(session: Session) -> None:
    sing(session)
    file = session.folder / "session.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    (place,) = [number for number, line in enumerate(lines) if '"singer"' in line and '"Ola"' in line]
    lines[place] = "#" + lines[place][1:]
    file.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(VocalError, match="consent of ola"):
        run(Session.open(session.folder), Delivery())


def test_what_cannot_be_read_is_said_and_the_rest_leaves(session: Session) -> None:
    sing(session)
    sing(session)
    sing(session)
    (session.folder / "takes/001.wav").write_bytes(b"no sound")
    (session.folder / "takes/003.wav").unlink()
    said: list[str] = []
    assert run(session, Delivery(), said.append) == ["zielony-las-002.wav"]
    assert "001.wav cannot be read" in said[0]
    assert said[1] == "Take 3 has no file any more; was it moved?"
    with pytest.raises(MediaError, match=r"001\.wav cannot be read"):
        run(session, Delivery(takes=(1,)))


def test_where_no_singer_is_noted_it_is_said_that_nobody_was_asked(tmp_path: Path) -> None:
    nobody = Session.new(tmp_path / "nobody")
    nobody.arm(1, "choir")
    nobody.arm(2, "piano")
    sing(nobody)
    said: list[str] = []
    assert run(nobody, Delivery(), said.append)
    assert "nobody was asked for consent" in said[0]


def test_what_is_not_there_is_refused(session: Session, tmp_path: Path) -> None:
    sing(session, keeper=False)
    (tmp_path / "file").touch()
    for wanted, said in (
        (Delivery(), "No take is a keeper"),
        (Delivery(takes=(9,)), "There is no take 9"),
        (Delivery(comps=(9,)), "There is no comp 9"),
        (
            Delivery(takes=(1,), folder=tmp_path / "file" / "out"),
            "Nothing can be written in .*a part of the path is no folder",
        ),
    ):
        with pytest.raises(VocalError, match=said):
            run(session, wanted)
