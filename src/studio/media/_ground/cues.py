"""Which cue of a track stands at which moment of the show."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.units import Ms

if TYPE_CHECKING:
    from studio.spoken import Cue

WORTH_SHOWING = Ms(500)
"""A late cue of which less remains is shown in full length from now: it could not be read otherwise."""
KEPT = Ms(120_000)
"""How long a cue that is over is remembered, for WebVTT segments and for those who send it again."""


@dataclass(frozen=True, slots=True)
class RollUp:
    """Lines of cues that are over stay above those of the one that stands, as they move up."""

    rows: int
    """How many lines stand at the most."""
    stays: Ms
    """How long after the last cue's end they go; a cue that begins until then moves them up."""


class CueBoard:
    """The cues by their number, as they are really shown. Any thread may ask."""

    def __init__(self, roll: RollUp | None = None) -> None:
        """`roll`: how lines of the picture follow each other; `None`: each cue stands alone, and for its time."""
        self._roll = roll
        self._cues: dict[int, Cue] = {}
        self._lock = threading.Lock()
        self._aired = Ms(-1)
        self._seen: set[int] = set()
        self._late: set[int] = set()
        self._postponed: dict[int, Ms] = {}
        self._written = Ms(0)
        self.picture_late: Ms | None = None
        """How long after its moment the last cue came for the picture: 0 in time, `None` before the first."""
        self.written_late: Ms | None = None
        """Likewise for WebVTT."""

    def show(self, cue: Cue) -> bool:
        """Take `cue` and return whether it changes anything.

        A number known already is replaced if it has not aired yet. A cue whose first frame has aired is shown for what
        remains; where that is too short to be read, in its full length from now, or until the next one begins. A cue
        without lines takes back the one of its number, if it has not aired.
        """
        with self._lock:
            if cue.number in self._seen or self._cues.get(cue.number) == cue:
                return False
            if not cue.lines:
                self._late.discard(cue.number)
                return self._cues.pop(cue.number, None) is not None
            known = self._cues.get(cue.number)
            if known is not None and known.start < self._written:
                return False
            self.picture_late = Ms(max(0, self._aired + 1 - cue.start))
            self.written_late = Ms(max(0, self._written - cue.start))
            now = Ms(max(self._aired + 1, self._written))
            if cue.start < now:
                self._late.add(cue.number)
                later = [
                    other.start for other in self._cues.values() if other.start >= now and other.number != cue.number
                ]
                end = cue.end
                if end - now < WORTH_SHOWING:
                    end = Ms(min([now + cue.end - cue.start, *later]))
                if end <= now:
                    self._seen.add(cue.number)
                    return False
                self._postponed[cue.number] = Ms(now - cue.start)
                cue = replace(cue, start=now, end=end)
            else:
                self._late.discard(cue.number)
                self._postponed.pop(cue.number, None)
            self._cues[cue.number] = cue
            return True

    def at(self, moment: Ms) -> Cue | None:
        """Return what stands on the picture at `moment`: of several cues, the one that began last."""
        with self._lock:
            return self._at(moment)

    def air(self, moment: Ms) -> tuple[str, ...]:
        """Return the lines on the frame of `moment`, which airs now: no cue begins before it any more."""
        with self._lock:
            self._aired = max(self._aired, moment)
            cue = self._at(moment)
            if cue is not None:
                self._seen.add(cue.number)
            self._tidy(moment)
            return self._lines(moment, cue)

    def wrote(self, end: Ms) -> None:
        """Everything before `end` stands in WebVTT for good: no cue begins before it any more."""
        with self._lock:
            self._written = max(self._written, end)
            self._tidy(end)

    def coming(self, moment: Ms) -> tuple[str, ...]:
        """Return the lines that stand when the next cue begins, at or after `moment`; none where none is to come."""
        with self._lock:
            cue = min(
                (cue for cue in self._cues.values() if cue.start >= moment), key=lambda cue: cue.start, default=None
            )
            return () if cue is None else self._lines(cue.start, cue)

    def postponed(self, number: int) -> Ms:
        """Return how much later than at its own time the cue of `number` begins, because it came late."""
        return self._postponed.get(number, Ms(0))

    def ahead(self, moment: Ms) -> list[Cue]:
        """Return the cues that are not over at `moment`, in order."""
        with self._lock:
            found = [cue for cue in self._cues.values() if cue.end > moment]
        return sorted(found, key=lambda cue: (cue.start, cue.number))

    def within(self, start: Ms, end: Ms) -> list[Cue]:
        """Return the cues that stand at any moment of [start, end), in order."""
        with self._lock:
            found = [cue for cue in self._cues.values() if cue.start < end and cue.end > start]
        return sorted(found, key=lambda cue: (cue.start, cue.number))

    @property
    def shown(self) -> int:
        """How many have stood on the picture."""
        return len(self._seen)

    @property
    def late(self) -> int:
        """How many came after their first frame had aired."""
        return len(self._late)

    def _tidy(self, moment: Ms) -> None:
        if len(self._cues) > 200:  # noqa: PLR2004 - now and then, not at every frame
            self._cues = {number: kept for number, kept in self._cues.items() if kept.end > moment - KEPT}

    def _lines(self, moment: Ms, cue: Cue | None) -> tuple[str, ...]:
        """Return the lines of `cue`, which stands at `moment`, and where they roll, of those that went before it."""
        if self._roll is None:
            return cue.lines if cue is not None else ()
        lines: tuple[str, ...] = ()
        rows, follows = self._roll.rows, moment
        begun = (each for each in self._cues.values() if each.start <= moment)
        for each in sorted(begun, key=lambda each: (each.start, each.number), reverse=True):
            if each.end + self._roll.stays <= follows or len(lines) >= rows:
                break
            rows = max(rows, len(each.lines)) if not lines else rows  # the newest is never cut
            lines = (*each.lines, *lines)
            follows = each.start
        return lines[-rows:]

    def _at(self, moment: Ms) -> Cue | None:
        return max(
            (cue for cue in self._cues.values() if cue.start <= moment < cue.end),
            key=lambda cue: (cue.start, cue.number),
            default=None,
        )
