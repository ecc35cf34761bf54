"""A fault script: what goes wrong with which pretend device, when, and for how long. Files of `presets/rehearsal/`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from studio.devices import Value
from studio.errors import NotSupported
from studio.language import _
from studio.rehearsal._cable import Way
from studio.rehearsal._twin import Twin
from studio.venue import CameraSettings, DeviceSettings

if TYPE_CHECKING:
    from collections.abc import Callable


Fault = Literal[
    "late",
    "slow",
    "deaf",
    "half-open",
    "loss",
    "duplicate",
    "reorder",
    "fragments",
    "junk",
    "unplugged",
    "reboot",
    "refuse",
    "full",
    "hand",
]
"""`late`: all that is said comes late; `slow`: it says late that it is done; `deaf`: nothing passes; `half-open`: who
calls is let in and hears nothing; `loss`, `duplicate`, `reorder`: of datagrams, by `pattern`; `fragments`: TCP in
single bytes; `junk`: random bytes; `unplugged`: the port is closed; `reboot`: off and on again, then with `values`;
`refuse`: no to orders for `control`, or all; `full`: its buffer is; `hand`: somebody moves `control` to `value`."""
Seconds = Annotated[float, Meta(ge=0, le=86_400)]

BOOT = 1.0
"""Seconds that a pretend device takes to boot, where the script says nothing."""
JUNK = 20
"""Pieces of junk."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that goes wrong."""

    at: Seconds
    """Seconds after the beginning."""
    fault: Fault
    device: str = ""
    """As in `studio.toml`; empty: all of them."""
    lasts: Seconds | None = None
    """Seconds until it is well again; `None`: for ever, `reboot` a second."""
    seconds: Seconds = 0.2
    """Of `late` and `slow`."""
    jitter: Seconds = 0.0
    """Of `late`: up to so many seconds more."""
    pattern: tuple[bool, ...] = (True, False, False, False)
    """Of `loss`, `duplicate` and `reorder`: which datagram, over and over."""
    control: str = ""
    """Of `hand` and `refuse`."""
    value: Value | None = None
    """Of `hand`."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Of `reboot`: control → value it has then; the others as it leaves the factory."""

    def __post_init__(self) -> None:
        if self.fault == "hand" and (not self.control or self.value is None):
            raise ValueError(_('"hand" needs a "control" and the "value" that it is moved to'))
        if not any(self.pattern) and self.fault in ("loss", "duplicate", "reorder"):
            raise ValueError(_('"pattern" must say true at least once'))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A pretend hall, what goes wrong in it, or both."""

    devices: tuple[DeviceSettings, ...] = ()
    cameras: tuple[CameraSettings, ...] = ()
    """The pictures of its scenes, as in `studio.toml`; nothing streams them."""
    scenes: str = ""
    """The file of `scenes/` that its OBS is to hold; empty: none."""
    obs: bool = True
    """Whether there is an OBS."""
    faults: tuple[Step, ...] = ()
    again: Annotated[float, Meta(gt=0)] | None = None
    """Seconds after which the faults begin anew; `None`: they come once."""


@dataclass
class Put:
    """A pretend device that is up."""

    name: str
    what: str
    """Maker and model."""
    where: str
    """`127.0.0.1:10023`, or the name of a MIDI port."""
    twin: Twin
    gate: Way | None
    """`None`: nothing can go wrong on the way."""
    faults: list[Step] = field(default_factory=list)
    """In force, oldest first."""
    trouble: str = ""
    """Why the last fault could not be, or nothing."""

    @property
    def wrong(self) -> str:
        """What is wrong with it now, in a few words."""
        return self.trouble or ", ".join(dict.fromkeys(step.fault for step in self.faults))

    async def begin(self, step: Step) -> None:
        """Let it happen. Raises nothing: what cannot happen to this device is kept in `trouble`."""
        self.trouble = ""
        try:
            await self._do(step)
        except NotSupported as no:
            self.trouble = str(no)
        except (KeyError, ValueError, OSError) as problem:
            self.trouble = _("{fault} cannot be: {problem}").format(fault=step.fault, problem=problem)
        else:
            if step.fault not in ("hand", "reboot", "junk"):
                self.faults.append(step)

    async def end(self, step: Step) -> None:
        """Make it well again, but for what else is wrong."""
        self.faults.remove(step)
        if self.gate:
            self.gate.well()
            if step.fault == "unplugged":
                await self.gate.plug()
        with suppress(NotSupported):
            self.twin.slow(0.0)
            self.twin.refuse()
        for other in self.faults:
            await self._do(other)

    async def _do(self, step: Step) -> None:
        match step.fault:
            case "slow":
                self.twin.slow(step.seconds)
            case "refuse":
                self.twin.refuse(*([step.control] if step.control else []))
            case "full":
                self.twin.full(step.lasts or step.seconds)
            case "hand":
                self.twin.hand(step.control, step.value if step.value is not None else "")
            case "reboot":
                await self._reboot(step)
            case _:
                await self._on_the_way(step)

    async def _reboot(self, step: Step) -> None:
        if self.gate:
            await self.gate.unplug()
        self.twin.reboot(step.values)
        await asyncio.sleep(BOOT if step.lasts is None else step.lasts)
        if self.gate:
            await self.gate.plug()

    async def _on_the_way(self, step: Step) -> None:
        gate = self.gate
        if gate is None:
            raise NotSupported(_("There is no way to {name} on which that could happen.").format(name=self.name))
        if step.fault == "unplugged":
            await gate.unplug()
            return
        does: dict[str, Callable[[], None]] = {
            "late": lambda: gate.late(step.seconds, step.jitter),
            "deaf": gate.deaf,
            "half-open": gate.half_open,
            "loss": lambda: gate.lose(step.pattern),
            "duplicate": lambda: gate.duplicate(step.pattern),
            "reorder": lambda: gate.reorder(step.pattern),
            "fragments": gate.fragment,
            "junk": lambda: _junk(gate),
        }
        does[step.fault]()


def _junk(gate: Way) -> None:
    chance = random.Random(JUNK)  # noqa: S311 - the same junk each time
    for _piece in range(JUNK):
        gate.junk(chance.randbytes(chance.randrange(1, 80)))


async def play(faults: tuple[Step, ...], puts: Mapping[str, Put], again: float | None = None) -> None:
    """Let `faults` happen in time; return when the last is over, never where they begin `again` after so many seconds.

    Whatever is still wrong at the end stays so.
    """
    while True:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for step in faults:
                for put in puts.values() if not step.device else [puts[step.device]]:
                    tasks.create_task(_play_one(step, put, began))
        if again is None:
            return
        await asyncio.sleep(max(0.0, began + again - loop.time()))


async def _play_one(step: Step, put: Put, began: float) -> None:
    await asyncio.sleep(max(0.0, began + step.at - asyncio.get_running_loop().time()))
    await put.begin(step)
    if step.lasts is not None and step in put.faults:
        await asyncio.sleep(step.lasts)
        await put.end(step)
