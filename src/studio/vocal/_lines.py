"""A file of lines that only grows, and that several processes write: the page and the command line, say.

A line is on the disk when `append` returns. Whoever writes holds the file's lock and has read all that others wrote
before, so no number is given twice. What a crash tore stays where it is, as a line that is passed over.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from typing import TYPE_CHECKING

from studio.errors import VocalError, why
from studio.language import _
from studio.vocal import _entries
from studio.vocal._state import SessionState, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.vocal._entries import AnyEntry


class Lines:
    """One session's file, and what its lines come to; any thread may call."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path
        self.state = SessionState()
        self.said: list[str] = []
        """What is wrong with the file, a sentence each."""
        self._read_to = 0
        self._number = 0
        self._guard = threading.Lock()

    def refresh(self) -> SessionState:
        """Read what was added since. VocalError where it cannot be read, or was written by a newer studio."""
        with self._guard:
            try:
                with self._locked(os.O_RDONLY, fcntl.LOCK_SH) as file:
                    self._catch_up(file)
            except OSError as problem:
                raise self._unread(problem) from problem
        return self.state

    def append(self, make: Callable[[SessionState], list[AnyEntry]]) -> SessionState:
        """Add what `make` returns for the state of this moment, which no other writer can change meanwhile.

        What `make` raises passes through and nothing is written. VocalError where the disk refuses.
        """
        with self._guard:
            try:
                with self._locked(os.O_RDWR | os.O_APPEND, fcntl.LOCK_EX) as file:
                    self._catch_up(file)
                    self._write(file, b"".join(_entries.written(entry) for entry in make(self.state)))
                    self._catch_up(file)
            except OSError as problem:
                raise self._unwritten(problem) from problem
        return self.state

    def begin(self, first: AnyEntry) -> None:
        """Make the file with its first line; VocalError where there is one already, or none can be made."""
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise VocalError(
                _("There is a session in {folder} already; open it, or name another folder.").format(
                    folder=self.path.parent
                )
            ) from None
        except OSError as problem:
            raise self._unmade(problem) from problem
        try:
            os.write(file, _entries.written(first))
            os.fsync(file)
        except OSError as problem:
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise self._unmade(problem) from problem
        finally:
            os.close(file)
        sync_folder(self.path.parent)

    @contextlib.contextmanager
    def _locked(self, flags: int, lock: int) -> Iterator[int]:
        file = os.open(self.path, flags | os.O_CLOEXEC)
        try:
            fcntl.flock(file, lock)  # goes with the file, also where we are killed
            yield file
        finally:
            os.close(file)

    def _catch_up(self, file: int) -> None:
        size = os.fstat(file).st_size
        data = os.pread(file, size - self._read_to, self._read_to) if size > self._read_to else b""
        torn = data[data.rfind(b"\n") + 1 :]
        for line in data[: len(data) - len(torn)].splitlines(keepends=True):
            self._number += 1
            self._take_in(line)
            self._read_to += len(line)
        sentence = _("The last line of {file} was not written to its end and does not count.").format(file=self.path)
        if torn and sentence not in self.said:
            self.said.append(sentence)

    def _take_in(self, line: bytes) -> None:
        if self._number == 1:
            self._must_be_ours(line)
        if not line.strip():
            return
        try:
            entry = _entries.read(line)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            self.said.append(
                _("Line {number} of {file} cannot be read and is passed over.").format(
                    number=self._number, file=self.path
                )
            )
            return
        if entry is not None:
            self.state = folded(self.state, (entry,))

    def _must_be_ours(self, line: bytes) -> None:
        version = _entries.version_of(line)
        if version is not None and version > _entries.VERSION:
            self._number = 0
            raise VocalError(
                _("The session {folder} was made by a newer studio; update this one to open it.").format(
                    folder=self.path.parent
                )
            )

    def _write(self, file: int, data: bytes) -> None:
        if not data:
            return
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":  # what somebody was killed in the midst of
            data = b"\n" + data
        try:
            written = 0
            while written < len(data):
                written += os.write(file, data[written:])
            os.fsync(file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, size)  # half a line of ours is nobody's
            raise

    def _unwritten(self, problem: OSError) -> VocalError:
        if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            sentence = _("{file} may not be written ({reason}), so this was not noted; copy the session elsewhere.")
        else:
            sentence = _("{file} cannot be written ({reason}), so this was not noted; free some space and do it again.")
        return VocalError(sentence.format(file=self.path, reason=why(problem)))

    def _unread(self, problem: OSError) -> VocalError:
        if isinstance(problem, FileNotFoundError | NotADirectoryError):
            return VocalError(
                _("{folder} holds no session; `studio vocal session new {folder}` makes one.").format(
                    folder=self.path.parent
                )
            )
        return VocalError(_("{file} cannot be read: {reason}.").format(file=self.path, reason=why(problem)))

    def _unmade(self, problem: OSError) -> VocalError:
        return VocalError(
            _("No session can be made in {folder} ({reason}); name another folder.").format(
                folder=self.path.parent, reason=why(problem)
            )
        )


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` onto the disk, where the system can."""
    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
