"""What a gate does on a network, as far as it can be done to a MIDI cable."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from studio.errors import NotSupported
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.rehearsal._faults import Gate, Side
    from studio.rehearsal._surface import MidiTwin

Way: TypeAlias = "Gate | Cable"
"""What stands between a twin and the house."""


class Cable:
    """The faults of `Gate`, by the same names, of gear that hangs on a cable: nothing stands in between."""

    def __init__(self, twin: MidiTwin) -> None:
        """Trouble `twin`."""
        self._twin = twin
        self._plugged = True

    def well(self) -> None:
        """Nothing is wrong (any more) but the plug."""
        self._twin.deaf = self._twin.mute = False

    def deaf(self) -> None:
        """Its ports are there, and it hears and says nothing."""
        self._twin.deaf = True

    def half_open(self) -> None:
        """It does what it is told, and answers nothing."""
        self._twin.mute = True

    def junk(self, data: bytes, to: Side = "house") -> None:
        """Say bytes that mean nothing."""
        if to == "house":
            self._twin.junk(data)

    async def unplug(self) -> None:
        """Pull it."""
        self._plugged = False
        self._twin.unplug()

    async def plug(self) -> None:
        """Put it back in."""
        self._plugged = True
        self._twin.plug()

    @property
    def faults(self) -> str:
        """What is wrong now, in a few words; empty where nothing is."""
        says = {"unplugged": not self._plugged, "deaf": self._twin.deaf, "half-open": self._twin.mute}
        return ", ".join(name for name, so in says.items() if so)

    # ── what a cable cannot ───────────────────────────────────────────────────────────────────────────────────────────

    def late(self, seconds: float, jitter: float = 0.0) -> None:
        """It cannot be late."""
        raise self._no(f"late {seconds + jitter} s")

    def slow(self, seconds: float) -> None:
        """It cannot be slow."""
        raise self._no(f"slow {seconds} s")

    def lose(self, pattern: Iterable[bool]) -> None:
        """It loses nothing."""
        raise self._no(f"loss {pattern}")

    def duplicate(self, pattern: Iterable[bool]) -> None:
        """It says nothing twice."""
        raise self._no(f"duplicate {pattern}")

    def reorder(self, pattern: Iterable[bool]) -> None:
        """It keeps the order."""
        raise self._no(f"reorder {pattern}")

    def fragment(self, size: int = 1) -> None:
        """It has no pieces."""
        raise self._no(f"fragments {size}")

    def _no(self, what: str) -> NotSupported:
        return NotSupported(_("A MIDI cable cannot do that: {what}.").format(what=what))
