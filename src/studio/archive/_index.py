"""The full-text index: which cue stands where in it, and how it follows a document.

The number of a cue's row says where it belongs: 24 bits of place in the film (a quarter of a second each, the next free
one where two cues begin together) below the number of the text. Rows are so in the order of films and of time, and
whatever is found comes in that order without being sorted, however much it is. Steps between numbers stay small, which
the index keeps in one byte each.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from studio.archive._schema import cues

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from studio.archive._document import Document, FilmCue

BITS = 24
STEP = 256
"""Milliseconds of a place: 24 bits of them are seven weeks."""

_PLAIN = str.maketrans({"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ı": "i"})  # noqa: RUF001 - Turkish
"""Letters whose stroke is no diacritic to Unicode. One for one, so that places in the text stay what they are."""
_AROUND = 40
"""Letters around a phrase in which its words may stand further apart, or its last one go on."""
_TOKEN = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")


def folded(text: str) -> str:
    """`text` as the index wants it; the index itself takes off capitals and diacritics that can be taken off."""
    return text.translate(_PLAIN)


def tokens(text: str) -> list[tuple[str, int, int]]:
    """The words of `text` as the index has them, each with where it begins and ends."""
    return [(_bare(found[0]), found.start(), found.end()) for found in _TOKEN.finditer(folded(text))]


def _bare(word: str) -> str:
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def across(before: str, after: str, phrase: str, *, begins: bool) -> tuple[int, int] | None:
    """Where `phrase` stands in `before after`, if it begins in the one and ends in the other; else `None`.

    With `begins` its last word may go on.
    """
    wanted = _words(phrase)
    # Only what may belong to it is looked at: this is asked of thousands of cues.
    near = 2 * len(phrase) + _AROUND
    cut = max(0, len(before) - near)
    first, second = tokens(before[cut:])[1 - len(wanted) :], tokens(after[:near])[: len(wanted) - 1]
    said = [word for word, _start, _end in (*first, *second)]
    for at in range(max(0, len(first) - len(wanted) + 1), min(len(first), len(said) - len(wanted) + 1)):
        here = said[at : at + len(wanted)]
        if here[:-1] == wanted[:-1] and (here[-1].startswith(wanted[-1]) if begins else here[-1] == wanted[-1]):
            return cut + first[at][1], len(before) + 1 + second[at + len(wanted) - 1 - len(first)][2]
    return None


@functools.lru_cache(maxsize=8)
def _words(phrase: str) -> list[str]:
    return [word for word, _start, _end in tokens(phrase)]


def places(document: Document) -> Iterable[tuple[int, FilmCue]]:
    """The place of each cue in its film."""
    last = -1
    for cue in document.cues:
        last = max(cue.start // STEP, last + 1)
        yield last, cue


def follow(connection: Connection, text: int, document: Document | None) -> None:
    """Let the index say what `document` says; `None`: nothing any more."""
    first = text << BITS
    rows = connection.execute(select(cues).where(cues.c.id.between(first, first + (1 << BITS) - 1)))
    before = {row.id: (row.cue, row.start, row.end, row.body) for row in rows}
    now = {
        first + place: (cue.id, cue.start, cue.end, " ".join(cue.lines))
        for place, cue in (places(document) if document is not None else ())
    }
    gone = [id_ for id_, row in before.items() if now.get(id_) != row]
    come = [id_ for id_, row in now.items() if before.get(id_) != row]
    if gone:
        connection.exec_driver_sql(
            "INSERT INTO cue_index(cue_index, rowid, body) VALUES ('delete', ?, ?)",
            [(id_, folded(before[id_][3])) for id_ in gone],
        )
        connection.execute(delete(cues).where(cues.c.id == bindparam("gone")), [{"gone": id_} for id_ in gone])
    if come:
        connection.execute(
            insert(cues),
            [
                {"id": id_, "cue": cue, "start": start, "end": end, "body": body}
                for id_ in come
                for cue, start, end, body in (now[id_],)
            ],
        )
        connection.exec_driver_sql(
            "INSERT INTO cue_index(rowid, body) VALUES (?, ?)", [(id_, folded(now[id_][3])) for id_ in come]
        )
