"""How the recogniser is, in a state and a sentence."""

from __future__ import annotations

import math
import time
from bisect import insort
from collections import deque
from typing import TYPE_CHECKING

from studio.events import ListenerReport
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from studio.events import LinkState, SinkReport

BEHIND = Ms(3000)
"""More sound than this waiting means that the model is too large for this machine, or that it is busy."""
SHORT_OF_BREATH = 30.0
"""Seconds that a machine which had to skip sound counts as too slow."""
HURRIES, APART = 3, 5.0
"""So many times in so many seconds it listened in a hurry: that is no chance any more. What happens within seconds of
each other counts once: after a restart there is much to catch up with."""


class Health:
    """What the ears say of themselves, and what it means for a technician."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """The ears are being opened; `clock` reads seconds."""
        self._now = clock
        self.state: LinkState = "connecting"
        self.detail = _("The speech model is being loaded")
        self.disk: str | None = None
        """What the disk refuses, in a sentence; `None`: nothing."""
        self._lateness: list[Ms] = []
        self._skipped = Ms(0)
        self._skipped_at = -SHORT_OF_BREATH
        self._hurried_at: deque[float] = deque(maxlen=HURRIES)

    def go_on(self, lateness: Iterable[Ms]) -> None:
        """Count on from how late each word was that an earlier life settled."""
        self._lateness = sorted(lateness)

    def loaded(self) -> None:
        """The ears work."""
        if self.state == "connecting":
            self.state, self.detail = "online", ""

    def settled(self, late: Ms) -> None:
        """A word was settled, so long after it was said."""
        insort(self._lateness, late)

    def skipped(self, sound: Ms) -> None:
        """So much sound has been skipped in all."""
        if sound > self._skipped:
            self._skipped, self._skipped_at = sound, self._now()

    def hurried(self) -> None:
        """There was no time to listen with care."""
        if not self._hurried_at or self._now() - self._hurried_at[-1] >= APART:
            self._hurried_at.append(self._now())

    def report(self, *, behind: Ms, cues: int, corrected: int, sinks: tuple[SinkReport, ...]) -> ListenerReport:
        """Say it all; `behind` is the sound that came and was not listened to."""
        state, detail = self._judged(behind)
        count = len(self._lateness)
        p50, p95 = ((Ms(self._lateness[int(share * (count - 1))]) if count else None) for share in (0.5, 0.95))
        return ListenerReport(
            state, detail, count, cues, p50, p95, behind=behind, skipped=self._skipped, corrected=corrected, sinks=sinks
        )

    def _judged(self, behind: Ms) -> tuple[LinkState, str]:
        if self.state != "online":
            return self.state, self.detail
        if self.disk is not None:
            return "degraded", self.disk
        if behind > BEHIND:
            return "degraded", _(
                "Recognition is {seconds} s behind; close other programs, and after the show let "
                "“studio models bench” tell which model this machine keeps up with"
            ).format(seconds=round(behind / 1000))
        if self._now() - self._skipped_at < SHORT_OF_BREATH:
            return "degraded", _(
                "This machine is too slow for the speech model, and {seconds} s of sound had to be skipped so far; "
                "close other programs, and after the show let "
                "“studio models bench” tell which model this machine keeps up with"
            ).format(seconds=math.ceil(self._skipped / 1000))
        if len(self._hurried_at) == HURRIES and self._now() - self._hurried_at[0] < SHORT_OF_BREATH:
            return "degraded", _(
                "This machine is short of time for the speech model: captions come later and are less exact; "
                "close other programs, and after the show let "
                "“studio models bench” tell which model this machine keeps up with"
            )
        return "online", self.detail
