"""What a driver knows of its device: every value with how far it may be believed, told once when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from studio.devices._ground.device import Property

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studio.bus import Bus
    from studio.devices._ground.device import Link
    from studio.devices._ground.values import Control, Value

ATTENDED = 10.0
"""Seconds for which who read a meter is taken to read it again."""
METER_AGE = 2.0
"""Seconds after which a meter that is not told any more is no news: nobody asked for it meanwhile."""
ATTEND = 0.25
"""Seconds between two looks of a driver whether anybody wants its meters."""

UNKNOWN = Property(None, "unknown", 0.0, 0)


@dataclass(frozen=True, slots=True)
class PropertyChanged:
    """A device reported another value of a control."""

    name: str
    """The device's, in `studio.toml`."""
    control: str
    property: Property


@dataclass(frozen=True, slots=True)
class Metered:
    """A device reported its meters; all that came together. They are no `PropertyChanged`: that would be thousands."""

    name: str
    values: Mapping[str, float]
    """Control → value in its unit."""


class _Gauges(NamedTuple):
    """Meters that came together."""

    values: Mapping[str, float]
    time: float
    epoch: int


class Known:
    """The values of one device. All methods belong to the loop's thread."""

    def __init__(self, link: Link, bus: Bus) -> None:
        self._link = link
        self._bus = bus
        self._controls: dict[str, Control] = {}
        self._values: dict[str, Property] = {}
        self._gauges: dict[str, _Gauges] = {}
        self._read_at = -ATTENDED
        self._news = asyncio.Condition()

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────────

    def describe(self, controls: Iterable[Control]) -> None:
        """These are all the controls of the device now; values of others are forgotten."""
        self._controls = {control.name: control for control in controls}
        for gone in self._values.keys() - self._controls.keys():
            del self._values[gone]
        for gone in self._gauges.keys() - self._controls.keys():
            del self._gauges[gone]

    @property
    def controls(self) -> Mapping[str, Control]:
        return self._controls

    def control(self, name: str) -> Control:
        """ValueError for no such control."""
        try:
            return self._controls[name]
        except KeyError:
            raise ValueError(name) from None

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, name: str) -> Property:
        """*Reported* only in this epoch of a link that stands. ValueError for no such control."""
        self.control(name)
        known = self._values.get(name, UNKNOWN)
        if gauges := self._gauges.get(name):
            old = self._now() - gauges.time > METER_AGE
            known = Property(gauges.values[name], "assumed" if old else "reported", gauges.time, gauges.epoch, "device")
        if known.source == "reported" and not self._fresh(known):
            return replace(known, source="assumed")
        return known

    def __iter__(self) -> Iterator[tuple[str, Property]]:
        return ((name, self.get(name)) for name in self._controls)

    def missing(self) -> list[str]:
        """The controls of which nothing was reported in this epoch."""
        return [name for name in self._controls if self.get(name).source != "reported"]

    def learn(self, name: str, value: Value, origin: Literal["device", "us", ""] = "device") -> bool:
        """The device reported `value`; whether that is news. Whoever waits is woken by `told`."""
        control = self.control(name)
        before = self.get(name)
        old = before.source == "reported" and control.same(before.value, value)
        now = Property(
            value, "reported", self._now(), self._link.epoch, (before.origin if old else origin) or origin or "device"
        )
        self._values[name] = now
        if not old and control.kind != "meter":
            self._bus.publish(PropertyChanged(self._link.name, name, now))
        return not old

    def measured(self, values: Mapping[str, float]) -> None:
        """The device reported these meters, all that came together; `Metered` is told of them.

        Ten thousand values a second are usual, of which hardly any is ever read: each becomes a property when it is.
        """
        gauges = _Gauges(values, self._now(), self._link.epoch)
        self._gauges.update(dict.fromkeys(values.keys() & self._controls.keys(), gauges))
        self._bus.publish(Metered(self._link.name, values))

    def attend(self) -> None:
        """Somebody read a meter, and may do so again."""
        self._read_at = self._now()

    @property
    def attended(self) -> bool:
        """Whether anybody wants meters now: a listener for `Metered`, or who read one lately."""
        return self._bus.heard(Metered) or self._now() - self._read_at < ATTENDED

    def ours(self, name: str) -> None:
        """It was we who caused the value that is known."""
        self._values[name] = replace(self._values[name], origin="us")

    def assume(self, name: str, value: Value) -> None:
        """We asked for `value`, and the device is one that does not say what it did."""
        before = self.get(name)
        self._values[name] = Property(value, "assumed", self._now(), self._link.epoch, "us")
        if not self.control(name).same(before.value, value):
            self._bus.publish(PropertyChanged(self._link.name, name, self._values[name]))

    def forget(self, name: str) -> None:
        """Nothing is known of it any more: something happened that may have changed it."""
        if name in self._values:
            self._values[name] = replace(self._values[name], epoch=-1)

    # ── waiting for it ────────────────────────────────────────────────────────────────────────────────────────────────

    async def told(self) -> None:
        """Wake all who wait in `news`: call it after a packet was taken in."""
        async with self._news:
            self._news.notify_all()

    async def news(self, seconds: float) -> bool:
        """Wait until the device told anything; False after `seconds` without."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _fresh(self, known: Property) -> bool:
        return known.epoch == self._link.epoch and (self._link.up or self._link.state == "syncing")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
