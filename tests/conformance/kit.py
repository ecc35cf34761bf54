"""What every driver owes the house, tried with thirteen faults.

A `Rig` puts a driver, its twin and the gate between them on real local sockets. Each fault is a scene played on it;
after each the same is asked: is everything that counts as known really so on the twin?
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from studio.bus import Bus
from studio.devices import Device, Metered, Outcome, PropertyChanged
from studio.events import LinkChanged
from studio.rehearsal import Twin, Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from studio.devices import Value

BOUND = 60.0
"""Seconds within which all must be well again. It takes two with the shortened timings: this is for a busy machine."""
ROUND_TRIP = 2.0
"""Seconds to a device and back, on a busy machine."""


class ConformanceError(AssertionError):
    """A driver owes something; the message says what."""


def owed(so: object, what: str) -> None:
    """Raise `what` unless `so`."""
    if not so:
        raise ConformanceError(what)


async def until(so: Callable[[], object], what: str) -> None:
    """Wait until `so()`; ConformanceError after the bound."""
    try:
        async with asyncio.timeout(BOUND):
            while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise ConformanceError(f"not within {BOUND:g} s: {what}") from None


class Log(logging.Handler):
    """What was logged of losses, returns and broken drivers, by the device's name, while it listens."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)


@dataclass
class Stage:
    """One driver with its twin, both running."""

    rig: Rig
    device: Device
    twin: Twin
    gate: Way
    bus: Bus
    log: Log
    changes: list[PropertyChanged] = field(default_factory=list)
    links: list[LinkChanged] = field(default_factory=list)
    others: list[object] = field(default_factory=list)
    """All other events: pads, faders."""
    outcomes: list[Outcome] = field(default_factory=list)
    overtaken: bool = False
    """An order may arrive after a later one: what was confirmed may be undone by a datagram that was on its way."""

    async def set(self, control: str, value: Value) -> Outcome:
        """Ask the driver, and hold it to its word: what it calls confirmed the twin has."""
        async with asyncio.timeout(BOUND):
            outcome = await self.device.set(control, value)
        self.outcomes.append(outcome)
        if outcome.kind == "confirmed" and not self.overtaken:
            await self._on_its_way(control, value)
            has = self.twin.value(control)
            owed(
                self.rig.same(self.device, control, has, value),
                f"{control} counts as confirmed at {value!r}, and the device has {has!r}",
            )
        elif outcome.kind != "confirmed":
            owed(outcome.reason, f"{control}: {outcome.kind} without a reason")
        return outcome

    async def _on_its_way(self, control: str, value: Value) -> None:
        """Give an order a round trip: where it is the one before that a report on its way speaks of, nobody can tell.

        That is when a control is set to A, B and A again within that time.
        """
        end = asyncio.get_running_loop().time() + ROUND_TRIP
        while not self.rig.same(self.device, control, self.twin.value(control), value):
            if asyncio.get_running_loop().time() > end:
                return
            await asyncio.sleep(0.001)

    async def sure(self, control: str, value: Value) -> None:
        """Set it where nothing is wrong: at last it is confirmed."""
        async with asyncio.timeout(BOUND):
            while (await self.set(control, value)).kind != "confirmed":  # noqa: ASYNC110 - asked again, by a person
                await asyncio.sleep(0.05)

    def has(self, control: str, value: Value | None) -> bool:
        """Whether `control` stands at `value` on the twin, as far as that can be looked up."""
        try:
            return self.rig.same(self.device, control, value, self.twin.value(control))
        except (KeyError, ValueError):
            return True

    def wrong(self, *, at_once: bool = False) -> list[str]:
        """The controls that count as reported and stand otherwise on the twin, or of which nothing is reported.

        `at_once`: those that are only asked for when somebody reads them may wait, but never count as reported.
        """
        found = []
        for name, control in self.device.controls().items():
            if control.kind == "meter" or name in self.rig.unasked:
                continue
            known = self.device.get(name)
            try:
                has = self.twin.value(name)
            except (KeyError, ValueError):
                continue
            if at_once and self.rig.lazy(name) and known.source != "reported":
                continue
            if known.source != "reported" or not self.rig.same(self.device, name, known.value, has):
                found.append(f"{name}: known {known.value!r} ({known.source}), really {has!r}")
        return found

    async def all_true(self) -> None:
        """Wait until all that is known is so."""
        with contextlib.suppress(ConformanceError):
            await until(lambda: self.device.link.up and not self.wrong(), "")
        owed(self.device.link.up, f"the link is {self.device.link.state}: {self.device.link.detail}")
        owed(not self.wrong(), "; ".join(self.wrong()[:5]))

    async def lost(self) -> None:
        """Wait until the link is down, and nothing counts as reported any more."""
        await until(lambda: not self.device.link.up, "the loss is noticed")
        owed(self.device.link.detail, "a lost link without a sentence")
        for name in self.device.controls():
            source = self.device.get(name).source
            owed(source != "reported", f"{name} counts as {source} after the link was lost")

    async def back(self, epoch: int) -> None:
        """Wait until it is there again, in another epoch, with all values as they are."""
        await until(lambda: self.device.link.up, "it is back")
        owed(self.device.link.epoch > epoch, "it is back in the same epoch")
        wrong = self.wrong(at_once=True)
        owed(not wrong, f"online before it knew: {'; '.join(wrong[:5])}")

    def logged(self, losses: int) -> None:
        """Each loss and each return were said once."""
        name = self.device.name
        for text, count in ((f"{name} is lost", losses), (f"{name} is back", losses)):
            owed(self.log.count(text) == count, f"{text!r} logged {self.log.count(text)} times, not {count}")


