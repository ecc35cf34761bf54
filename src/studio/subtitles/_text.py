"""What a text is cut by: the price of each stretch as a cue, and of all ways to cut, the one that costs least.

Costs are measured in "breaks anywhere" of about four (see `_breaks`); what each constant says was tuned on real Polish
speech until no hard rule of a reading profile was broken and reading speed was the only soft one left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from studio.subtitles._breaks import cost_of_break, ends

if TYPE_CHECKING:
    from collections.abc import Sequence

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
INNER_REST = 6.0
"""… and besides, where the speaker rests after it: the next one would come well before its time …"""
REST = 400
"""… in milliseconds, from which on a pause is a rest."""
INNER_SPEAKER = 2.0
"""Each speaker who follows another one within a cue."""
TOO_FAST = 2.2
"""Each character per second beyond the reading speed …"""
FAST = 1.0
"""… and that there is one: better one cue that nobody can read than two."""
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
EARLY, LATE = 0.3, 0.5
"""A cue that appears earlier than it should, or later, so that it or the one before it can be read."""
AFTER_LAST = 5000
"""Silence that is assumed after the last word of all."""
_LEAST_TIME = 50

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Span:
    """Pieces [begin, end) as one cue, with a line ending before each of `breaks`."""

    begin: int
    breaks: tuple[int, ...]
    end: int
    until: int | None = None
    """When it must be gone so that the next one has the time that was settled for it; `None` where nothing was."""


class Meeting(NamedTuple):
    """How two cues may share the time between them: when the first must be gone, and when the second may appear."""

    out: int
    begins: int
    price: float


class Text:
    """Pieces with everything about them that costs are made of, added up so that any stretch is priced at once."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        rules: Rules,
        silence_after: int = AFTER_LAST,
        *,
        barter: bool = False,
        dashed: bool = False,
    ) -> None:
        """Price `pieces`; `silence_after` is how long nothing is said after the last one, in milliseconds.

        With `barter`, neighbours may take time of each other, as far as the rules let a cue be early or late. With
        `dashed`, pieces at which somebody else begins to speak have their dash already.
        """
        self._dash = "" if dashed else rules.dash
        self._may_share = dashed or bool(rules.dash)
        self._silence_after = silence_after
        self.pieces = pieces
        self.rules = rules
        texts = [piece.text for piece in pieces]
        self._places, self._words, self._turns = [0], [0], [0]
        for piece in pieces:
            self._places.append(self._places[-1] + len(piece.text) + 1)
            self._words.append(self._words[-1] + piece.words)
            self._turns.append(self._turns[-1] + piece.turn)
        self._breaks = [
            0.0 if after.turn else cost_of_break(before.text, after.text, rules) for before, after in pairwise(pieces)
        ]
        if texts:
            self._breaks.append(cost_of_break(texts[-1], None, rules))
        self._sentences = [0.0]
        self._pauses = [0.0]
        for here, after in pairwise(pieces):
            kind = ends(here.text, after.text, rules)
            rests = INNER_REST if after.start - here.end > REST else 0.0
            self._sentences.append(self._sentences[-1] + (INNER_SENTENCE + rests if kind > 1 else 0.0))
            beyond = max(0, after.start - here.end - rules.pause)
            self._pauses.append(self._pauses[-1] + INNER_PAUSE * beyond / 1000)
        self._closings = [0.0, *(self._closing(end) for end in range(1, len(pieces) + 1))]
        meet = self._bartered if barter else self._plain
        self._meetings = [meet(at) for at in range(len(pieces) + 1)]

    def __len__(self) -> int:
        return len(self.pieces)

    def characters(self, begin: int, end: int) -> int:
        """Length of the pieces with the spaces between them, and with the dashes of two speakers."""
        length = self._places[end] - self._places[begin] - 1
        turns = self._turns[end] - self._turns[begin + 1]
        return length + (turns + 1) * len(self._dash) if turns else length

    def needed(self, begin: int, end: int) -> int:
        """Milliseconds that these pieces want as a cue: long enough to be read, no longer than a cue may be."""
        rules = self.rules
        reading = rules.reading(self.characters(begin, end), self._words[end] - self._words[begin])
        return max(rules.shortest, min(reading, rules.longest))

    def fits(self, begin: int, end: int) -> bool:
        """Whether these pieces may be one cue at all; a single piece always may."""
        if end - begin == 1:
            return True
        rules = self.rules
        if self._places[end] - self._places[begin] - 1 > rules.lines * rules.line_characters:
            return False
        turns = self._turns[end] - self._turns[begin + 1]
        if turns and (turns >= rules.lines or not self._may_share):
            return False
        return self.pieces[end - 1].end - self.pieces[begin].start <= rules.longest

    def lines(self, begin: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Return the cheapest way into lines, as its cost and the pieces that begin a new line; inf where none is."""
        if self._turns[end] - self._turns[begin + 1]:
            return self._shared(begin, end)
        if self._is_line(begin, end):
            return 0.0, ()
        for count in range(2, self.rules.lines + 1):
            cost, breaks = self._split(begin, end, count)
            if cost < NEVER:
                return cost, breaks
        return NEVER, ()

    def _shared(self, begin: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Each speaker on a line of their own."""
        breaks = tuple(at for at in range(begin + 1, end) if self.pieces[at].turn)
        room = self.rules.line_characters - len(self._dash)
        edges = (begin, *breaks, end)
        if any(self._places[b] - self._places[a] - 1 > room for a, b in pairwise(edges)):
            return NEVER, ()
        return 0.0, breaks

    def _is_line(self, begin: int, end: int) -> bool:
        return end - begin == 1 or self.characters(begin, end) <= self.rules.line_characters

    def _split(self, begin: int, end: int, count: int) -> tuple[float, tuple[int, ...]]:
        """Into exactly `count` lines."""
        if count == 1:
            return (0.0, ()) if self._is_line(begin, end) else (NEVER, ())
        best = NEVER
        choice: tuple[int, ...] = ()
        places, width = self._places, self.rules.line_characters
        start, stop, whole = places[begin] + 1, places[end] - 1, self.characters(begin, end)
        # Only what leaves neither line too long is tried, but for single pieces, which may be.
        least = bisect_left(places, stop + 1 - (width + 1) * (count - 1), begin + 1, end)
        most = bisect_right(places, start + width, begin + 1, end)
        for middle in range(min(least, end - 1), max(most, begin + 2)):
            rest, breaks = self._split(middle, end, count - 1) if count > 2 else (0.0, ())  # noqa: PLR2004 - two lines
            if rest == NEVER:
                continue
            upper, lower = places[middle] - start, (places[end] - places[middle] - 1) / (count - 1)
            cost = self._breaks[middle - 1] + abs(upper - lower) / whole * UNBALANCED + rest
            cost += TOP_HEAVY if upper > lower else 0.0
            if cost < best:
                best, choice = cost, (middle, *breaks)
        return best, choice

    def _open(self, begin: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Price of the pieces [begin, end) as a cue that more words may still join, and its line breaks."""
        line_cost, breaks = self.lines(begin, end)
        if line_cost == NEVER:
            return NEVER, ()
        inner = self._pauses[end - 1] - self._pauses[begin] + self._sentences[end - 1] - self._sentences[begin]
        inner += (self._turns[end] - self._turns[begin + 1]) * INNER_SPEAKER
        return CUE + line_cost * LINE_BREAK + inner, breaks

    def _closing(self, end: int) -> float:
        """What it costs to end a cue there, whatever stands in it."""
        pause = min(max(0, self._silence(end)), PAUSE_COUNTS)
        return self._breaks[end - 1] * CUE_BREAK - pause * PAUSE / 1000

    def _silence(self, end: int) -> int:
        """How long nothing is said before the piece `end`."""
        last = self.pieces[end - 1].end
        return self.pieces[end].start - last if end < len(self.pieces) else self._silence_after

    def _hurried(self, needed: int, time: int) -> float:
        """What it costs that a cue which wants `needed` stands for `time`."""
        rules = self.rules
        time = min(rules.longest, time)
        cost = 0.0
        if needed > time:
            cost = FAST + (needed / max(time, _LEAST_TIME) - 1) * rules.characters_per_second * TOO_FAST
        if time < rules.shortest:
            cost += TOO_SHORT + SHORTER * (rules.shortest - time) / 1000
        return cost

    def _plain(self, at: int) -> list[Meeting]:
        """Before the piece `at`, each cue keeps its own time."""
        rules, pieces = self.rules, self.pieces
        begins = pieces[at].start - rules.lead if at < len(pieces) else 0
        out = min(self._silence(at) - rules.gap, rules.overstay) + pieces[at - 1].end if at else 0
        return [Meeting(out, begins, 0.0)]

    def _bartered(self, at: int) -> list[Meeting]:
        """Before the piece `at`: the next cue early, at its time, or late, and what is left for the one before it."""
        rules, pieces = self.rules, self.pieces
        if at == len(pieces):
            return [Meeting(pieces[-1].end + rules.overstay if pieces else 0, 0, 0.0)]
        first = pieces[at].start
        early = max(0, first - rules.lead - rules.borrow)
        if at == 0:
            return [Meeting(0, early, 0.0)]
        last = pieces[at - 1].end
        stays = last + rules.overstay
        offers = [Meeting(min(stays, early - rules.gap), early, EARLY if rules.borrow else 0.0)]
        if offers[0].out == stays:
            return offers
        ways = ((first - rules.lead, 0.0), (first + rules.late, LATE))
        offers += [Meeting(min(stays, begins - rules.gap), begins, price) for begins, price in ways]
        # Nobody is cut off in mid-word for the next one, where that can be helped.
        return [offer for offer in offers if offer.out >= last - rules.late] or offers[-1:]

    def cut(self, *, open_end: bool = False, close_first: bool = False, most: int | None = None) -> list[Span]:
        """Return the cheapest way to cut all pieces.

        With `open_end` the last cue may still grow and is not blamed for where it ends; with `close_first` the first
        cue is priced as a closed one even if it is also the last; it has at most `most` pieces.
        """
        count = len(self)
        best = [[NEVER] * len(offers) for offers in self._meetings]
        best[count] = [0.0] * len(self._meetings[count])
        choice = [[(Span(begin, (), begin + 1), 0)] * len(offers) for begin, offers in enumerate(self._meetings)]
        for begin in range(count - 1, -1, -1):
            for end in range(begin + 1, count + 1):
                if not self.fits(begin, end) or (begin == 0 and most is not None and end > most):
                    break
                cost, breaks = self._open(begin, end)
                if cost == NEVER:
                    continue
                is_open = open_end and end == count and not (close_first and begin == 0)
                if not is_open:
                    cost += self._closings[end] + (TINY if self.characters(begin, end) < TINY_TEXT else 0.0)
                needed = self.needed(begin, end)
                for left, (_, begins, early_price) in enumerate(self._meetings[begin]):
                    for right, (out, _, _) in enumerate(self._meetings[end]):
                        total = cost + early_price + best[end][right]
                        total += 0.0 if is_open else self._hurried(needed, out - begins)
                        if total < best[begin][left]:
                            best[begin][left] = total
                            choice[begin][left] = Span(begin, breaks, end, out), right
        spans: list[Span] = []
        at = way = 0
        while at < count:
            span, way = choice[at][way]
            spans.append(span)
            at = span.end
        return spans

    def written(self, span: Span) -> tuple[str, ...]:
        """The lines of `span`."""
        edges = (span.begin, *span.breaks, span.end)
        shared = self._turns[span.end] - self._turns[span.begin + 1] > 0
        dash = self._dash if shared else ""
        return tuple(dash + " ".join(piece.text for piece in self.pieces[a:b]) for a, b in pairwise(edges))
