"""Sound desks over OSC: what the desk reports is what is known, and a set is done when the desk says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from studio.bridge import Mailbox
from studio.devices._ground.device import Device, Outcome, Property
from studio.devices._ground.known import PropertyChanged
from studio.devices._ground.values import Control
from studio.errors import DeviceError
from studio.language import _
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studio.bus import Bus
    from studio.devices._ground.values import Value
    from studio.devices._osc.model import OscControl, OscModel

logger = logging.getLogger(__name__)

PROBE = 1.0
"""Seconds between two probes."""
PATIENCE = 0.8
"""Seconds for an answer; desks on a hall's own network answer within 20 ms."""
MISSES = 2
"""Probes unanswered in a row until the desk counts as lost: one alone may be a lost packet."""
RETRY = 1.0
"""Seconds between two calls at a desk that is not there."""
ROUNDS = 3
"""How often what was not answered is asked again before the desk counts as half known."""
REFRESH = 0.1
"""Seconds between two questions on the side, one control after the other: mute groups and scenes of a desk change
channels without saying so, and a packet that was lost is not sent again."""
SET_DEADLINE = 1.0
"""Seconds in which the desk has to report what was set."""
ASK_AGAIN = 0.15
"""Seconds after which a set is looked up; some firmware needs 100 ms between two commands."""
REMEMBERED_SETS = 64
"""Of one control, within the deadline: a fader drawn on a page sends 25 a second."""
WAITING = 4096
"""Datagrams that may wait: a desk that loads a scene sends a thousand at once."""


class _GoneError(DeviceError):
    """The desk does not answer."""


class _Socket(asyncio.DatagramProtocol):
    """One UDP socket of ours; datagrams come out of `arrived`, `None` when the other end refused one."""

    def __init__(self, arrived: Mailbox[bytes | None]) -> None:
        self.arrived = arrived

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the socket is connected
        self.arrived.put(data)

    def error_received(self, exc: Exception) -> None:
        logger.debug("a datagram was refused: %r", exc)
        self.arrived.put(None)


