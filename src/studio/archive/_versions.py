"""Every version of a film's subtitles, and which of them counts.

A version is kept as what changed since its parent, and now and then whole, so that an edit of one cue costs a few
hundred bytes and not the film. Nothing is ever written over: undo and redo move the head, and an edit after undo
begins a branch.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from studio.archive._document import Document, FilmCue
from studio.archive._facts import Conflict, Correction, Head, NotThere, Version
from studio.archive._index import follow
from studio.archive._learn import corrected
from studio.archive._schema import corrections, films, texts, versions
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from studio.archive._facts import Kind
    from studio.archive._store import Store

WHOLE_EVERY = 50
"""A version in so many is kept whole: to read one, no more changes than these are put together."""


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a document came of its parent."""

    gone: tuple[int, ...] = ()
    """Ids of cues."""
    put: tuple[FilmCue, ...] = ()
    """Cues that are new or read otherwise."""


def change(before: Document, after: Document) -> Change | None:
    """Return how `after` comes of `before`; `None` where `changed` would not give it back to the letter."""
    known = {cue.id: cue for cue in before.cues}
    left = {cue.id for cue in after.cues}
    found = Change(
        tuple(id_ for id_ in known if id_ not in left), tuple(cue for cue in after.cues if known.get(cue.id) != cue)
    )
    return found if changed(before, found) == after else None


def changed(before: Document, *changes: Change) -> Document:
    """`before` with the changes, one after the other; in the order of time."""
    cues = {cue.id: cue for cue in before.cues}
    for what in changes:
        for id_ in what.gone:
            cues.pop(id_, None)
        cues |= {cue.id: cue for cue in what.put}
    ordered = tuple(sorted(cues.values(), key=lambda cue: (cue.start, cue.end, cue.id)))
    return Document(before.language, before.profile, ordered)


_CHANGE = msgspec.json.Decoder(Change)


