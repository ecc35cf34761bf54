"""Where the programme goes to: each output may fail, and none takes another with it."""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from typing import TYPE_CHECKING, Protocol

import av

from studio.errors import why
from studio.events import OutputReport
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from studio.events import OutputState
    from studio.media._ground.coded import Coded

logger = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds after which a failed output is tried again."""
PROOF = 2.0
"""Seconds that it must go well until it is said to be back: on a full disk a few packets find room now and then."""
FRESH = 5.0
"""Seconds without a new byte after which an output is stalled."""


class Sink(Protocol):
    """Something that takes the coded programme; any method may raise OSError or an FFmpegError."""

    detail: str
    """Where to: a path, or an address without secrets."""

    def write(self, coded: Coded) -> None:
        """Take the next packet."""

    def close(self) -> None:
        """Write what is left and be done."""


class Output:
    """A sink, and the border that keeps its trouble with itself."""

    def __init__(
        self,
        name: str,
        place: Path,
        make: Callable[[], Sink],
        say: Callable[[str], None],
        *,
        again: float = AGAIN,
        proof: float = PROOF,
    ) -> None:
        """Make the sink, which writes to the disk of `place`.

        `say` is told once, in one sentence, when it fails, and when it is back: a new sink is made at a keyframe every
        `again` seconds, and is back when it went well for `proof` seconds.
        """
        self._make = make
        self._again = again
        self._proof = proof
        self._proven = True
        """What fails now has not been said yet."""
        self._tried = 0.0
        self._name = name
        self._place = place
        self._say = say
        self._state: OutputState = "starting"
        self._detail = str(place)
        self._size = 0
        self._fresh = time.monotonic()
        self._sink: Sink | None = None
        with self._border():
            self._sink = make()
            self._detail = self._sink.detail

    def write(self, packets: Sequence[Coded]) -> None:
        """Hand `packets` on; while this output has failed, only a keyframe now and then is tried."""
        for coded in packets:
            if self._state == "done":
                return
            if self._state == "failed" and not self._retry(coded):
                continue
            with self._border():
                if self._sink is None:
                    self._sink = self._make()
                    self._detail = self._sink.detail
                self._sink.write(coded)
                self._size += len(coded.data)
                self._fresh = time.monotonic()
                self._state = "on air"
                if not self._proven and self._fresh - self._tried >= self._proof:
                    self._proven = True
                    self._say(
                        _(
                            "{name} is back, {place} can be written again; what came in between is missing there."
                        ).format(name=self._name, place=self._place)
                    )

    def _retry(self, coded: Coded) -> bool:
        """Whether it is time to try again with `coded`; the failed sink is let go then."""
        now = time.monotonic()
        if coded.kind != "picture" or not coded.key or now - self._tried < self._again:
            return False
        self._tried = now
        if self._sink is not None:
            with contextlib.suppress(OSError, av.FFmpegError):  # it has failed, and that has been said
                self._sink.close()
            self._sink = None
        return True

    def close(self) -> None:
        """Close the sink; idempotent."""
        if self._sink is None:
            return
        if self._state == "failed":
            with contextlib.suppress(OSError, av.FFmpegError):  # it has failed, and that has been said
                self._sink.close()
        elif self._state != "done":
            with self._border():
                self._sink.close()
                self._state = "done"

    def report(self) -> OutputReport:
        """How this output is doing."""
        stalled = self._state == "on air" and time.monotonic() - self._fresh > FRESH
        return OutputReport(self._name, "stalled" if stalled else self._state, self._detail, self._size)

    @contextlib.contextmanager
    def _border(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.FFmpegError) as problem:
            logger.warning("%s failed: %s", self._name, problem)
            self._state = "failed"
            self._detail = trouble(self._name, problem, self._place)
            if self._proven:
                self._proven = False
                self._tried = time.monotonic()
                self._say(self._detail)


def trouble(name: str, problem: Exception, place: Path) -> str:
    """Say in one sentence what stopped the output `name`, and what to do."""
    ours = {"recording": _("the recording"), "hls": _("HLS for the hall")}.get(name)
    name = ours or name
    if getattr(problem, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return _(
            "The disk of {place} is full, so {name} has stopped; make room. What was written before is kept."
        ).format(place=place, name=name)
    return _("{name} has stopped, {place} cannot be written ({problem}); check the disk.").format(
        name=name[:1].upper() + name[1:] if ours else name, place=place, problem=why(problem)
    )
