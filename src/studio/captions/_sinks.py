"""Where settled cues go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from studio.events import ShowCue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.bridge import Line
    from studio.spoken import Cue
    from studio.units import Clock


class Sink(Protocol):
    """A place where cues are shown or kept.

    How to add one: 1. write a class with these three; `show` never blocks and raises nothing, what is slow goes through
    a queue of its own. 2. Hand it to `Recogniser` in `recognise`, after the files: a cue is kept before it is shown.
    """

    @property
    def name(self) -> str:
        """As the user knows it."""
        ...

    @property
    def late(self) -> Ms | None:
        """How long after its moment the last cue came here: 0 in time, `None` before the first."""
        ...

    def show(self, cue: Cue) -> None:
        """Take a settled cue; each comes once, in order."""
        ...


class Picture:
    """The burned picture and the WebVTT rendition: both are the relay's work, and are told over the line to it."""

    name = "picture"

    def __init__(self, clock: Clock, hold: Ms, cues: Iterable[Cue]) -> None:
        """Know the `cues` of an earlier life, some of which may still air."""
        self._clock = clock
        self._hold = hold
        self._recent = list(cues)
        self._line: Line | None = None
        self.owes = False
        """Whether a cue was kept for a relay that has not come yet."""
        self.late: Ms | None = None

    def connect(self, line: Line | None) -> None:
        """Speak over `line` from now on, beginning with every cue that has not wholly aired; `None`: it is lost.

        The relay knows them by number: what it has already is replaced by itself, what came meanwhile is new to it.
        """
        self._line = line
        self._forget()
        self.owes = self.owes and line is None
        if line is not None:
            for cue in self._recent:
                line.send(ShowCue(cue))

    def show(self, cue: Cue) -> None:
        """Send `cue`, or keep it until there is a line."""
        self._forget()
        self._recent.append(cue)
        self.late = Ms(max(0, self._clock.now() - self._hold - cue.start))
        if self._line is not None:
            self._line.send(ShowCue(cue))
        else:
            self.owes = True

    def drop(self) -> None:
        """Forget every cue: they were another show's."""
        self._recent.clear()
        self.owes = False

    def _forget(self) -> None:
        aired = self._clock.now() - self._hold
        self._recent = [cue for cue in self._recent if cue.end > aired]
