"""A folder of files made of films: what would take time to make again, and no more of it than a disk bears."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Kept:
    """A film that changes has another file. Any thread may ask."""

    def __init__(self, folder: Path, ending: str, most: int) -> None:
        """Keep up to `most` bytes, and the newest file whatever it has; what nobody asked for longest goes first."""
        self._folder = folder
        self._ending = ending
        self._most = most
        self._lock = threading.Lock()

    def file(self, path: Path) -> Path:
        """Where that of the film at `path` is, or would be. Raises OSError where there is no such film."""
        seen = path.stat()
        name = f"{seen.st_dev:x}-{seen.st_ino:x}-{seen.st_mtime_ns:x}-{seen.st_size:x}"
        return self._folder / (name + self._ending)

    def asked(self, file: Path) -> bool:
        """Whether it is there; it is the newest then."""
        try:
            os.utime(file)
        except FileNotFoundError:
            return False
        except OSError:  # a disk that may not be written has it all the same
            return file.exists()
        return True

    def put(self, file: Path, content: bytes) -> None:
        """Keep `content`, and make room. Raises OSError."""
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(content)
            aside.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise
        self.clear()

    def clear(self) -> None:
        """Make room: also of what a process that was killed left half written."""
        with self._lock, contextlib.suppress(OSError):
            found = []
            for file in self._folder.iterdir():
                with contextlib.suppress(OSError):  # another page may clear the same folder
                    seen = file.stat()
                    found.append((seen.st_mtime_ns, seen.st_size, file))
            held = 0
            for nth, (_when, size, file) in enumerate(sorted(found, reverse=True)):
                held += size
                if held > self._most and nth:
                    with contextlib.suppress(OSError):
                        file.unlink()
