"""Where words and cues go."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studio.events import ShowCue, SinkReport
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from studio.bridge import Line
    from studio.events import Language, LinkState
    from studio.spoken import Cue, Word
    from studio.units import Clock

logger = logging.getLogger(__name__)


class Sink:
    """A place where captions are shown or kept.

    How to add one: 1. write a subclass with a name that overrides what it has a use for: `show` for what airs, `heard`
    for what is said now, without the hold. Neither blocks; what is slow goes through a bounded queue that `run`
    empties. 2. Keep `state`, `detail` and `late` true: pages show them. 3. Make it in `Recogniser`; it comes after the
    files, for a cue is kept before it is shown. A sink that raises is left alone from then on, and the user is told.
    """

    name = ""
    """As `SinkReport.name` lists them."""

    def __init__(self) -> None:
        self.state: LinkState = "online"
        self.detail = ""
        """One sentence for the user, or empty."""
        self.late: Ms | None = None
        """How long after its moment the last text came here: 0 in time, `None` before the first."""

    def show(self, cue: Cue) -> None:
        """Take a cue; a number known already replaces that one, and without lines takes it back."""

    def translated(self, cue: Cue) -> None:
        """Take a cue of the translation; these are numbered on their own."""

    def heard(self, words: Sequence[Word], tentative: str, at: Ms) -> None:
        """Take what was settled since the last time, and what is likely to follow, decided `at` on the show clock.

        Words are put right by the glossary; one whose text is empty belongs to the one before it.
        """

    def change_hold(self, hold: Ms) -> None:
        """From now on the programme waits for `hold`."""

    def drop(self) -> None:
        """Forget every cue: they were another show's, and those to come are numbered anew."""

    async def run(self) -> None:
        """Do what is slow, until cancelled."""

    def report(self) -> SinkReport:
        """How it is doing."""
        return SinkReport(self.name, self.state, self.detail, self.late)


class Sinks:
    """All of them; each may break alone."""

    def __init__(self, sinks: Iterable[Sink], say: Callable[[str], None]) -> None:
        """`say` is told once of each that breaks; nothing else comes there then."""
        self.all = tuple(sinks)
        self._say = say

    def tell(self, what: Callable[[Sink], None]) -> None:
        """Do `what` with each."""
        for sink in self.all:
            with self._breaking(sink):
                what(sink)

    def show(self, cue: Cue) -> None:
        """Show each a cue."""
        self.tell(lambda sink: sink.show(cue))

    def translated(self, cue: Cue) -> None:
        """Show each a cue of the translation."""
        self.tell(lambda sink: sink.translated(cue))

    async def run(self, sink: Sink) -> None:
        """Run one of them, until cancelled."""
        with self._breaking(sink):
            await sink.run()

    @contextmanager
    def _breaking(self, sink: Sink) -> Iterator[None]:
        try:
            yield
        except Exception as problem:
            logger.exception("the sink %s broke", sink.name)
            sink.state = "refused"
            sink.detail = _("Captions reach {sink} no more ({problem}); everything else goes on").format(
                sink=sink.name, problem=f"{type(problem).__name__}: {problem}"
            )
            self.all = tuple(other for other in self.all if other is not sink)
            self._say(sink.detail)


class Picture(Sink):
    """The burned picture and the WebVTT renditions: all are the relay's work, and are told over the line to it."""

    name = "picture"

    def __init__(self, clock: Clock, hold: Ms, cues: Iterable[Cue], translated: Iterable[Cue] = ()) -> None:
        """Know the cues of an earlier life, some of which may still air."""
        super().__init__()
        self._clock = clock
        self._hold = hold
        self._recent: dict[tuple[Language, int], Cue] = {("", cue.number): cue for cue in cues}
        self._recent |= {("en", cue.number): cue for cue in translated}
        self._line: Line | None = None
        self.state = "connecting"
        self.owes = False
        """Whether a cue was kept for a relay that has not come yet."""

    def change_hold(self, hold: Ms) -> None:
        """Reckon by another hold how late cues are."""
        self._hold = hold

    def connect(self, line: Line | None) -> None:
        """Speak over `line` from now on, beginning with every cue that has not wholly aired; `None`: it is lost.

        The relay knows them by number: what it has already is replaced by itself, what came meanwhile is new to it.
        """
        self._line = line
        self.state = "connecting" if line is None else "online"
        self._forget()
        self.owes = self.owes and line is None
        if line is not None:
            for (track, _number), cue in self._recent.items():
                line.send(ShowCue(cue, track))

    def show(self, cue: Cue) -> None:
        """Send `cue`, or keep it until there is a line."""
        if ("", cue.number) not in self._recent:
            self.late = Ms(max(0, self._clock.now() - self._hold - cue.start))
        self._send(cue, "")

    def translated(self, cue: Cue) -> None:
        """Send `cue`, or keep it until there is a line."""
        self._send(cue, "en")

    def drop(self) -> None:
        """Forget every cue: they were another show's."""
        self._recent.clear()
        self.owes = False

    def _send(self, cue: Cue, track: Language) -> None:
        self._forget()
        self._recent[track, cue.number] = cue
        if self._line is not None:
            self._line.send(ShowCue(cue, track))
        else:
            self.owes = True

    def _forget(self) -> None:
        aired = self._clock.now() - self._hold
        self._recent = {key: cue for key, cue in self._recent.items() if cue.end > aired}
