"""Which films are meant, where their files go, and who works in a folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from studio.errors import ArchiveError, why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ENDINGS = frozenset({
    ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".asf", ".avi", ".dv", ".flac", ".flv", ".m2t", ".m2ts",
    ".m2v", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".oga", ".ogg", ".ogv", ".opus", ".ts", ".vob", ".wav", ".webm", ".wma", ".wmv",
})  # fmt: skip
"""What is taken for a film in a folder; a file that is named by itself may end in anything."""
BURNED, MUXED = ".burned", ".subtitled"
"""Stand before the ending of films that we made: they are not taken for films to be subtitled."""
LOCK = ".studio-subtitle.lock"


@dataclass(frozen=True, slots=True)
class Target:
    """A film, and where what is made of it goes."""

    path: Path
    """Absolute; as it was named, with its links."""
    folder: Path
    """That takes the files."""
    shown: str
    """As people know it: below the folder that was named, or its name; without line breaks."""

    below: Path
    """Below the folder that was named, or its name."""
    stem: str
    """Names of the files begin so."""

    def file(self, language: str, ending: str) -> Path:
        """`film.pl.srt` for `pl` and `.srt`."""
        return self.folder / f"{self.stem}.{language}{ending}"

    def source(self, media: str) -> str:
        """Where workers find it: under its path, or below the address `media`."""
        return f"{media.rstrip('/')}/{quote(os.fsencode(self.below))}" if media else str(self.path)

    def film(self, what: str, ending: str) -> Path:
        """`film.burned.mp4` for `BURNED` and `.mp4`."""
        return self.folder / f"{self.stem}{what}{ending}"


def targets(named: Sequence[Path], out: Path | None, say: Callable[[str], None]) -> list[Target]:
    """Return every film meant by `named`, each once, folders in the order of their names.

    A name that leads nowhere is a target, too, and so is a folder without films: it fails with all that did not go.
    `say` is told of folders that may not be read. Two films of one folder that would give files of the same name,
    `a.mp4` and `a.mkv`, keep their ending in the name: `a.mkv` in `a.mkv.pl.srt`.
    """
    found: dict[Path, Target] = {}
    for name in named:
        root = name.expanduser().absolute()
        if not root.is_dir():
            found.setdefault(
                root,
                Target(root, (out or root.parent).absolute(), shown_name(Path(root.name)), Path(root.name), root.stem),
            )
            continue
        some = False
        for path in _films_below(root, say):
            some = True
            below = path.relative_to(root)
            folder = out.absolute() / below.parent if out else path.parent
            found.setdefault(path, Target(path, folder, shown_name(below), below, path.stem))
        if not some:
            # No name of a file ends in "/": no film is taken for one of the same name.
            found[root] = Target(root, root, shown_name(root), Path(root.name), f"{root.name}/")
    names = Counter((one.folder, one.stem) for one in found.values())
    return [one if names[one.folder, one.stem] == 1 else replace(one, stem=one.path.name) for one in found.values()]


def _films_below(root: Path, say: Callable[[str], None]) -> Iterator[Path]:
    def refused(problem: OSError) -> None:
        say(
            _("{folder} cannot be read ({problem}) and is left out.").format(
                folder=problem.filename, problem=why(problem)
            )
        )

    for folder, folders, files in os.walk(root, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            ours = path.stem.endswith((BURNED, MUXED))
            if path.suffix.lower() in ENDINGS and not name.startswith(".") and not ours:
                yield path


def shown_name(path: Path | str) -> str:
    """A name that stands in one line, whatever is in it: � for what is no sign."""
    text = os.fsencode(path).decode(errors="replace")
    return "".join(letter if letter.isprintable() else "�" for letter in text)


class Busy(ArchiveError):  # noqa: N818 - it is an answer, not a fault
    """Somebody else works in that folder."""


class FolderLock:
    """Keeps others out of a folder that we write into; the system takes it away when we die."""

    def __init__(self, folder: Path) -> None:
        """Raises Busy, or ArchiveError where nothing can be written there."""
        self._path = folder / LOCK
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._opened()
        except OSError as problem:
            raise ArchiveError(
                _("Nothing can be written to {folder} ({problem}); name another one with --out.").format(
                    folder=folder, problem=why(problem)
                )
            ) from problem

    def _opened(self) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                there = self._path.stat()
            except BlockingIOError as problem:
                with os.fdopen(file, "r") as held:
                    raise Busy(_held(held.read(), self._path.parent)) from problem
            except FileNotFoundError:  # its last owner took it away between our two steps
                os.close(file)
                continue
            if os.fstat(file).st_ino != there.st_ino:
                os.close(file)
                continue
            who = {"process": os.getpid(), "machine": socket.gethostname(), "since": datetime.now(UTC).isoformat()}
            try:
                os.ftruncate(file, 0)
                os.write(file, json.dumps(who).encode())
            except OSError:  # the disk is full: the next film of the folder shall hear that, too, and not of us
                self._path.unlink(missing_ok=True)
                os.close(file)
                raise
            return file

    def release(self) -> None:
        """Let others in."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._file)


def _held(note: str, folder: Path) -> str:
    try:
        who = json.loads(note)
        since = datetime.fromisoformat(who["since"]).astimezone()
        return _(
            "Another studio works in {folder}: process {process} on {machine}, since {time}; "
            "wait until it has ended, and run the same command again."
        ).format(folder=folder, process=who["process"], machine=who["machine"], time=f"{since:%H:%M}")
    except (ValueError, KeyError, TypeError):  # it has only just begun
        return _("Another studio works in {folder}; wait until it has ended, and run the same command again.").format(
            folder=folder
        )
