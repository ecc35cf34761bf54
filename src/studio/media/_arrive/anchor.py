"""Where the time stamps of a live source lie on the show clock."""

from __future__ import annotations

from studio.media._ground.clock import Ticks, ticks

SETTLE = ticks(0.3)
"""Time over which the first packets are watched before they are placed. A listener hands over in one burst what it
held back while it looked at the stream: the packet that waited least tells when they really came."""
AHEAD = ticks(2.0)
"""A stamp that lies further in the future than this, and than all before it, is a jump in the source, not a burst."""
BACKWARDS = ticks(1.0)
"""A stamp that goes back by more is a jump."""
WINDOW = ticks(3.0)
"""Time over which a source must lag all the while before we believe that it will not catch up."""
FRAME = ticks(0.04)


class Anchor:
    """Places decoding stamps (ticks of the source) on the show clock.

    A source that stalls and catches up keeps its place: the hold is there for that. One that jumps, or lags for
    good by more than `patience`, is anchored anew at the time of its arrival; what is placed never goes back. One that
    seemed to lag for good and catches up after all, or whose clock is quick, is ahead from then on: it airs later by
    so much, without a gap.
    """

    def __init__(self, offset: Ticks, patience: Ticks, after: Ticks) -> None:
        """Begin with show time = stamp + `offset`; nothing is placed before `after`."""
        self.offset = offset
        self.be_patient(patience)
        self._floor = after
        self._last_stamp: dict[int, Ticks] = {}
        self._latest: int | None = None
        """The furthest that was placed; `None` before anything was."""
        self._window_began: Ticks | None = None
        self._least_lag = 0
        self.jumps = 0
        """How often the source was anchored anew."""

    def be_patient(self, patience: Ticks) -> None:
        """Let the source lag by `patience` from now on: as far as the hold can bear it."""
        self._patience = max(patience, ticks(0.5))

    def place(self, stream: int, stamp: Ticks, now: Ticks) -> Ticks:
        """Return the show time of `stamp`, which arrived `now` in `stream`."""
        last = self._last_stamp.get(stream)
        placed = stamp + self.offset
        leaps = self._latest is None or placed - self._latest > AHEAD
        if (leaps and placed - now > AHEAD) or (last is not None and stamp < last - BACKWARDS):
            self._again(stamp, now)
        elif self._lags_for_good(now - placed, now):
            self._again(stamp, Ticks(placed + self._least_lag))
        self._last_stamp[stream] = stamp
        placed = stamp + self.offset
        if placed < self._floor - FRAME * 25:
            self.offset = Ticks(self._floor - stamp)
            placed = self._floor
        self._latest = placed if self._latest is None else max(self._latest, placed)
        return Ticks(placed)

    def _lags_for_good(self, lag: int, now: Ticks) -> bool:
        if self._window_began is None:
            self._window_began, self._least_lag = now, lag
            return False
        self._least_lag = min(self._least_lag, lag)
        if now - self._window_began < WINDOW:
            return False
        lags = self._least_lag > self._patience
        if not lags:
            self._window_began = None
        return lags

    def _again(self, stamp: Ticks, now: Ticks) -> None:
        latest = max((at + self.offset for at in self._last_stamp.values()), default=self._floor)
        self._floor = Ticks(max(self._floor, latest + FRAME))
        self.offset = Ticks(max(now, self._floor) - stamp)
        self._last_stamp.clear()
        self._window_began = None
        self.jumps += 1