class OscDesk(Device):
    """A desk. All its controls are asked for at each connection, and `get` says how far a value may be believed.

    Two sockets: the desk does not report a change to the socket that asked for it, so one listens and the other sets.
    """

    def __init__(self, name: str, model: OscModel, bus: Bus, host: str, port: int | None = None) -> None:
        """Connect to nobody yet. `port` `None` is the model's."""
        super().__init__(name, bus)
        self._model = model
        self._host = host
        self._port = port or model.port
        self._controls = model.expanded()
        self._by_address = {control.address: control for control in self._controls.values()}
        self._known: dict[str, Property] = {}
        self._set_last: dict[str, int] = {}
        self._asked: dict[str, deque[tuple[float, Value]]] = {}
        self._sets = 0
        self._news = asyncio.Condition()
        self._answered = 0
        self._listening: asyncio.DatagramTransport | None = None
        self._setting: asyncio.DatagramTransport | None = None

    def controls(self) -> Mapping[str, Control]:
        """Every control that `get` and `set` know."""
        law, step = self._model.law, 1 / self._model.steps
        return {
            name: Control(name, "level", "dB", law.lowest, law.highest, step=step)
            if control.value == "level"
            else Control(name, control.value)
            for name, control in self._controls.items()
        }

    def get(self, control: str) -> Property:
        """What is known of `control`: *reported* only in this epoch. ValueError for no such control."""
        self._control(control)
        known = self._known.get(control)
        if known is None:
            return Property(None, "unknown", 0.0, 0)
        if known.epoch != self.link.epoch or not (self.link.up or self.link.state == "syncing"):
            return replace(known, source="assumed")
        return known

    async def set(self, control: str, value: Value) -> Outcome:
        """Set `control`, in decibels, true or false, or text by its kind; confirmed by the desk's report.

        ValueError for no such control, and for a value that it cannot take.
        """
        wanted = self._control(control)
        self._argument(wanted, value)  # ValueError for what it cannot take, before anything is asked
        if not self.link.up or self._setting is None:
            return Outcome("refused", self.link.detail or _("{name} is not connected yet.").format(name=self.name))
        self._sets += 1
        mine = self._set_last[control] = self._sets
        now = asyncio.get_running_loop().time()
        asked = self._asked.setdefault(control, deque(maxlen=REMEMBERED_SETS))
        asked.append((now, value))
        # These may be reported without anybody's hand on the desk: how it stood, and what we asked for.
        ours = [self.get(control).value, *(each for when, each in asked if when > now - SET_DEADLINE)]
        try:
            async with asyncio.timeout(SET_DEADLINE):
                return await self._set_until_told(wanted, value, ours, mine)
        except TimeoutError:
            return Outcome(
                "unconfirmed",
                _("{name} was asked for {control} and did not report it.").format(name=self.name, control=control),
            )

    async def _set_until_told(
        self, control: OscControl, value: Value, ours: Sequence[Value | None], mine: int
    ) -> Outcome:
        """Order, ask, and order again only while the desk reports one of `ours`: any other value is somebody's hand."""
        epoch = self.link.epoch
        order = wire.encode(wire.Message(control.address, (self._argument(control, value),)))
        question = wire.encode(wire.Message(control.address))
        while True:
            self._send(self._setting, order)
            asked = asyncio.get_running_loop().time()
            self._send(self._listening, question)
            while (now := self.get(control.name)).time < asked or now.epoch != epoch:
                await self._news_within(ASK_AGAIN)
                self._send(self._listening, question)
            if self._set_last[control.name] != mine:
                return Outcome("superseded", _("{control} was set again meanwhile.").format(control=control.name))
            if self._same(control, now.value, value):
                self._known[control.name] = replace(now, origin="us")
                return Outcome("confirmed")
            if now.value is not None and not any(self._same(control, now.value, each) for each in ours):
                return Outcome("superseded", _("{control} was moved on the desk.").format(control=control.name))
            await asyncio.sleep(ASK_AGAIN)

    # ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _control(self, name: str) -> OscControl:
        try:
            return self._controls[name]
        except KeyError:
            raise ValueError(name) from None

    def _argument(self, control: OscControl, value: Value) -> float | int | str:
        if control.value == "text" and isinstance(value, str):
            return value
        if control.value == "switch" and isinstance(value, bool):
            return int(value != control.inverted)
        if control.value == "level" and isinstance(value, int | float) and not isinstance(value, bool):
            law = self._model.law
            if not law.lowest <= value <= law.highest:
                raise ValueError(
                    _("{control} goes from {lowest} to {highest} dB.").format(
                        control=control.name, lowest=law.lowest, highest=law.highest
                    )
                )
            return float(law.position(value))
        raise ValueError(
            _("{control} is a {kind}, which {value} is not.").format(
                control=control.name, kind=control.value, value=repr(value)
            )
        )

    def _value(self, control: OscControl, argument: Any) -> Value | None:  # noqa: ANN401 - off the wire
        """What a desk's argument means, or `None` for one that means nothing."""
        if control.value == "text":
            return argument if isinstance(argument, str) else None
        if not isinstance(argument, int | float) or not math.isfinite(argument):
            return None
        if control.value == "switch":
            return bool(argument) != control.inverted
        return round(self._model.law.decibels(float(argument)), 2)

    def _same(self, control: OscControl, one: Value | None, other: Value | None) -> bool:
        if control.value != "level" or one is None or other is None:
            return one == other
        law = self._model.law
        return abs(law.position(float(one)) - law.position(float(other))) <= 1 / (self._model.steps - 1)

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self) -> None:
        self.link.to("connecting")
        while True:
            try:
                await self._live()
            except (_GoneError, OSError) as problem:
                logger.debug("%s: %r", self.name, problem)
                self.link.to(
                    "connecting",
                    _('"{name}" ({host}:{port}) does not answer. Is it switched on and on this network?').format(
                        name=self.name, host=self._host, port=self._port
                    ),
                )
            await asyncio.sleep(RETRY)

    async def _live(self) -> None:
        """One epoch, until the desk answers no more: OSError or _GoneError."""
        loop = asyncio.get_running_loop()
        arrived: Mailbox[bytes | None] = Mailbox(WAITING)
        there = (self._host, self._port)
        self._answered = 0
        gone: BaseException | None = None
        try:
            self._listening, _protocol = await loop.create_datagram_endpoint(
                lambda: _Socket(arrived), remote_addr=there
            )
            self._setting, _protocol = await loop.create_datagram_endpoint(lambda: _Socket(arrived), remote_addr=there)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(arrived))
                await self._first_answer()
                self.link.new_epoch()
                await self._learn()
                tasks.create_task(self._keep_alive())
                tasks.create_task(self._refresh())
                await self._watch()
        except* (_GoneError, OSError) as several:
            gone = several.exceptions[0]
        finally:
            for transport in (self._listening, self._setting):
                if transport:
                    transport.close()
            self._listening = self._setting = None
        if gone:
            raise gone

    async def _first_answer(self) -> None:
        if not await self._probe():
            raise _GoneError("probe")

    async def _learn(self) -> None:
        """Ask everything, and what was not answered again; *online* only with all answers."""
        self._say_alive()
        epoch = self.link.epoch
        missing = list(self._controls)
        for _round in range(ROUNDS):
            for name in missing:
                self._send(self._listening, wire.encode(wire.Message(self._controls[name].address)))
                await asyncio.sleep(self._model.pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE), self._news:
                    while self._unanswered(missing, epoch):
                        await self._news.wait()
            missing = self._unanswered(missing, epoch)
            if not missing:
                self.link.to("online")
                return
        self.link.to(
            "degraded",
            _("{name} does not tell {count} of its {all} controls, such as {control}.").format(
                name=self.name, count=len(missing), all=len(self._controls), control=missing[0]
            ),
        )

    def _unanswered(self, names: list[str], epoch: int) -> list[str]:
        return [name for name in names if name not in self._known or self._known[name].epoch != epoch]

    async def _watch(self) -> None:
        missed = 0
        while True:
            await asyncio.sleep(PROBE)
            if await self._probe():
                if missed:  # it may have been switched off and on: what it knew, and that we listen, may be gone
                    self.link.new_epoch()
                    await self._learn()
                missed = 0
            else:
                missed += 1
                if missed >= MISSES:
                    raise _GoneError("probe")

    async def _probe(self) -> bool:
        before = self._answered
        self._send(self._listening, wire.encode(wire.Message(self._model.probe)))
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(lambda: self._answered > before)
        except TimeoutError:
            return False
        return True

    async def _keep_alive(self) -> None:
        while self._model.keep_alive:
            await asyncio.sleep(self._model.keep_alive_seconds)
            self._say_alive()

    def _say_alive(self) -> None:
        if self._model.keep_alive:
            self._send(self._listening, wire.encode(wire.Message(self._model.keep_alive)))

    async def _refresh(self) -> None:
        while True:
            for control in self._controls.values():
                await asyncio.sleep(REFRESH)
                self._send(self._listening, wire.encode(wire.Message(control.address)))

    async def _hear(self, arrived: Mailbox[bytes | None]) -> None:
        while True:
            data = await arrived.get()
            if data is None:
                raise _GoneError("refused")
            for message in wire.decode(data):
                self._take_in(message)
            async with self._news:
                self._news.notify_all()

    def _take_in(self, message: wire.Message) -> None:
        if message.address == self._model.probe:
            self._answered += 1
            return
        control = self._by_address.get(message.address)
        if control is None or not message.arguments:
            return
        value = self._value(control, message.arguments[0])
        if value is None:
            return
        before = self.get(control.name)
        told = before.source == "reported" and self._same(control, before.value, value)
        origin = before.origin if told else "device"
        now = Property(value, "reported", asyncio.get_running_loop().time(), self.link.epoch, origin or "device")
        self._known[control.name] = now
        if not told:
            self.bus.publish(PropertyChanged(self.name, control.name, now))

    async def _news_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait()

    def _send(self, transport: asyncio.DatagramTransport | None, data: bytes) -> None:
        if transport is not None and not transport.is_closing():
            transport.sendto(data)
