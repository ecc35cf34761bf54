"""Whether all sound came that a sound card must have heard meanwhile: the count of frames against clocks.

What a sound server throws away leaves no trace in the stream: the frames before and after it follow each other. It is
seen in when they come. A frame may come late, and then others come fast after it; but where frames are missing, all
that follow are early in the count for ever. Two clocks are asked: when a block came, of which the earliest in a while
counts, for a block is never early; and when PortAudio says that it was heard, of which the median counts. A server
that waits longer for the same sound moves the first and not the second.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass
from typing import Literal

How = Literal["ring", "skip", "clock", "reopened"]

SUSPECT = 0.4
"""Seconds without sound after which some of it may be missing."""
STEADY = 0.3
"""Seconds for which sound has to come as fast as it is sung before it is judged what is missing."""
MOST_STEADY = 1.2
"""What may come in that while, as a share of it: more is what had waited."""
HALF = (0.2, 0.75)
"""The same of each half of it, at least and at most: sound comes in pieces."""
LONGEST_DOUBT = 4.0
"""Seconds after which it is judged however it comes."""
LEAST = 0.015
"""Seconds that have to be missing after a pause: less cannot be told from lateness."""
LEAST_UNSUSPECTED = 0.06
"""The same where there was no pause."""
WINDOW = 2.0
"""Seconds over which both clocks are looked at while nothing is suspected."""
DRIFT = 0.0005
"""What a second of a sound card may differ from one of the machine, and more than any does."""
OTHER_RATE = 0.004
"""By what share the count goes wrong where the card runs at another rate: 44.1 and 48 kHz differ by 0.08."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that are missing: silence belongs in their place."""

    first_frame: int
    frames: int
    how: How
    pieces: int = 0
    """Of them, those that came: pieces of which nobody knows the place."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What `Continuity` found."""

    before: int
    """Blocks since the doubt began that come before the gap."""
    seconds: float
    """0: nothing is missing; only said at the end of a doubt."""
    how: How


@dataclass(slots=True)
class _Seen:
    came: float
    by_arrival: float
    by_card: float | None
    frames: int


