"""The take that is being recorded: its file, and beside it what happened meanwhile, each line as soon as it is so."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from studio import media
from studio.errors import MediaError, StudioError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.events import ArmedTrack
    from studio.media import TakeNotes

logger = logging.getLogger(__name__)

TAKES = "takes"
MARKS = ".marks.jsonl"


class Marks:
    """`takes/001.marks.jsonl`: each line is one write, which a crash may tear and nothing else."""

    def __init__(self, path: Path) -> None:
        """Add to the file at `path`, or begin it."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # a crash tore the last line
            with suppress(OSError):
                os.write(self._file, b"\n")

    def add(self, **words: object) -> None:
        """Write a line. A disk that refuses is said by whoever writes the sound."""
        with suppress(OSError):
            os.write(self._file, (json.dumps(words, ensure_ascii=False) + "\n").encode())

    def close(self) -> None:
        """Let it be, safely on the disk."""
        with suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)


class Take:
    """Writes the armed channels of what is heard, from `first_frame` on."""

    def __init__(
        self,
        path: Path,
        rate: int,
        tracks: Sequence[ArmedTrack],
        notes: TakeNotes,
        *,
        heard: tuple[int, int],
    ) -> None:
        """Begin the file at `path`; `heard` is the input's first frame, and its channels. Raises StudioError."""
        first_frame, channels = heard
        self.number, self.path, self.first_frame = notes.number, path, first_frame
        self.tracks = len(tracks)
        self.lost = 0
        self._rate = rate
        places = [track.channel - 1 for track in tracks]
        self._places = None if places == list(range(channels)) else np.array(places)
        self._file = media.write_take(path, rate, [track.name for track in tracks], notes)
        self._marks = Marks(path.with_suffix(MARKS))
        self._beat = 0
        self._marks.add(
            first_frame=first_frame, rate=rate, channels=len(places), at=notes.at.astimezone(UTC).isoformat(),
            tracks=[[track.channel, track.name] for track in tracks],
        )  # fmt: skip

    @property
    def frames(self) -> int:
        """Written so far."""
        return self._file.frames

    def write(self, block: NDArray[np.int32]) -> None:
        """Add what all channels of the input heard. Raises StudioError; what was written stays."""
        self._file.write(block if self._places is None else block[:, self._places])
        if self.frames - self._beat >= self._rate:
            self._beat = self.frames
            self._marks.add(frames=self.frames)

    def keep(self, block: NDArray[np.int32]) -> None:
        """Bring to the disk what all channels heard and of which the place is not known; it comes again by `write`."""
        self._file.keep(block if self._places is None else block[:, self._places])

    def lose(self, frames: int, how: str, pieces: int = 0) -> None:
        """Put silence in place of what is missing, and of `pieces` that were kept, and say so. Raises StudioError."""
        self._marks.add(dropout=self.frames, frames=frames, how=how)
        self.lost += frames
        self._file.silence(frames, pieces)

    def note(self, **words: object) -> None:
        """Say something else that happened."""
        self._marks.add(**words)

    def sync(self) -> None:
        """Bring it to the disk; from any thread."""
        self._file.sync()

    def close(self, ended: str) -> None:
        """Finish the file; `ended` says why. What goes wrong now is logged: the sound is in the file."""
        try:
            self._file.close()
        except (StudioError, OSError) as problem:
            logger.warning("%s", problem)
        self._marks.add(frames=self.frames, ended=ended)
        self._marks.close()


def mend(folder: Path) -> list[tuple[int, int, str]]:
    """Close the takes that a recorder which died left open; return number, frames and why, of each.

    Only for whoever has the session's lock.
    """
    found = []
    for marks in sorted((folder / TAKES).glob("*" + MARKS)):
        if b'"ended"' in marks.read_bytes():
            continue
        path = next(
            (
                path
                for form in (".wav", ".flac")
                if (path := marks.with_name(marks.name.removesuffix(MARKS) + form)).exists()
            ),
            None,
        )
        number = marks.name.removesuffix(MARKS)
        if path is None or not number.isdecimal():
            continue
        reason = _("The recorder ended in mid-take; what was heard until then is kept.")
        try:
            frames = media.repair_take(path).frames
        except MediaError as problem:
            frames, reason = 0, str(problem)
        book = Marks(marks)
        book.add(frames=frames, ended=reason)
        book.close()
        found.append((int(number), frames, reason))
    return found


def now() -> datetime:
    """Return the time of day here, with its zone."""
    return datetime.now().astimezone()
