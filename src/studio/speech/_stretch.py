"""Where somebody speaks in a film, and in which parts it is heard: no sound is needed to talk about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAD = Ms(400)
"""Silence that a chunk takes along on both sides."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a film."""

    start: Ms
    """On the film's clock."""
    end: Ms
    """On the film's clock."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Where somebody speaks."""

    length: Ms
    """Of the sound."""
    voiced: tuple[Stretch, ...]
    """In order; parted by a tenth of a second of silence or more. Edges are exact to 32 ms."""
    quiet: tuple[Stretch, ...] = ()
    """Where it is not silent and somebody might speak, but nobody would bet on it; in order, apart from `voiced`."""

    def part(self, start: Ms, end: Ms) -> Survey:
        """What lies in [start, end), its clock beginning there."""

        def within(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
            return tuple(
                Stretch(Ms(max(one.start, start) - start), Ms(min(one.end, end) - start))
                for one in stretches
                if one.end > start and one.start < end
            )

        return Survey(Ms(min(end, self.length) - start), within(self.voiced), within(self.quiet))


def chunks(found: Survey, longest: Ms) -> tuple[tuple[Ms, Ms], ...]:
    """Cut a film where nobody speaks into parts of `longest` at most; outside of them nobody speaks at all.

    In order, apart, and the same whoever asks. Only where somebody speaks for `longest` without drawing breath is a
    cut made in speech.
    """
    heard = sorted((*found.voiced, *found.quiet), key=lambda one: one.start)
    parts: list[tuple[int, int]] = []
    while heard:
        begin: int = heard[0].start
        count = sum(one.end - begin <= longest for one in heard)
        if not count:
            heard[0] = Stretch(Ms(begin + longest), heard[0].end)
            parts.append((begin, begin + longest))
            continue
        if count < len(heard):
            # Of the pauses in the latter half, the longest: it parts more than a sentence.
            count = max(
                (at for at in range(1, count + 1) if heard[at].start - begin > longest // 2 or at == count),
                key=lambda at: (heard[at].start - heard[at - 1].end, at),
            )
        parts.append((begin, heard[count - 1].end))
        heard = heard[count:]
    edges: list[tuple[Ms, Ms]] = []
    for at, (begin, end) in enumerate(parts):
        before = parts[at - 1][1] if at else -begin
        after = parts[at + 1][0] if at + 1 < len(parts) else 2 * found.length - end
        spare = max(0, longest - (end - begin)) // 2
        edges.append(
            (Ms(begin - min(_PAD, spare, (begin - before) // 2)), Ms(end + min(_PAD, spare, (after - end) // 2)))
        )
    return tuple(edges)
