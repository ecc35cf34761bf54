"""A film that is heard again: what a person made of it stays, and the rest is what was heard. Pure."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec.structs import replace

from studio.archive._document import Document, FilmCue
from studio.archive._edits import GAP, SHORTEST, lines_of, moved_by, ordered, unused
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studio.archive._document import Shift


def merge_recognised(old: Document, new: Document, fresh: int = 0, struck: Iterable[tuple[Ms, Ms]] = ()) -> Document:
    """Return the subtitles of a film that was heard again: what a person made stays, the rest is `new`.

    What a person moved is moved again, for `new` has the times of the sound. A person's cue wins its whole stretch, and
    so do `struck` stretches, out of which a person took what stood there: words of `new` whose middle lies there are
    left out. A cue that reads as before, at about the same time, keeps its id; all others get ids from `fresh` on.
    """
    new = _moved(new, old.shifts)
    kept = [cue for cue in old.cues if cue.by == "person"]
    taken = sorted([*((cue.start, cue.end) for cue in kept), *struck])
    next_id = unused(old, fresh)
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
            came.append(replace(left, id=next_id))
            next_id += 1
    return ordered(Document(new.language, new.profile, (), old.shifts), (*kept, *came))


def carried(start: Ms, end: Ms, before: Sequence[Shift], now: Sequence[Shift]) -> tuple[Ms, Ms]:
    """A stretch of a document that was moved by `before`, where one that was moved by `now` has it."""
    same = 0
    while same < min(len(before), len(now)) and before[same] == now[same]:
        same += 1
    by = 0
    for one in reversed(before[same:]):
        by -= one.by if start + by >= one.since + one.by else 0
    for one in now[same:]:
        by += one.by if start + by >= one.since else 0
    return Ms(max(0, start + by)), Ms(max(0, end + by))


def _moved(document: Document, shifts: Sequence[Shift]) -> Document:
    """Cues that a machine made anew, moved as a person moved those before them.

    Where they were cut otherwise than before and one would come to stand in another, it waits for its end.
    """
    for one in shifts:
        stay = [cue for cue in document.cues if cue.start < one.since]
        over = Ms(max((cue.end for cue in stay), default=0))
        for cue in (moved_by(cue, one.by) for cue in document.cues if cue.start >= one.since):
            start = Ms(max(cue.start, over))
            over = Ms(max(cue.end, start + SHORTEST))
            stay.append(
                replace(cue, start=start, end=over, words=tuple(_within(word, start, over) for word in cue.words))
            )
        document = ordered(document, stay)
    return document


def _within(word: Word, start: Ms, end: Ms) -> Word:
    """`word` with the times that it can have in a cue of these."""
    return Word(word.text, min(max(word.start, start), end), min(max(word.end, start), end), word.confidence)


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
    return replace(cue, lines=lines_of(lines), words=words)


def _beside(cue: FilmCue, near: list[tuple[Ms, Ms]]) -> FilmCue | None:
    """`cue` without the time of its neighbours; its words say on which side of them it stands."""
    middle = (cue.words[0].start + cue.words[-1].end) // 2 if cue.words else (cue.start + cue.end) // 2
    before = [over for begins, over in near if (begins + over) // 2 <= middle]
    after = [begins for begins, over in near if (begins + over) // 2 > middle]
    for first, second in ((GAP, GAP), (GAP, 0), (0, GAP), (0, 0)):  # rather without a gap than not at all
        start = max([cue.start, *(over + first for over in before)])
        end = min([cue.end, *(begins - second for begins in after)])
        if end - start >= SHORTEST:
            return replace(cue, start=Ms(start), end=Ms(end))
    return None
