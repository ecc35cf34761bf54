"""Words into cues: cut where it costs least, set in lines, each in its time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from studio.spoken import Cue, Word
from studio.subtitles._breaks import glue
from studio.subtitles._text import AFTER_LAST, NEVER, Span, Text
from studio.subtitles._times import Frames, Placed, in_step, times, unblinking

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from studio.subtitles._rules import Rules
    from studio.units import Ms

MOST_LINES = 3
"""More than that are not balanced any more."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A cue, and the words that stand in it."""

    cue: Cue
    words: tuple[Word, ...]


def compose(
    words: Sequence[Word],
    rules: Rules,
    first_number: int = 1,
    *,
    turns: Collection[int] = (),
    shots: Sequence[Ms] = (),
    rate: float | None = None,
) -> list[Cue]:
    """Return all `words` as cues, in order, none dropped, none overlapping, numbered from `first_number`.

    `words` stand in the order they were spoken. Lines are no longer than the rules say unless a single word is. What is
    spoken faster than it can be read stays as it is, for `check` to report. At each of `turns`, places in `words`,
    somebody else begins to speak: never in one line with the one before. Near one of `shots`, the first moments of new
    pictures, cues come and go with it. With `rate`, frames a second, all times are those of whole frames.
    """
    return [each.cue for each in composed(words, rules, first_number, turns=turns, shots=shots, rate=rate)]


def composed(
    words: Sequence[Word],
    rules: Rules,
    first_number: int = 1,
    *,
    turns: Collection[int] = (),
    shots: Sequence[Ms] = (),
    rate: float | None = None,
) -> list[Composed]:
    """Do as `compose`, and keep the words of each cue; empty ones belong to none."""
    pieces = glue(words, rules, turns if isinstance(turns, frozenset | set) else frozenset(turns))
    frames = None if rate is None else Frames(rate)
    if frames is not None:
        pieces, rules = frames.pieces(pieces), frames.rules(rules)
        shots = [frames.begins(frames.of(shot)) for shot in shots]
    text = Text(pieces, rules, barter=True)
    spans = text.cut()
    placed = unblinking(in_step(_placed(text, spans), shots, rules), shots, rules)
    if frames is not None:
        placed = frames.placed(placed, rules)
    said = [word for word in words if word.text.strip()]
    made: list[Composed] = []
    at = 0
    for span, when in zip(spans, placed, strict=True):
        until = at + sum(piece.words for piece in pieces[span.begin : span.end])
        cue = Cue(first_number + len(made), when.start, when.end, text.written(span))
        made.append(Composed(cue, tuple(said[at:until])))
        at = until
    return made


def _placed(text: Text, spans: Sequence[Span]) -> list[Placed]:
    """Each span in its time."""
    rules = text.rules
    placed: list[Placed] = []
    after: Ms | None = None
    for span, following in zip_longest(spans, spans[1:]):
        first, last = text.pieces[span.begin], text.pieces[span.end - 1]
        if following is None:
            free = last.end + AFTER_LAST
        else:
            free = text.pieces[following.begin].start - rules.lead - rules.gap
        start, after = times(text, span, after, free, at_most=span.until)
        placed.append(Placed(start, after, first.start, last.end, text.needed(span.begin, span.end)))
    return placed


def reline(words: Sequence[Word], rules: Rules) -> tuple[str, ...]:
    """Return the lines of a cue that holds `words`, after a correction; none where all of them are empty.

    As many lines as `rules` say, or more where they are needed: nothing is dropped. No line is longer than the rules
    say unless a single word is.
    """
    pieces = glue(words, rules)
    if not pieces:
        return ()
    parted = [replace(word, text=text) for word in words for text in word.text.split()]
    for count in range(rules.lines, MOST_LINES + 1):
        roomy = replace(rules, lines=count)
        for parts in (pieces, glue(parted, rules)):
            text = Text(parts, roomy)
            whole = len(text) == 1 and text.characters(0, 1) > rules.line_characters and len(parted) > 1
            cost, breaks = text.lines(0, len(text))
            if cost < NEVER and not whole:
                return text.written(Span(0, breaks, len(text)))
    everything = " ".join(word.text for word in parted)
    return tuple(wrap(everything, rules.line_characters, break_long_words=False, break_on_hyphens=False))