class Continuity:
    """Hears of each block when it came; time is handed in."""

    def __init__(self, rate: int) -> None:
        """Frames come at `rate` in a second."""
        self._rate = rate
        self.suspect = SUSPECT
        """Seconds without sound after which what comes is kept back until it is clear what is missing."""
        self._counted = 0.0
        self._seen: deque[_Seen] = deque()
        self._base: float | None = None
        """Where the machine's clock was at frame 0, as the earliest arrivals say."""
        self._card: float | None = None
        """The same as PortAudio says."""
        self._doubt: list[_Seen] | None = None
        self._reopened = False
        self._checked = 0.0
        self.strange_rate: float | None = None
        """Frames a second that come in truth, where that is another rate than was asked for."""

    @property
    def in_doubt(self) -> bool:
        """Whether blocks should be kept back, for it is not known yet where they belong."""
        return self._doubt is not None

    def reopened(self) -> None:
        """What comes next comes from an input that was opened anew."""
        if self._base is not None:
            self._doubt, self._reopened = [], True

    def jumped(self, frames: int) -> None:
        """So many frames are known to be missing before the next block, or were guessed too few."""
        self._counted += frames / self._rate

    def add(self, came: float, recorded: float, frames: int) -> Missing | None:
        """Hear of a block; return what is missing, once that is sure."""
        begins = self._counted
        self._counted += frames / self._rate
        seen = _Seen(came, came - self._counted, recorded - begins if recorded else None, frames)
        if self._doubt is None and self._seen and came - self._seen[-1].came > self.suspect and self._begun():
            self._doubt = []
        if self._doubt is not None:
            return self._in_doubt(seen)
        self._seen.append(seen)
        while self._seen[0].came < came - WINDOW:
            self._seen.popleft()
        if came - self._checked < WINDOW / 4 or came - self._seen[0].came < WINDOW * 0.8:
            return None
        self._checked = came
        return self._compare()

    def _begun(self) -> bool:
        """Whether it is known where the clocks were; of a stream that is young, what came so far has to do."""
        if self._base is None and self._seen[-1].came - self._seen[0].came > STEADY:
            self._base = min(seen.by_arrival for seen in self._seen)
            self._card = _median(self._seen)
        return self._base is not None

    # ── while nothing is suspected ────────────────────────────────────────────────────────────────────────────────────

    def _compare(self) -> Missing | None:
        earliest = min(seen.by_arrival for seen in self._seen)
        card = _median(self._seen)
        if self._base is None:
            self._base, self._card = earliest, card
            return None
        late = earliest - self._base
        late_by_card = card - self._card if card is not None and self._card is not None else late
        if late < LEAST_UNSUSPECTED or late_by_card < LEAST_UNSUSPECTED:
            self._follow(earliest, card)
            return None
        halves = _halves(self._seen)
        slope = (halves[1] - halves[0]) / (WINDOW / 2)
        if slope > OTHER_RATE:  # it is still going away: wait, or the card runs at another rate
            if late > OTHER_RATE * 60:
                self.strange_rate = self._rate * (1 - slope)
            return None
        return self._found(Missing(0, min(late, late_by_card), "clock"))

    def _follow(self, earliest: float, card: float | None) -> None:
        """Go along with a card that is a little slower or faster, and with a server that is earlier."""
        step = DRIFT * WINDOW / 4
        self._base = min(earliest, (self._base or 0.0) + step)
        if card is not None and self._card is not None:
            self._card += max(-step, min(step, card - self._card))

    # ── after a pause ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _in_doubt(self, seen: _Seen) -> Missing | None:
        doubt = self._doubt if self._doubt is not None else []
        doubt.append(seen)
        recent = [one for one in doubt if one.came >= seen.came - STEADY]
        waited = seen.came - doubt[0].came
        if waited < STEADY or (waited < LONGEST_DOUBT and not self._steady(recent)):
            return None
        earliest = min(one.by_arrival for one in recent)
        late = earliest - (self._base or 0.0)
        self._doubt = None
        reopened, self._reopened = self._reopened, False
        self._seen = deque(recent)
        if late < LEAST:
            return Missing(len(doubt), 0.0, "skip")
        if reopened:
            self._card = None
            return self._found(Missing(0, late, "reopened"))
        before = next((n for n, one in enumerate(doubt) if one.by_arrival <= earliest + SUSPECT / 4), 0)
        return self._found(Missing(before, late, "skip"))

    def _steady(self, recent: list[_Seen]) -> bool:
        """Whether it comes as it is sung, in both halves of the while: a busy machine brings nothing, then much."""
        middle = recent[-1].came - STEADY / 2
        halves = [
            sum(one.frames for one in recent[1:] if (one.came >= middle) == later) / self._rate / STEADY
            for later in (False, True)
        ]
        return sum(halves) <= MOST_STEADY and all(HALF[0] <= half <= HALF[1] for half in halves)

    def _found(self, missing: Missing) -> Missing:
        """From now on the count is right again."""
        self._counted += missing.seconds
        for seen in self._seen:
            seen.by_arrival -= missing.seconds
            if seen.by_card is not None:
                seen.by_card -= missing.seconds
        if self._card is None:
            self._card = _median(self._seen)
        return missing


def _median(seen: deque[_Seen]) -> float | None:
    said = [one.by_card for one in seen if one.by_card is not None]
    return statistics.median(said) if said else None


def _halves(seen: deque[_Seen]) -> tuple[float, float]:
    middle = (seen[0].came + seen[-1].came) / 2
    return (
        min(one.by_arrival for one in seen if one.came <= middle),
        min(one.by_arrival for one in seen if one.came >= middle),
    )
