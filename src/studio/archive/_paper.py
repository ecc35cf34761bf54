"""From what was heard to what is read: words in order, put right, composed; what people wrote is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.archive._document import Document, FilmCue
from studio.archive._sdh import changes
from studio.language import plural
from studio.subtitles import composed, put_right
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studio.archive._work import Heard
    from studio.speech import Turn
    from studio.spoken import Word
    from studio.subtitles import Corrector, Rules

UNKNOWN = "und"
"""ISO 639-2 for a language that nobody determined: of a film without a word."""
PAUSE, SHORT, LONG = Ms(700), Ms(1500), Ms(20_000)
"""What is translated as one ends at such a pause, with a sentence that lasts so long, and lasts no longer than that."""
SLOWEST, FASTEST = 20.0, 61.0
"""Pictures a second of films, from old ones to those of fifty or sixty fields."""
HIT = 0.1
"""Of a frame: so far off a first picture may be. Containers round to a millisecond."""
ENDS = (".", "?", "!", "…")


def frames_of(rate: float, start: Ms, *, steady: bool) -> float | None:
    """`rate` of a film whose first picture is shown at `start`, where its cues are to be placed in whole frames.

    `None` where pictures do not follow evenly or begin in the middle of a frame of the film's clock, and where they
    last longer than speech is exact, as slides do.
    """
    if not steady or not SLOWEST <= rate <= FASTEST:
        return None
    late = start * rate / 1000
    return rate if abs(late - round(late)) < HIT else None


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


def untranslated(spoken: Sequence[tuple[Ms, Ms, str]], english: Sequence[Word]) -> tuple[str, ...]:
    """Say how much has no English: Whisper's translation is left out where it is made up rather than heard."""
    starts = [word.start for word in english]
    count = sum(not any(start <= at < end for at in starts) for start, end, _language in spoken)
    if not count:
        return ()
    said = plural(
        "{n} sentence of {all} could not be translated and is missing in English; a larger model does more.",
        "{n} sentences of {all} could not be translated and are missing in English; a larger model does more.",
        count,
    )
    return (said.format(n=count, all=len(spoken)),)


def _spoken_at(heard: Heard, at: int, asked: str) -> str:
    if asked != "auto":
        return asked
    near = min(heard.languages, key=lambda one: max(one[0] - at, at - one[1], 0), default=None)
    return near[2] if near else UNKNOWN


def document(
    words: Sequence[Word],
    language: str,
    profile: str,
    rules: Rules,
    corrector: Corrector,
    *,
    rate: float | None = None,
    shots: Sequence[Ms] = (),
    turns: Sequence[Turn] = (),
) -> Document:
    """Put `words` right and compose them; cues are numbered from 1.

    `rate` and `shots` as `subtitles.composed`; `turns`: who speaks when, where that is known.
    """
    right = put_right(words, corrector)
    cues = composed(right, rules, turns=changes(right, turns), rate=rate, shots=shots)
    made = (FilmCue(one.cue.number, one.cue.start, one.cue.end, one.cue.lines, one.words) for one in cues)
    return Document(language, profile, tuple(made))
