"""A stream's count of frames against the machine's clock: how far it is ahead, and whether it ran dry."""

from __future__ import annotations

import statistics
import threading
from collections import deque

WINDOW = 30.0
"""Seconds over which is looked: what a sound server says of the same moment wanders by 5 ms within seconds."""
DRIFT = 0.0005
"""What a second of a sound card may differ from one of the machine, and more than any does."""
BEGINS = (0.3, 0.5)
"""Seconds without a halt after which a new stream is looked at, and for how long, before anything is said of it: some
take a second to begin, though they took what waits in them at once."""
SETTLES = 1.0
"""Seconds in which a stream that was held up has asked for all that it still wants, and steadily again."""
LEAST = 0.01
"""Seconds behind which are no wandering of a sound server any more."""
LEAST_FLAGGED = 0.003
"""The same where it is known that the stream ran dry."""


class Pace:
    """Hears of each call which frame it began with, and when that sounds or sounded; time is handed in."""

    def __init__(self, rate: int) -> None:
        """Frames are counted at `rate` in a second."""
        self._rate = rate
        self._leads: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def note(self, frames: int, at: float) -> None:
        """Hear that frame `frames` sounds at second `at`."""
        with self._lock:
            self._leads.append((at, frames - self._rate * at))
            while self._leads[0][0] < at - WINDOW:
                self._leads.popleft()

    def clear(self) -> None:
        """Forget all: what was counted counts otherwise from now on."""
        with self._lock:
            self._leads.clear()

    @property
    def steady(self) -> bool:
        """Whether `lead` stands on all that is looked at."""
        with self._lock:
            return bool(self._leads) and self._leads[-1][0] - self._leads[0][0] > 0.9 * WINDOW

    @property
    def lead(self) -> float | None:
        """Frames counted beyond `rate` times the clock, of late and in the middle; `None`: nothing was heard of."""
        with self._lock:
            leads = [lead for _at, lead in self._leads]
        return statistics.median(leads) if leads else None


class Dryness:
    """Tells of an output what it played of silence for want of sound: all that follows sounds later for ever.

    PortAudio's own flag, where it is set, is right; it is not always set, and does not say how much. A call that comes
    late raises a doubt; it is settled by when the output says that its frames sound, before and after.
    """

    def __init__(self, rate: int, room: float) -> None:
        """`room`: seconds of sound that wait in the output; a call that comes later than that was too late."""
        self._rate = rate
        self._room = room * rate
        self.pace = Pace(rate)
        """When frames sound, while nothing is in doubt; empty until the output runs."""
        self._doubted_pace = Pace(rate)
        self._top: float | None = None
        self._before: float | None = None
        self._best: float | None = None
        self._doubt: float | None = None
        self._doubted = 0.0
        self._flagged = False

    @property
    def doubted(self) -> bool:
        """Whether it may have run dry just now."""
        return self._doubt is not None

    def note(self, frames: int, at: float, sounds: float, *, flagged: bool = False) -> int | None:
        """Hear of a call at second `at`, whose first frame `sounds` then, as the output says.

        Return how many frames later what follows is, once that is known. `None`: the output did not run dry; 0: it did,
        and came back in its place, as far as can be told; below 0: it is earlier, for a server that begins anew may
        wait less. `flagged`: PortAudio says that it ran dry.
        """
        lead = frames - self._rate * at
        if self._top is None:
            self._begin(lead, at)
            return None
        late = lead < (self._top if self._doubt is None else self._doubt) - self._room
        if self._doubt is None and not late and not flagged:
            self._top = max(lead, self._top - DRIFT * self._rate * (at - (self._before or at)))
            self._before = at
            self.pace.note(frames, sounds)
            return None
        if self._doubt is None or late or flagged:
            self._doubted = at
            self._doubted_pace.clear()
        self._doubt = lead if self._doubt is None else max(self._doubt, lead)
        self._doubted_pace.note(frames, sounds)
        self._flagged = self._flagged or flagged
        return self._settle(at) if at - self._doubted >= SETTLES else None

    def _begin(self, lead: float, at: float) -> None:
        """Wait until it runs, and learn how far ahead it is then."""
        if self._before is None or at - self._before > self._room / self._rate:
            self._doubted, self._best = at, None
        self._before = at
        if at - self._doubted < BEGINS[0]:
            return
        self._best = lead if self._best is None else max(self._best, lead)
        if at - self._doubted >= sum(BEGINS):
            self._top = self._best

    def _settle(self, at: float) -> int | None:
        flagged, self._flagged = self._flagged, False
        self._top, self._before, self._doubt = self._doubt, at, None
        before, after = self.pace.lead, self._doubted_pace.lead
        missing = 0.0 if before is None or after is None else before - after
        if not flagged and missing < LEAST * self._rate:
            return None
        self.pace.clear()
        return round(missing) if abs(missing) >= LEAST_FLAGGED * self._rate else 0
