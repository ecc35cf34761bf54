"""From what was heard to what is read: words in order, put right, composed; what people wrote is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.archive._document import Document, FilmCue
from studio.subtitles import composed, put_right
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studio.archive._work import Heard
    from studio.spoken import Word
    from studio.subtitles import Corrector, Rules

UNKNOWN = "und"
"""ISO 639-2 for a language that nobody determined: of a film without a word."""
PAUSE, SHORT, LONG = Ms(700), Ms(1500), Ms(20_000)
"""What is translated as one ends at such a pause, with a sentence that lasts so long, and lasts no longer than that."""
ENDS = (".", "?", "!", "…")


def language_of(heard: Iterable[Heard], asked: str) -> str:
    """Return what was asked for; with `auto`, what was spoken for longest, of equals the first in the alphabet."""
    if asked != "auto":
        return asked
    spoken: Counter[str] = Counter()
    for chunk in heard:
        for start, end, language in chunk.languages:
            spoken[language] += end - start
    return min(spoken, key=lambda code: (-spoken[code], code), default=UNKNOWN)


def words_of(heard: Iterable[Heard]) -> list[Word]:
    """The words of all chunks, in order; none begins before the one before it ends."""
    words: list[Word] = []
    reached = Ms(0)
    for word in sorted((word for chunk in heard for word in chunk.words), key=lambda word: (word.start, word.end)):
        start = max(word.start, reached)
        reached = Ms(max(start, word.end))
        words.append(word if start == word.start else replace(word, start=Ms(start), end=reached))
    return words


def sentences(heard: Heard, asked: str) -> list[tuple[Ms, Ms, str]]:
    """What is to be translated as one, with its language: sentences, or what stands between two pauses."""
    found: list[tuple[Ms, Ms, str]] = []
    words = list(heard.words)
    first = 0
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else None
        spoken = word.end - words[first].start
        if (
            following is None
            or following.start - word.end > PAUSE
            or (word.text.rstrip('"”»)').endswith(ENDS) and spoken > SHORT)
            or following.end - words[first].start > LONG
        ):
            start = words[first].start
            found.append((start, word.end, _spoken_at(heard, (start + word.end) // 2, asked)))
            first = at + 1
    return found


def _spoken_at(heard: Heard, at: int, asked: str) -> str:
    if asked != "auto":
        return asked
    near = min(heard.languages, key=lambda one: max(one[0] - at, at - one[1], 0), default=None)
    return near[2] if near else UNKNOWN


def document(words: Sequence[Word], language: str, profile: str, rules: Rules, corrector: Corrector) -> Document:
    """Put `words` right and compose them; cues are numbered from 1."""
    cues = composed(put_right(words, corrector), rules)
    made = (FilmCue(one.cue.number, one.cue.start, one.cue.end, one.cue.lines, one.words) for one in cues)
    return Document(language, profile, tuple(made))
