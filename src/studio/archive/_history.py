"""Reading the history of subtitles within a transaction: who made what of what, and how it read.

A version is kept as what changed since its parent, and now and then whole, so that an edit of one cue costs a few
hundred bytes and not the film.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select

from studio.archive._again import carried
from studio.archive._document import Document, FilmCue, Shift
from studio.archive._facts import Head, NotThere, Version
from studio.archive._schema import films, texts, versions
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from studio.units import Ms


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a document came of its parent."""

    gone: tuple[int, ...] = ()
    """Ids of cues."""
    put: tuple[FilmCue, ...] = ()
    """Cues that are new or read otherwise."""
    shifts: tuple[Shift, ...] | None = None
    """All that were moved so far; `None`: as before."""


def change(before: Document, after: Document) -> Change | None:
    """Return how `after` comes of `before`; `None` where `changed` would not give it back to the letter."""
    known = {cue.id: cue for cue in before.cues}
    left = {cue.id for cue in after.cues}
    found = Change(
        tuple(id_ for id_ in known if id_ not in left),
        tuple(cue for cue in after.cues if known.get(cue.id) != cue),
        None if after.shifts == before.shifts else after.shifts,
    )
    return found if changed(before, found) == after else None


def changed(before: Document, *changes: Change) -> Document:
    """`before` with the changes, one after the other; in the order of time."""
    cues = {cue.id: cue for cue in before.cues}
    shifts = before.shifts
    for what in changes:
        shifts = shifts if what.shifts is None else what.shifts
        for id_ in what.gone:
            cues.pop(id_, None)
        cues |= {cue.id: cue for cue in what.put}
    ordered = tuple(sorted(cues.values(), key=lambda cue: (cue.start, cue.end, cue.id)))
    return Document(before.language, before.profile, ordered, shifts)


_CHANGE = msgspec.json.Decoder(Change)


SHOWN = [column for column in versions.c if column.name not in ("id", "text", "body", "depth")]


def heads(connection: Connection, films_: Sequence[int]) -> dict[int, tuple[Head, ...]]:
    """Where the subtitles of these films stand, by film."""
    found: dict[int, list[Head]] = {}
    accepted = (
        select(func.max(versions.c.number))
        .where(versions.c.text == texts.c.id, versions.c.accepted_by.is_not(None))
        .correlate(texts)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(texts.c.film, texts.c.language, *SHOWN, accepted.label("ever"))
        .join(versions, (versions.c.text == texts.c.id) & (versions.c.number == texts.c.head))
        .where(texts.c.film.in_(films_))
        .order_by(texts.c.language)
    )
    for row in rows:
        found.setdefault(row.film, []).append(
            Head(
                row.language,
                row.number,
                row.made_by,
                row.made_at,
                row.kind,
                row.cues,
                row.accepted_by,
                row.accepted_at,
                row.ever if row.ever != row.number else None,
            )
        )
    return {film: tuple(each) for film, each in found.items()}


def film_row(connection: Connection, film: int) -> Row[Any]:
    row = connection.execute(select(films).where(films.c.id == film)).first()
    if row is None:
        raise NotThere(_("The library has no film number {number}.").format(number=film))
    return row


def text_row(connection: Connection, film: int, language: str) -> Row[Any] | None:
    return connection.execute(select(texts).where(texts.c.film == film, texts.c.language == language)).first()


def text_of(connection: Connection, film: int, language: str) -> Row[Any]:
    text = text_row(connection, film, language)
    assert text is not None  # noqa: S101 - for the type checker: it is there in this very transaction
    return text


