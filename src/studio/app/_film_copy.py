"""Small copies of films that a browser cannot show: made on demand, one at a time, and kept while there is room.

A child makes them, at the lowest weight: pages may be served by the process that has a show on the air.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from studio import media
from studio.app._film_kept import Kept
from studio.errors import MediaError, StudioError
from studio.language import _, speak, spoken

if TYPE_CHECKING:
    from studio.units import Ms

MOST_COPIES = 8 << 30
"""Bytes: 15 to 40 hours of film. One is made about as fast as it plays, or several times faster."""
WEIGHT = 19


class Copy(Struct, frozen=True):
    """How far a film's small copy is."""

    state: Literal["none", "waiting", "making", "ready", "failed"]
    share: float = 0.0
    """Of it that is made, in [0..1]."""
    why: str = ""
    """In a sentence, why it could not be made."""


class Copies:
    """Any thread may ask."""

    def __init__(self, folder: Path) -> None:
        self._kept = Kept(folder, ".mp4", MOST_COPIES)
        self._known: dict[Path, Copy] = {}
        self._wanted: queue.SimpleQueue[tuple[Path, Path, str] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._maker: threading.Thread | None = None
        self._child: subprocess.Popen[str] | None = None
        self._closed = False

    def close(self) -> None:
        """Make no more; what is half made is lost."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()
        self._wanted.put(None)

    def copy(self, path: Path) -> Copy:
        """Say how far that of the film at `path` is. Raises OSError where there is no such film."""
        file = self._kept.file(path)
        with self._lock:
            known = self._known.get(file)
        if known is not None and known.state in {"waiting", "making"}:
            return known
        if self._kept.asked(file):
            return Copy("ready", 1.0)
        return known if known is not None and known.state == "failed" else Copy("none")

    def make(self, path: Path) -> Copy:
        """Have it made, where nobody does. Raises OSError where there is no such film."""
        found = self.copy(path)
        if found.state in {"none", "failed"}:
            file = self._kept.file(path)
            with self._lock:
                if self._known.get(file, found).state in {"waiting", "making"} or self._closed:
                    return self._known.get(file, found)
                found = self._known[file] = Copy("waiting")
                if self._maker is None:
                    self._maker = threading.Thread(target=self._make_them, daemon=True, name="copies")
                    self._maker.start()
            self._wanted.put((path, file, spoken()))
        return found

    def file(self, path: Path) -> Path:
        """Where it is. Raises OSError where there is no such film, MediaError where there is no copy of it."""
        file = self._kept.file(path)
        if not file.exists():
            raise MediaError(_("There is no small copy of {file} yet.").format(file=path))
        return file

    def _make_them(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            path, file, interface = wanted
            try:
                self._make(path, file, interface)
            except (OSError, ValueError) as problem:
                logging.getLogger(__name__).exception("no copy was made")
                self._say(file, Copy("failed", why=str(problem)))
            self._kept.clear()

    def _make(self, path: Path, file: Path, interface: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._closed:
                return
            child = self._child = subprocess.Popen(
                [sys.executable, "-m", "studio.app._film_copy", str(path), str(file), interface],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        why = ""
        with child:
            for line in child.stdout or ():
                told = json.loads(line)
                why = told.get("why", "")
                self._say(file, Copy("making", told.get("share", 0.0)))
        made = file.exists() and not child.returncode
        sentence = why or _("The small copy was broken off; ask for it once more.")
        self._say(file, Copy("ready", 1.0) if made else Copy("failed", why=sentence))

    def _say(self, file: Path, copy: Copy) -> None:
        with self._lock:
            self._known[file] = copy


def _child(path: Path, file: Path) -> int:
    """Make one, and say how far it is, a line each; whoever listens no more ends it."""
    said = -1

    def tell(**what: object) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    def progress(at: Ms, length: Ms | None) -> None:
        nonlocal said
        share = min(100, at * 100 // length) if length else 0
        if share != said:
            said = share
            tell(share=share / 100)

    tell(share=0.0)
    try:
        media.proxy(path, file, progress=progress, say=lambda _sentence: None)
    except StudioError as problem:
        tell(why=str(problem))
        return problem.exit_code
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(OSError):
        os.nice(WEIGHT)
    speak(sys.argv[3])
    sys.exit(_child(Path(sys.argv[1]), Path(sys.argv[2])))