class Texts:
    """Subtitles of all films. Times of day come from `now`."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def save(self, film: int, base: int | None, document: Document, by: str, kind: Kind = "edited") -> Version:
        """Make `document` the version that counts, in its own language.

        `base` is the number of the version that it was made of; `None` where there is none yet. Raises Conflict where
        that does not count any more. Saving what stands there already makes no new version. What a person wrote in
        place of what a machine heard is kept among the corrections. Raises NotThere for a film that is not known.
        """
        with self._store.write() as connection:
            text = _text(connection, film, document.language)
            head = text.head if text is not None else None
            if head != base:
                if text is None:
                    raise NotThere(_("There are no subtitles of this film in that language yet; save without a base."))
                there = _document(connection, text.id, text.head)
                raise Conflict(_head(connection, text), there, document)
            if text is None:
                _film(connection, film)
                key = connection.execute(
                    insert(texts).values(film=film, language=document.language, head=0)
                ).inserted_primary_key
                assert key is not None  # noqa: S101 - for the type checker: a row that was inserted has a key
                text_id, before = int(key[0]), None
            else:
                text_id, before = text.id, _document(connection, text.id, text.head)
                if before == document:
                    return _version(connection, text, text.head)
            number = self._append(connection, text_id, base, before, document, by=by, kind=kind)
            if before is not None and kind == "edited":
                self._learn(connection, film, before, document, by)
            return _version(connection, _text_by_id(connection, text_id), number)

    def document(self, film: int, language: str | None = None, number: int | None = None) -> Document:
        """Return the subtitles as they stand, or as a version had them.

        `language` may be left out where the film has subtitles in the language that is spoken, or in one only. Raises
        NotThere.
        """
        with self._store.read() as connection:
            text = _chosen(connection, film, language)
            return _document(connection, text.id, text.head if number is None else number)

    def head(self, film: int, language: str | None = None) -> Head:
        """Return where the subtitles stand, chosen as `document` does. Raises NotThere."""
        with self._store.read() as connection:
            return _head(connection, _chosen(connection, film, language))

    def versions(self, film: int, language: str | None = None) -> tuple[Version, ...]:
        """Return every version there ever was, newest first. Raises NotThere."""
        with self._store.read() as connection:
            text = _chosen(connection, film, language)
            rows = connection.execute(
                select(*_SHOWN).where(versions.c.text == text.id).order_by(versions.c.number.desc())
            )
            return tuple(_told(row, text.head) for row in rows)

    def undo(self, film: int, language: str | None = None) -> Version | None:
        """Let the version count that the one that counts was made of; `None` where that is the first."""
        with self._store.write() as connection:
            text = _chosen(connection, film, language)
            parent = _version(connection, text, text.head).parent
            return None if parent is None else self._move(connection, text.id, parent)

    def redo(self, film: int, language: str | None = None) -> Version | None:
        """Let the newest version count that was made of the one that counts; `None` where there is none."""
        with self._store.write() as connection:
            text = _chosen(connection, film, language)
            child = connection.execute(
                select(func.max(versions.c.number)).where(versions.c.text == text.id, versions.c.parent == text.head)
            ).scalar()
            return None if child is None else self._move(connection, text.id, child)

    def restore(self, film: int, language: str | None, number: int, by: str) -> Version:
        """Make a new version that reads as version `number`, and let it count. Raises NotThere."""
        with self._store.write() as connection:
            text = _chosen(connection, film, language)
            document = _document(connection, text.id, number)
            before = _document(connection, text.id, text.head)
            made = self._append(connection, text.id, text.head, before, document, by=by, kind="restored")
            return _version(connection, _text_by_id(connection, text.id), made)

    def accept(self, film: int, language: str | None, by: str, number: int | None = None) -> Version:
        """Keep that `by` says: this version may go out. Any later one is not accepted until somebody says so again.

        `number` is the version that `by` looked at; raises Conflict where that does not count any more. `None`: the one
        that counts.
        """
        with self._store.write() as connection:
            text = _chosen(connection, film, language)
            if number is not None and number != text.head:
                there = _document(connection, text.id, text.head)
                raise Conflict(_head(connection, text), there, _document(connection, text.id, number))
            connection.execute(
                update(versions)
                .where(versions.c.text == text.id, versions.c.number == text.head)
                .values(accepted_by=by, accepted_at=self._now())
            )
            return _version(connection, text, text.head)

    def corrections(self, language: str | None = None, film: int | None = None) -> tuple[Correction, ...]:
        """Return what people wrote in place of what was heard, oldest first."""
        asked = select(corrections).order_by(corrections.c.id)
        if language is not None:
            asked = asked.where(corrections.c.language == language)
        if film is not None:
            asked = asked.where(corrections.c.film == film)
        with self._store.read() as connection:
            return tuple(
                Correction(row.film, row.language, row.cue, row.before, row.after, row.made_by, row.made_at)
                for row in connection.execute(asked)
            )

    # ── within a transaction ──────────────────────────────────────────────────────────────────────────────────────────

    def _append(
        self,
        connection: Connection,
        text: int,
        parent: int | None,
        before: Document | None,
        document: Document,
        *,
        by: str,
        kind: Kind,
    ) -> int:
        number = (
            connection.execute(select(func.max(versions.c.number)).where(versions.c.text == text)).scalar() or 0
        ) + 1
        what = None
        if before is not None and _since_whole(connection, text, parent) < WHOLE_EVERY:
            what = change(before, document)
        connection.execute(
            insert(versions).values(
                text=text,
                number=number,
                parent=parent,
                made_by=by,
                made_at=self._now(),
                kind=kind,
                cues=len(document.cues),
                whole=what is None,
                body=zlib.compress(msgspec.json.encode(document if what is None else what)),
            )
        )
        connection.execute(update(texts).where(texts.c.id == text).values(head=number))
        follow(connection, text, document)
        return number

    def _move(self, connection: Connection, text: int, number: int) -> Version:
        connection.execute(update(texts).where(texts.c.id == text).values(head=number))
        follow(connection, text, _document(connection, text, number))
        return _version(connection, _text_by_id(connection, text), number)

    def _learn(self, connection: Connection, film: int, before: Document, after: Document, by: str) -> None:
        """Keep what was put right; who goes on at the same words, letter by letter, leaves one correction."""
        for cue, heard, written in corrected(before, after):
            here = (
                (corrections.c.film == film)
                & (corrections.c.language == after.language)
                & (corrections.c.cue == cue)
                & (corrections.c.after == heard)
            )
            earlier = connection.execute(select(corrections.c.id, corrections.c.before).where(here)).first()
            if earlier is not None and earlier.before == written:
                connection.execute(delete(corrections).where(corrections.c.id == earlier.id))
                continue
            values = {"after": written, "made_by": by, "made_at": self._now()}
            if earlier is not None:
                connection.execute(update(corrections).where(corrections.c.id == earlier.id).values(**values))
                continue
            told = {"film": film, "language": after.language, "cue": cue, "before": heard}
            connection.execute(insert(corrections).values(**told, **values))


_SHOWN = [column for column in versions.c if column.name not in ("id", "text", "body", "whole")]


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
        select(texts.c.film, texts.c.language, *_SHOWN, accepted.label("ever"))
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


def _film(connection: Connection, film: int) -> Row[Any]:
    row = connection.execute(select(films).where(films.c.id == film)).first()
    if row is None:
        raise NotThere(_("The library has no film number {number}.").format(number=film))
    return row


def _text(connection: Connection, film: int, language: str) -> Row[Any] | None:
    return connection.execute(select(texts).where(texts.c.film == film, texts.c.language == language)).first()


def _text_by_id(connection: Connection, text: int) -> Row[Any]:
    return connection.execute(select(texts).where(texts.c.id == text)).one()


def _chosen(connection: Connection, film: int, language: str | None) -> Row[Any]:
    known = _film(connection, film)
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


def _head(connection: Connection, text: Row[Any]) -> Head:
    return next(head for head in heads(connection, [text.film])[text.film] if head.language == text.language)


def _told(row: Row[Any], head: int) -> Version:
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


def _version(connection: Connection, text: Row[Any], number: int) -> Version:
    row = connection.execute(select(*_SHOWN).where(versions.c.text == text.id, versions.c.number == number)).first()
    if row is None:
        raise _no_version(number)
    return _told(row, text.head)


def _no_version(number: int) -> NotThere:
    return NotThere(_("There is no version {number} of these subtitles.").format(number=number))


def _lineage(connection: Connection, text: int, number: int | None) -> list[Any]:
    """Rows of the version and what it is made of, back to one that is whole."""
    rows: list[Any] = []
    while not (rows and rows[-1].whole):
        row = connection.execute(
            select(versions.c.parent, versions.c.whole, versions.c.body).where(
                versions.c.text == text, versions.c.number == number
            )
        ).first()
        if row is None:
            raise _no_version(number or 0)
        rows.append(row)
        number = row.parent
    return rows


def _since_whole(connection: Connection, text: int, number: int | None) -> int:
    return len(_lineage(connection, text, number))


def _document(connection: Connection, text: int, number: int) -> Document:
    *later, whole = _lineage(connection, text, number)
    document = msgspec.json.decode(zlib.decompress(whole.body), type=Document)
    return (
        changed(document, *(_CHANGE.decode(zlib.decompress(row.body)) for row in reversed(later)))
        if later
        else document
    )
