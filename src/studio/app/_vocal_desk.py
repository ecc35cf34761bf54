"""The sound desk as the vocal studio sees it: head amplifiers by what a channel hears, and the mixes of singers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from studio import devices, vocal
from studio.app._devices import HouseDevices
from studio.errors import DeviceError
from studio.language import _
from studio.units import Decibels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from studio.catalogue import Catalogue
    from studio.devices import Value
    from studio.venue import Venue

THERE = 5.0
"""Seconds in which a desk has to answer."""
ROUTINGS = (("headamp", 1), ("source", 0))
"""Control of a channel that says which head amplifier it hears, and what is added to that for its number: the X32
counts them from 0, and -1 is none; the X AIR counts from 1, and 0 is none."""


class VocalDesk:
    """A `vocal.Desk` over a desk that runs. What it did not report it does not answer, and 48 V it never touches."""

    def __init__(self, desk: devices.OscDesk, channels: Mapping[int, int] | None = None) -> None:
        """`channels`: which channel of the desk is recorded on which of the input; `None`: those of the same number."""
        self._desk = desk
        self._channels = channels

    async def preamp(self, channel: int) -> vocal.Preamp:
        """As `vocal.Desk` says: by the desk's own routing, never by the channel's number."""
        strip = self._strip(channel)
        routing = next(((f"{strip}.{what}", add) for what, add in ROUTINGS if self._has(f"{strip}.{what}")), None)
        if routing is None:
            return self._unknown(
                _("{desk} does not say which head amplifier {channel} hears; set its gain by hand."), strip
            )
        heard = await self._reported(routing[0])
        if heard is None:
            return self._unknown(_("{desk} did not say which head amplifier {channel} hears; nothing is set."), strip)
        number = int(float(heard)) + routing[1]
        control = self._desk.controls().get(f"headamp{number}.gain")
        if control is None:
            return self._unknown(
                _("{channel} hears no head amplifier of {desk}; set its gain where it comes from."), strip
            )
        gain = await self._reported(control.name)
        if gain is None:
            return self._unknown(_("{desk} did not report the gain of {channel}; nothing is set."), strip)
        lowest, highest = control.lowest or 0.0, control.highest or 0.0
        return vocal.Preamp(f"headamp{number}", Decibels(float(gain)), Decibels(lowest), Decibels(highest))

    async def set_gain(self, socket: str, gain: Decibels) -> vocal.Answer:
        """As `vocal.Desk` says."""
        return await self._set(f"{socket}.gain", float(gain))

    async def set_send(self, source: int | str, bus: int, level: Decibels | None) -> vocal.Answer:
        """As `vocal.Desk` says; a source that was off is let in after its level is right."""
        strip = source if isinstance(source, str) else self._strip(source)
        fader, mute = f"{strip}.send{bus}.level", f"{strip}.send{bus}.mute"
        if not self._has(fader):
            words = _("{desk} has no send from {channel} to bus {bus}.")
            return vocal.Answer(done=False, reason=words.format(desk=self._desk.name, channel=strip, bus=bus))
        if level is None:
            lowest = self._desk.controls()[fader].lowest or 0.0
            return await (self._set(mute, value=True) if self._has(mute) else self._set(fader, lowest))
        answer = await self._set(fader, float(level))
        return await self._set(mute, value=False) if answer.done and self._has(mute) else answer

    async def sends(self, bus: int) -> dict[str, Decibels | None]:
        """What the desk reports of a singer's mix: source → level, `None` where it is off.

        What it did not report is left out.
        """
        faders = [name for name in self._desk.controls() if name.endswith(f".send{bus}.level")]
        mutes = [name for name in self._desk.controls() if name.endswith(f".send{bus}.mute")]
        await self._desk.ask([*faders, *mutes])
        told = {name: self._desk.get(name) for name in (*faders, *mutes)}
        mix: dict[str, Decibels | None] = {}
        for name in faders:
            strip, muted = name.split(".")[0], told.get(name.replace(".level", ".mute"))
            if told[name].source == "reported" and (muted is None or muted.source == "reported"):
                off = muted is not None and muted.value is True
                mix[strip] = None if off else Decibels(float(told[name].value or 0.0))
        return mix

    async def buses(self) -> dict[int, str]:
        """The desk's mix buses and their names, as far as it reported them."""
        names = [name for name in self._desk.controls() if name.startswith("bus") and name.endswith(".name")]
        return {int(name[3:-5]): str(value) for name in names if (value := await self._reported(name)) is not None}

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _strip(self, channel: int) -> str:
        return f"ch{channel if self._channels is None else self._channels.get(channel, 0)}"  # there is no ch0

    def _has(self, control: str) -> bool:
        return control in self._desk.controls()

    def _unknown(self, words: str, strip: str) -> vocal.Preamp:
        return vocal.Preamp("", None, reason=words.format(desk=self._desk.name, channel=strip))

    async def _reported(self, control: str) -> Value | None:
        await self._desk.ask([control])
        known = self._desk.get(control)
        return known.value if known.source == "reported" else None

    async def _set(self, control: str, value: Value) -> vocal.Answer:
        try:
            outcome = await self._desk.set(control, value)
        except ValueError as problem:
            return vocal.Answer(done=False, reason=str(problem))
        return vocal.Answer(outcome.kind == "confirmed", outcome.reason)


@asynccontextmanager
async def vocal_desk(
    venue: Venue, name: str, channels: Mapping[int, int] | None = None, catalogue: Catalogue | None = None
) -> AsyncIterator[VocalDesk]:
    """Run the desk `name` of studio.toml until the block ends.

    DeviceError where there is none of that name, where it is no sound desk, or where it does not answer.
    """
    async with HouseDevices(venue, catalogue).open([name]) as opened:
        desk = opened.devices[name]
        if not isinstance(desk, devices.OscDesk) or not any(each.endswith(".fader") for each in desk.controls()):
            raise DeviceError(_('"{name}" is no sound desk; choose one that is.').format(name=name))
        for why in (await opened.there(THERE)).values():
            raise DeviceError(why)
        yield VocalDesk(desk, channels)
