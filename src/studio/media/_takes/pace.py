"""A stream's count of frames against the machine's clock: how far it is ahead, and whether it ran dry."""

from __future__ import annotations

import threading
from collections import deque

WINDOW = 0.5
"""Seconds of which the earliest call counts: a call may be late, and is never early."""
WINDOWS = 4
"""So many are looked at."""
DRIFT = 0.0005
"""What a second of a sound card may differ from one of the machine, and more than any does."""
SETTLES = 1.0
"""Seconds in which a stream that was held up has asked for all that it still wants, and steadily again."""
LEAST = 0.008
"""Seconds behind which are no lateness any more."""
LEAST_FLAGGED = 0.001
"""The same where it is known that the stream ran dry."""


class Pace:
    """Hears of each call how many frames had been counted, and when; time is handed in."""

    def __init__(self, rate: int) -> None:
        """Frames are counted at `rate` in a second."""
        self._rate = rate
        self._tops: deque[float] = deque(maxlen=WINDOWS)
        self._top: float | None = None
        self._since = 0.0
        self._lock = threading.Lock()

    def note(self, frames: int, at: float) -> None:
        """Hear that `frames` had been counted at second `at`."""
        lead = frames - self._rate * at
        if self._top is None:
            self._top, self._since = lead, at
        self._top = max(self._top, lead)
        if at - self._since >= WINDOW:
            with self._lock:
                self._tops.append(self._top)
            self._top, self._since = lead, at

    def clear(self) -> None:
        """Forget all: what was counted counts otherwise from now on."""
        with self._lock:
            self._tops.clear()
        self._top = None

    @property
    def lead(self) -> float | None:
        """Frames counted beyond `rate` times the clock, as the earliest calls of late say; `None`: too early to say."""
        with self._lock:
            return max(self._tops, default=None)


class Dryness:
    """Tells of an output what it played of silence for want of sound: its count falls back behind the clock for ever.

    PortAudio's own flag, where it is set, is right; it is not always set, and does not say how much.
    """

    def __init__(self, rate: int, room: float) -> None:
        """`room`: seconds of sound that wait in the output; a call that comes later than that was too late."""
        self._rate = rate
        self._room = room * rate
        self._top: float | None = None
        self._before = 0.0
        self._doubt: float | None = None
        self._doubted = 0.0
        self._flagged = False

    def note(self, frames: int, at: float, *, flagged: bool = False) -> int | None:
        """Hear of a call; return how many frames later what follows is, once that is known.

        `None`: the output did not run dry; 0: it did, and came back in its place, as far as can be told; below 0: it is
        earlier, for a server that begins anew may wait less. `flagged`: PortAudio says that it ran dry.
        """
        lead = frames - self._rate * at
        if self._top is None:
            self._top, self._before = lead, at
        late = lead < (self._top if self._doubt is None else self._doubt) - self._room
        if self._doubt is None and not late and not flagged:
            self._top = max(lead, self._top - DRIFT * self._rate * (at - self._before))
            self._before = at
            return None
        if self._doubt is None or late or flagged:
            self._doubted = at
        self._doubt = lead if self._doubt is None else max(self._doubt, lead)
        self._flagged = self._flagged or flagged
        if at - self._doubted < SETTLES:
            return None
        missing, flagged = self._top - self._doubt, self._flagged
        self._top, self._before, self._doubt, self._flagged = self._doubt, at, None, False
        if flagged:
            return round(missing) if abs(missing) >= LEAST_FLAGGED * self._rate else 0
        return round(missing) if missing >= LEAST * self._rate else None
