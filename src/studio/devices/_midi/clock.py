"""MIDI timecode that comes in: where a recorder, a player or a light desk stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.devices._ground.known import Known
from studio.devices._ground.values import Control
from studio.devices._midi.session import MidiDevice
from studio.wire.timecode import RATES, TimecodeReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.bus import Bus
    from studio.devices._ground.device import Property
    from studio.devices._midi.model import MidiModel
    from studio.wire.midi import Message

STALE = 0.5
"""Seconds without a quarter frame after which nobody knows where it stands: they come a hundred times a second."""


class MidiTimecode(MidiDevice):
    """`time`, `rate` and `running`. What stood is *assumed* as soon as no frames come."""

    def __init__(self, name: str, model: MidiModel, bus: Bus, port: str | None = None, backend: str = "") -> None:
        super().__init__(name, model, bus, port, backend)
        self._known = Known(self.link, bus)
        self._known.describe(
            (
                Control("time", "text", writable=False),
                Control("rate", "choice", choices=RATES, writable=False),
                Control("running", "switch", writable=False),
            )
        )
        self._reader = TimecodeReader()
        self._runs_until = float("-inf")

    def controls(self) -> Mapping[str, Control]:
        """`time` (`01:02:03:04`), `rate` (frames a second), `running`."""
        return self._known.controls

    def get(self, control: str) -> Property:
        """*Reported* while frames come, and for as long as a full frame before."""
        return self._known.get(control)

    def _hear(self, message: Message) -> None:
        if message.kind == "quarter_frame":
            self._runs_until = self.arrived + STALE
            self._wake.set()
        code = self._reader.take(message)
        if code is not None:
            self._known.learn("time", str(code))
            self._known.learn("rate", code.rate)
            self._known.learn("running", message.kind == "quarter_frame")
            if message.kind != "quarter_frame":
                self._runs_until = float("-inf")

    def _say(self, now: float) -> tuple[list[Message], float | None]:
        if now < self._runs_until:
            return [], self._runs_until
        if self._known.get("running").value is True:
            self._known.learn("running", value=False)
            self._known.forget("time")
        return [], None

    def _gone(self) -> None:
        self._reader = TimecodeReader()
        self._runs_until = float("-inf")
        self._wake.set()
