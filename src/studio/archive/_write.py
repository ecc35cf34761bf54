"""Files beside a film: written aside, noted, then renamed; what somebody else made is never lost."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
from typing import TYPE_CHECKING

import msgspec

from studio.errors import ArchiveError, StudioError, why
from studio.language import _
from studio.subtitles import is_stream, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from studio.archive._ledger import Ledger, Made
    from studio.subtitles import Programme, Track

_READ = 1 << 20
LARGE = 50_000_000
"""Bytes from which a file is known by its size and time rather than by its content."""
_numbers = itertools.count()


def mark(file: Path) -> str:
    """Fingerprint of a file that we write; empty where there is none. Raises OSError."""
    try:
        found = file.stat()
        if found.st_size > LARGE:
            return f"{found.st_size}:{found.st_mtime_ns}"
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except FileNotFoundError:
        return ""


def _look_at_place(file: Path) -> None:
    if is_stream(file):  # root could put a file in its place, for all of this machine
        raise OSError(errno.ENODEV, _("it is a device or a pipe"))


def intact(made: Made, files: Iterable[Path]) -> bool:
    """Whether each of these files stands there as it was written."""
    try:
        return all((known := made.files.get(str(file))) and known == mark(file) for file in files)
    except OSError:
        return False


class Writer:
    """Writes the files of one film."""

    def __init__(self, ledger: Ledger, film: Path, key: str, made: Made, *, overwrite: bool) -> None:
        self._ledger = ledger
        self._film = film
        self._key = key
        self._made = made
        self._overwrite = overwrite
        self._wrote = ledger.wrote(film)

    @property
    def made(self) -> Made:
        """What stands there now."""
        return self._made

    def subtitles(self, file: Path, track: Track, kind: str, programme: Programme) -> None:
        """Write `track` in one of FORMATS. Raises StudioError."""
        made = written(track, kind, programme)
        for sentence in made.said:
            self.say(sentence)
        self.whole(file, lambda aside: _fill(aside, made.content))

    def whole(self, file: Path, make: Callable[[Path], None]) -> None:
        """Let `make` write a file aside, and put it in its place; the same content is left as it stands."""
        aside = file.with_name(f".studio-{os.getpid()}-{next(_numbers)}{file.suffix}")
        try:
            _look_at_place(file)
            make(aside)
            new, there = mark(aside), mark(file)
            if there and there == new:
                self._note(file, new, there)
                return
            if there and there not in self._wrote.get(str(file), ()) and not self._overwrite:
                raise ArchiveError(
                    _("{file} is not what studio wrote: move it away, or let it be replaced with --overwrite.").format(
                        file=file.name
                    )
                )
            with aside.open("rb") as opened:
                os.fsync(opened.fileno())
            self._note(file, new, there)
            aside.replace(file)
        except StudioError as problem:  # whoever makes it knows only the file aside, which nobody else knows
            if aside.name not in str(problem):
                raise
            raise ArchiveError(str(problem).replace(aside.name, file.name)) from problem
        except OSError as problem:
            raise ArchiveError(
                _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
                    file=file, problem=why(problem)
                )
            ) from problem
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)

    def say(self, sentence: str) -> None:
        """Keep what somebody should know of the film."""
        if sentence not in self._made.said:
            self._made = msgspec.structs.replace(self._made, said=(*self._made.said, sentence))

    def _note(self, file: Path, digest: str, there: str) -> None:
        files: Mapping[str, str] = {**self._made.files, str(file): digest}
        if files != self._made.files:
            ours = there in self._wrote.get(str(file), ())
            replaced = {**self._made.replaced, str(file): there} if ours else self._made.replaced
            self._made = msgspec.structs.replace(self._made, files=dict(files), replaced=replaced)
            self._ledger.keep_made(self._film, self._key, self._made)


def _fill(file: Path, content: bytes) -> None:
    with file.open("wb") as opened:
        opened.write(content)
