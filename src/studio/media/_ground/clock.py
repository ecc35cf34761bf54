"""The show clock's zero, kept in the show folder; and `Ticks`, what pictures and sound are counted in."""

from __future__ import annotations

import os
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NewType

import msgspec

from studio.media._ground.files import PATIENCE, Note
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

Ticks = NewType("Ticks", int)
"""Units of 1/90000 s, which MPEG counts in: milliseconds would make 24 frames a second stumble."""

RATE = 90_000
"""Ticks a second."""
TICK = Fraction(1, RATE)
"""One of them in seconds, as FFmpeg counts."""

LAST_NOTE = 2.0
"""Seconds that the end of a show waits for the disk."""
LONGEST_BREAK = 12 * 3600
"""Seconds of wall clock after which a show that was cut off by a reboot is another evening's."""


def ticks(seconds: float) -> Ticks:
    """Seconds as ticks, rounded to the nearest."""
    return Ticks(round(seconds * RATE))


def ticks_in(value: int, base: Fraction) -> Ticks:
    """`value` units of `base` seconds as ticks, rounded to the nearest; in whole numbers, for every packet asks."""
    whole = base.denominator
    return Ticks((2 * value * base.numerator * RATE + whole) // (2 * whole))


def ticks_of(at: Ms) -> Ticks:
    """Milliseconds as ticks."""
    return Ticks(at * (RATE // 1000))


def ms_of(at: Ticks) -> Ms:
    """Ticks as milliseconds, rounded to the nearest."""
    return Ms(round(at / (RATE // 1000)))


class _Kept(msgspec.Struct, frozen=True):
    """`clock.json`."""

    epoch: int
    """Nanoseconds of the monotonic clock."""
    boot: str
    """Which run of the machine that clock belongs to."""
    wall: float
    """The same moment as seconds since 1970."""
    ended: bool = False
    """The show is over: another one in this folder begins anew."""
    show: int = 0
    """The epoch as it was first: which show this is, whatever boot it goes on in; 0 in the file of an older studio."""
    joins: int = 0
    """Which core's relay has still to join the recording of the ended show, by process number; 0 when it is joined."""


class Zero:
    """Where the show clock begins. Any thread may ask; whoever sees the first frame sets it."""

    def __init__(self, folder: Path, begun: Callable[[int], None]) -> None:
        """Go on with the clock kept in `folder`, if this machine still runs or was away for less than 12 hours.

        `begun` is told the epoch when it is set later.
        """
        self._file = folder / "clock.json"
        self._begun = begun
        self._lock = threading.Lock()
        self._note = Note(self._file)
        self._kept = kept = _read(self._file)
        self._epoch = _remembered(kept)
        if kept is not None and self._epoch is not None and kept.boot != _boot():
            # It is reckoned once a boot: a second time it would be a little otherwise.
            self._keep(msgspec.structs.replace(kept, epoch=self._epoch, boot=_boot(), show=kept.show or kept.epoch))
        self.continued = self._epoch is not None
        """Whether this show had begun before this process."""
        self.cut_off = (
            kept is not None
            and kept.ended
            and kept.boot == _boot()
            and kept.joins == os.getppid()
            and not self.continued
        )
        """Whether this show is over, and the relay before us, of the same core, died before all was closed."""

    @property
    def epoch(self) -> int | None:
        """Nanoseconds of the monotonic clock, or `None` while no frame ever arrived."""
        return self._epoch

    @property
    def show(self) -> int | None:
        """Which show this is: what `epoch` was when it began, also after a reboot; `None` before that."""
        kept = self._kept
        return None if self._epoch is None or kept is None else kept.show or kept.epoch

    def begin(self, epoch: int) -> None:
        """Let the show begin at `epoch`, unless it has."""
        with self._lock:
            if self._epoch is not None:
                return
            wall = time.time() - (time.monotonic_ns() - epoch) / 1e9
            self._keep(_Kept(epoch, _boot(), wall, show=epoch))
            self._epoch = epoch
        self._begun(epoch)

    def end(self) -> None:
        """Remember that the show is over, and that its recording has still to be joined."""
        self._change(ended=True, joins=os.getppid())

    def close(self) -> None:
        """Remember that nothing of the show is left to do."""
        self._change(ended=True, joins=0)

    def _change(self, *, ended: bool, joins: int) -> None:
        if self._kept is not None:
            self._keep(msgspec.structs.replace(self._kept, boot=_boot(), ended=ended, joins=joins), LAST_NOTE)

    def _keep(self, kept: _Kept, patience: float = PATIENCE) -> None:
        self._kept = kept
        self._note.write(msgspec.json.encode(kept).decode(), patience)

    def begin_now(self) -> None:
        """Let the show begin at this moment, unless it has."""
        self.begin(time.monotonic_ns())

    def now(self) -> Ticks:
        """The time of the show; 0 while it has not begun."""
        return Ticks((time.monotonic_ns() - self._epoch) * 9 // 100_000) if self._epoch is not None else Ticks(0)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _read(file: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None


def _remembered(kept: _Kept | None) -> int | None:
    if kept is None or kept.ended:
        return None
    if kept.boot == _boot():
        return kept.epoch
    away = time.time() - kept.wall
    return time.monotonic_ns() - int(away * 1e9) if 0 < away < LONGEST_BREAK else None
