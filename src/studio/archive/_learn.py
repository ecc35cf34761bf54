"""What people put right, as pairs of words: the stuff that glossaries are learned from. Pure."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studio.archive._document import Document, FilmCue
    from studio.archive._facts import Correction

LONGEST = 4
"""Words. Who writes more of them anew did not hear a name wrongly."""


class Suggestion(Struct, frozen=True):
    """Something that people write in place of what is heard, again and again."""

    heard: str
    write: str
    times: int
    """How often."""
    films: int
    """In how many films."""
    language: str


def corrected(before: Document, after: Document) -> Iterator[tuple[int, str, str]]:
    """Each change of a few words within a cue: the cue's id, what stood there, and what stands there now.

    Cues that came, went or were only moved tell nothing, and neither does punctuation.
    """
    known = {cue.id: cue for cue in before.cues}
    for cue in after.cues:
        old = known.get(cue.id)
        if old is None or old.lines == cue.lines:
            continue
        heard, written = _words(old), _words(cue)
        matcher = difflib.SequenceMatcher(None, heard, written, autojunk=False)
        for kind, first, last, begin, end in matcher.get_opcodes():
            if kind == "replace" and last - first <= LONGEST and end - begin <= LONGEST:
                yield cue.id, " ".join(heard[first:last]), " ".join(written[begin:end])


def suggestions(corrections: Iterable[Correction], least: int = 2) -> tuple[Suggestion, ...]:
    """Return what was written at least so often in place of the same words, most often first.

    Where the same words were put right in several ways, only a way that outnumbers all others together is suggested.
    """
    ways: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    films: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
    for each in corrections:
        heard = each.before.casefold()
        if heard == each.after:
            continue
        ways[each.language, heard][each.after] += 1
        films[each.language, heard, each.after].add(each.film)
    found = [
        Suggestion(heard, write, times, len(films[language, heard, write]), language)
        for (language, heard), each in ways.items()
        for write, times in each.most_common(1)
        if times >= least and times * 2 > each.total()
    ]
    return tuple(sorted(found, key=lambda each: (-each.times, -each.films, each.heard)))


def _words(cue: FilmCue) -> list[str]:
    bare = (word.strip(".,;:!?…–—-\"'„”“«»()[]") for line in cue.lines for word in line.split())  # noqa: RUF001 - dashes
    return [word for word in bare if word]
