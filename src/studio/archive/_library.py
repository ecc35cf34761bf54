"""The library: which films there are, and the doors to their subtitles, the ledger and the search."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from msgspec import structs
from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    type_coerce,
    update,
)

from studio.archive._facts import Film, NotThere
from studio.archive._history import heads
from studio.archive._index import folded, follow
from studio.archive._jobs import LEASE, Jobs
from studio.archive._place import default_path
from studio.archive._schema import films, jobs, readable, texts
from studio.archive._search import search
from studio.archive._store import Store
from studio.archive._suggested import Sounds
from studio.archive._versions import Texts
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from sqlalchemy import Connection, Row, Select

    from studio.archive._facts import FilmState, Found, Head
    from studio.units import Ms

Order: TypeAlias = Literal["title", "added", "seen"]


def _utc() -> datetime:
    return datetime.now(UTC)


class Library:
    """Films, their subtitles in every version, and what is to be done. Any thread may ask, several programs at once."""

    def __init__(self, store: Store, now: Callable[[], datetime] = _utc) -> None:
        self._store = store
        self._now = now
        self.texts = Texts(store, now)
        self.jobs = Jobs(store, now)
        self.sounds = Sounds(store, self.texts)

    @classmethod
    def open(cls, path: Path | None = None, now: Callable[[], datetime] = _utc) -> Self:
        """Open the library at `path`, or make it; `None`: where the user's is.

        Raises LibraryError with a sentence for a file that is damaged, of another program, or of a newer studio; it is
        left as it is.
        """
        return cls(Store((path or default_path()).expanduser().absolute()), now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    @property
    def store(self) -> Store:
        """The file itself, for those of this room who keep tables of their own in it."""
        return self._store

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._store.path

    # ── films ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def add(
        self, path: Path, *, fingerprint: str = "", length: Ms | None = None, title: str = "", language: str = ""
    ) -> Film:
        """Note that the film at `path` is there, and what is known of it; return it as it is known now.

        Empty values leave what was known. A film that is known under another path, where it is no more, has moved. One
        whose fingerprint is another than before has changed, and so says its state; its subtitles stay.
        """
        path = path.absolute()
        now = self._now()
        said: dict[str, Any] = {"fingerprint": fingerprint, "title": title, "language": language}
        values: dict[str, Any] = {name: readable(value) for name, value in said.items() if value}
        if length is not None:
            values["length"] = length
        with self._store.write() as connection:
            row = connection.execute(select(films).where(films.c.path == path)).first()
            if row is None and fingerprint:
                row = self._moved(connection, fingerprint)
            if "title" in values:
                values["sorted"] = _sorted(values["title"])
            if row is None:
                name = readable(path.stem)
                made = {"title": name, "sorted": _sorted(name), "fingerprint": "", "language": "", "state": "new"}
                made |= {"reason": ""} | values
                key = connection.execute(
                    insert(films).values(**made, path=path, added=now, seen=now)
                ).inserted_primary_key
                assert key is not None  # noqa: S101 - for the type checker: a row that was inserted has a key
                return _film(connection, int(key[0]), now)
            if fingerprint and row.fingerprint not in ("", fingerprint):
                values |= {"state": "changed", "reason": ""}
            elif row.state == "missing":
                values["state"] = "done" if heads(connection, [row.id]) else "new"
            connection.execute(update(films).where(films.c.id == row.id).values(**values, path=path, seen=now))
            return _film(connection, row.id, now)

    def film(self, film: int) -> Film:
        """Return a film, `missing` where its file is. Raises NotThere."""
        with self._store.read() as connection:
            found = _film(connection, film, self._now())
        return _looked_for(found)

    def at(self, path: Path) -> Film | None:
        """Return the film whose file is at `path`; `None` where the library has none."""
        with self._store.read() as connection:
            found = connection.scalar(select(films.c.id).where(films.c.path == path.absolute()))
            return None if found is None else _film(connection, int(found), self._now())

    def find(self, asked: str) -> Film:
        """Return the film that a person means: its number, its path, its title or the beginning of one.

        Raises NotThere where there is none, or more than one.
        """
        with self._store.read() as connection:
            ways: list[ColumnElement[bool]] = [films.c.path == Path(asked).expanduser().absolute()]
            asked = readable(asked)
            if asked.isascii() and asked.isdigit():
                ways.append(films.c.id == int(asked[:18]))
            ways += [
                films.c.title == asked,
                _like(films.c.sorted, _sorted(asked), "{}%"),
                _like(films.c.path, asked, "%{}%"),
            ]
            for way in ways:
                found = connection.execute(select(films.c.id, films.c.title).where(way).limit(5)).all()
                if len(found) == 1:
                    return _looked_for(_film(connection, found[0].id, self._now()))
                if found:
                    raise NotThere(
                        _('"{asked}" may mean several films ({films}); say its number.').format(
                            asked=asked, films=", ".join(f"{row.id}: {row.title}" for row in found)
                        )
                    )
        raise NotThere(
            _('The library has no film "{asked}"; `studio films list` shows what it has.').format(asked=asked)
        )

    def films(
        self,
        *,
        asked: str = "",
        state: FilmState | None = None,
        first: int = 0,
        most: int = 50,
        by: Order = "title",
    ) -> tuple[Film, ...]:
        """Return a page of films: of those with `asked` in title or path, `most` from the one at place `first` on.

        `by` is `title`, or `added` or `seen`, newest first. What is not where it was says `missing`; that is looked for
        on the page only, so that a page of another state may have such films on it.
        """
        now = self._now()
        order = films.c.sorted if by == "title" else films.c[by].desc()
        wanted = _wanted(_shown(now), asked, state, now).order_by(order, films.c.id)
        if state != "missing":
            wanted = wanted.offset(first).limit(most)
        with self._store.read() as connection:
            rows = connection.execute(wanted).all()
            if state == "missing":
                rows = [row for row in rows if _gone(row.path)][first : first + most]
            found = heads(connection, [row.id for row in rows])
        return tuple(_looked_for(_told(row, found)) for row in rows)

    def count(self, *, asked: str = "", state: FilmState | None = None) -> int:
        """Return how many films there are in all such pages."""
        now = self._now()
        with self._store.read() as connection:
            if state == "missing":
                paths = connection.scalars(_wanted(select(films.c.path), asked, state, now)).all()
                return sum(_gone(path) for path in paths)
            counted = _wanted(select(func.count()).select_from(films), asked, state, now)
            return int(connection.scalars(counted).one())

    def set_state(self, film: int, state: FilmState, reason: str = "") -> None:
        """Note how far a film is; `reason` says why it failed."""
        self._change(film, state=state, reason=reason)

    def still(self, numbers: Sequence[int]) -> None:
        """Note that somebody is at these films: without it, and without a job, `running` lapses as a lease does."""
        with self._store.write() as connection:
            connection.execute(update(films).where(films.c.id.in_(numbers)).values(seen=self._now()))

    def rename(self, film: int, title: str) -> None:
        """Give a film another title."""
        self._change(film, title=readable(title), sorted=_sorted(title))

    def speaks(self, film: int, language: str) -> None:
        """Note which language is spoken in a film."""
        self._change(film, language=language)

    def forget(self, film: int) -> None:
        """Take a film out of the library, with all its versions. Its files stay."""
        with self._store.write() as connection:
            for text in connection.execute(select(texts.c.id).where(texts.c.film == film)).scalars().all():
                follow(connection, text, None)
            connection.execute(delete(films).where(films.c.id == film))

    def search(
        self,
        asked: str,
        *,
        film: int | None = None,
        language: str | None = None,
        after: int = 0,
        most: int = 50,
        typing: bool = False,
    ) -> Found:
        """Find words in the newest subtitles of all films, or of one.

        All words must stand in a cue, in any order. `"two words"` must stand together, `kult*` begins a word, `-word`
        must not stand there. Capitals and diacritics do not count. `after` is the `next` of the page before.
        With `typing` the last word may be unfinished. Whatever is asked, no question is wrong.
        """
        return search(self._store, asked, film=film, language=language, after=after, most=most, typing=typing)

    def _change(self, film: int, **values: object) -> None:
        with self._store.write() as connection:
            if not connection.execute(update(films).where(films.c.id == film).values(**values)).rowcount:
                raise NotThere(_("The library has no film number {number}.").format(number=film))

    @staticmethod
    def _moved(connection: Connection, fingerprint: str) -> Row[Any] | None:
        rows = connection.execute(select(films).where(films.c.fingerprint == fingerprint)).all()
        return next((row for row in rows if not row.path.exists()), None)


def _gone(path: Path) -> bool:
    """Whether nothing is there; where the disk does not answer, nobody can tell, and it is not said."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _looked_for(film: Film) -> Film:
    return structs.replace(film, state="missing") if _gone(film.path) else film


