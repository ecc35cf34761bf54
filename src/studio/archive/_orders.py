"""What a person asks to be changed in a film's subtitles, as pages and programs send it, and doing it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Meta, Struct

from studio.archive._edits import GAP, EditError, delete, insert, merge, retime, reword, shift, split
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.archive._document import Document, FilmCue
    from studio.subtitles import Rules

LONGEST = 7 * 24 * 3_600_000
"""Milliseconds: the week that the longest film of a library may last."""
Moment: TypeAlias = Annotated[int, Meta(ge=0, le=LONGEST)]
"""Milliseconds on the film's clock."""
Lines: TypeAlias = Annotated[tuple[Annotated[str, Meta(max_length=500)], ...], Meta(min_length=1, max_length=8)]

INSERTED = Ms(1500)
"""How long a new cue stands where there is room."""


class Reword(Struct, frozen=True, forbid_unknown_fields=True, tag="reword", tag_field="do"):
    """Write other lines into a cue."""

    cue: int
    lines: Lines


class Retime(Struct, frozen=True, forbid_unknown_fields=True, tag="retime", tag_field="do"):
    """Give a cue other times."""

    cue: int
    start: Moment
    end: Moment


class Split(Struct, frozen=True, forbid_unknown_fields=True, tag="split", tag_field="do"):
    r"""Make two cues of one: at the `caret` in its lines joined by `\n`, or else between the words around `at`."""

    cue: int
    caret: Annotated[int, Meta(ge=0, le=5000)] | None = None
    at: Moment | None = None


class Merge(Struct, frozen=True, forbid_unknown_fields=True, tag="merge", tag_field="do"):
    """Make one cue of this one and the next."""

    cue: int


class Insert(Struct, frozen=True, forbid_unknown_fields=True, tag="insert", tag_field="do"):
    """Put in a new cue, up to the next one, or `INSERTED` long."""

    start: Moment
    lines: Lines


class Delete(Struct, frozen=True, forbid_unknown_fields=True, tag="delete", tag_field="do"):
    """Take a cue out."""

    cue: int


class Shift(Struct, frozen=True, forbid_unknown_fields=True, tag="shift", tag_field="do"):
    """Move all cues that begin at `since` or after it; `by` below 0 is earlier."""

    by: Annotated[int, Meta(ge=-LONGEST, le=LONGEST)]
    since: Moment = 0


Order: TypeAlias = Reword | Retime | Split | Merge | Insert | Delete | Shift


def obey(document: Document, orders: Sequence[Order], rules: Rules, new: int) -> Document:
    """Return `document` with all of `orders` done, one after the other; raises EditError, and then none is done.

    Lines that have to be set anew are set by `rules`; new cues have ids from `new` on.
    """
    for order in orders:
        document = _obeyed(document, order, rules, new)
    return document


def _obeyed(document: Document, order: Order, rules: Rules, new: int) -> Document:
    match order:
        case Reword(cue=cue, lines=lines):
            done = reword(document, cue, lines)
        case Retime(cue=cue, start=start, end=end):
            done = retime(document, cue, Ms(start), Ms(end))
        case Split(cue=cue, caret=caret):
            done = split(document, cue, _caret(document, cue, order.at or 0) if caret is None else caret, new)
        case Merge(cue=cue):
            done = merge(document, cue, _next(document, cue), rules)
        case Insert(start=start, lines=lines):
            room = min((cue.start - GAP for cue in document.cues if cue.start > start), default=start + INSERTED)
            done = insert(document, Ms(start), Ms(min(room, start + INSERTED)), lines, new)
        case Delete(cue=cue):
            done = delete(document, cue)
        case Shift(by=by, since=since):
            done = shift(document, Ms(by), Ms(since))
    return done


def _find(document: Document, cue: int) -> tuple[int, FilmCue]:
    found = next(((place, each) for place, each in enumerate(document.cues) if each.id == cue), None)
    if found is None:
        raise EditError(_("This cue is no longer there; load the subtitles again."))
    return found


def _next(document: Document, cue: int) -> int:
    place, _cue = _find(document, cue)
    if place + 1 == len(document.cues):
        raise EditError(_("There is nothing to merge this cue with."))
    return document.cues[place + 1].id


def _caret(document: Document, cue: int, at: int) -> int:
    """Where in the cue's text begins what is said from `at` on; where nobody knows, as far in it as in time."""
    _place, old = _find(document, cue)
    text = "\n".join(old.lines)
    words = text.split()
    if len(words) != len(old.words):
        return round(len(text) * (at - old.start) / max(1, old.end - old.start))
    said = sum((word.start + word.end) // 2 < at for word in old.words)
    said = min(max(1, said), max(1, len(words) - 1))
    return len(" ".join(words[:said]))  # as long as in the text: words stand one space or one line's end apart
