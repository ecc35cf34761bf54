"""Surfaces over MIDI: what hands do on them comes up as events; lights, faders, rings and letters go down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.devices._midi.panel import Panel
from studio.devices._midi.session import MidiDevice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.bus import Bus
    from studio.devices._ground.device import Light
    from studio.devices._midi.model import MidiModel, Sort
    from studio.wire.midi import Message


class MidiSurface(MidiDevice):
    """A surface with pads, faders and encoders, as far as its model has them. After a replug all is shown again.

    `FaderMoved` comes after take-over only (`MidiModel`): a fader that nobody has said a position of (`show`) moves
    nothing, unless its take-over is `jump`. Held pads are let go, and touched faders too, when the surface is lost.
    """

    def __init__(self, name: str, model: MidiModel, bus: Bus, port: str | None = None, backend: str = "") -> None:
        super().__init__(name, model, bus, port, backend)
        self._panel = Panel(name, model)

    @property
    def names(self) -> Mapping[str, Sort]:
        """Everything on it that can be bound, and what it is."""
        return self._panel.names

    @property
    def page(self) -> int:
        """The page that is there, counted from 1."""
        return self._panel.page

    def light(self, control: str, state: Light) -> None:
        """Show `state` on `control`; remembered while it is unplugged, shown by nobody where it has no light."""
        self._panel.light(control, state)
        self._wake.set()

    def show(self, control: str, position: float | None, text: str = "") -> None:
        """Show where what `control` moves stands, in [0..1], and `text` where it has letters; `None`: it moves nothing.

        A fader without a motor has to be brought there by hand before it moves anything. Remembered while it is
        unplugged, or on another page. ValueError for no such control, and for no such place.
        """
        self._panel.show(control, position, text)
        self._wake.set()

    def _hear(self, message: Message) -> None:
        for event in self._panel.hear(message, self.arrived):
            self.bus.publish(event)
        self._wake.set()  # a page may have been turned, a fader let go

    def _say(self, now: float) -> tuple[list[Message], float | None]:
        return self._panel.flush(now)

    def _gone(self) -> None:
        for event in self._panel.unplugged(asyncio.get_running_loop().time()):
            self.bus.publish(event)
        self._wake.set()