def _state(now: datetime) -> ColumnElement[str]:
    """How far a film is: one that nobody has worked on for a lease waits, whatever one that was killed left."""
    since = now - LEASE
    held = exists().where(jobs.c.film == films.c.id, jobs.c.state == "running", jobs.c.lease >= now)
    lapsed = and_(films.c.state == "running", films.c.seen < since, not_(held))
    return case((lapsed, "queued"), else_=films.c.state)


def _shown(now: datetime) -> Select[Any]:
    columns = [column for column in films.c if column.name != "state"]
    return select(*columns, _state(now).label("state"))


def _film(connection: Connection, film: int, now: datetime) -> Film:
    row = connection.execute(_shown(now).where(films.c.id == film)).first()
    if row is None:
        raise NotThere(_("The library has no film number {number}.").format(number=film))
    return _told(row, heads(connection, [film]))


def _told(row: Row[Any], found: Mapping[int, tuple[Head, ...]]) -> Film:
    return Film(
        row.id,
        row.path,
        row.title,
        row.fingerprint,
        row.length,
        row.language,
        row.state,
        row.reason,
        row.added,
        row.seen,
        found.get(row.id, ()),
    )


def _sorted(title: str) -> str:
    """Where a title stands in a list: Ł beside L, and capitals beside small letters."""
    apart = unicodedata.normalize("NFD", folded(readable(title)).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _like(column: Column[Any], asked: str, form: str) -> ColumnElement[bool]:
    plain = readable(asked).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return type_coerce(column, String).like(form.format(plain), escape="\\")


def _wanted(select_: Select[Any], asked: str, state: FilmState | None, now: datetime) -> Select[Any]:
    if asked.strip():
        select_ = select_.where(
            or_(_like(films.c.sorted, _sorted(asked.strip()), "%{}%"), _like(films.c.path, asked.strip(), "%{}%"))
        )
    return select_ if state in (None, "missing") else select_.where(_state(now) == state)
