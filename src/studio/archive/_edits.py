"""What a person does to subtitles: each deed takes a document and returns another one. Pure.

A cue keeps its id for as long as it is there; what is new gets an id of `new` or above, which the library knows
(`Texts.next_id`), so that none is ever used again. Whatever a person touched is a `person`'s from then on, and stays so
when its film is heard again. What cannot be done raises EditError with a sentence, and nothing has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from studio.archive._document import Document, FilmCue, Shift
from studio.errors import ArchiveError
from studio.language import _, decimal
from studio.spoken import Word
from studio.subtitles import reline
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.subtitles import Rules

GAP = Ms(80)
"""Between the two halves of a cue that is split: two frames, as the profiles of all languages ask."""
SHORTEST = Ms(40)
"""One frame: a cue of less is not seen."""


class EditError(ArchiveError):
    """That cannot be done to these subtitles."""


def reword(document: Document, cue: int, lines: Iterable[str]) -> Document:
    """Let a cue read `lines`; blank ones are left out, and where nothing is left the cue goes."""
    kept = lines_of(lines)
    if not kept:
        return delete(document, cue)
    old = _cue(document, cue)
    return document if old.lines == kept else _with(document, replace(old, lines=kept, by="person"))


def speak(document: Document, cue: int, speaker: str | None) -> Document:
    """Note who speaks in a cue; `None` or blank: nobody said."""
    old = _cue(document, cue)
    name = " ".join((speaker or "").split()) or None
    return document if old.speaker == name else _with(document, replace(old, speaker=name, by="person"))


def retime(document: Document, cue: int, start: Ms | None = None, end: Ms | None = None) -> Document:
    """Move where a cue begins, where it ends, or both; `None` leaves it. What would reach into a neighbour is cut."""
    at = _place(document, cue)
    old = document.cues[at]
    start = old.start if start is None else Ms(max(0, start))
    end = old.end if end is None else end
    if at and start < old.start:
        start = Ms(max(start, min(document.cues[at - 1].end, old.start)))
    if at + 1 < len(document.cues) and end > old.end:
        end = Ms(min(end, max(document.cues[at + 1].start, old.end)))
    if end - start < SHORTEST:
        raise EditError(
            _("A cue must end after it begins; {start} to {end} leaves it no time.").format(
                start=timecode(start), end=timecode(end)
            )
        )
    if (start, end) == (old.start, old.end):
        return document
    return _with(document, replace(old, start=start, end=end, by="person"))


def split(document: Document, cue: int, caret: int, new: int = 0) -> Document:
    r"""Make two cues of one, at the place `caret` in its lines joined by `\n`; a place inside a word is put after it.

    The second begins with its first word where it is known when that was said, else where its share of letters says.
    Its id is the first that is not used from `new` on.
    """
    old = _cue(document, cue)
    if old.end - old.start < 2 * SHORTEST:
        raise EditError(_("This cue is too short to be split; give it more time first."))
    text = "\n".join(old.lines)
    caret = max(0, min(caret, len(text)))
    while 0 < caret < len(text) and not text[caret].isspace() and not text[caret - 1].isspace():
        caret += 1
    first, second = lines_of(text[:caret].split("\n")), lines_of(text[caret:].split("\n"))
    if not first or not second:
        raise EditError(_("Put the caret between two words: each half of a cue needs some text."))
    count = sum(len(line.split()) for line in first)
    if len(old.words) == len(text.split()):
        begins = old.words[count].start
        words = (old.words[:count], old.words[count:])
    else:
        share = sum(map(len, first)) / (sum(map(len, first)) + sum(map(len, second)))
        begins = Ms(old.start + round((old.end - old.start) * share))
        words = (
            tuple(word for word in old.words if word.start < begins),
            tuple(word for word in old.words if word.start >= begins),
        )
    begins = Ms(max(old.start + SHORTEST, min(begins, old.end - SHORTEST)))
    ends = Ms(max(old.start + SHORTEST, begins - GAP))
    half = replace(old, end=min(ends, begins), lines=first, words=words[0], by="person")
    other = FilmCue(unused(document, new), begins, old.end, second, words[1], "person", old.speaker)
    return _with(document, half, other)


def merge(document: Document, first: int, last: int, rules: Rules | None = None) -> Document:
    """Make one cue of those from `first` to `last`; it keeps the first one's id.

    Where there are more than two lines, they are set anew by `rules`; without any, as one line.
    """
    begin, end = sorted((_place(document, first), _place(document, last)))
    parts = document.cues[begin : end + 1]
    if len(parts) == 1:
        raise EditError(_("There is nothing to merge this cue with."))
    lines = tuple(line for part in parts for line in part.lines)
    if len(lines) > 2:  # noqa: PLR2004 - what any profile takes
        said = " ".join(lines)
        lines = (said,)
        if rules is not None:
            lines = reline([Word(word, parts[0].start, parts[-1].end) for word in said.split()], rules)
    speakers = {part.speaker for part in parts}
    whole = FilmCue(
        parts[0].id,
        parts[0].start,
        Ms(max(part.end for part in parts)),
        lines,
        tuple(word for part in parts for word in part.words),
        "person",
        speakers.pop() if len(speakers) == 1 else None,
    )
    gone = {part.id for part in parts}
    left = replace(document, cues=tuple(cue for cue in document.cues if cue.id not in gone))
    return _with(left, whole)


def insert(document: Document, start: Ms, end: Ms, lines: Iterable[str], new: int = 0) -> Document:
    """Put in a cue; its id is the first that is not used from `new` on. It may not stand where another one does."""
    kept = lines_of(lines)
    if not kept:
        raise EditError(_("A cue needs some text."))
    if start < 0 or end - start < SHORTEST:
        raise EditError(
            _("A cue must end after it begins; {start} to {end} leaves it no time.").format(
                start=timecode(start), end=timecode(end)
            )
        )
    if any(cue.start < end and start < cue.end for cue in document.cues):
        raise EditError(_("There is a cue at {start} already.").format(start=timecode(start)))
    return _with(document, FilmCue(unused(document, new), start, end, kept, (), "person"))


def delete(document: Document, *cues: int) -> Document:
    """Take cues out."""
    for cue in cues:
        _place(document, cue)
    return replace(document, cues=tuple(cue for cue in document.cues if cue.id not in cues))


def shift(document: Document, by: Ms, since: Ms = Ms(0)) -> Document:
    """Move all cues that begin at `since` or after it, with their words; `by` below 0 is earlier.

    It is no edit of what a cue says, so machine's cues stay the machine's; the document remembers it, and what is heard
    again is moved likewise.
    """
    moved = [cue for cue in document.cues if cue.start >= since]
    if not moved or by == 0:
        return document
    floor = max((cue.end for cue in document.cues if cue.start < since), default=0)
    if moved[0].start + by < floor:
        raise EditError(
            _("The cue at {start} can be moved back by {most} s at most.").format(
                start=timecode(moved[0].start), most=decimal((moved[0].start - floor) / 1000, ".3f")
            )
        )
    done = _with(document, *(moved_by(cue, by) for cue in moved))
    return replace(done, shifts=(*document.shifts, Shift(since, by)))


def moved_by(cue: FilmCue, by: Ms) -> FilmCue:
    """`cue` and its words later by `by`; nothing comes before the film."""

    def later(at: Ms) -> Ms:
        return Ms(max(0, at + by))

    words = tuple(Word(word.text, later(word.start), later(word.end), word.confidence) for word in cue.words)
    return replace(cue, start=later(cue.start), end=later(cue.end), words=words)


# ── a document and its cues ───────────────────────────────────────────────────────────────────────────────────────────


def _place(document: Document, cue: int) -> int:
    for place, each in enumerate(document.cues):
        if each.id == cue:
            return place
    raise EditError(_("This cue is no longer there; load the subtitles again."))


def _cue(document: Document, cue: int) -> FilmCue:
    return document.cues[_place(document, cue)]


def unused(document: Document, new: int) -> int:
    return max(new, 1, *(cue.id + 1 for cue in document.cues))


def lines_of(lines: Iterable[str]) -> tuple[str, ...]:
    spaced = (" ".join(part.split()) for line in lines for part in line.splitlines())
    return tuple(line for line in spaced if line)


def _with(document: Document, *cues: FilmCue) -> Document:
    """`document` with `cues`, each in place of the one of its id."""
    changed = {cue.id for cue in cues}
    return ordered(document, (*(cue for cue in document.cues if cue.id not in changed), *cues))


def ordered(document: Document, cues: Iterable[FilmCue]) -> Document:
    return replace(document, cues=tuple(sorted(cues, key=lambda cue: (cue.start, cue.end, cue.id))))
