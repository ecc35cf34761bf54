"""How long the disk lasts: said in time, and the take is ended in good order before there is no room."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BYTES = 3
"""Of one sample."""
SOON = 30 * 60.0
"""Seconds of room that a person needs to find another disk."""
NEAR = 5 * 60.0
"""Seconds of room at which it is said once more."""
PLENTY = 45 * 60.0
"""Seconds of room after which less of it is news again."""
LAST = 10.0
"""Seconds of room at which a take is ended."""
LEAST = 32 << 20
"""Bytes of room that are left to the session's own lines, whatever happens."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a look at the disk told."""

    seconds: float
    """That it lasts, without what is left to the session's own lines."""
    warning: str = ""
    """One sentence, when there is news."""
    full: bool = False
    """Whether a take has to end now."""


class Disk:
    """Looks at the room of a session's folder."""

    def __init__(self, folder: Path, rate: int, free: Callable[[], int] | None = None) -> None:
        """`free` tells the bytes that are left; `None`: as the disk says."""
        self._rate = rate
        self._free = free or (lambda: shutil.disk_usage(folder).free)
        self._said: float | None = None

    def look(self, tracks: int) -> Room:
        """See how long it lasts for so many tracks. Raises OSError; it may block."""
        seconds = max(0, self._free() - LEAST) / (tracks * self._rate * BYTES)
        if seconds > PLENTY:
            self._said = None
        level = next((level for level in (LAST, NEAR, SOON) if seconds <= level), None)
        if level is None or (self._said is not None and self._said <= level):
            return Room(seconds, full=level == LAST)
        self._said = level
        if level == LAST:
            return Room(seconds, _("The disk is full; make room before the next take."), full=True)
        sentence = _("The disk lasts {minutes} minutes more; make room, or take another disk.")
        return Room(seconds, sentence.format(minutes=int(seconds // 60)))
