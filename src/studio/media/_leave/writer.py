"""What writes to a disk has a thread of its own: a disk that hangs holds nobody but that thread.

It holds nobody else only where Python opens, writes and closes the files: FFmpeg inside our process keeps Python's lock
while it opens one.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from studio.events import OutputReport
from studio.language import _
from studio.media._leave.backlog import Backlog
from studio.media._leave.outputs import Output, trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from studio.events import OutputState
    from studio.media._ground.coded import Coded
    from studio.media._leave.outputs import Sink

logger = logging.getLogger(__name__)

CHUNK = 1 << 16
"""Bytes between two looks at what is wanted."""
STALLED = 2.0
"""Seconds for which the disk may let us wait until that is said."""
AGAIN_AFTER = (0.5, 1.0, 2.0)
"""Seconds after our own mistake until it is tried again; the last for ever."""
RAN_WELL = 10.0
"""Seconds without a mistake after which the next one is said again."""
BEFORE = 3.0
"""Seconds that the one before may take to leave."""
PATIENCE = 5.0
"""Seconds that the end of the show waits for the disk."""
MOST_SECONDS = 80.0
MOST_BYTES = 64 << 20
"""What may wait for the show's own disk; packets are shared among the outputs."""


class Writer:
    """One output on a disk; has the face of an `Output` for the air, which never waits here."""

    def __init__(
        self,
        name: str,
        place: Path,
        make: Callable[[], Sink],
        say: Callable[[str], None],
        *,
        destination: bool = False,
        small: bool = False,
        after: threading.Thread | None = None,
    ) -> None:
        """`after`: the thread of the one that had this place before. A destination begins with a keyframe.

        `small`: it takes the small picture, too.
        """
        self._name = name
        self._place = place
        self._make = make
        self._say = say
        self._destination = destination
        self.small = small
        self._after = after
        self._backlog = Backlog() if destination else Backlog(MOST_SECONDS, MOST_BYTES, at_once=True)
        self._output: Output | None = None
        self._broken: OutputReport | None = None
        """What is to be said while nothing is written, for our own mistake."""
        self._tries = 0
        """Times that it broke since it went well; the first is said."""
        self._broke_at = 0.0
        self._busy: float | None = None
        """Since when the disk is waited for; `None`: not now."""
        self._missing_said = destination
        self.thread = threading.Thread(target=self._run, name=f"to {name}", daemon=True)
        try:
            self.thread.start()
        except RuntimeError:  # this machine is at its limits
            self._backlog.close()
            raise

    def write(self, packets: Sequence[Coded]) -> None:
        """Let `packets` wait for the disk."""
        self._backlog.put(packets)
        if self._backlog.dropped and not self._missing_said:
            self._missing_said = True
            self._say(
                _(
                    "The disk of {place} is too slow, so parts of {name} are missing there; close other programs that"
                    " write there, or take a faster disk."
                ).format(place=self._place, name=self._name)
            )

    def end(self, grace: float = 0.0, *, at_once: bool = False) -> None:  # noqa: ARG002 - a disk cannot be hurried
        """Write what waits, or nothing more; does not wait for it. `thread` ends then."""
        self._backlog.end(at_once=at_once)

    def close(self) -> None:
        """Write what waits; where the disk does not take it in time `thread` lives on. Idempotent."""
        self.end()
        self.thread.join(PATIENCE)

    @property
    def unfinished(self) -> str:
        """What to say of a disk that did not take the end of the show."""
        return _(
            "The disk of {place} does not answer, so the end of {name} is missing; what was written is kept, and"
            " `studio recover` joins it."
        ).format(place=self._place, name=self._name)

    def report(self) -> OutputReport:
        """How this output is doing."""
        dropped, busy = self._backlog.dropped, self._busy
        broken, output = self._broken, self._output
        if broken is not None:
            return msgspec.structs.replace(broken, dropped=dropped)
        stalled = busy is not None and time.monotonic() - busy > STALLED
        if output is None:
            begins: OutputState = "connecting" if self._destination else "starting"
            report = OutputReport(self._name, begins, str(self._place), 0)
        else:
            report = output.report()
        detail = report.detail
        if stalled:
            detail = _("{place} does not answer; look at the disk or the network drive that it is on.").format(
                place=self._place
            )
        return msgspec.structs.replace(
            report,
            state="stalled" if stalled else report.state,
            detail=detail,
            destination=self._destination,
            dropped=dropped,
        )

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            if self._after is not None:
                self._after.join(BEFORE)
            while not self._backlog.ended or len(self._backlog):
                try:
                    self._write_all()
                except Exception as problem:  # our own mistake shall not end the writing, and nothing else
                    logger.exception("the writing of %s broke", self._name)
                    self._break(problem)
                    if self._backlog.ended:
                        break
                    self._rest(AGAIN_AFTER[min(self._tries, len(AGAIN_AFTER)) - 1])
                    self._backlog.again()
        finally:
            self._busy = None
            self._backlog.close()

    def _write_all(self) -> None:
        """Write what comes until it ends."""
        while not self._backlog.ended or len(self._backlog):
            packets = self._backlog.take(CHUNK)
            if not packets:
                self._backlog.wait(None)
                continue
            self._busy = time.monotonic()
            if self._output is None:
                self._output = Output(self._name, self._place, self._make, self._say)
            self._output.write(packets)
            self._busy = None
            self._broken = None
            if self._tries and time.monotonic() - self._broke_at > RAN_WELL:
                self._tries = 0
        if self._output is not None:
            self._busy = time.monotonic()
            self._output.close()

    def _break(self, problem: Exception) -> None:
        """Say it, and let go of what broke: another begins at the last keyframe."""
        output, self._output, self._busy = self._output, None, None
        sentence = trouble(self._name, problem, self._place)
        self._broken = OutputReport(self._name, "failed", sentence, 0, destination=self._destination)
        self._tries += 1
        self._broke_at = time.monotonic()
        if self._tries == 1:
            self._say(sentence)
        if output is not None:
            with contextlib.suppress(Exception):  # it is broken, and that has been said
                output.close()

    def _rest(self, seconds: float) -> None:
        """Wait so long, or until the programme is over."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._backlog.ended:
            self._backlog.wait(left)
