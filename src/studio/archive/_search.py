"""Finding what was said: a question in the words of people, made into one that SQLite understands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, column, func, literal_column, select, table

from studio.archive._facts import Found, Hit
from studio.archive._index import BITS, across, folded, tokens
from studio.archive._schema import cues, films, readable, texts
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, FromClause, Row, Select

    from studio.archive._store import Store

LONGEST = 400
"""Letters of a question; what comes after is not read."""
MOST_WORDS = 16
MANY = 2000
"""Cues, of which no more are counted to find the rarer part of a phrase."""
MOST_RUNS = 100
"""Stretches of the index that are asked one by one."""
_OPEN, _CLOSE = "\x02", "\x03"
_PART = re.compile(r'(?P<not>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')

_index = table("cue_index", column("rowid", Integer))
_NAME: ColumnElement[str] = literal_column("cue_index")
_FOUND = (
    select(
        cues,
        func.highlight(_NAME, 0, _OPEN, _CLOSE).label("marked"),
        films.c.id.label("film"),
        films.c.title,
        films.c.path,
        texts.c.language,
    )
    .select_from(_index)
    .join(cues, cues.c.id == _index.c.rowid)
    .join(texts, texts.c.id == cues.c.id.op(">>")(BITS))
    .join(films, films.c.id == texts.c.film)
    .order_by(_index.c.rowid)
)

_one, _next = cues.alias("one"), cues.alias("next")


def _beside(known: FromClause, other: FromClause) -> ColumnElement[bool]:
    """`other` is the cue of the same text after `known`, or before it."""
    text = known.c.id.op(">>")(BITS)
    if other is _next:
        nearest = select(func.min(cues.c.id)).where(cues.c.id > known.c.id, cues.c.id < (text + 1).op("<<")(BITS))
    else:
        nearest = select(func.max(cues.c.id)).where(cues.c.id < known.c.id, cues.c.id >= text.op("<<")(BITS))
    return other.c.id == nearest.correlate(known).scalar_subquery()


def _two(known: FromClause, other: FromClause) -> Select[Any]:
    """Cues and those that follow them, where the index has found `known`."""
    return (
        select(
            _one,
            _next.c.end.label("until"),
            _next.c.body.label("after"),
            films.c.id.label("film"),
            films.c.title,
            films.c.path,
            texts.c.language,
        )
        .select_from(_index)
        .join(known, known.c.id == _index.c.rowid)
        .join(other, _beside(known, other))
        .join(texts, texts.c.id == known.c.id.op(">>")(BITS))
        .join(films, films.c.id == texts.c.film)
        .order_by(_index.c.rowid)
    )


_FROM_FIRST, _FROM_SECOND = _two(_one, _next), _two(_next, _one)


def question(asked: str, *, typing: bool = False) -> str | None:
    """`asked` as FTS5 wants it; `None` where nothing is asked for.

    All words must stand in a cue, in any order. `"two words"` must stand together, `kult*` begins a word, `-word` must
    not stand there. Capitals and diacritics do not count. With `typing` the last word may be unfinished.
    """
    asked, parts = _parts(asked)
    wanted: list[str] = []
    unwanted: list[str] = []
    for found in parts:
        words = (found["phrase"] if found["phrase"] is not None else found["word"]).strip()
        begins = words.endswith("*") or (typing and found is parts[-1] and found["word"] and found.end() == len(asked))
        # In quotes nothing has a meaning to FTS5 but a quote, and no quote is left in here.
        term = f'"{folded(words)}"' + (" *" if begins else "")
        (unwanted if found["not"] else wanted).append(term)
    if not wanted:
        return None
    text = " AND ".join(wanted)
    return f"({text}) NOT ({' OR '.join(unwanted)})" if unwanted else text


def _parts(asked: str) -> tuple[str, list[re.Match[str]]]:
    """What is read of a question, and its parts."""
    asked = readable(asked[:LONGEST])
    return asked, [found for found in _PART.finditer(asked) if _letters(found)][:MOST_WORDS]


def _letters(found: re.Match[str]) -> bool:
    return any(letter.isalnum() for letter in found["phrase"] or found["word"] or "")


def search(
    store: Store,
    asked: str,
    *,
    film: int | None = None,
    language: str | None = None,
    after: int = 0,
    most: int = 50,
    typing: bool = False,
) -> Found:
    """Find `asked` in the newest version of every film's subtitles; see `question`. Raises LibraryError."""
    match = question(asked, typing=typing)
    if match is None:
        return Found((), None)
    wanted = _FOUND.where(_NAME.op("MATCH")(match))
    with store.read() as connection:
        rows = _rows(connection, wanted, film=film, language=language, first=after, most=most + 1)
        found = {row.id: _hit(row) for row in rows}
        for pairs, phrase, begins in _pairs(connection, asked):
            # Where the page is full already, what begins in a later film is not looked for.
            near = pairs.where(_index.c.rowid <= (rows[most].id | ((1 << BITS) - 1))) if len(rows) > most else pairs
            # One more: the first may be one that begins on the page before.
            for row in _rows(connection, near, film=film, language=language, first=after, most=most + 2):
                if row.id not in found and row.id >= after:
                    found[row.id] = _hit_across(row, phrase, begins=begins)
    numbers = sorted(found)
    return Found(tuple(found[row] for row in numbers[:most]), numbers[most] if len(numbers) > most else None)


