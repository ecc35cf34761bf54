"""Where a line may end: words glued to the next one, and how bad each other break is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from studio.spoken import Word
    from studio.subtitles._rules import Rules

_CLOSING = "\"'”’»)]“"  # noqa: RUF001 - closing marks of three languages
_CLAUSE_ENDS = ",;:–—"  # noqa: RUF001 - both dashes
_NOT_WORD = re.compile(r"[^\w']+")
_GAP = re.compile(r"[^\S\u00a0\u202f]+")
"""White space, without the spaces that hold a number together."""

# The cost of ending a line, from 0 for the end of a sentence. Cues weigh it against balance and reading speed.
_AFTER_CLAUSE = 1.0
_ANYWHERE = 4.0
_BEFORE_OPENER = -2.0
_BEFORE_PREPOSITION = -1.2
_AFTER_CLINGING = 12.0
_AFTER_STAYING = 9.0
_AFTER_LOOSE = 3.0
_BEFORE_LEANING = 6.0
_AFTER_NUMBER = 5.0
_BEFORE_UNIT = 4.0
_WITHIN_NAME = 4.0
_AFTER_BOUND = 1000.0

_TOGETHER = Ms(300)
"""A bound word that was said long before its next one appears this long before it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a line is made of: a word, with the bound words before it."""

    text: str
    start: Ms
    end: Ms
    words: int
    """How many it holds."""
    turn: bool = False
    """Whether somebody else speaks from here on."""


def single_spaced(text: str) -> str:
    """`text` on one line, its words one space apart; the no-break spaces inside numbers stay."""
    return _GAP.sub(" ", text.strip())


def core(word: str) -> str:
    """`word` without capitals and without the punctuation around it."""
    return _NOT_WORD.sub("", word).strip("'").casefold()


def ends(before: str, after: str | None, rules: Rules) -> int:
    """Return 2 where `before` ends a sentence, 1 where it ends a clause, 0 elsewhere; `after` is `None` if unknown."""
    bare = before.rstrip(_CLOSING)
    last = bare[-1:]
    if last in {"?", "!", "…"}:
        return 2
    if last == ".":
        stem = bare.rstrip(".").casefold().lstrip("„“\"'(")
        if not bare.endswith("..") and (stem in rules.abbreviations or (len(stem) == 1 and stem.isalpha())):
            return 0
        return 1 if after is not None and after[:1].islower() else 2
    return 1 if last and last in _CLAUSE_ENDS else 0


def is_bound(text: str, rules: Rules) -> bool:
    """Whether `text` may never end a line: its last word is a bound one, with no punctuation after it."""
    word = text.rsplit(maxsplit=1)[-1]
    return core(word) in rules.bound and word.rstrip(_CLOSING)[-1:].isalnum()


def cost_of_break(before: str, after: str | None, rules: Rules) -> float:
    """How bad it is to end a line between two pieces; `after` is `None` where it is not known yet."""
    kind = ends(before, after, rules)
    if kind:
        return 0.0 if kind == 2 else _AFTER_CLAUSE  # noqa: PLR2004 - named in `ends`
    last_word = before.rsplit(maxsplit=1)[-1]
    cost = _ANYWHERE + _after(last_word, before, rules)
    return cost if after is None else cost + _before(after.split(maxsplit=1)[0], last_word, rules)


def _after(last_word: str, before: str, rules: Rules) -> float:
    """What it costs to leave `last_word`, the last one of `before`, at the end of a line."""
    last = core(last_word)
    stem = last_word.rstrip(".").casefold()
    cost = _AFTER_NUMBER if last[-1:].isdigit() else 0.0
    if is_bound(before, rules):
        return cost + _AFTER_BOUND
    if last in rules.clinging:
        return cost + _AFTER_CLINGING
    if last in rules.staying or stem in rules.staying or _is_initial(last_word):
        return cost + _AFTER_STAYING
    return cost + (_AFTER_LOOSE if last in rules.loose else 0.0)


def _before(word: str, last_word: str, rules: Rules) -> float:
    """What it costs, or gains, to begin a line with `word` after one that ends in `last_word`."""
    first = core(word)
    cost = 0.0
    if first in rules.openers:
        cost += _BEFORE_OPENER
    elif first in rules.clinging or first in rules.bound or first in rules.staying:
        cost += _BEFORE_PREPOSITION
    if first in rules.leaning:
        cost += _BEFORE_LEANING
    if last_word[-1:].isdigit() and first in rules.units:
        cost += _BEFORE_UNIT
    if last_word[:1].isupper() and word[:1].isupper():
        cost += _WITHIN_NAME
    return cost


def _is_initial(word: str) -> bool:
    """Whether `word` is the first letter of a name, as in *J. Kowalski*."""
    return len(word) == len("J.") and word[0].isupper() and word[1] == "."


def glue(words: Sequence[Word], rules: Rules, turns: Collection[int] = ()) -> list[Piece]:
    """`words` as pieces, in order and with rising times; words without letters or signs vanish.

    `turns` are the places in `words` at which somebody else begins to speak; none is the first.

    A bound word is one piece with the word after it, so that no break can part them. Where the two were said far
    apart, the piece begins shortly before the second: the bound word waits for it. Bound words are left alone only
    at the very end, and where the piece would be longer than a line.
    """
    single: list[Piece] = []
    before = 0
    turn = False
    for at, word in enumerate(words):
        text = single_spaced(word.text)
        turn = turn or (at in turns and bool(single))
        if text:
            start = max(word.start, before)
            single.append(Piece(text, Ms(start), Ms(max(word.end, start + 1)), 1, turn))
            before, turn = start, False
    pieces: list[Piece] = []
    for piece in reversed(single):
        following = pieces[-1] if pieces else None
        if (
            following is not None
            and not following.turn
            and is_bound(piece.text, rules)
            and len(piece.text) + 1 + len(following.text) <= rules.line_characters
        ):
            apart = following.start - piece.end > rules.pause
            start = max(piece.start, following.start - _TOGETHER) if apart else piece.start
            pieces[-1] = Piece(
                f"{piece.text} {following.text}", Ms(start), following.end, following.words + 1, piece.turn
            )
        else:
            pieces.append(piece)
    pieces.reverse()
    return pieces
