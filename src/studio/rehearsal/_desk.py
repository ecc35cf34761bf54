"""The twin of a sound desk: the same table as the driver's, on a real UDP socket, with faults on order."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Self

from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from studio.devices import OscControl, OscModel

REMEMBERS = 10.0
"""Seconds that a desk reports changes to someone after his last keep-alive; the X32's."""


class DeskTwin(asyncio.DatagramProtocol):
    """`async with DeskTwin(model) as desk`: a desk on `127.0.0.1`, port `desk.port`.

    It answers questions, takes orders and reports changes to those who keep alive, but never to the socket that gave
    the order. What happens to it is done by calls: a hand on a fader, deafness, a reboot.
    """

    def __init__(self, model: OscModel) -> None:
        """Power up with every fader shut, nothing muted and all names empty."""
        self._model = model
        self._controls = model.expanded()
        self._by_address = {control.address: control for control in self._controls.values()}
        self._raw: dict[str, Any] = {}
        self._listeners: dict[Any, float] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._loses: Iterator[bool] = itertools.cycle((False,))
        self.port = 0
        self.deaf = False
        """Takes nothing in and says nothing, as with a pulled plug."""
        self.late = 0.0
        """Seconds by which it says everything late."""
        self.stubborn: set[str] = set()
        """Controls whose orders it ignores, as in a mute group."""
        self.mute_questions: set[str] = set()
        """Controls whose questions it does not answer, as an older firmware."""
        self.heard: list[wire.Message] = []
        """All that was ever said to it."""
        self.reboot()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _protocol = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._transport:
            self._transport.close()

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────────────

    def reboot(self, values: Mapping[str, float | str | bool] | None = None) -> None:
        """Power up anew with `values`: whoever listened is forgotten, and nobody is told."""
        self._listeners.clear()
        empty: dict[str, Any] = {"level": 0.0, "text": ""}
        for control in self._controls.values():
            self._raw[control.address] = empty.get(control.value, int(control.inverted))
        for name, value in (values or {}).items():
            control = self._controls[name]
            self._raw[control.address] = self._said(control, value)

    def hand(self, control: str, value: float | str | bool) -> None:  # noqa: FBT001 - a mute is a bool
        """Somebody at the desk moves `control`; those who listen are told."""
        wanted = self._controls[control]
        self._raw[wanted.address] = self._said(wanted, value)
        self._report(wanted.address, but=None)

    def quietly(self, control: str, value: float | str | bool) -> None:  # noqa: FBT001 - a mute is a bool
        """A mute group or a scene changes `control`, and the desk tells nobody."""
        wanted = self._controls[control]
        self._raw[wanted.address] = self._said(wanted, value)

    def lose(self, pattern: Iterable[bool]) -> None:
        """Lose each datagram, coming or going, for which `pattern` says so, over and over."""
        self._loses = itertools.cycle(pattern)

    def value(self, control: str) -> float | str | bool:
        """Where `control` stands, in decibels, true or false, or text."""
        wanted = self._controls[control]
        raw = self._raw[wanted.address]
        if wanted.value == "level":
            return round(self._model.law.decibels(raw), 2)
        if wanted.value == "switch":
            return bool(raw) != wanted.inverted
        return str(raw)

    # ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        if self.deaf or next(self._loses):
            return
        for message in wire.decode(data):
            self.heard.append(message)
            self._take_in(message, addr)

    def _take_in(self, message: wire.Message, sender: Any) -> None:  # noqa: ANN401 - asyncio's
        if message.address == self._model.probe:
            self._say(wire.Message(message.address, ("127.0.0.1", "twin", "X32", "4.06")), sender)
        elif message.address == self._model.keep_alive:
            self._listeners[sender] = asyncio.get_running_loop().time() + REMEMBERS
        elif control := self._by_address.get(message.address):
            if not message.arguments:
                if control.name not in self.mute_questions:
                    self._say(wire.Message(control.address, (self._raw[control.address],)), sender)
            elif control.name not in self.stubborn and self._fits(control, message.arguments[0]):
                self._raw[control.address] = self._stepped(control, message.arguments[0])
                self._report(control.address, but=sender)

    def _report(self, address: str, but: Any) -> None:  # noqa: ANN401 - asyncio's
        now = asyncio.get_running_loop().time()
        for listener, until in self._listeners.items():
            if until > now and listener != but:
                self._say(wire.Message(address, (self._raw[address],)), listener)

    def _say(self, message: wire.Message, to: Any) -> None:  # noqa: ANN401 - asyncio's
        if not self.deaf and not next(self._loses):
            asyncio.get_running_loop().call_later(self.late, self._send, wire.encode(message), to)

    def _send(self, data: bytes, to: Any) -> None:  # noqa: ANN401 - asyncio's
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(data, to)

    def _fits(self, control: OscControl, argument: object) -> bool:
        return isinstance(argument, str) if control.value == "text" else isinstance(argument, int | float)

    def _stepped(self, control: OscControl, argument: Any) -> Any:  # noqa: ANN401 - off the wire
        if control.value == "level":
            last = self._model.steps - 1
            return round(min(max(argument, 0.0), 1.0) * last) / last
        return int(argument) if control.value == "switch" else argument

    def _said(self, control: OscControl, value: float | str | bool) -> Any:  # noqa: ANN401, FBT001 - as in `hand`
        if control.value == "level":
            return self._stepped(control, self._model.law.position(float(value)))
        return int(value != control.inverted) if control.value == "switch" else value
