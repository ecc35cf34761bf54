"""Words into cues: of all ways to cut a text, the one that costs least.

Costs are measured in "breaks anywhere" of about four (see `_breaks`); what each constant says was tuned on real Polish
speech until no hard rule of a reading profile was broken and reading speed was the only soft one left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from studio.spoken import Cue
from studio.subtitles._breaks import cost_of_break, ends, glue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.spoken import Word
    from studio.subtitles._breaks import Piece
    from studio.subtitles._rules import Rules

CUE = 3.0
"""Each cue: fewer and fuller ones are calmer."""
CUE_BREAK = 1.5
"""What a break between cues weighs, against a break between lines."""
LINE_BREAK = 0.8
PAUSE = 4.0
"""Gained by a second of pause between two cues …"""
PAUSE_COUNTS = 1500
"""… up to so many milliseconds of it."""
INNER_PAUSE = 14.0
"""Each second of a pause within a cue beyond what the rules allow."""
INNER_SENTENCE = 2.5
"""Each sentence that ends within a cue."""
TOO_FAST = 2.2
"""Each character per second beyond the reading speed."""
TOO_SHORT = 15.0
"""A cue whose time is shorter than the least …"""
SHORTER = 30.0
"""… and each second that it is."""
TINY = 2.0
"""A cue of less than `TINY_TEXT` characters."""
TINY_TEXT = 12
UNBALANCED = 3.0
"""Two lines of which one is empty; less for less."""
TOP_HEAVY = 0.6
"""An upper line that is the longer one covers more of the picture."""
MOST_LINES = 3
"""More than that are not balanced any more."""
AFTER_LAST = 5000
"""Silence that is assumed after the last word of all."""

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Span:
    """Pieces [begin, end) as one cue, with a line ending before each of `breaks`."""

    begin: int
    breaks: tuple[int, ...]
    end: int


class Text:
    """Pieces with everything about them that costs are made of, added up so that any stretch is priced at once."""

    def __init__(self, pieces: Sequence[Piece], rules: Rules, silence_after: int = AFTER_LAST) -> None:
        """Price `pieces`; `silence_after` is how long nothing is said after the last one, in milliseconds."""
        self._silence_after = silence_after
        self.pieces = pieces
        self.rules = rules
        texts = [piece.text for piece in pieces]
        self._places = [0]
        for text in texts:
            self._places.append(self._places[-1] + len(text) + 1)
        self._breaks = [cost_of_break(before, after, rules) for before, after in pairwise(texts)]
        if texts:
            self._breaks.append(cost_of_break(texts[-1], None, rules))
        self._sentences = [0.0]
        self._pauses = [0.0]
        for here, after in pairwise(pieces):
            kind = ends(here.text, after.text, rules)
            self._sentences.append(self._sentences[-1] + (INNER_SENTENCE if kind > 1 else 0.0))
            beyond = max(0, after.start - here.end - rules.pause)
            self._pauses.append(self._pauses[-1] + INNER_PAUSE * beyond / 1000)

    def __len__(self) -> int:
        return len(self.pieces)

    def characters(self, begin: int, end: int) -> int:
        """Length of the pieces with the spaces between them."""
        return self._places[end] - self._places[begin] - 1

    def fits(self, begin: int, end: int) -> bool:
        """Whether these pieces may be one cue at all; a single piece always may."""
        if end - begin == 1:
            return True
        rules = self.rules
        if self.characters(begin, end) > rules.lines * rules.line_characters:
            return False
        return self.pieces[end - 1].end - self.pieces[begin].start <= rules.longest

    def lines(self, begin: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Return the cheapest way into lines, as its cost and the pieces that begin a new line; inf where none is."""
        if self._is_line(begin, end):
            return 0.0, ()
        if end - begin == 1:
            return 0.0, ()
        for count in range(2, self.rules.lines + 1):
            cost, breaks = self._split(begin, end, count)
            if cost < _NEVER:
                return cost, breaks
        return _NEVER, ()

    def _is_line(self, begin: int, end: int) -> bool:
        return end - begin == 1 or self.characters(begin, end) <= self.rules.line_characters

    def _split(self, begin: int, end: int, count: int) -> tuple[float, tuple[int, ...]]:
        """Into exactly `count` lines."""
        if count == 1:
            return (0.0, ()) if self._is_line(begin, end) else (_NEVER, ())
        best: tuple[float, tuple[int, ...]] = (_NEVER, ())
        whole = self.characters(begin, end)
        for middle in range(begin + 1, end):
            if not self._is_line(begin, middle):
                break
            rest, breaks = self._split(middle, end, count - 1)
            if rest == _NEVER:
                continue
            upper, lower = self.characters(begin, middle), self.characters(middle, end) / (count - 1)
            cost = self._breaks[middle - 1] + abs(upper - lower) / whole * UNBALANCED + rest
            cost += TOP_HEAVY if upper > lower else 0.0
            if cost < best[0]:
                best = (cost, (middle, *breaks))
        return best

    def cost(self, begin: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Price of the pieces [begin, end) as a cue that is not the open one, and its line breaks."""
        cost, breaks = self.open_cost(begin, end)
        if cost == _NEVER:
            return cost, breaks
        rules, pieces = self.rules, self.pieces
        first, last = pieces[begin], pieces[end - 1]
        following = pieces[end].start if end < len(pieces) else last.end + self._silence_after
        cost += self._breaks[end - 1] * CUE_BREAK - min(max(0, following - last.end), PAUSE_COUNTS) * PAUSE / 1000
        characters = self.characters(begin, end)
        time = min(rules.longest, min(following - rules.gap, last.end + rules.overstay) - first.start + rules.lead)
        speed = characters * 1000 / max(time, 50)
        if speed > rules.characters_per_second:
            cost += (speed - rules.characters_per_second) * TOO_FAST
        if time < rules.shortest:
            cost += TOO_SHORT + SHORTER * (rules.shortest - time) / 1000
        if characters < TINY_TEXT:
            cost += TINY
        return cost, breaks

    def open_cost(self, begin: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Price of the pieces [begin, end) as a cue that more words may still join, and its line breaks."""
        if not self.fits(begin, end):
            return _NEVER, ()
        line_cost, breaks = self.lines(begin, end)
        if line_cost == _NEVER:
            return _NEVER, ()
        inner = self._pauses[end - 1] - self._pauses[begin] + self._sentences[end - 1] - self._sentences[begin]
        return CUE + line_cost * LINE_BREAK + inner, breaks

    def cut(self, *, open_end: bool = False, close_first: bool = False, most: int | None = None) -> list[Span]:
        """Return the cheapest way to cut all pieces.

        With `open_end` the last cue may still grow and is not blamed for where it ends; with `close_first` the first
        cue is priced as a closed one even if it is also the last; it has at most `most` pieces.
        """
        count = len(self)
        best = [_NEVER] * count + [0.0]
        choice = [Span(begin, (), begin + 1) for begin in range(count)]
        for begin in range(count - 1, -1, -1):
            for end in range(begin + 1, count + 1):
                if not self.fits(begin, end) or (begin == 0 and most is not None and end > most):
                    break
                is_open = open_end and end == count and not (close_first and begin == 0)
                cost, breaks = self.open_cost(begin, end) if is_open else self.cost(begin, end)
                if cost + best[end] < best[begin]:
                    best[begin] = cost + best[end]
                    choice[begin] = Span(begin, breaks, end)
        spans: list[Span] = []
        at = 0
        while at < count:
            spans.append(choice[at])
            at = choice[at].end
        return spans

    def written(self, span: Span) -> tuple[str, ...]:
        """The lines of `span`."""
        edges = (span.begin, *span.breaks, span.end)
        return tuple(" ".join(piece.text for piece in self.pieces[a:b]) for a, b in pairwise(edges))


def times(text: Text, span: Span, after: Ms | None, free_until: int, *, borrow: bool = True) -> tuple[Ms, Ms]:
    """Return when the cue of `span` appears and goes.

    `after` is the end of the cue before it, or `None`; it keeps `gap` from it. Until `free_until` no other cue wants
    the picture. Only to last as long as the shortest cue does it pass `free_until`; the next one then begins later.
    """
    rules = text.rules
    first, last = text.pieces[span.begin], text.pieces[span.end - 1]
    earliest = 0 if after is None else after + rules.gap
    start = max(first.start - rules.lead, earliest)
    reading = round(text.characters(span.begin, span.end) * 1000 / rules.characters_per_second)
    needed = max(rules.shortest, min(reading, rules.longest))
    wanted = max(last.end + rules.linger, start + needed)
    allowed = max(last.end + rules.overstay, start + rules.shortest)
    end = min(wanted, allowed, free_until, start + rules.longest)
    if end - start < needed and borrow:
        start -= max(0, min(needed - (end - start), rules.borrow, start - earliest))
    end = max(end, start + rules.shortest)
    closing = free_until - end
    if 0 < closing <= rules.chain and free_until <= min(last.end + rules.chain, start + rules.longest):
        end = free_until
    return Ms(start), Ms(min(end, start + rules.longest))


def compose(words: Sequence[Word], rules: Rules, first_number: int = 1) -> list[Cue]:
    """Return all `words` as cues, in order, none dropped, none overlapping, numbered from `first_number`.

    `words` stand in the order they were spoken. Lines are no longer than the rules say unless a single word is.
    """
    text = Text(glue(words, rules), rules)
    spans = text.cut()
    cues: list[Cue] = []
    after: Ms | None = None
    for span, following in zip_longest(spans, spans[1:]):
        if following is None:
            free = text.pieces[span.end - 1].end + AFTER_LAST
        else:
            free = text.pieces[following.begin].start - rules.lead - rules.gap
        start, after = times(text, span, after, free)
        cues.append(Cue(first_number + len(cues), start, after, text.written(span)))
    return cues


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
            if cost < _NEVER and not whole:
                return text.written(Span(0, breaks, len(text)))
    everything = " ".join(word.text for word in parted)
    return tuple(wrap(everything, rules.line_characters, break_long_words=False, break_on_hyphens=False))
