"""A session on a real disk: what is noted stays, whoever writes, dies or tears."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio import media
from studio.errors import MediaError, VocalError
from studio.events import TakeEnded, TakeStarted
from studio.vocal import Piece, Session, Span, Until, check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.vocal import Take

RATE = 48_000
TODAY = date(2026, 11, 27)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session with two singers at two microphones and one song."""
    made = Session.new(tmp_path / "s", "Wtorek")
    made.singer("Ola Żółta", child=True, consent="yes")
    made.singer("Jan")
    made.song("Lulajże", tempo=72)
    made.arm(1, "Sopran", ["ola-zolta"])
    made.arm(2, "Bas", ["jan"])
    return made


def sung(session: Session, seconds: float = 1.0, *, marks: tuple[dict[str, object], ...] = ()) -> Take:
    """A take as a recorder leaves it, not yet said to be over."""
    take = session.begin(song=session.state.song)
    path = session.folder / "takes" / f"{take.number:03}.wav"
    tone = np.sin(np.arange(round(seconds * RATE)) / 20)[:, None] * np.ones(len(take.tracks)) * 0.5
    soundfile.write(path, tone, RATE, subtype="PCM_24", format="RF64")
    first: dict[str, object] = {"first_frame": 0, "rate": RATE, "channels": len(take.tracks)}
    path.with_suffix(".marks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (first, *marks)))
    return session.started(
        TakeStarted(take.number, f"takes/{path.name}", 4800, "2026-11-27T10:00:00Z", RATE, (), 2.0), take
    )


def done(session: Session, seconds: float = 1.0) -> Take:
    take = sung(session, seconds)
    over = session.ended(TakeEnded(take.number, round(seconds * RATE), "stopped"))
    assert over
    return over


def test_what_is_noted_is_there_when_it_is_opened_again(session: Session) -> None:
    take = done(session, 3)
    session.keep(take.number, stars=4)
    session.comment(take.number, 1.5, "oddech")
    session.comment(take.number, 0.5, "za cicho")
    session.comp([Piece(1, 2.0, 4.0), Piece(1, 4.0, 5.0)], title="Płyta")
    session.note("drzwi zamknięte")
    again = Session.open(session.folder)
    assert again.said == ()
    assert again.state == session.state
    kept = again.state.takes[1]
    assert (kept.keeper, kept.stars, kept.offset, kept.seconds) == (True, 4, 2.0, 3.0)
    assert [said.text for said in kept.comments] == ["za cicho", "oddech"]
    assert kept.singers == ("ola-zolta", "jan")
    assert again.state.comps[1].song == again.state.song == "lulajze"


def test_the_file_only_grows(session: Session) -> None:
    file = session.folder / "session.jsonl"
    before = file.read_bytes()
    session.singer("ola-zolta", consent="no")
    session.song("LULAJŻE", tempo=80)
    session.disarm(2)
    after = file.read_bytes()
    assert after.startswith(before)
    state = session.state
    assert (state.singers["ola-zolta"].consent, state.songs["lulajze"].tempo, list(state.tracks)) == ("no", 80, [1])
    assert [json.loads(line)["kind"] for line in after.splitlines()] == [
        *("session", "singer", "singer", "song", "arm", "arm", "singer", "song", "arm")
    ]


@pytest.mark.parametrize(
    ("child", "consent", "permits"),
    [
        (True, None, False),
        (True, "yes", True),
        (True, "no", False),
        (True, Until(date(2026, 11, 26)), False),
        (True, Until(TODAY), True),
        (False, None, True),
        (False, "no", False),
    ],
)
def test_consent(tmp_path: Path, child: bool, consent: str | Until | None, permits: bool) -> None:  # noqa: FBT001
    singer = Session.new(tmp_path).singer("A", child=child, consent=consent)  # type: ignore[arg-type]
    assert singer.permits(TODAY) is permits
    assert Session.open(tmp_path).state.singers["a"].permits(TODAY) is permits


@pytest.mark.parametrize(
    "torn", [b'{"kind":"keep","numb', b'{"kind":"keep"', b"\x00\xff", b'{"kind":"keep"}\n', b"{\n"]
)
def test_a_torn_line_is_passed_over_and_what_follows_is_kept(session: Session, torn: bytes) -> None:
    done(session)
    with (session.folder / "session.jsonl").open("ab") as file:
        file.write(torn)
    again = Session.open(session.folder)
    assert len(again.said) == 1
    again.keep(1, stars=5)
    third = Session.open(session.folder)
    assert third.state.takes[1].stars == 5
    assert torn in (session.folder / "session.jsonl").read_bytes()
    assert len(third.said) == 1


def test_a_kind_that_is_not_known_is_passed_over(session: Session) -> None:
    with (session.folder / "session.jsonl").open("ab") as file:
        file.write(b'{"kind":"hologram","at":"2030-01-01T00:00:00Z","of":"Ola"}\n')
    again = Session.open(session.folder)
    assert (again.said, again.state) == ((), session.state)


def test_a_session_of_a_newer_studio_is_left_alone(session: Session) -> None:
    file = session.folder / "session.jsonl"
    lines = file.read_bytes().replace(b'"version":1', b"", 1).splitlines(keepends=True)
    file.write_bytes(b'{"kind":"session","version":2,"people":[]}\n' + b"".join(lines[1:]))
    before = file.read_bytes()
    with pytest.raises(VocalError, match="newer studio"):
        Session.open(session.folder)
    assert file.read_bytes() == before


def test_where_there_is_none_it_says_how_to_make_one(tmp_path: Path, session: Session) -> None:
    with pytest.raises(VocalError, match="studio vocal session new"):
        Session.open(tmp_path / "nowhere")
    with pytest.raises(VocalError, match="already"):
        Session.new(session.folder)
    (tmp_path / "file").touch()
    with pytest.raises(VocalError, match="name another folder"):
        Session.new(tmp_path / "file" / "s")


WRITER = """
import sys
from pathlib import Path
from studio.vocal import Session
session = Session.open(Path(sys.argv[1]))
for number in range(40):
    print(session.begin(song=sys.argv[2]).number, flush=True)
"""


def test_two_writers_never_take_one_number(session: Session) -> None:
    with _recorder_lives(session.folder):  # so that neither closes what the other began
        both = [
            subprocess.Popen([sys.executable, "-c", WRITER, session.folder, name], stdout=subprocess.PIPE, text=True)
            for name in "ab"
        ]
        numbers = [int(line) for writer in both for line in writer.communicate()[0].split()]
        assert sorted(numbers) == list(range(1, 81))
        assert list(session.refresh().takes) == list(range(1, 81))


def test_threads_of_one_process_do_not_mix_their_lines(session: Session) -> None:
    done(session, 60)
    threads = [
        Thread(target=lambda by=by: [session.comment(1, at, f"{by} {at}") for at in range(20)]) for by in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Session.open(session.folder).state.takes[1].comments) == 80


def test_a_writer_that_is_killed_loses_nothing_it_was_told_of(session: Session) -> None:
    with _recorder_lives(session.folder):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, session.folder, "x"], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        told = [int(writer.stdout.readline()) for _ in range(5)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.communicate()[0].split()]
        assert set(told) <= set(session.refresh().takes)


