"""The twin of a sound desk: the same table as the driver's, on a real UDP socket, with faults on order."""

from __future__ import annotations

import asyncio
import itertools
import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self

from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from studio.devices import OscControl, OscModel, Value

REMEMBERS = 10.0
"""Seconds that a desk reports changes to someone after his last keep-alive; the X32's."""
CLIENTS = 4
"""Whom it reports to at once: an X32's; a fifth is not heard until one of them falls silent."""
BEAT = 0.05
"""Seconds between two reports of its meters; the X32's."""


class DeskTwin(asyncio.DatagramProtocol):
    """`async with DeskTwin(model) as desk`: a desk on `127.0.0.1`, port `desk.port`.

    It answers questions, takes orders and reports changes to those who keep alive, but (where its model does not echo)
    never to the socket that gave the order. What happens to it is done by calls: a hand on a fader, deafness, a reboot.
    """

    def __init__(self, model: OscModel, calls_itself: str = "") -> None:
        """Power up with every fader shut, nothing muted and all names empty.

        `calls_itself` is the model's name in its answer to a probe; empty: as its file expects.
        """
        self._model = model
        self._calls_itself = calls_itself or next(iter(model.kin), "twin")
        self._controls = model.expanded()
        self._places = {(each.address, each.before): each for each in self._controls.values()}
        self._before = {each.address: len(each.before) for each in self._controls.values()}
        self._actions = {action.address: action for action in model.actions}
        self._raw: dict[str, Any] = {}
        self._listeners: dict[Any, float] = {}
        self._metered: dict[Any, float] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._beating: asyncio.TimerHandle | None = None
        self._loses: Iterator[bool] = itertools.cycle((False,))
        self._full_until = 0.0
        self.port = 0
        self.deaf = False
        """Takes nothing in and says nothing, as with a pulled plug."""
        self.late = 0.0
        """Seconds by which it says everything late."""
        self.slow_orders = 0.0
        """Seconds after which it does what it was ordered."""
        self.busy = 0.0
        """Seconds that it takes over each question, one after the other."""
        self._busy_until = 0.0
        self.stubborn: set[str] = set()
        """Controls whose orders it ignores, as in a mute group."""
        self.mute_questions: set[str] = set()
        """Controls whose questions it does not answer, as an older firmware."""
        self.mute_groups: dict[str, str] = {}
        """Switch → pattern of the switches that follow it without a word: `{"mutegroup1": "ch?.mute"}`."""
        self.scenes: dict[int, Mapping[str, Value]] = {}
        """Number → what its recall changes, without a word but for the number."""
        self.loudness: dict[str, float] = {}
        """Meter → decibels; the others show silence."""
        self.heard: list[wire.Message] = []
        """All that was ever said to it."""
        self.reboot()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _protocol = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        self._beat()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._beating:
            self._beating.cancel()
        if self._transport:
            self._transport.close()

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────────────

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """Power up anew with `values`: whoever listened is forgotten, and nobody is told."""
        self._listeners.clear()
        self._metered.clear()
        for control in self._controls.values():
            self._raw[control.name] = self._empty(control)
        for name, value in (values or {}).items():
            self.quietly(name, value)

    def hand(self, control: str, value: Value) -> None:
        """Somebody at the desk moves `control`; those who listen are told."""
        self.quietly(control, value)
        self._report(self._controls[control], but=None)
        self._follow(control)

    def quietly(self, control: str, value: Value) -> None:
        """A mute group or a scene changes `control`, and the desk tells nobody."""
        self._raw[control] = self._said(self._controls[control], value)

    def lose(self, pattern: Iterable[bool]) -> None:
        """Lose each datagram, coming or going, for which `pattern` says so, over and over."""
        self._loses = itertools.cycle(pattern)

    def value(self, control: str) -> Value:
        """Where `control` stands, in its unit."""
        wanted = self._controls[control]
        raw = self._raw[control]
        if wanted.value == "switch":
            return bool(raw) != wanted.inverted
        if wanted.value == "choice":
            return str(wanted.choices[raw])
        law = self._model.law_of(wanted)
        if wanted.value == "text":
            return str(raw)
        return round(law.value(raw), 3) if law else float(raw)

    def refuse(self, *controls: str) -> None:
        """Do not do orders for these; none: do all again. It has no word for no."""
        self.stubborn = set(controls)

    def slow(self, seconds: float) -> None:
        """Say everything so much later; 0: at once."""
        self.late = seconds

    def full(self, seconds: float) -> None:
        """Take no orders for so long; it has no word for that."""
        self._full_until = asyncio.get_running_loop().time() + seconds

    @property
    def last(self) -> str:
        """What it was told last; empty before that."""
        return f"{self.heard[-1].address} {self.heard[-1].arguments}" if self.heard else ""

    # ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        if self.deaf or next(self._loses):
            return
        if self._model.listens:
            addr = addr[0], self._model.listens
        for message in wire.decode(data):
            self.heard.append(message)
            self._take_in(message, addr)

    def _take_in(self, message: wire.Message, sender: Any) -> None:  # noqa: ANN401 - asyncio's
        address, arguments = message.address, message.arguments
        before = self._before.get(address, 0)
        control = self._places.get((address, arguments[:before]))
        if self._listen_to(address, sender):
            return
        if address == self._model.probe and not control:
            known_as = ("127.0.0.1", "twin", self._calls_itself, "4.06")
            self._say(wire.Message(self._model.answer or address, known_as), sender)
        elif address == "/node" and arguments and isinstance(arguments[0], str):
            self._say(wire.Message("/node", (self._node(arguments[0]),)), sender)
        elif action := self._actions.get(address):
            if asyncio.get_running_loop().time() >= self._full_until and action.name not in self.stubborn:
                self._act(action.confirms, arguments)
        elif control:
            self._asked_or_told(control, arguments[before:], sender)

    def _listen_to(self, address: str, sender: Any) -> bool:  # noqa: ANN401 - asyncio's
        """Whether `sender` wants to hear something from now on."""
        until = asyncio.get_running_loop().time() + REMEMBERS
        if address == self._model.keep_alive:
            self._listeners = {who: end for who, end in self._listeners.items() if end > until - REMEMBERS}
            if sender in self._listeners or len(self._listeners) < CLIENTS:
                self._listeners[sender] = until
        elif any(each.subscription and each.subscription.address == address for each in self._model.meters):
            self._metered[sender] = until
        elif any(each.address == address for each in self._model.subscriptions):
            self._listeners[sender] = math.inf
            for control in self._controls.values() if not self._model.asks else ():
                self._tell(control, sender)
        else:
            return False
        return True

    def _asked_or_told(self, control: OscControl, rest: tuple[Any, ...], sender: Any) -> None:  # noqa: ANN401 - asyncio's
        loop = asyncio.get_running_loop()
        if not rest:
            if control.name not in self.mute_questions:
                self._tell(control, sender)
        elif control.name not in self.stubborn and loop.time() >= self._full_until and self._fits(control, rest[0]):
            if self.slow_orders:
                loop.call_later(self.slow_orders, self._do, control, rest[0], sender)
            else:
                self._do(control, rest[0], sender)

    def _do(self, control: OscControl, argument: Any, sender: Any) -> None:  # noqa: ANN401 - off the wire
        self._raw[control.name] = self._stepped(control, argument)
        self._report(control, but=None if self._model.echoes else sender)
        self._follow(control.name)

    def _act(self, confirms: str, arguments: tuple[Any, ...]) -> None:
        shows = self._controls.get(confirms)
        if shows is None or not arguments:
            return
        for name, value in self.scenes.get(int(arguments[0]), {}).items():
            self.quietly(name, value)
        self._raw[confirms] = self._stepped(shows, arguments[0])
        self._report(shows, but=None)

    def _follow(self, control: str) -> None:
        """A mute group takes its channels with it, and says nothing of them."""
        for name, other in self._controls.items() if control in self.mute_groups else ():
            if other.value == "switch" and name != control and fnmatchcase(name, self.mute_groups[control]):
                self.quietly(name, self.value(control))

    def _node(self, path: str) -> str:
        """As an X32 tells a whole node: its path, and its values as people write them."""
        under = [each for each in self._controls.values() if each.address.startswith(f"/{path}/")]
        return f"/{path} {' '.join(str(self.value(each.name)) for each in under)}\n"

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._beating = loop.call_later(BEAT, self._beat)
        if self._model.probe is None and self._model.answer:
            for listener in self._listeners:
                self._say(wire.Message(self._model.answer, (1.0,)), listener)
        for listener, until in self._metered.items():
            for meters in self._model.meters if until > loop.time() else ():
                shown = [wire.SILENCE] * sum(part.count for part in meters.parts)
                for name, at in meters.places().items():
                    shown[at] = self.loudness.get(name, wire.SILENCE)
                self._say(wire.Message(meters.address, (wire.meter_blob(tuple(shown), meters.form),)), listener)

    def _report(self, control: OscControl, but: Any) -> None:  # noqa: ANN401 - asyncio's
        now = asyncio.get_running_loop().time()
        for listener, until in self._listeners.items():
            if until > now and listener != but:
                self._tell(control, listener)

    def _tell(self, control: OscControl, to: Any) -> None:  # noqa: ANN401 - asyncio's
        self._say(wire.Message(control.address, (*control.before, self._raw[control.name])), to)

    def _say(self, message: wire.Message, to: Any) -> None:  # noqa: ANN401 - asyncio's
        if not self.deaf and not next(self._loses):
            loop = asyncio.get_running_loop()
            self._busy_until = max(self._busy_until, loop.time()) + self.busy
            loop.call_later(self._busy_until - loop.time() + self.late, self._send, wire.encode(message), to)

    def _send(self, data: bytes, to: Any) -> None:  # noqa: ANN401 - asyncio's
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(data, to)

    # ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _empty(self, control: OscControl) -> Any:  # noqa: ANN401 - as it is on the wire
        if control.value == "text":
            return ""
        if control.value in ("switch", "choice"):
            return int(control.inverted)
        law = self._model.law_of(control)
        return law.points[0][0] if law else self._number(control, control.lowest or 0.0)

    def _fits(self, control: OscControl, argument: object) -> bool:
        if control.value == "text":
            return isinstance(argument, str)
        if control.value == "choice":
            return isinstance(argument, int) and 0 <= argument < len(control.choices)
        return isinstance(argument, int | float)

    def _stepped(self, control: OscControl, argument: Any) -> Any:  # noqa: ANN401 - off the wire
        if control.value in ("text", "choice"):
            return argument
        if control.value == "switch":
            return int(argument)
        law = self._model.law_of(control)
        return law.stepped(argument) if law else self._number(control, argument)

    @staticmethod
    def _number(control: OscControl, number: float) -> float:
        return round(number) if control.whole else number

    def _said(self, control: OscControl, value: Value) -> Any:  # noqa: ANN401 - as it is on the wire
        if control.value == "text":
            return value
        if control.value == "switch":
            return int(bool(value) != control.inverted)
        if control.value == "choice":
            return control.choices.index(str(value))
        law = self._model.law_of(control)
        return self._stepped(control, law.position(float(value)) if law else float(value))
