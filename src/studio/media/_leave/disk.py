"""How long the disk of a show lasts, and what stops first when it does not: the recording of what airs stops last."""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from studio.language import _

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two looks."""
WINDOW = 120.0
"""Seconds over which it is seen how fast the disk fills."""
ENOUGH = 20.0
"""Seconds after which that can be told: the first key frames are large."""
SOON = 30 * 60.0
"""Seconds of room that a person needs to find a cable and another disk."""
PLENTY = 45 * 60.0
"""Seconds of room after which less of it is news again."""
LAST = 3 * 60.0
"""Seconds of room that are left to the recording of what airs alone."""
LEAST = 32 << 20
"""Bytes of room that are, however slowly the disk fills."""


class Disk:
    """Watches the disk of a show folder."""

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None],
        *,
        written: Callable[[], int],
        pause: Callable[[str], bool],
        free: Callable[[], int] | None = None,
    ) -> None:
        """`written` tells the bytes of all recordings so far, `free` those that are left; `None`: as the disk says.

        `pause` stops what may stop, for the reason it is told, or lets it go on with an empty one; it answers whether
        there is any.
        """
        self._folder = folder
        self._say = say
        self._written = written
        self._pause = pause
        self._free = free or (lambda: shutil.disk_usage(folder).free)
        self._seen: deque[tuple[float, int]] = deque()
        self._warned = False
        self._reserve = 0
        """Bytes that must be free before what was paused goes on; 0: nothing is paused."""

    def run(self, stopping: threading.Event) -> None:
        """Look at it until `stopping`; in a thread of its own, for a network disk may not answer."""
        while not stopping.wait(EVERY if self._seen else 0):
            try:
                self.look(time.monotonic())
            except OSError as problem:  # those who write there will say so
                logger.warning("the room of %s cannot be told: %s", self._folder, problem)
                self._seen.append((time.monotonic(), self._written()))

    def look(self, at: float) -> None:
        """See how much room there is `at` a time in seconds, and do what has to be done."""
        written, free = self._written(), self._free()
        if self._seen and written < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((at, written))
        while len(self._seen) > 2 and self._seen[1][0] <= at - WINDOW:  # noqa: PLR2004 - two make a stretch
            self._seen.popleft()
        began, before = self._seen[0]
        rate = (written - before) / (at - began) if at - began >= ENOUGH else 0.0
        self._warn(free, rate)
        self._yield(free, rate)

    def _warn(self, free: int, rate: float) -> None:
        left = free / rate if rate else PLENTY
        if left < SOON and not self._warned:
            self._warned = True
            self._say(
                _(
                    "The disk of {folder} is full in about {minutes} minutes, if this goes on; make room there now."
                ).format(folder=self._folder, minutes=max(1, round(left / 60)))
            )
        elif left > PLENTY:
            self._warned = False

    def _yield(self, free: int, rate: float) -> None:
        need = max(LEAST, round(rate * LAST))
        if not self._reserve and free < need:
            self._reserve = 2 * need
            why = _(
                "The disk of {folder} is nearly full, so the clean recording has stopped and leaves the room to what"
                " airs; make room."
            ).format(folder=self._folder)
            if self._pause(why):
                self._say(why)
        elif self._reserve and free > self._reserve:
            self._reserve = 0
            if self._pause(""):
                self._say(
                    _(
                        "The disk of {folder} has room again, and the clean recording goes on; what came in between is"
                        " missing there."
                    ).format(folder=self._folder)
                )


class Elsewhere:
    """Watches the disks that destinations fill, and knows which of them fill the show's."""

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None],
        filling: Callable[[], Iterable[tuple[str, Path, int]]],
        free: Callable[[Path], int] | None = None,
    ) -> None:
        """`filling` tells name, place and bytes so far of each destination that grows while the show goes on."""
        self._folder = folder
        self._say = say
        self._filling = filling
        self._free = free or (lambda place: shutil.disk_usage(place).free)
        self._disks: dict[int, tuple[Disk, list[int]]] = {}
        """By device: its watch, and the bytes that it is told of."""
        self._beside: frozenset[str] = frozenset()
        """Who writes to the show's own disk; replaced, never changed: another thread reads it."""

    def beside(self) -> int:
        """Return the bytes that destinations have put on the show's own disk so far; never waits for a disk."""
        return sum(size for name, _place, size in self._filling() if name in self._beside)

    def run(self, stopping: threading.Event) -> None:
        """Look until `stopping`; in a thread of its own, for the show's disk must be watched while one hangs."""
        while not stopping.wait(EVERY):
            self.look(time.monotonic())

    def look(self, at: float) -> None:
        """See `at` a time in seconds how much room each of them has."""
        beside: set[str] = set()
        written: dict[int, int] = {}
        places: dict[int, Path] = {}
        for name, wanted, size in self._filling():
            with suppress(OSError):  # it is gone, and whoever writes there says so
                place = _there(wanted)
                device = place.stat().st_dev
                if device == self._folder.stat().st_dev:
                    beside.add(name)
                    continue
                written[device] = written.get(device, 0) + size
                places.setdefault(device, place)
        self._beside = frozenset(beside)
        for device, place in places.items():
            if device not in self._disks:
                self._disks[device] = self._watch(place)
            disk, told = self._disks[device]
            told[0] = written[device]
            with suppress(OSError):
                disk.look(at)

    def _watch(self, place: Path) -> tuple[Disk, list[int]]:
        told = [0]
        return (
            Disk(
                place,
                self._say,
                written=lambda: told[0],
                pause=lambda _why: False,
                free=lambda: self._free(place),
            ),
            told,
        )


def _there(place: Path) -> Path:
    """Return the folder that holds `place`, or will. Raises OSError where none does."""
    return next(folder for folder in (place, *place.parents) if folder.is_dir())
