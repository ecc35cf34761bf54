"""The watchdog: notices a thread that hangs, in an encoder, a driver or a disk, while everything around it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pulse:
    """A thread's sign of life, written by it alone."""

    def __init__(self) -> None:
        self.beats = 0
        self.resting = True
        """It waits for somebody else, and may do so for as long as it likes."""

    def beat(self) -> None:
        """The next turn begins."""
        self.beats += 1
        self.resting = False

    def rest(self) -> None:
        """What comes now is waiting."""
        self.resting = True


class Watchdog:
    """Looks at pulses; it counts its own looks, so a machine that slept or was too busy to look frightens nobody."""

    def __init__(self, pulses: Mapping[str, Pulse], patience: float) -> None:
        """A thread hangs when it began a turn and did not end it while we looked for `patience` seconds."""
        self._pulses = pulses
        self._patience = patience
        self._seen = dict.fromkeys(pulses, -1)
        self._for = dict.fromkeys(pulses, 0.0)

    def look(self, seconds: float) -> str | None:
        """Look, `seconds` after the last time, and return the name of a thread that hangs; `None`: all is well."""
        for name, pulse in self._pulses.items():
            still = not pulse.resting and pulse.beats == self._seen[name]
            self._for[name] = self._for[name] + seconds if still else 0.0
            self._seen[name] = pulse.beats
            if self._for[name] >= self._patience:
                return name
        return None
