"""What all things with a plug have in common: a link that tells the truth, and answers that do."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from studio.devices._ground.values import Value
from studio.errors import NotSupported
from studio.events import LinkChanged, LinkState
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.bus import Bus
    from studio.devices._ground.values import Action, Control

logger = logging.getLogger(__name__)

AFTER_A_FAULT = 5.0
"""Seconds before a driver that broke inside is run again: long enough that its log stays readable."""

Light = Literal["off", "ready", "on", "asked", "failed"]
"""What a pad shows: nothing to do here, may be pressed, is so, was asked for and not yet confirmed, did not work."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of something asked of a device."""

    kind: Literal["confirmed", "unconfirmed", "refused", "superseded", "simulated"]
    """Only `confirmed` means done, by the device's own report. `unconfirmed`: asked, but nobody reported it in time."""
    reason: str = ""
    """One sentence for the user; empty when confirmed."""


@dataclass(frozen=True, slots=True)
class Property:
    """A value of a device and how far it may be believed."""

    value: Value | None
    """`None` while unknown."""
    source: Literal["reported", "assumed", "unknown"]
    """`reported` by the device in this epoch; `assumed`: known from before the link was lost, or asked for."""
    time: float
    """When it was learnt, on the loop's clock."""
    epoch: int
    """Of the link, when it was learnt."""
    origin: Literal["device", "us", ""] = ""
    """Who caused the value: a hand on the device (or another client), we, or nobody yet."""


class Link:
    """Whether a device is there. Every change is published once; a loss is logged once, and once that it is back."""

    def __init__(self, name: str, bus: Bus) -> None:
        self.name = name
        self.state: LinkState = "off"
        self.detail = ""
        """One sentence for the user, or empty."""
        self.epoch = 0
        """Counts the connections; what was learnt in another epoch is not known any more."""
        self._bus = bus
        self._lost = False
        self._online = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether commands can be asked of the device."""
        return self.state in ("online", "degraded")

    def new_epoch(self) -> int:
        """A new connection stands and nothing is known yet. `syncing` lasts a moment and is not published."""
        self.epoch += 1
        self.state = "syncing"
        return self.epoch

    def to(self, state: LinkState, detail: str = "") -> None:
        """Go to `state`; the same state and detail as told last are not told again."""
        was = self._told
        self.state, self.detail = state, detail
        self._told = (state, detail)
        if was == self._told:
            return
        if self.up:
            if self._lost:
                logger.info("%s is back", self.name)
            self._lost = False
            self._online.set()
        else:
            if self._online.is_set() and state != "off":
                logger.warning("%s is lost: %s", self.name, detail)
                self._lost = True
            self._online.clear()
        self._bus.publish(LinkChanged(self.name, state, detail))

    async def wait_online(self) -> None:
        """Wait until the device is there."""
        await self._online.wait()

    _told: tuple[LinkState, str] = ("off", "")


class Device(ABC):
    """Something with a plug.

    How to add a new desk or pad:

    1. Is it one of a kind we know (a desk over OSC, a pad over MIDI)? Then it is a file in `hardware/`, not code: copy
       the nearest one, change notes or addresses by the maker's manual, and say in `checked` how it was tried. Done.
    2. Else put its language into `wire/`: a table, `encode` and `decode`, pure, which survive any bytes at all.
    3. Write the driver here: a subclass of `Device` in a file of its own, imported only when it is chosen. `_serve`
       connects, asks everything anew (`link.new_epoch()`), says `link.to("online")` only after a probe was answered,
       probes on, and goes back to connecting when an answer stays out. A command is `confirmed` by the device's report.
       Name it in `DRIVERS` and give it a dataclass of what its hardware file says.
    4. Put its twin into `rehearsal/`: the same table on a real local socket, with faults on order; and test the one
       against the other: deaf, late, rebooted with other values, a hand on the device.

    What a model cannot do it does not override: it answers `NotSupported`.
    """

    def __init__(self, name: str, bus: Bus) -> None:
        self.name = name
        self.bus = bus
        self.link = Link(name, bus)

    @abstractmethod
    async def _serve(self) -> None:
        """Connect, keep the link and connect again, for ever."""

    async def run(self) -> None:
        """Keep the link until cancelled. A fault of the driver itself is logged and tried again: none ends a show."""
        try:
            while True:
                await self._serve_guarded()
                await asyncio.sleep(AFTER_A_FAULT)
        finally:
            self.link.to("off")

    async def _serve_guarded(self) -> None:
        try:
            await self._serve()
        except Exception as fault:
            logger.exception("the driver of %s broke", self.name)
            self.link.to(
                "connecting",
                _("The driver of {name} broke ({fault}) and is started again; please report it with the log.").format(
                    name=self.name, fault=type(fault).__name__
                ),
            )

    # ── what it can do: a driver overrides what its model can ─────────────────────────────────────────────────────────

    def controls(self) -> Mapping[str, Control]:
        """All that has a value, by name: as far as is known while it is not there. It may change with each epoch."""
        return {}

    def actions(self) -> Mapping[str, Action]:
        """All that can be called, by name."""
        return {}

    def get(self, control: str) -> Property:  # noqa: ARG002 - for those that have values
        """What is known of `control`: *reported* only in this epoch. ValueError for no such control."""
        raise NotSupported(_("{name} has no values to read.").format(name=self.name))

    def peek(self, control: str) -> Property:
        """As `get`, without having the device asked for what nobody has read yet."""
        return self.get(control)

    async def set(self, control: str, value: Value) -> Outcome:  # noqa: ARG002 - for those that have values
        """Ask for `value` and wait until the device itself reports it, within a deadline of its own.

        ValueError for no such control, and for a value that it cannot take.
        """
        raise NotSupported(_("{name} has no values to set.").format(name=self.name))

    async def call(self, action: str, arguments: Mapping[str, Value] | None = None) -> Outcome:  # noqa: ARG002
        """Do `action`; confirmed by the device's own word that it is done. ValueError for what is no action of it.

        ValueError too where an argument is missing, unknown, or nothing that it can be.
        """
        raise NotSupported(_("{name} can do nothing on call.").format(name=self.name))

    # ── surfaces ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def light(self, control: str, state: Light) -> None:  # noqa: ARG002 - for those that have lights
        """Show `state` on `control` of a surface; remembered while it is unplugged. ValueError for no such control."""
        raise NotSupported(_("{name} has no lights.").format(name=self.name))

    def show(self, control: str, position: float | None, text: str = "") -> None:  # noqa: ARG002
        """Show where what `control` moves stands, in [0..1], on a motor fader or ring, and `text` where it has letters.

        `None`: it moves nothing now. Remembered while it is unplugged; a fader without a motor takes it as the place
        where it has to be picked up. ValueError for no such control.
        """
        raise NotSupported(_("{name} has nothing that moves.").format(name=self.name))