class Rig(ABC):
    """A kind of device on a kind of wire."""

    name: ClassVar[str]
    datagrams: ClassVar[bool]
    """UDP: it can lose, double and reorder."""
    control: ClassVar[str]
    """One that can be set …"""
    values: ClassVar[tuple[Value, Value, Value, Value]]
    """… to these, all different; the first is what it has from the beginning."""
    other: ClassVar[str]
    """Another that can be set …"""
    other_values: ClassVar[tuple[Value, Value]]
    shortened: ClassVar[Mapping[str, float]]
    """Constants of the driver's modules, dotted, and what they are in here, so that the kit takes seconds."""
    cannot: ClassVar[Mapping[str, str]] = {}
    """Fault → why it cannot exist here."""
    unasked: ClassVar[frozenset[str]] = frozenset()
    """Controls of which it does not say how they stand."""
    scenes: ClassVar[Mapping[str, Callable[[Rig, Stage], Awaitable[None]]]] = {}
    """Fault → a scene of its own."""
    tries: ClassVar[int] = 1
    """How often a scene is played at most until it goes well: above 1 where the wire itself loses things under load."""
    needs: ClassVar[str] = ""
    """A program without which it cannot be played."""

    tolerance: ClassVar[float] = 0.0
    """How far apart two numbers may be that are the same to the device, where that is not the same everywhere."""

    def same(self, device: Device, control: str, one: Value | None, other: Value | None) -> bool:
        """Whether the device cannot tell them apart."""
        if isinstance(one, float) and isinstance(other, float) and abs(one - other) <= self.tolerance:
            return True
        return device.controls()[control].same(one, other)

    def lazy(self, control: str) -> bool:  # noqa: ARG002 - most are not
        """Whether it is only asked for when somebody reads it."""
        return False

    @abstractmethod
    def open(self, bus: Bus) -> contextlib.AbstractAsyncContextManager[tuple[Device, Twin, Way]]:
        """The three, the driver not running yet. The device's name is that of the rig."""

    async def rebooted(self, stage: Stage, values: Mapping[str, Value]) -> None:
        """Off and on again with `values`."""
        await stage.gate.unplug()
        stage.twin.reboot(values)
        await stage.lost()
        await stage.gate.plug()


@contextlib.asynccontextmanager
async def on_stage(rig: Rig) -> AsyncIterator[Stage]:
    """Run the driver of `rig`; afterwards nothing of it may be left."""
    bus, log = Bus(), Log()
    logging.getLogger("studio.devices").addHandler(log)
    try:
        async with rig.open(bus) as (device, twin, gate), bus.listen(object, 20_000) as events:
            stage = Stage(rig, device, twin, gate, bus, log)

            async def listen() -> None:
                async for event in events:
                    if isinstance(event, PropertyChanged):
                        stage.changes.append(event)
                    elif isinstance(event, LinkChanged):
                        stage.links.append(event)
                    elif not isinstance(event, Metered):
                        stage.others.append(event)

            listening, running = asyncio.create_task(listen()), asyncio.create_task(device.run())
            try:
                await stage.all_true()
                yield stage
                owed(not running.done(), "the driver ended by itself")
                owed(not log.count("broke"), f"the driver broke: {[line for line in log.lines if 'broke' in line]}")
            finally:
                for task in (running, listening):
                    task.cancel()
                await asyncio.gather(running, listening, return_exceptions=True)
            owed(device.link.state == "off", "a driver that was ended is not off")
    finally:
        logging.getLogger("studio.devices").removeHandler(log)
