"""What a person does to subtitles: each deed takes a document and returns another one. Pure.

A cue keeps its id for as long as it is there; what is new gets an id of `new` or above, which the library knows
(`Texts.next_id`), so that none is ever used again. Whatever a person touched is a `person`'s from then on, and stays so
when its film is heard again. What cannot be done raises EditError with a sentence, and nothing has changed.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec.structs import replace

from studio.archive._document import Document, FilmCue
from studio.errors import ArchiveError
from studio.language import _
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
    kept = _lines(lines)
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
    first, second = _lines(text[:caret].split("\n")), _lines(text[caret:].split("\n"))
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
    other = FilmCue(_unused(document, new), begins, old.end, second, words[1], "person", old.speaker)
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
    kept = _lines(lines)
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
    return _with(document, FilmCue(_unused(document, new), start, end, kept, (), "person"))


def delete(document: Document, *cues: int) -> Document:
    """Take cues out."""
    for cue in cues:
        _place(document, cue)
    return replace(document, cues=tuple(cue for cue in document.cues if cue.id not in cues))


def shift(document: Document, by: Ms, since: Ms = Ms(0)) -> Document:
    """Move all cues that begin at `since` or after it, with their words; `by` below 0 is earlier.

    It is no edit of what a cue says, so machine's cues stay the machine's.
    """
    moved = [cue for cue in document.cues if cue.start >= since]
    floor = max((cue.end for cue in document.cues if cue.start < since), default=0)
    if moved and moved[0].start + by < floor:
        raise EditError(
            _("The cue at {start} can be moved back by {most} s at most.").format(
                start=timecode(moved[0].start), most=f"{(moved[0].start - floor) / 1000:.3f}"
            )
        )

    def later(at: Ms) -> Ms:
        return Ms(max(0, at + by))

    return _with(
        document,
        *(
            replace(
                cue,
                start=later(cue.start),
                end=later(cue.end),
                words=tuple(Word(word.text, later(word.start), later(word.end), word.confidence) for word in cue.words),
            )
            for cue in moved
        ),
    )


def merge_recognised(old: Document, new: Document, fresh: int = 0, struck: Iterable[tuple[Ms, Ms]] = ()) -> Document:
    """Return the subtitles of a film that was heard again: what a person made stays, the rest is `new`.

    A person's cue wins its whole stretch, and so do `struck` stretches, out of which a person took what stood there:
    words of `new` whose middle lies there are left out. A cue that reads as before, at about the same time, keeps its
    id; all others get ids from `fresh` on.
    """
    kept = [cue for cue in old.cues if cue.by == "person"]
    taken = sorted([*((cue.start, cue.end) for cue in kept), *struck])
    unused = _unused(old, fresh)
    known: dict[tuple[str, ...], list[FilmCue]] = {}
    for cue in old.cues:
        if cue.by != "person":
            known.setdefault(cue.lines, []).append(cue)
    came: list[FilmCue] = []
    for left in (left for cue in new.cues for left in _outside(cue, taken)):
        same = next(
            (each for each in known.get(left.lines, []) if each.start < left.end and left.start < each.end), None
        )
        if same is not None:
            known[left.lines].remove(same)
            came.append(replace(left, id=same.id, speaker=left.speaker or same.speaker))
        else:
            came.append(replace(left, id=unused))
            unused += 1
    return _ordered(Document(new.language, new.profile), (*kept, *came))


def _outside(cue: FilmCue, taken: list[tuple[Ms, Ms]]) -> list[FilmCue]:
    """What of `cue` lies outside the stretches that are `taken`: a cue before, between and after them each."""
    near = [(start, end) for start, end in taken if start < cue.end and cue.start < end]
    if not near:
        return [cue]
    if len(cue.words) != sum(len(line.split()) for line in cue.lines):  # nobody knows which word stands where
        covered = sum(min(end, cue.end) - max(start, cue.start) for start, end in near)
        beside = None if covered * 2 >= cue.end - cue.start else _beside(cue, near)
        return [beside] if beside else []
    places = [_between(word, near) for word in cue.words]
    parts = [_part(cue, [place == here for place in places]) for here in range(len(near) + 1) if here in places]
    found = [_beside(part, near) for part in parts]
    if all(found):
        return [one for one in found if one]
    # Where one of them has no time of its own, the others take its words.
    whole = _beside(_part(cue, [place is not None for place in places]), near)
    return [whole] if whole else []


def _between(word: Word, near: list[tuple[Ms, Ms]]) -> int | None:
    """After how many of the stretches a word stands; `None`: within one."""
    middle = (word.start + word.end) // 2
    return None if any(start <= middle < end for start, end in near) else sum(end <= middle for _start, end in near)


def _part(cue: FilmCue, stays: list[bool]) -> FilmCue:
    """`cue` with those of its words that stay."""
    ends = [0, *accumulate(len(line.split()) for line in cue.lines)]
    lines = (
        " ".join(word for word, stay in zip(line.split(), stays[begin:end], strict=True) if stay)
        for line, begin, end in zip(cue.lines, ends, ends[1:], strict=False)
    )
    words = tuple(word for word, stay in zip(cue.words, stays, strict=True) if stay)
    return replace(cue, lines=_lines(lines), words=words)


def _beside(cue: FilmCue, near: list[tuple[Ms, Ms]]) -> FilmCue | None:
    """`cue` without the time of its neighbours; its words say on which side of them it stands."""
    start, end = cue.start, cue.end
    middle = (cue.words[0].start + cue.words[-1].end) // 2 if cue.words else (start + end) // 2
    for begins, over in near:
        if (begins + over) // 2 > middle:
            end = Ms(min(end, begins - GAP if begins - GAP - start >= SHORTEST else begins))
        else:
            start = Ms(max(start, over + GAP if end - over - GAP >= SHORTEST else over))
    return replace(cue, start=start, end=end) if end - start >= SHORTEST else None


# ── a document and its cues ───────────────────────────────────────────────────────────────────────────────────────────


def _place(document: Document, cue: int) -> int:
    for place, each in enumerate(document.cues):
        if each.id == cue:
            return place
    raise EditError(_("This cue is no longer there; load the subtitles again."))


def _cue(document: Document, cue: int) -> FilmCue:
    return document.cues[_place(document, cue)]


def _unused(document: Document, new: int) -> int:
    return max(new, 1, *(cue.id + 1 for cue in document.cues))


def _lines(lines: Iterable[str]) -> tuple[str, ...]:
    spaced = (" ".join(part.split()) for line in lines for part in line.splitlines())
    return tuple(line for line in spaced if line)


def _with(document: Document, *cues: FilmCue) -> Document:
    """`document` with `cues`, each in place of the one of its id."""
    changed = {cue.id for cue in cues}
    return _ordered(document, (*(cue for cue in document.cues if cue.id not in changed), *cues))


def _ordered(document: Document, cues: Iterable[FilmCue]) -> Document:
    return replace(document, cues=tuple(sorted(cues, key=lambda cue: (cue.start, cue.end, cue.id))))
