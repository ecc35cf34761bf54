"""Files that only grow, and survive whatever ends the process that writes them.

A line is handed to the system before `append` returns: kill -9 of this process, or of any other, loses none of it.
Against a power cut, `sync` puts it onto the disk. It is called once a second from another thread and not for each
line, because on a busy disk it can take longer than a caption may wait, and a cut of the power ends the show anyway.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from typing import TYPE_CHECKING, Any

from studio.errors import why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)


class Journal:
    """One file that only grows.

    What cannot be written (a full disk) waits in memory and is tried again; half-written lines are cut off. `trouble`
    is told a sentence when writing begins to fail, and `None` when everything is written again.
    """

    def __init__(
        self,
        path: Path,
        trouble: Callable[[Path, str | None], None],
        refused: Callable[[Path, OSError], str] | None = None,
    ) -> None:
        """`refused` makes the sentence; what is said during a show is `refusal`."""
        self.path = path
        self._refused = refused or refusal
        self._trouble = trouble
        self._file: int | None = None
        self._size = 0
        self._waiting: list[bytes] = []
        self._failing = False
        self._unsynced = False

    @property
    def waiting(self) -> int:
        """Appended but not written yet."""
        return len(self._waiting)

    def append(self, text: str) -> None:
        """Write `text` at the end, now if that is possible, else as soon as it is."""
        self._waiting.append(text.encode())
        self.retry()

    def retry(self) -> None:
        """Write what waits, if that is possible now."""
        try:
            while self._waiting:
                self._write(self._waiting[0])
                del self._waiting[0]
        except OSError as problem:
            self._failed(problem)
            return
        if self._failing:
            self._failing = False
            logger.info("%s is written again", self.path)
            self._trouble(self.path, None)

    def rewrite(self, begin: int, text: str) -> bool:
        """Put `text` in place of all from byte `begin` on; return whether that was possible.

        Where it was not, the file ends at `begin` or stands as it stood, and what waited is forgotten: it is to be
        written as a whole then.
        """
        if not self._waiting:
            try:
                self._write(b"")
                assert self._file is not None  # noqa: S101 - for the type checker: it was opened just now
                os.ftruncate(self._file, begin)
                self._size = begin
                self._write(text.encode())
            except OSError as problem:
                self._failed(problem)
            else:
                return True
        self.let_go()
        return False

    def let_go(self) -> None:
        """Forget what waits, and the file: another one will stand in its place."""
        self._waiting.clear()
        self._failing = False
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def sync(self) -> None:
        """Wait until the disk has it; may be called from another thread."""
        file = self._file
        if file is None or not self._unsynced:
            return
        self._unsynced = False
        try:
            os.fsync(file)
        except OSError as problem:
            logger.warning("%s could not be put onto the disk: %s", self.path, problem)

    def close(self) -> None:
        """Write what can be written and let go of the file."""
        self.retry()
        self.sync()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            self._size = os.fstat(self._file).st_size
        written = 0
        while written < len(data):
            written += os.write(self._file, data[written:])
        self._size += len(data)
        self._unsynced = True

    def _failed(self, problem: OSError) -> None:
        if self._file is not None:
            # What was half written goes, so that the next try does not write it twice.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
        if not self._failing:
            self._failing = True
            logger.warning("%s cannot be written: %s", self.path, problem)
            self._trouble(self.path, self._refused(self.path, problem))


def line(**entry: object) -> str:
    """One entry as a line of a journal."""
    return json.dumps(entry, ensure_ascii=False) + "\n"


def refusal(path: Path, problem: OSError) -> str:
    """What a person is told when the disk refuses."""
    return _("{file} cannot be written ({problem}): captions go on the air but are not kept; free some space").format(
        file=path, problem=why(problem)
    )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a journal; one that a crash tore is left out. Empty where there is no file.

    OSError where the file is there and cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    lines: list[dict[str, Any]] = []
    for raw in data[: data.rfind(b"\n") + 1].splitlines():
        try:
            entry = json.loads(raw)
        except ValueError:
            logger.warning("%s holds a line that is none: %r", path, raw[:80])
            continue
        if isinstance(entry, dict):
            lines.append(entry)
    return lines


def cut_torn_line(path: Path) -> None:
    """Cut off what a crash left after the last whole line. OSError where that is not possible."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            file.truncate(whole)
