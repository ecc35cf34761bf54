"""Tables of the library, and how a file of any age becomes one with these tables.

The number of the schema stands in SQLite's own `user_version`; `application_id` says that the file is ours. A file is
brought forward step by step, each step in a transaction of its own, so that a kill in between leaves an older library,
never half of a newer one. Never edit a step that was released: add one.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

APPLICATION = 0x53544446
"""`STDF`, studio's films."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def readable(text: str) -> str:
    """`text` without what no text can hold: halves of letters, as names of files have that are not UTF-8, and NUL."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()


class Moment(TypeDecorator[datetime]):
    """A time of day anywhere, kept as milliseconds since 1970 in UTC."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - theirs
        """To whole milliseconds."""
        return None if value is None else (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        """From whole milliseconds."""
        return None if value is None else EPOCH + timedelta(milliseconds=value)


class File(TypeDecorator[Path]):
    """A path as text; one whose name is not UTF-8, which Linux allows, as its bytes."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - theirs
        """To text where that is possible."""
        if value is None:
            return None
        name = os.fsencode(value)
        try:
            return name.decode()
        except UnicodeDecodeError:
            return name

    def process_result_value(self, value: Any, dialect: Dialect) -> Path | None:  # noqa: ANN401, ARG002 - theirs
        """From text or bytes."""
        return None if value is None else Path(os.fsdecode(value))


tables = MetaData()


def _of(table: str, name: str, **how: Any) -> Column[int]:  # noqa: ANN401 - what `Column` takes
    """Belongs to a row of `table` and goes with it."""
    return Column(name, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, **how)


films = Table(
    "films",
    tables,
    Column("id", Integer, primary_key=True),
    Column("path", File, nullable=False, unique=True),
    Column("title", String, nullable=False),
    Column("sorted", String, nullable=False),
    Column("fingerprint", String, nullable=False, index=True),
    Column("length", Integer),
    Column("language", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("reason", String, nullable=False),
    Column("added", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Index("films_sorted", "sorted"),
    sqlite_autoincrement=True,
)
"""See `Film`. An id is never given twice, so that a page that is open cannot show another film."""

texts = Table(
    "texts",
    tables,
    Column("id", Integer, primary_key=True),
    _of("films", "film"),
    Column("language", String, nullable=False),
    Column("head", Integer, nullable=False),
    Column("top", Integer, nullable=False),
    UniqueConstraint("film", "language"),
    sqlite_autoincrement=True,
)
"""Subtitles of a film in one language; `head` is the number of the version that counts, `top` the highest id that a cue
ever had."""

versions = Table(
    "versions",
    tables,
    Column("id", Integer, primary_key=True),
    _of("texts", "text"),
    Column("number", Integer, nullable=False),
    Column("parent", Integer),
    Column("made_by", String, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("cues", Integer, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("accepted_by", String),
    Column("accepted_at", Moment),
    UniqueConstraint("text", "number"),
)
"""`body` is a compressed `Document` where `depth` is 0, else what changed since `parent`, whose depth is one less."""

cues = Table(
    "cues",
    tables,
    Column("id", Integer, primary_key=True),
    Column("cue", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("body", String, nullable=False),
)
"""What the index is made of: each cue of each head, numbered by `_index.places`."""

corrections = Table(
    "corrections",
    tables,
    Column("id", Integer, primary_key=True),
    _of("films", "film", index=True),
    Column("language", String, nullable=False),
    Column("cue", Integer, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", Moment, nullable=False),
    Index("corrections_words", "language", "before", "after"),
)
"""See `Correction`."""

jobs = Table(
    "jobs",
    tables,
    Column("id", Integer, primary_key=True),
    _of("films", "film"),
    Column("settings", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("owner", String, nullable=False),
    Column("lease", Moment),
    Column("reason", String, nullable=False),
    Column("made", Moment, nullable=False),
    Column("ended", Moment),
    Column("plan", LargeBinary, nullable=False),
    UniqueConstraint("film", "settings"),
    sqlite_autoincrement=True,
)
"""See `Job`; until `lease` nobody but the owner may work on it."""

chunks = Table(
    "chunks",
    tables,
    _of("jobs", "job", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", String, nullable=False),
    Column("error", String, nullable=False),
    Column("payload", LargeBinary),
)
"""See `Chunk`."""

run_tables = MetaData()
"""Of `_ledger`, since schema 2."""

stamps = Table(
    "stamps",
    run_tables,
    Column("path", File, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("modified", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("content", String, nullable=False),
)
"""What each file was when the fingerprint of its content was taken: see `Stamp`."""

papers = Table(
    "papers",
    run_tables,
    Column("path", File, primary_key=True),
    Column("settings", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""What was made of the film at a path with certain settings, as JSON: see `Made`."""


sound_tables = MetaData()
"""Of `_suggested`, since schema 3."""

sounds = Table(
    "sounds",
    sound_tables,
    Column("id", Integer, primary_key=True),
    Column("text", ForeignKey(texts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("label", String, nullable=False),
    Column("sound", String, nullable=False),
    Column("share", Float, nullable=False),
    Column("refused", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
"""See `SoundCue`. An id is never given twice, so that a page that is open cannot accept another one."""

clock_tables = MetaData()
"""Of `_suggested`, since schema 4."""

clocks = Table(
    "sound_clocks",
    clock_tables,
    Column("text", ForeignKey(texts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("shifts", LargeBinary, nullable=False),
)
"""How subtitles were moved when times of their `sounds` were written: `Document.shifts` of then, as JSON."""


def _first(connection: Connection) -> None:
    tables.create_all(connection)
    # ł has no diacritic that could be taken off it: `_index.folded` writes l into the index instead.
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE cue_index USING fts5(body, content='cues', content_rowid='id', columnsize=0, "
        "prefix='1 2 3', tokenize=\"unicode61 remove_diacritics 2\")"
    )


def _second(connection: Connection) -> None:
    run_tables.create_all(connection)


def _third(connection: Connection) -> None:
    sound_tables.create_all(connection)


def _fourth(connection: Connection) -> None:
    clock_tables.create_all(connection)


STEPS: tuple[Callable[[Connection], None], ...] = (_first, _second, _third, _fourth)
"""Step n makes schema n + 1 of schema n; an empty file is schema 0."""
