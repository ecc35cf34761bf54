"""Every version of a film's subtitles, and which of them counts.

Nothing is ever written over: undo and redo move the head, and an edit after undo begins a branch.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from studio.archive._again import merge_recognised
from studio.archive._facts import Conflict, Correction, NotThere
from studio.archive._history import (
    SHOWN,
    change,
    chosen,
    depth_of,
    document_of,
    film_row,
    head_of,
    struck,
    text_of,
    text_row,
    told,
    version_of,
)
from studio.archive._index import follow
from studio.archive._learn import corrected
from studio.archive._schema import corrections, texts, versions
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from studio.archive._document import Document
    from studio.archive._facts import Head, Kind, Version
    from studio.archive._store import Store

WHOLE_EVERY = 50
"""A version in so many is kept whole: to read one, no more changes than these are put together."""


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
            return self._save(connection, film, base, document, by=by, kind=kind)

    def document(self, film: int, language: str | None = None, number: int | None = None) -> Document:
        """Return the subtitles as they stand, or as a version had them.

        `language` may be left out where the film has subtitles in the language that is spoken, or in one only. Raises
        NotThere.
        """
        with self._store.read() as connection:
            text = chosen(connection, film, language)
            return document_of(connection, text.id, text.head if number is None else number)

    def head(self, film: int, language: str | None = None) -> Head:
        """Return where the subtitles stand, chosen as `document` does. Raises NotThere."""
        with self._store.read() as connection:
            return head_of(connection, chosen(connection, film, language))

    def versions(self, film: int, language: str | None = None) -> tuple[Version, ...]:
        """Return every version there ever was, newest first. Raises NotThere."""
        with self._store.read() as connection:
            text = chosen(connection, film, language)
            rows = connection.execute(
                select(*SHOWN).where(versions.c.text == text.id).order_by(versions.c.number.desc())
            )
            return tuple(told(row, text.head) for row in rows)

    def next_id(self, film: int, language: str | None = None) -> int:
        """Return the lowest id that no cue of these subtitles ever had; new cues begin there."""
        with self._store.read() as connection:
            return int(chosen(connection, film, language).top) + 1

    def recognised(self, film: int, document: Document, by: str) -> Version:
        """Take in what was heard, also where people have worked on what was heard before: their cues stay.

        What stands there is never lost: it is the version before. See `merge_recognised`. Raises NotThere.
        """
        with self._store.write() as connection:
            text = text_row(connection, film, document.language)
            if text is not None:
                before = document_of(connection, text.id, text.head)
                fresh = int(text.top) + 1
                document = merge_recognised(before, document, fresh, struck(connection, text, before))
            base = None if text is None else int(text.head)
            return self._save(connection, film, base, document, by=by, kind="recognised")

    def undo(self, film: int, language: str | None = None, base: int | None = None) -> Version | None:
        """Let the version count that the one that counts was made of; `None` where that is the first.

        `base` is the version that somebody looked at; raises Conflict where that does not count any more. `None`: the
        one that counts.
        """
        with self._store.write() as connection:
            text = _counting(connection, film, language, base)
            parent = version_of(connection, text, text.head).parent
            return None if parent is None else self._move(connection, text, parent)

    def redo(self, film: int, language: str | None = None, base: int | None = None) -> Version | None:
        """Let the newest version count that was made of the one that counts; `None` where there is none.

        `base` as in `undo`.
        """
        with self._store.write() as connection:
            text = _counting(connection, film, language, base)
            child = connection.execute(
                select(func.max(versions.c.number)).where(versions.c.text == text.id, versions.c.parent == text.head)
            ).scalar()
            return None if child is None else self._move(connection, text, child)

    def restore(self, film: int, language: str | None, number: int, by: str, base: int | None = None) -> Version:
        """Make a new version that reads as version `number`, and let it count. `base` as in `undo`. Raises NotThere."""
        with self._store.write() as connection:
            text = _counting(connection, film, language, base)
            document = document_of(connection, text.id, number)
            before = document_of(connection, text.id, text.head)
            made = self._append(connection, text.id, text.head, before, document, by=by, kind="restored")
            return version_of(connection, text_of(connection, film, text.language), made)

    def accept(self, film: int, language: str | None, by: str, number: int | None = None) -> Version:
        """Keep that `by` says: this version may go out. Any later one is not accepted until somebody says so again.

        `number` is the version that `by` looked at; raises Conflict where that does not count any more. `None`: the one
        that counts.
        """
        with self._store.write() as connection:
            text = _counting(connection, film, language, number)
            connection.execute(
                update(versions)
                .where(versions.c.text == text.id, versions.c.number == text.head)
                .values(accepted_by=by, accepted_at=self._now())
            )
            return version_of(connection, text, text.head)

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

    def _save(
        self, connection: Connection, film: int, base: int | None, document: Document, *, by: str, kind: Kind
    ) -> Version:
        text = text_row(connection, film, document.language)
        if (text.head if text is not None else None) != base:
            if text is None:
                raise NotThere(_("There are no subtitles of this film in that language yet; save without a base."))
            there = document_of(connection, text.id, text.head)
            raise Conflict(head_of(connection, text), there, document)
        if text is None:
            film_row(connection, film)
            connection.execute(insert(texts).values(film=film, language=document.language, head=0, top=0))
            new = text_of(connection, film, document.language)
            number = self._append(connection, new.id, None, None, document, by=by, kind=kind)
            return version_of(connection, text_of(connection, film, document.language), number)
        before = document_of(connection, text.id, text.head)
        if before == document:
            return version_of(connection, text, text.head)
        number = self._append(connection, text.id, base, before, document, by=by, kind=kind)
        if kind == "edited":
            self._learn(connection, film, before, document, by)
        return version_of(connection, text_of(connection, film, document.language), number)

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
        what, depth = None, 0
        if before is not None:
            depth = (depth_of(connection, text, parent) + 1) % WHOLE_EVERY
            what = change(before, document) if depth else None
        connection.execute(
            insert(versions).values(
                text=text,
                number=number,
                parent=parent,
                made_by=by,
                made_at=self._now(),
                kind=kind,
                cues=len(document.cues),
                depth=depth if what is not None else 0,
                body=zlib.compress(msgspec.json.encode(document if what is None else what)),
            )
        )
        top = max((cue.id for cue in document.cues), default=0)
        connection.execute(update(texts).where(texts.c.id == text).values(head=number, top=func.max(texts.c.top, top)))
        follow(connection, text, document)
        return number

    @staticmethod
    def _move(connection: Connection, text: Row[Any], number: int) -> Version:
        connection.execute(update(texts).where(texts.c.id == text.id).values(head=number))
        follow(connection, text.id, document_of(connection, text.id, number))
        return version_of(connection, text_of(connection, text.film, text.language), number)

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


def _counting(connection: Connection, film: int, language: str | None, looked_at: int | None) -> Row[Any]:
    """Subtitles of which the version that somebody looked at still counts. Raises Conflict, NotThere."""
    text = chosen(connection, film, language)
    if looked_at is not None and looked_at != text.head:
        there = document_of(connection, text.id, text.head)
        raise Conflict(head_of(connection, text), there, document_of(connection, text.id, looked_at))
    return text
