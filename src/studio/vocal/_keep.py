"""What is kept of a song: copies of what was played, and comps of keepers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

from studio.errors import VocalError, why
from studio.language import _, decimal
from studio.vocal._lines import sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from studio.vocal._entries import Piece
    from studio.vocal._state import SessionState, Take

LONGEST_CROSSFADE = 2.0
"""Seconds."""
SLACK = 0.001
"""Seconds that a piece may reach beyond its take: what rounding does."""


def keep(file: Path, into: Path, session: Path) -> str:
    """Copy `file` into the folder `into` of a session, once; return where it is, from the session's folder on.

    The name tells the content, so another file of the same name never takes its place. VocalError.
    """
    try:
        with file.open("rb") as read:
            content = hashlib.file_digest(read, "sha256").hexdigest()[:8]
        kept = into / f"{file.stem}-{content}{file.suffix.lower()}"
        if not kept.exists():
            _copied(file, kept)
    except OSError as problem:
        raise VocalError(
            _("{file} cannot be copied into the session: {reason}.").format(file=file, reason=why(problem))
        ) from problem
    return kept.relative_to(session).as_posix()


def _copied(file: Path, kept: Path) -> None:
    aside = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        with file.open("rb") as read, aside.open("wb") as write:
            shutil.copyfileobj(read, write, 1 << 20)
            write.flush()
            os.fsync(write.fileno())
        aside.rename(kept)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    sync_folder(kept.parent)


def song_of(state: SessionState, pieces: Sequence[Piece], crossfade: float) -> str:
    """Return the song that all pieces are of. VocalError where they make no comp."""
    if not pieces:
        raise VocalError(_("A comp is made of at least one piece, such as 3:0-12.5."))
    takes = [_keeper(state, piece) for piece in pieces]
    if len({take.song for take in takes}) > 1 or len({take.rate for take in takes}) > 1:
        raise VocalError(_("The pieces of a comp are takes of one song."))
    if not 0 <= crossfade <= LONGEST_CROSSFADE:
        raise VocalError(_("A crossfade is 0 to {most} s long.").format(most=decimal(LONGEST_CROSSFADE)))
    for before, after in pairwise(pieces):
        if after.start < before.end:
            raise VocalError(
                _("At {at} s the comp wants take {one} and take {other} at once; let one end before.").format(
                    at=decimal(after.start, ".2f"), one=before.take, other=after.take
                )
            )
    return takes[0].song


def _keeper(state: SessionState, piece: Piece) -> Take:
    take = state.takes.get(piece.take)
    if take is None:
        raise VocalError(_("There is no take {number} in this session.").format(number=piece.take))
    if not take.keeper:
        raise VocalError(
            _("Take {number} is no keeper; `studio vocal keep {number}` makes it one.").format(number=piece.take)
        )
    begin = take.offset or 0.0
    end = begin + take.seconds
    if not begin - SLACK <= piece.start < piece.end <= end + SLACK:
        raise VocalError(
            _("Take {number} has sound from {begin} s to {end} s; a piece of it lies between them.").format(
                number=piece.take, begin=decimal(begin, ".2f"), end=decimal(end, ".2f")
            )
        )
    return take
