"""A take on its way to the disk: valid after whatever happens to this process, but for its last tenth of a second."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from studio.errors import MediaError, why
from studio.language import _
from studio.media._takes import wav

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.media._takes.wav import TakeNotes

logger = logging.getLogger(__name__)

HEAD_EVERY = 0.1
"""Seconds of sound between two sizes in the head."""
_SILENCE = 1 << 16
"""Frames of it that are written at once."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What is in a file that nobody closed, now that it is whole."""

    frames: int
    rate: int
    channels: int


class Takes(Protocol):
    """What writes a take, in whatever form."""

    frames: int
    """Written so far."""

    def write(self, block: NDArray[np.int32]) -> None:
        """Add (frames, tracks), 24 bits on the left. Raises MediaError; what was written before stays and is valid."""
        ...

    def silence(self, frames: int, pieces: int = 0) -> None:
        """Add silence in place of what is missing; `pieces` frames of what was kept are not written again."""
        ...

    def keep(self, block: NDArray[np.int32]) -> None:
        """Bring to the disk what comes again by `write` once its place is known, lest a kill costs it; never raises.

        It is no part of the file as long as that says itself how long it is, but of what `repair` makes of it. A form
        that cannot do so (FLAC) keeps nothing.
        """
        ...

    def sync(self) -> None:
        """Bring all of it to the disk, so that it outlives a power cut; from any thread, and it may block."""
        ...

    def close(self) -> None:
        """Finish the file. Idempotent."""
        ...


class TakeWriter:
    """Writes Broadcast Wave, 24 bits."""

    def __init__(self, path: Path, rate: int, tracks: Sequence[str], notes: TakeNotes) -> None:
        """Begin a new file; never over an old one. Raises MediaError."""
        self.path = path
        self.frames = 0
        self._kept = 0
        """Frames behind those, of which the place is not known."""
        self._frame = len(tracks) * wav.BYTES
        self._head = wav.head(rate, tracks, notes)
        self._often = int(rate * HEAD_EVERY)
        self._sized = 0
        self._closed = False
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            self._all(wav.sized(self._head, 0, 0), 0)
        except OSError as problem:
            raise _refused(path, problem) from problem

    def write(self, block: NDArray[np.int32]) -> None:
        """See `Takes`."""
        self._add(_packed(block), len(block))

    def silence(self, frames: int, pieces: int = 0) -> None:
        """See `Takes`."""
        if self._kept > pieces:
            try:
                self._move(pieces, frames - pieces)
            except OSError as problem:
                raise _refused(self.path, problem) from problem
        self._kept = max(0, self._kept - pieces)
        for begin in range(0, frames, _SILENCE):
            count = min(_SILENCE, frames - begin)
            self._add(bytes(count * self._frame), count, moved=True)

    def keep(self, block: NDArray[np.int32]) -> None:
        """See `Takes`."""
        try:
            self._all(_packed(block), self._place(self._kept))
        except OSError as problem:  # it is said when it is written
            logger.info("%s: %s", self.path, problem)
        else:
            self._kept += len(block)

    def sync(self) -> None:
        """See `Takes`."""
        if not self._closed:
            os.fdatasync(self._file)

    def close(self) -> None:
        """See `Takes`."""
        if self._closed:
            return
        self._closed = True
        try:
            os.ftruncate(self._file, self._place(0))  # what was kept and is not wanted
            if self.frames * self._frame % 2:
                os.pwrite(self._file, b"\0", self._place(0))
        except OSError:  # a reader can do without the filling byte
            pass
        finally:
            self._write_head()
            os.fsync(self._file)
            os.close(self._file)

    def _place(self, frame: int) -> int:
        """Return the byte at which a frame behind the last one begins."""
        return len(self._head) + (self.frames + frame) * self._frame

    def _move(self, first: int, by: int) -> None:
        """Let what is kept, from frame `first` of it on, stand `by` frames later.

        It goes from its end in pieces that do not reach over themselves: whenever this process is killed, each frame
        stands in the file at its old place or at its new one.
        """
        end = self._kept
        while by > 0 and end > first:
            count = min(by, end - first, _SILENCE)
            end -= count
            self._all(os.pread(self._file, count * self._frame, self._place(end)), self._place(end + by))

    def _add(self, data: bytes, frames: int, *, moved: bool = False) -> None:
        try:
            self._all(data, self._place(0))
        except OSError as problem:
            self._write_head()
            raise _refused(self.path, problem) from problem
        self.frames += frames
        self._kept = self._kept if moved else max(0, self._kept - frames)
        if self.frames - self._sized >= self._often:
            self._write_head()
            self._sized = self.frames

    def _all(self, data: bytes, place: int) -> None:
        left = memoryview(data)
        while left:
            written = os.pwrite(self._file, left, place)
            left, place = left[written:], place + written

    def _write_head(self) -> None:
        size = self.frames * self._frame
        os.pwrite(self._file, wav.sized(self._head, size, self.frames), 0)


def _packed(block: NDArray[np.int32]) -> bytes:
    samples = np.ascontiguousarray(block).view(np.uint8).reshape(-1, 4)
    packed = np.empty((len(samples), wav.BYTES), np.uint8)
    for byte in range(wav.BYTES):  # six times as fast as all at once
        packed[:, byte] = samples[:, byte + 1]
    return packed.tobytes()


def take_writer(path: Path, rate: int, tracks: Sequence[str], notes: TakeNotes) -> Takes:
    """Begin a take in the form that its name ends in. Raises MediaError: more tracks than the form holds, the disk."""
    if path.suffix != ".flac":
        return TakeWriter(path, rate, tracks, notes)
    from studio.media._takes import flac  # noqa: PLC0415 - loads FFmpeg

    if len(tracks) > flac.MOST:
        sentence = _("FLAC holds {most} tracks and {count} are armed; record them as WAV.")
        raise MediaError(sentence.format(most=flac.MOST, count=len(tracks)))
    return flac.FlacWriter(path, rate, tracks, notes)


def repair(path: Path) -> Mended:
    """Let a take that nobody closed say how long it is; its sound is never touched.

    Raises MediaError for what is no take of ours, or cannot be read or written.
    """
    try:
        if path.suffix == ".flac":
            from studio.media._takes import flac  # noqa: PLC0415 - loads FFmpeg

            return Mended(*flac.mend(path))
        head, frames = wav.mend(path)
    except OSError as problem:
        raise _refused(path, problem) from problem
    return Mended(frames, head.rate, head.channels)


def _refused(path: Path, problem: OSError) -> MediaError:
    return MediaError(_("{file} cannot be written: {problem}.").format(file=path, problem=why(problem)))