def test_a_disk_that_refuses_is_said_and_nothing_is_half_written(session: Session) -> None:
    file = session.folder / "session.jsonl"
    before = file.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(VocalError, match=r"cannot be written .*\."):
            session.note("a word that does not fit any more")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert file.read_bytes() == before
    session.note("now")
    assert Session.open(session.folder).state.notes[0].text == "now"
    sealed = os.memfd_create("session", os.MFD_ALLOW_SEALING)  # refuses root, too
    os.write(sealed, file.read_bytes())
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    file.unlink()
    file.symlink_to(f"/proc/self/fd/{sealed}")
    with pytest.raises(VocalError, match=r"may not be written .* copy the session elsewhere"):
        Session.open(session.folder).note("never")
    os.close(sealed)


def test_a_take_whose_recorder_died_is_closed_with_the_reason(session: Session) -> None:
    sung(session, 2.5, marks=({"frames": 96_000}, {"dropout": 1000, "frames": 480, "how": "ring"}))
    again = Session.open(session.folder)
    take = again.state.takes[1]
    assert (take.seconds, take.lost, take.well) == (2.5, 480, False)
    assert [sentence for sentence in again.said if "Take 1 was left open" in sentence]
    assert Session.open(session.folder).said == ()


def test_a_take_of_a_living_recorder_is_left_alone(session: Session) -> None:
    sung(session)
    with _recorder_lives(session.folder):
        assert Session.open(session.folder).state.takes[1].ended is None
    assert Session.open(session.folder).state.takes[1].frames == RATE


def test_a_take_without_a_file_is_closed_empty_and_its_number_is_not_given_again(session: Session) -> None:
    session.begin()
    again = Session.open(session.folder)
    assert again.state.takes[1].frames == 0
    assert again.begin().number == 2


def test_a_file_that_no_line_speaks_of_becomes_a_take(session: Session) -> None:
    soundfile.write(session.folder / "takes" / "007.wav", np.zeros((RATE, 3)), RATE, subtype="PCM_24")
    again = Session.open(session.folder)
    assert (again.state.takes[7].seconds, len(again.state.takes[7].tracks)) == (1.0, 3)
    assert again.begin().number == 8


def test_the_file_of_another_program_is_never_mended(tmp_path: Path) -> None:
    path = tmp_path / "foreign.wav"
    soundfile.write(path, np.zeros((RATE, 3)), RATE, subtype="PCM_24")
    before = path.read_bytes()
    with pytest.raises(MediaError, match="is no take"):
        media.repair_take(path)
    assert path.read_bytes() == before