def _pairs(connection: Connection, asked: str) -> Iterator[tuple[Select[Any], str, bool]]:
    """Where a phrase that is all that is asked may begin in a cue and end in the next one, and the phrase.

    For each place at which it may be cut, the index is asked for the part that it has more rarely.
    """
    _asked, parts = _parts(asked)
    if len(parts) != 1 or parts[0]["phrase"] is None or parts[0]["not"]:
        return
    begins = parts[0]["phrase"].strip().endswith("*")
    words = [word for word, _start, _end in tokens(parts[0]["phrase"])]
    if len(words) > MOST_WORDS:
        return
    for cut in range(1, len(words)):
        left, right = (f'"{" ".join(part)}"' for part in (words[:cut], words[cut:]))
        right = f"^ {right}" + (" *" if begins else "")
        by_left = _many(connection, left) < _many(connection, right)
        pairs = (_FROM_FIRST if by_left else _FROM_SECOND).where(_NAME.op("MATCH")(left if by_left else right))
        yield pairs.where(func.across(_one.c.body, _next.c.body, " ".join(words), begins)), " ".join(words), begins


def _many(connection: Connection, match: str) -> int:
    """How many cues the index has of it, as far as is worth counting."""
    found = select(_index.c.rowid).where(_NAME.op("MATCH")(match)).limit(MANY).subquery()
    return int(connection.scalars(select(func.count()).select_from(found)).one())


def _rows(
    connection: Connection, wanted: Select[Any], *, film: int | None, language: str | None, first: int, most: int
) -> list[Row[Any]]:
    if film is None and language is None:
        return list(connection.execute(wanted.where(_index.c.rowid >= first).limit(most)))
    asked = select(texts.c.id).where(texts.c.id >= first >> BITS).order_by(texts.c.id)
    if film is not None:
        asked = asked.where(texts.c.film == film)
    if language is not None:
        asked = asked.where(texts.c.language == language)
    runs: list[tuple[int, int]] = []
    for text in connection.scalars(asked):
        if runs and runs[-1][1] == text:
            runs[-1] = (runs[-1][0], text + 1)
        else:
            runs.append((text, text + 1))
    if len(runs) > MOST_RUNS:  # so many that what is found is mostly near
        mine = wanted.where(texts.c.language == language, _index.c.rowid >= first)
        return list(connection.execute(mine.limit(most)))
    # Each by itself, so that the index need not read what lies between them.
    rows: list[Row[Any]] = []
    for begin, end in runs:
        here = wanted.where(_index.c.rowid >= max(first, begin << BITS), _index.c.rowid < end << BITS)
        rows += connection.execute(here.limit(most - len(rows)))
        if len(rows) == most:
            break
    return rows


def _hit_across(row: Row[Any], phrase: str, *, begins: bool) -> Hit:
    mark = across(row.body, row.after, phrase, begins=begins)
    return Hit(
        row.film,
        row.title,
        row.path,
        row.language,
        row.cue,
        Ms(row.start),
        Ms(row.until),
        f"{row.body} {row.after}",
        (mark,) if mark else (),
    )


def _hit(row: Row[Any]) -> Hit:
    return Hit(
        row.film,
        row.title,
        row.path,
        row.language,
        row.cue,
        Ms(row.start),
        Ms(row.end),
        row.body,
        tuple(_marks(row.marked)),
    )


def _marks(marked: str) -> list[tuple[int, int]]:
    marks: list[tuple[int, int]] = []
    at = 0
    for piece in re.split(f"([{_OPEN}{_CLOSE}])", marked):
        if piece == _OPEN:
            marks.append((at, at))
        elif piece == _CLOSE and marks:
            marks[-1] = (marks[-1][0], at)
        else:
            at += len(piece)
    return marks