def chosen(connection: Connection, film: int, language: str | None) -> Row[Any]:
    known = film_row(connection, film)
    rows = connection.execute(select(texts).where(texts.c.film == film).order_by(texts.c.id)).all()
    if not rows:
        raise NotThere(_('"{title}" has no subtitles yet.').format(title=known.title))
    if language is None:
        rows = [row for row in rows if row.language == known.language] or rows
        if len(rows) == 1:
            return rows[0]
        raise NotThere(
            _('"{title}" has subtitles in several languages ({languages}); say which.').format(
                title=known.title, languages=", ".join(row.language for row in rows)
            )
        )
    for row in rows:
        if row.language == language:
            return row
    raise NotThere(
        _('"{title}" has no subtitles in "{language}"; there are: {languages}.').format(
            title=known.title, language=language, languages=", ".join(row.language for row in rows)
        )
    )


def head_of(connection: Connection, text: Row[Any]) -> Head:
    return next(head for head in heads(connection, [text.film])[text.film] if head.language == text.language)


def told(row: Row[Any], head: int) -> Version:
    return Version(
        row.number,
        row.parent,
        row.made_by,
        row.made_at,
        row.kind,
        row.cues,
        row.accepted_by,
        row.accepted_at,
        row.number == head,
    )


def version_of(connection: Connection, text: Row[Any], number: int) -> Version:
    row = connection.execute(select(*SHOWN).where(versions.c.text == text.id, versions.c.number == number)).first()
    if row is None:
        raise _no_version(number)
    return told(row, text.head)


def _no_version(number: int) -> NotThere:
    return NotThere(
        _(
            "There is no version {number} of these subtitles; `studio films versions` lists those that there are."
        ).format(number=number)
    )


def struck(connection: Connection, text: Row[Any], now: Document) -> list[tuple[Ms, Ms]]:
    """Stretches out of which people took what stood there, since the first version or the last subtitle file."""
    columns = (versions.c.number, versions.c.parent, versions.c.depth, versions.c.kind, versions.c.body)
    rows = {row.number: row for row in connection.execute(select(*columns).where(versions.c.text == text.id))}
    line = []
    number: int | None = text.head
    while number is not None:
        line.append(rows[number])
        number = rows[number].parent
    cues: dict[int, FilmCue] = {}
    shifts: tuple[Shift, ...] = ()
    gone: list[tuple[FilmCue, tuple[Shift, ...]]] = []
    for row in reversed(line):
        said = zlib.decompress(row.body)
        if row.depth == 0:
            whole = msgspec.json.decode(said, type=Document)
            after, moved = {cue.id: cue for cue in whole.cues}, whole.shifts
        else:
            what = _CHANGE.decode(said)
            after = {id_: cue for id_, cue in cues.items() if id_ not in what.gone} | {cue.id: cue for cue in what.put}
            moved = shifts if what.shifts is None else what.shifts
        if row.kind in {"edited", "restored"}:
            gone += [(cue, shifts) for id_, cue in cues.items() if id_ not in after]
        elif row.kind == "imported":
            gone = []
        cues, shifts = after, moved
    stretches = (carried(cue.start, cue.end, then, now.shifts) for cue, then in gone)
    return [
        (start, end)
        for start, end in stretches
        if not any(other.start < end and start < other.end for other in now.cues)
    ]


def document_of(connection: Connection, text: int, number: int) -> Document:
    asked = select(versions.c.number, versions.c.parent, versions.c.depth, versions.c.body)
    line = asked.where(versions.c.text == text, versions.c.number == number).cte(recursive=True)
    line = line.union_all(asked.where(versions.c.text == text, versions.c.number == line.c.parent, line.c.depth > 0))
    rows = connection.execute(select(line.c.body).order_by(line.c.depth)).scalars().all()
    if not rows:
        raise _no_version(number)
    document = msgspec.json.decode(zlib.decompress(rows[0]), type=Document)
    return changed(document, *(_CHANGE.decode(zlib.decompress(row)) for row in rows[1:])) if rows[1:] else document


def depth_of(connection: Connection, text: int, number: int | None) -> int:
    asked = select(versions.c.depth).where(versions.c.text == text, versions.c.number == number)
    return int(connection.execute(asked).scalar_one())
