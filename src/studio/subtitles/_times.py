"""When a cue stands: long enough to be read, near its words, apart from its neighbours, in step with the picture."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, zip_longest
from math import ceil, floor
from typing import TYPE_CHECKING

from studio.subtitles._rules import FRAME
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studio.subtitles._breaks import Piece
    from studio.subtitles._rules import Rules
    from studio.subtitles._text import Span, Text


_APART = Ms(FRAME + 5)
"""So much longer than `chain` is a pause that is seen as one: a frame, whatever the rate."""


def times(
    text: Text, span: Span, after: Ms | None, free_until: int, *, at_most: int | None = None, at_least: Ms | None = None
) -> tuple[Ms, Ms]:
    """Return when the cue of `span` appears and goes.

    `after` is the end of the cue before it, or `None`; it keeps `gap` from it. Until `free_until` no other cue wants
    the picture; `at_most` says so where it has to be gone earlier, or may stay longer to be read. Only to last as long
    as the shortest cue, or `at_least` where that is told, does it pass that; the next one then begins later.
    """
    rules = text.rules
    first, last = text.pieces[span.begin], text.pieces[span.end - 1]
    at_most = free_until if at_most is None else at_most
    earliest = 0 if after is None else after + rules.gap
    start = max(first.start - rules.lead, earliest)
    needed = text.needed(span.begin, span.end)
    wanted = max(min(last.end + rules.linger, free_until), start + needed)
    allowed = max(last.end + rules.overstay, start + rules.shortest)
    end = min(wanted, allowed, at_most, start + rules.longest)
    if end - start < needed:
        start -= max(0, min(needed - (end - start), rules.borrow, start - earliest))
    end = max(end, start + (rules.shortest if at_least is None else at_least))
    free_until = min(free_until, at_most)
    closing = free_until - end
    if 0 < closing <= rules.chain and free_until <= min(last.end + rules.chain, start + rules.longest):
        end = free_until
    return Ms(start), Ms(min(end, start + rules.longest))


@dataclass(frozen=True, slots=True)
class Placed:
    """When a cue stands, and what it may not lose sight of when it is moved."""

    start: Ms
    end: Ms
    said_from: Ms
    """Where its first word begins."""
    said_until: Ms
    """Where its last word ends."""
    needed: int
    """How long it wants to stand, to be read."""


def in_step(cues: Sequence[Placed], shots: Sequence[Ms], rules: Rules) -> list[Placed]:
    """Return `cues` so that none appears or goes just beside one of `shots`, the first moments of new pictures.

    One that would appear within two frames of a change of picture appears with it; one that would outlast it by a
    moment, or end just before it, goes `gap` before it. That never costs the time that a cue needs.
    """
    if not shots:
        return list(cues)
    shots = sorted(shots)
    moved: list[Placed] = []
    after = -rules.gap
    for cue in cues:
        start = cue.start
        near = shots[
            bisect_left(shots, start - rules.lead - rules.borrow) : bisect_right(shots, cue.said_from + rules.late)
        ]
        stands = min(cue.needed, cue.end - start)
        fitting = [shot for shot in near if shot >= after + rules.gap and cue.end - shot >= stands]
        if fitting:
            start = min(fitting, key=lambda shot: abs(shot - start))
        end = cue.end
        change = bisect_left(shots, max(cue.said_until - rules.late, start + 1) + rules.gap)
        if change < len(shots):
            before = shots[change] - rules.gap
            if end - rules.chain < before < end and before - start >= stands:
                end = Ms(before)
        moved.append(replace(cue, start=start, end=end))
        after = end
    return moved


def unblinking(cues: Sequence[Placed], shots: Sequence[Ms], rules: Rules) -> list[Placed]:
    """Return `cues` without gaps that are longer than `gap` but no longer than `chain`, as far as they can be mended.

    Either the cue stays until the next one comes, no longer after its last word than the rules let it; or it goes so
    early that the pause is seen as one, where it has time to spare.
    """
    shots = sorted(shots)
    steady = list(cues)
    for at, (cue, following) in enumerate(pairwise(cues)):
        if not rules.gap < following.start - cue.end <= rules.chain:
            continue
        closed = following.start - rules.gap
        parted = following.start - rules.chain - _APART
        changes = bisect_right(shots, cue.end) < bisect_left(shots, closed + rules.gap)
        if closed <= min(cue.said_until + rules.overstay, cue.start + rules.longest) and not changes:
            steady[at] = replace(cue, end=Ms(closed))
        elif parted >= max(cue.said_until, cue.start + cue.needed):
            steady[at] = replace(cue, end=Ms(parted))
    return steady


class Frames:
    """Time in whole frames of a film."""

    def __init__(self, rate: float) -> None:
        """`rate` frames a second; 23.976 and the like are taken for what they stand for, 24000/1001."""
        self._rate = Fraction(rate).limit_denominator(1001)

    def of(self, at: int) -> int:
        """Number of the frame that is nearest to `at`."""
        return round(at * self._rate / 1000)

    def begins(self, frame: int) -> Ms:
        """When a frame begins; the whole millisecond before, so that the frame is the first one at or after it."""
        return Ms(floor(frame * 1000 / self._rate))

    def rules(self, rules: Rules) -> Rules:
        """`rules` whose times are whole frames, none less strict than it was."""
        return replace(
            rules,
            shortest=self._whole(rules.shortest, ceil),
            gap=self._whole(rules.gap, ceil),
            longest=self._whole(rules.longest, floor),
            overstay=self._whole(rules.overstay, floor),
            chain=self._whole(rules.chain, ceil),
            linger=self._whole(rules.linger, floor),
            lead=self._whole(rules.lead, round),
            borrow=self._whole(rules.borrow, round),
            late=self._whole(rules.late, round),
        )

    def _whole(self, time: Ms, to: Callable[[Fraction], int]) -> Ms:
        return Ms(round(to(time * self._rate / 1000) * 1000 / self._rate))

    def pieces(self, pieces: Sequence[Piece]) -> list[Piece]:
        """`pieces` that begin and end with the nearest frame."""
        moved = []
        for piece in pieces:
            start = self.of(piece.start)
            end = max(self.of(piece.end), start + 1)
            moved.append(replace(piece, start=self.begins(start), end=self.begins(end)))
        return moved

    def placed(self, cues: Sequence[Placed], rules: Rules) -> list[Placed]:
        """`cues` that appear and go with a frame, none too near the next one, too short or too long for `rules`."""
        gap, shortest, longest = (self.of(time) for time in (rules.gap, rules.shortest, rules.longest))
        # A frame begins in the millisecond that it is said to begin in, or in the next one.
        starts = [floor((cue.start + 1) * self._rate / 1000) for cue in cues]
        moved: list[Placed] = []
        earliest = 0
        for cue, start, following in zip_longest(cues, starts, starts[1:]):
            first = max(start, earliest)
            end = ceil(cue.end * self._rate / 1000)
            if following is not None:
                end = min(end, following - gap)
            end = min(max(end, first + shortest), first + longest)
            moved.append(replace(cue, start=self.begins(first), end=self.begins(end)))
            earliest = end + gap
        return moved
