"""What the recorder's hearing thread does: meters, what is played back hears the ping, the take is written."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.events import ArmedTrack, Dropout, TakeEnded, TakeStarted
from studio.media import TakeNotes
from studio.vocal._follow import Follower
from studio.vocal._meter import Meter
from studio.vocal._playing import Cue
from studio.vocal._take import TAKES, Take, now

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from studio.events import AnyMessage, StartTake
    from studio.media import Loss
    from studio.vocal._plan import RecorderPlan
    from studio.vocal._playing import Playing

logger = logging.getLogger(__name__)

STOPPED, WHOLE = "stopped", "whole"


@dataclass(frozen=True, slots=True)
class Planned:
    """A take, or the next pass of a loop, that waits for its first frame."""

    number: int
    cue: Cue
    tracks: tuple[ArmedTrack, ...]
    song: str


class Hearing:
    """One thread calls `hear`, `lost` and `idle`; any thread the rest, which is done there in order."""

    def __init__(self, plan: RecorderPlan, playing: Playing, tell: Callable[[AnyMessage], None]) -> None:
        self._plan, self._rate = plan, plan.rate
        self._playing, self._tell = playing, tell
        self._meter: Meter | None = None
        self.follower = Follower(plan.rate, tell)
        self._orders: deque[Callable[[], None]] = deque()
        self._ordered: Planned | None = None
        self._planned: Planned | None = None
        self._take: Take | None = None
        self._frames = 0
        self._channels = 0
        self._kept = 0
        """Frames that were kept back and come again."""
        self._passed = 0
        """Of them, those that came."""
        self._late: deque[tuple[int, Callable[[], None]]] = deque()
        """What was ordered meanwhile, and how much was kept back by then."""
        self.done = threading.Event()
        """Set by `finish` when the last take is closed."""

    @property
    def number(self) -> int | None:
        """Of the take that is recorded, or waits for its first frame."""
        take, planned = self._take, self._planned
        waits = take or planned or self._ordered
        return waits.number if waits else None

    @property
    def take(self) -> Take | None:
        """What is written now."""
        return self._take

    @property
    def plays(self) -> bool:
        """Whether something is played with the take, so that its place in the song hangs on the input."""
        planned = self._planned
        return planned is not None and planned.cue.offset is not None

    # ── from any thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, take: StartTake, cue: Cue) -> None:
        """Record `take` when its first frame is heard."""
        planned = Planned(take.number, cue, take.tracks, take.song)

        def plan() -> None:
            self._planned, self._ordered = planned, None

        self._ordered = planned
        self._orders.append(plan)

    def stop(self, reason: str = STOPPED) -> None:
        """End the take, and whatever waits for its first frame."""
        self._orders.append(lambda: self._end(reason))

    def finish(self) -> None:
        """End the take and set `done`."""
        self.stop()
        self._orders.append(self.done.set)

    def note(self, **words: object) -> None:
        """Write into the marks of the take."""
        self._orders.append(lambda: self._take.note(**words) if self._take else None)

    # ── in the thread that hears ──────────────────────────────────────────────────────────────────────────────────────

    def idle(self) -> None:
        """Do what was ordered though nothing is heard; while something is kept back, when that was heard."""
        while self._orders and not self._kept:
            self._orders.popleft()()

    def keep(self, block: NDArray[np.int32]) -> None:
        """Take a block of which the place is not known; it comes again by `hear`, or is a piece of what is `lost`."""
        while self._orders:
            self._late.append((self._kept, self._orders.popleft()))
        self._kept += len(block)
        if self._take is not None:
            self._take.keep(block)

    def _come_again(self, frames: int) -> None:
        """Do what was ordered before these frames were kept back."""
        while self._late and self._late[0][0] <= self._passed:
            self._late.popleft()[1]()
        self._passed += frames
        if self._passed >= self._kept:
            self._passed = self._kept = 0
            while self._late:
                self._late.popleft()[1]()

    def hear(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Take a block from all channels of the input."""
        self._frames, self._channels = first_frame, block.shape[1]
        self.idle()
        self._come_again(len(block))
        self._playing.heard(block, first_frame)
        if self._meter is None:
            self._meter = Meter(self._rate, self._channels, self._tell)
        self._meter.hear(block, first_frame)
        self.follower.hear(block, first_frame)
        try:
            self._write(block, first_frame)
        except StudioError as problem:
            self._end(str(problem))

    def lost(self, loss: Loss) -> None:
        """Frames are missing; silence of that length stands for them."""
        self._frames = loss.first_frame
        self.idle()
        self._come_again(loss.pieces)
        take, planned = self._take, self._planned
        if take is None or planned is None:
            return
        frames = loss.frames if planned.cue.frames is None else min(loss.frames, planned.cue.frames - take.frames)
        self._tell(Dropout(take.number, take.frames, frames, loss.how))
        try:
            take.lose(frames, loss.how, loss.pieces)
        except StudioError as problem:
            self._end(str(problem))

    def _write(self, block: NDArray[np.int32], first: int) -> None:
        while len(block) and (planned := self._planned) is not None:
            if self._take is None:
                wait = planned.cue.first_frame - first
                if wait >= len(block):
                    return
                block, first = block[max(0, wait) :], first + max(0, wait)
                self._start(planned, first)
            take = self._take
            if take is None:
                return
            left = len(block) if planned.cue.frames is None else planned.cue.frames - take.frames
            take.write(block[:left])
            block, first = block[left:], first + left
            if planned.cue.frames is not None and take.frames >= planned.cue.frames:
                self._end(WHOLE, follow=planned if planned.cue.loops else None)

    def _start(self, planned: Planned, first: int) -> None:
        late = first - planned.cue.first_frame
        offset = planned.cue.offset
        if offset is not None:
            offset += late / self._rate
        at = now()
        singers = [track.singer for track in planned.tracks]
        notes = TakeNotes(planned.number, at, self._plan.session, planned.song, singers)
        path = self._plan.folder / TAKES / f"{planned.number:03}.{self._plan.form}"
        self._take = Take(path, self._rate, planned.tracks, notes, heard=(first, self._channels))
        shown = path.relative_to(self._plan.folder).as_posix()
        self._tell(TakeStarted(planned.number, shown, first, at.isoformat(), self._rate, planned.tracks, offset))

    def _end(self, reason: str, follow: Planned | None = None) -> None:
        take, planned = self._take, self._planned
        self._take = self._planned = None
        if follow is not None and take is not None:
            cue = replace(follow.cue, first_frame=take.first_frame + take.frames)
            self._planned = replace(follow, number=follow.number + 1, cue=cue)
        elif planned is not None:
            self._playing.stop()
        if take is not None:
            take.close(reason)
            self._tell(TakeEnded(take.number, take.frames, reason, take.lost))
        elif planned is not None:
            self._tell(TakeEnded(planned.number, 0, reason))
