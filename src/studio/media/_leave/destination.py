"""The destinations of a programme: each in a thread of its own, so that none can hurt another, or the air."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from studio.events import AddDestination, OutputReport
from studio.language import _
from studio.media._leave.sender import GRACE, Sender
from studio.media._leave.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from studio.events import Destination, RemoveDestination
    from studio.media._ground.coded import Coded
    from studio.media._leave.outputs import Sink

logger = logging.getLogger(__name__)

QUIT = 1.0
"""Seconds for which a destination that was removed may say goodbye."""


class Way(Protocol):
    """How the programme gets to one destination. `write` never waits."""

    thread: threading.Thread
    small: bool
    """Whether it takes the small picture, too."""

    def write(self, packets: Sequence[Coded]) -> None:
        """Let `packets` go there."""

    def end(self, grace: float = GRACE, *, at_once: bool = False) -> None:
        """Send what waits, or nothing more; does not wait for it."""

    def report(self) -> OutputReport:
        """How it is doing."""


class Destinations:
    """Has the face of an output for the air, which never waits here. Others may add and remove at any time."""

    def __init__(self, wanted: Iterable[Destination], say: Callable[[str], None]) -> None:
        """Send to those that are `wanted`, as soon as the programme is `open`; of two of one name to the later."""
        self._say = say
        self._lock = threading.Lock()
        self._wanted = {destination.name: destination for destination in wanted}
        self._ways: dict[str, Way] = {}
        """Replaced when it changes, never changed: the air reads it without a lock."""
        self._leaving: dict[str, threading.Thread] = {}
        """Of those that were removed and may still be there."""
        self._hls: Callable[[Path], Sink] | None = None
        self._closed = False

    def open(self, hls: Callable[[Path], Sink]) -> None:
        """Begin; `hls` makes the folder of one that is sent as HLS."""
        with self._lock:
            self._hls = hls
            for destination in self._wanted.values():
                self._begin(destination)

    def add(self, destination: Destination) -> None:
        """Send there, too, from the last keyframe on; one of the same name ends."""
        with self._lock:
            if self._closed:
                return
            way = self._ways.get(destination.name)
            same = self._wanted.get(destination.name) == destination
            if same and way is not None and way.thread.is_alive() and way.report().state == "on air":
                return  # who asks twice shall not interrupt it
            self._wanted = {**self._wanted, destination.name: destination}
            if self._hls is not None:
                self._end(destination.name)
                self._begin(destination)

    def remove(self, name: str) -> None:
        """Send there no more; nothing where there is none of this name."""
        with self._lock:
            self._wanted = {other: kept for other, kept in self._wanted.items() if other != name}
            self._end(name)

    def change(self, wish: AddDestination | RemoveDestination) -> None:
        """Do what somebody wishes."""
        if isinstance(wish, AddDestination):
            self.add(wish.destination)
        else:
            self.remove(wish.name)

    @property
    def wanted(self) -> tuple[Destination, ...]:
        """Where the programme is to go, just now."""
        return tuple(self._wanted.values())

    def write(self, packets: Sequence[Coded], *, small: bool = False) -> None:
        """Let `packets` go everywhere; those of the `small` picture where they are wanted."""
        for way in self._ways.values():
            if way.small or not small:
                way.write(packets)

    def close(self) -> None:
        """Send what waits everywhere, and be done, within a few seconds; idempotent."""
        with self._lock:
            self._closed = True
            ways = self._ways
        for way in ways.values():
            way.end()
        until = time.monotonic() + GRACE + QUIT
        for thread in (*(way.thread for way in ways.values()), *self._leaving.values()):
            thread.join(max(0.0, until - time.monotonic()))

    def reports(self) -> list[OutputReport]:
        """How each is doing; before the programme begins, what is wanted."""
        if self._hls is None:
            return [OutputReport(to.name, "starting", to.shown, 0, destination=True) for to in self.wanted]
        return [way.report() for way in self._ways.values()]

    def _end(self, name: str) -> None:
        way = self._ways.get(name)
        if way is None:
            return
        self._ways = {other: kept for other, kept in self._ways.items() if other != name}
        way.end(QUIT, at_once=True)
        self._leaving = {other: thread for other, thread in self._leaving.items() if thread.is_alive()}
        self._leaving[name] = way.thread

    def _begin(self, destination: Destination) -> None:
        try:
            self._ways = {**self._ways, destination.name: self._way(destination)}
        except (OSError, RuntimeError) as problem:  # no descriptor or no thread is left for it
            logger.warning("%s cannot be begun: %s", destination.name, problem)
            self._say(
                _("Nothing can be sent to {name}, this machine is at its limits; close other programs.").format(
                    name=destination.name
                )
            )

    def _way(self, destination: Destination) -> Way:
        after = self._leaving.get(destination.name)
        if destination.kind == "hls" and self._hls is not None:
            place, hls = Path(destination.address), self._hls
            return Writer(
                destination.name, place, lambda: hls(place), self._say, destination=True, small=True, after=after
            )
        return Sender(destination, self._say, after=after)