def test_the_passes_of_a_loop_are_takes(session: Session) -> None:
    first = session.begin(song="lulajze", loop=Span(4.0, 8.0))
    for number in (1, 2, 3):
        told = TakeStarted(number, f"takes/{number:03}.wav", number * 192_000, "2026-11-27T10:00:00Z", RATE, (), 4.0)
        session.started(told, first)
        session.ended(TakeEnded(number, 192_000, "whole"))
    takes = session.state.takes.values()
    assert [(take.number, take.turn, take.song, len(take.tracks)) for take in takes] == [
        (number, number, "lulajze", 2) for number in (1, 2, 3)
    ]


def test_a_comp_is_made_of_keepers_of_one_song(session: Session) -> None:
    done(session, 10)
    done(session, 10)
    session.keep(1)
    for pieces, complaint in (
        ([], "at least one piece"),
        ([Piece(9, 0, 1)], "no take 9"),
        ([Piece(2, 2, 3)], "no keeper"),
        ([Piece(1, 0, 3)], "has sound from 2.00 s to 12.00 s"),
        ([Piece(1, 5, 5)], "has sound from"),
        ([Piece(1, 2, 6), Piece(1, 5, 8)], "at once"),
    ):
        with pytest.raises(VocalError, match=complaint):
            session.comp(pieces)
    session.keep(2)
    assert session.comp([Piece(1, 2, 6), Piece(2, 6, 12)]).number == 1
    assert session.comp([Piece(1, 2, 7), Piece(2, 7, 12)], number=1).number == 1
    assert session.state.comps[1].pieces[0].end == 7


def test_what_is_played_is_copied_and_another_of_that_name_stands_beside_it(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "backing.wav"
    for level in (0.1, 0.2, 0.1):
        soundfile.write(file, np.full(RATE, level), RATE)
        song = session.song("Lulajże", backing=file)
        assert (session.folder / song.backing).read_bytes() == file.read_bytes()
    assert len(list((session.folder / "backing").iterdir())) == 2
    file.write_text("no sound")
    for bad in (file, tmp_path / "missing.wav"):
        with pytest.raises(MediaError, match=r"backing\.wav has no|missing\.wav is not there"):
            session.song("Lulajże", backing=bad)
    with pytest.raises(VocalError):
        session.song("Lulajże", melody=file)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda session: session.arm(33, "Alt"), "1 to 32"),
        (lambda session: session.arm(3, "sopran"), "called Sopran already"),
        (lambda session: session.arm(3, "Alt", ["nobody"]), "No singer"),
        (lambda session: session.singer("  "), "missing"),
        (lambda session: session.song("x", tempo=5), "20 to 400"),
        (lambda session: session.keep(1, stars=6), "0 to 5"),
        (lambda session: session.keep(5), "no take 5"),
        (lambda session: session.comment(1, 99, "x"), "1.0 s long"),
        (lambda session: session.comment(1, float("nan"), "x"), "choose a moment"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(session: Session, change: object, complaint: str) -> None:
    done(session)
    before = (session.folder / "session.jsonl").read_bytes()
    with pytest.raises(VocalError, match=complaint):
        change(session)  # type: ignore[operator]
    assert (session.folder / "session.jsonl").read_bytes() == before


def test_check_finds_nothing_wrong_with_what_is_whole(session: Session) -> None:
    done(session)
    assert check(session, TODAY) == []


def test_check_finds_what_is_wrong(session: Session) -> None:
    for _ in range(5):
        done(session)
    takes = session.folder / "takes"
    (takes / "001.wav").unlink()
    (takes / "002.wav").write_bytes(b"not a wave")
    soundfile.write(takes / "003.wav", np.zeros((RATE // 2, 2)), RATE, subtype="PCM_24")
    with (takes / "004.marks.jsonl").open("a") as marks:
        marks.write('{"dropout": 24000, "frames": 4800, "how": "ring"}\n')
    session.singer("ola-zolta", consent=Until(date(2026, 1, 1)))
    session.arm(3, "Sala")
    done(session)
    sung(session)
    found = check(session, TODAY)
    assert [(one.what, one.take) for one in found] == [
        ("missing", 1),
        ("unreadable", 2),
        ("length", 3),
        ("dropout", 4),
        ("open", 7),
        ("singer", None),
        ("consent", None),
    ]
    assert [one.what for one in found if not one.wrong] == ["open", "singer"]
    assert "lacks 100 ms at 0.50 s" in found[3].sentence


@contextmanager
def _recorder_lives(folder: Path) -> Iterator[None]:
    with (folder / "recorder.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_times_are_utc(session: Session) -> None:
    assert session.state.created
    assert abs((datetime.now(UTC) - session.state.created).total_seconds()) < 3600
