"""Small files that somebody else reads while we write."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from typing import TYPE_CHECKING

from studio.language import _
from studio.subtitles import is_stream

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 0.2
"""Seconds that whoever writes a note waits for the disk."""


def write_aside(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content`, text as UTF-8, so that nobody sees half of it; OSError where that fails.

    A device or a pipe is not replaced: that fails, too.
    It survives this process, not a power cut: a playlist is written every two seconds and not worth an `fsync` each.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        _replace(path, aside)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


class Note:
    """A small file that is replaced now and then, in a thread of its own: a disk that hangs keeps nobody waiting."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._wanted: str | None = None
        self._thread: threading.Thread | None = None

    def write(self, content: str, patience: float = PATIENCE) -> None:
        """Replace it: at once, or when the disk answers again; the latest `content` wins. What fails is left out.

        `patience`: seconds to wait for the disk.
        """
        with self._lock:
            self._wanted = content
            thread = self._thread or threading.Thread(target=self._run, name="note", daemon=True)
            if self._thread is None:
                with contextlib.suppress(RuntimeError):  # this machine is at its limits
                    thread.start()
                    self._thread = thread
        if thread.ident is not None:
            thread.join(patience)

    def _run(self) -> None:
        while True:
            with self._lock:
                content, self._wanted = self._wanted, None
                if content is None:
                    self._thread = None
                    return
            with contextlib.suppress(OSError):  # a full disk is told by the outputs
                write_aside(self._path, content)


def settle(path: Path, aside: Path) -> None:
    """Make `aside`, which is complete, be `path`, also after a power cut; OSError where that is a device or a pipe."""
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    _replace(path, aside)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def look_at_place(path: Path) -> None:
    """Raise OSError where `path` is a device or a pipe: root could put a file in its place, for all of this machine."""
    if is_stream(path):
        raise OSError(errno.ENODEV, _("it is a device or a pipe"))


def _replace(path: Path, aside: Path) -> None:
    look_at_place(path)
    aside.replace(path)
