"""The file that the library is: opened, brought forward, read and written; and what is said when that fails."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError

from studio.archive._facts import LibraryError
from studio.archive._index import across
from studio.archive._schema import APPLICATION, STEPS
from studio.errors import why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection, Engine

PATIENCE = 10.0
"""Seconds that a write waits for another program's; the longest of ours is one film's, below a second."""
HEAD = 100
"""Bytes of SQLite's own header (file format, section 1.3)."""
MAGIC = b"SQLite format 3\x00"
LARGEST_PAGE = 65_536
CACHE = -32_000
"""Kibibytes of pages that a connection keeps."""


class Store:
    """One SQLite file, open. Any thread may ask; each has a connection of its own for as long as it asks."""

    def __init__(self, path: Path, steps: Sequence[Callable[[Connection], None]] = STEPS) -> None:
        """Open the file, or make it. Raises LibraryError; a file that is none of ours is never touched."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise LibraryError(
                _("The folder of the library {file} cannot be made ({problem}); name another place.").format(
                    file=path, problem=why(problem)
                )
            ) from problem
        _look(path)
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)), connect_args={"timeout": PATIENCE, "check_same_thread": False}
        )
        event.listen(self._engine, "connect", _connected)
        event.listen(self._engine, "begin", _begun)
        self._writer: Engine = self._engine.execution_options(immediate=True)
        try:
            self._bring_forward(steps)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """All that is read in here is of one moment. Raises LibraryError."""
        with self._said(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Do all of what is in here or none of it, and nobody else writes meanwhile. Raises LibraryError."""
        with self._said(), self._writer.begin() as connection:
            yield connection

    def _bring_forward(self, steps: Sequence[Callable[[Connection], None]]) -> None:
        with self.read() as connection:
            ours = _number(connection, "application_id") == APPLICATION
            at = _number(connection, "user_version")
            empty = not connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first()
        if not ours and not empty:
            raise LibraryError(
                _("{file} is the file of another program, not a library of films; name another place.").format(
                    file=self.path
                )
            )
        if at > len(steps):
            raise LibraryError(
                _("The library {file} was made by a newer studio; open it with that, or name another one.").format(
                    file=self.path
                )
            )
        for number in range(at, len(steps)):
            with self.write() as connection:
                if _number(connection, "user_version") > number:
                    continue  # another program was quicker
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
                steps[number](connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {number + 1}")

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as problem:
            raise LibraryError(_sentence(self.path, problem)) from problem


def _number(connection: Connection, pragma: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one())


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    # Python's own transactions begin late and skip DDL: `_begun` begins them instead.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # what a person wrote survives the power, too
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = {CACHE}")
    connection.create_function("across", 4, _across, deterministic=True)


def _across(before: str, after: str, phrase: str, begins: int) -> bool:
    """For searches: so SQLite need not hand over what is then thrown away."""
    return across(before, after, phrase, begins=bool(begins)) is not None


def _begun(connection: Connection) -> None:
    # A reader that becomes a writer in the midst of it may have to be refused; whoever will write says so at once.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")


def _look(path: Path) -> None:
    """LibraryError where a file is there that SQLite would not know, or that lost its end: before it is opened."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
        log = Path(f"{path}-wal")
        logged = log.exists() and log.stat().st_size > 0
    except FileNotFoundError:
        return
    except OSError as problem:
        raise LibraryError(
            _("The library {file} cannot be opened ({problem}).").format(file=path, problem=why(problem))
        ) from problem
    if not head:
        return
    page = int.from_bytes(head[16:18], "big")
    page = LARGEST_PAGE if page == 1 else page
    whole = size >= page * int.from_bytes(head[28:32], "big")
    if len(head) < HEAD or not head.startswith(MAGIC) or not (whole or logged):
        raise LibraryError(_damaged(path))


def _damaged(path: Path) -> str:
    return _(
        "The library {file} is damaged, or no library at all. It was left as it is: put back a copy, "
        "or name another place and a new one is made."
    ).format(file=path)


def _sentence(path: Path, problem: DBAPIError) -> str:
    code = getattr(problem.orig, "sqlite_errorcode", 0) & 0xFF  # the primary code: the rest says where it happened
    known: dict[int, Callable[[], Any]] = {
        sqlite3.SQLITE_CORRUPT: lambda: _damaged(path),
        sqlite3.SQLITE_NOTADB: lambda: _damaged(path),
        sqlite3.SQLITE_BUSY: lambda: _(
            "The library {file} is in use: another program has been writing to it for a while; try again later."
        ).format(file=path),
        sqlite3.SQLITE_FULL: lambda: _(
            "The library {file} cannot be written: the disk is full; free some space."
        ).format(file=path),
        sqlite3.SQLITE_READONLY: lambda: _("The library {file} may not be written; name another place.").format(
            file=path
        ),
        sqlite3.SQLITE_CANTOPEN: lambda: _(
            "The library {file} cannot be opened; may you read and write in its folder?"
        ).format(file=path),
    }
    if code in known and isinstance(problem, DatabaseError):
        return str(known[code]())
    return _("The library {file} does not answer ({problem}).").format(file=path, problem=problem.orig)
