"""Closing what a recorder left open when it died, out of its marks and its files."""

from __future__ import annotations

import fcntl
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from studio import media
from studio.errors import MediaError, StudioError
from studio.language import _, decimal
from studio.vocal._entries import AnyEntry, TakeBegun, Taken, TakeRuns, TakeTrack
from studio.vocal._marks import marks_of

if TYPE_CHECKING:
    from pathlib import Path

    from studio.vocal._lines import Lines
    from studio.vocal._state import SessionState, Take

LOCK = "recorder.lock"
TAKES = "takes"
FORMS = (".wav", ".flac")


def recorded_now(folder: Path) -> bool:
    """Whether a recorder of that session lives."""
    try:
        file = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def mended(folder: Path, lines: Lines) -> list[str]:
    """Close the takes that nobody closed, take in files that no line speaks of; return what was done, in sentences.

    Nothing is done while a recorder lives. A folder that may only be read stays as it is, which is said.
    """
    if not lines.state.running and not _strangers(folder, lines.state):
        return []
    said: list[str] = []

    def make(state: SessionState) -> list[AnyEntry]:
        said.clear()
        if recorded_now(folder):  # its takes were begun after it had its lock: what is open now is its own
            return []
        made: list[AnyEntry] = []
        for take in state.running:
            made += _closed(folder, take, said)
        for path in _strangers(folder, state):
            made += _adopted(folder, path, state, said)
        return made

    try:
        lines.append(make)
    except StudioError as problem:
        return [str(problem)]
    return said


def file_of(folder: Path, take: Take) -> Path | None:
    """Return the file of a take; `None` where there is none."""
    named = [folder / take.file] if take.file else []
    guessed = [folder / TAKES / f"{take.number:03}{form}" for form in FORMS]
    return next((path for path in (*named, *guessed) if path.is_file()), None)


def _strangers(folder: Path, state: SessionState) -> list[Path]:
    try:
        paths = sorted((folder / TAKES).iterdir())
    except OSError:
        return []
    named = [(path, re.fullmatch(r"\d+", path.stem)) for path in paths if path.suffix in FORMS]
    return [path for path, number in named if number and int(number[0]) not in state.takes]


def _closed(folder: Path, take: Take, said: list[str]) -> list[AnyEntry]:
    path = file_of(folder, take)
    if path is None:
        sentence = _("nothing was recorded")
        said.append(_("Take {number} has no file: {reason}.").format(number=take.number, reason=sentence))
        return [Taken(number=take.number, frames=0, ended=sentence)]
    made: list[AnyEntry] = []
    if not take.file:
        made.append(TakeRuns(number=take.number, file=path.relative_to(folder).as_posix()))
    return [*made, _taken(path, take.number, take.rate, said)]


def _adopted(folder: Path, path: Path, state: SessionState, said: list[str]) -> list[AnyEntry]:
    number = int(path.stem)
    try:
        facts = media.take_facts(path)
    except MediaError as problem:
        said.append(str(problem))
        return []
    named = marks_of(path).tracks or tuple((channel, str(channel)) for channel in range(1, facts.channels + 1))
    tracks = tuple(TakeTrack(channel, name) for channel, name in named)
    when = datetime.fromtimestamp(path.stat().st_mtime - facts.frames / facts.rate, UTC)
    return [
        TakeBegun(at=when, number=number, song="", tracks=tracks, rate=facts.rate or state.rate),
        TakeRuns(at=when, number=number, file=path.relative_to(folder).as_posix()),
        _taken(path, number, facts.rate, said),
    ]


def _taken(path: Path, number: int, rate: int, said: list[str]) -> Taken:
    marks = marks_of(path)
    lost = sum(one.frames for one in marks.lost)
    try:
        if marks.rate:  # else no recorder of ours wrote it, and its head is nobody's to mend
            media.repair_take(path)
        frames = media.take_facts(path).frames
    except MediaError as problem:
        said.append(str(problem))
        return Taken(number=number, frames=0, ended=str(problem), lost=lost)
    reason = marks.ended or _("the recorder was ended before the take was")
    said.append(
        _("Take {number} was left open and is closed now, {seconds} s long: {reason}.").format(
            number=number, seconds=decimal(frames / rate, ".1f"), reason=reason.rstrip(".")
        )
    )
    return Taken(number=number, frames=frames, ended=reason, lost=lost)
