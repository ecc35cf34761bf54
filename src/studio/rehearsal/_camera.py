"""The twin of a remote camera: VISCA on a real UDP or TCP socket, turning in time, with faults on order."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from studio.wire import visca as wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from studio.devices import Value, ViscaModel

CROSSING = 1.0
"""Seconds from one end to the other at full speed; far quicker than any camera, so that tests are."""
AXES = ("pan", "tilt", "zoom", "focus")
_STOP = bytes.fromhex("03 03 FF")
"""How a stop of pan and tilt ends."""
_SWITCH = {True: wire.ON, False: wire.OFF}


@dataclass(slots=True)
class _Axis:
    """Something that turns: where it is on the wire, how fast it goes, and where it was sent."""

    low: int
    high: int
    position: float = 0.0
    speed: float = 0.0
    target: float | None = None
    since: float = 0.0

    def at(self, now: float) -> int:
        """Where it is; the ends stop it."""
        moved, self.since = self.speed * (now - self.since), now
        if self.target is not None and abs(self.target - self.position) <= abs(moved):
            self.position, self.speed, self.target = self.target, 0.0, None
        else:
            self.position = min(max(self.position + moved, self.low), self.high)
        return round(self.position)

    def drive(self, share: float, now: float) -> None:
        """Go on at a share of full speed, in [-1..1], until told otherwise."""
        self.at(now)
        self.target, self.speed = None, share * (self.high - self.low) / CROSSING

    def send(self, target: int, share: float, now: float) -> float:
        """Go to `target`; returns the seconds that it takes."""
        self.at(now)
        way = min(max(target, self.low), self.high) - self.position
        full = max(share, 0.05) * (self.high - self.low) / CROSSING
        self.target, self.speed = self.position + way, full if way > 0 else -full
        return abs(way) / full


class CameraTwin(asyncio.DatagramProtocol):
    """`async with CameraTwin(model) as camera`: a camera on `camera.host`, port `camera.port`.

    It does two commands at once and no more, turns while it is told to, and answers where it is on the way.
    """

    def __init__(self, model: ViscaModel, host: str = "127.0.0.1", port: int = 0) -> None:
        """Power up in the middle of all ranges. Several of one house need different hosts: 127.0.0.2, 127.0.0.3."""
        self.model = model
        self.host = host
        self.port = port
        self.deaf = False
        """Takes nothing in and says nothing, as with a pulled plug."""
        self.late = 0.0
        """Seconds by which it says everything late."""
        self.strict = False
        """Sony framing: takes only the very next sequence number, where others take any greater one."""
        self.lost_stops = 0
        """So many more stops of a drive never reach it."""
        self.unknown: set[str] = set()
        """Questions of which it says that they are none, as another model would."""
        self.heard: list[wire.Order] = []
        """All that reached it."""
        self._scales, self._modes = model.scales(), model.modes()
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._loses: Iterator[bool] = itertools.cycle((False,))
        self._refused: set[str] = set()
        self._slow = 0.0
        self._full_until = 0.0
        self._held: dict[str, float] = {}
        self._start({})

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        if self.model.transport == "tcp":
            self._server = await asyncio.start_server(self._connected, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        else:
            self._transport, _protocol = await loop.create_datagram_endpoint(lambda: self, (self.host, self.port))
            self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._transport:
            self._transport.close()
        if self._server:
            self._server.close()
            self._hang_up()
            await asyncio.sleep(0)
        self._forget_commands()

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────────────

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """Off and on again at once, with `values`: what it did is forgotten, its numbers begin anew, presets stay."""
        self._forget_commands()
        self._start(values or {})
        self._hang_up()

    def hand(self, control: str, value: Value) -> None:
        """Somebody with its own remote puts `control` there at once; it tells nobody unasked."""
        if control in self._axes:
            axis = self._axes[control]
            axis.drive(0.0, self._now())
            axis.position = self._scales[control].say(float(value))
        else:
            self._picture[control] = self._wire(control, value)

    def hold(self, control: str, share: float) -> None:
        """Somebody holds its remote's stick: an axis goes on at a share of full speed, told what it may; 0: let go."""
        self._held[control] = share
        self._axes[control].drive(share, self._now())

    def standby(self) -> None:
        """Somebody switches it off by its remote."""
        self._picture["power"] = wire.OFF

    def refuse(self, *controls: str) -> None:
        """Answer "not executable" to orders for these from now on, and for `preset`. None: do all."""
        self._refused = set(controls)

    def slow(self, seconds: float) -> None:
        """Say of every order only so much later that it is done, and keep its place until then; 0: at once."""
        self._slow = seconds

    def full(self, seconds: float) -> None:
        """Answer "buffer full" to every order for so long."""
        self._full_until = self._now() + seconds

    def lose(self, pattern: Iterable[bool]) -> None:
        """Lose each datagram, coming or going, for which `pattern` says so, over and over."""
        self._loses = itertools.cycle(pattern)

    def junk(self, data: bytes) -> None:
        """Say `data` to whoever spoke last."""
        if self._answer:
            self._answer(data)

    def value(self, control: str) -> Value:
        """Where `control` really stands, in the units of its profile."""
        if control in self._axes:
            return self._scales[control].show(self._axes[control].at(self._now()))
        number = self._picture[control]
        if control in self._scales:
            return self._scales[control].show(number)
        if control in self._modes:
            return next(name for name, each in self._modes[control].items() if each == number)
        return number == wire.ON

    @property
    def moves(self) -> bool:
        """Whether any axis turns."""
        now = self._now()
        for axis in self._axes.values():
            axis.at(now)
        return any(axis.speed for axis in self._axes.values())

    @property
    def last(self) -> str:
        """What it was told last, readable; empty before that."""
        return f"{self.heard[-1].name} {dict(self.heard[-1].values)}" if self.heard else ""

    # ── what it is ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, values: Mapping[str, Value]) -> None:
        self._axes = {
            name: _Axis(*self._scales[name].wire, position=sum(self._scales[name].wire) / 2)
            for name in AXES
            if name in self._scales
        }
        self._picture = {name: sum(scale.wire) // 2 for name, scale in self._scales.items() if name not in AXES}
        self._picture |= {name: next(iter(modes.values())) for name, modes in self._modes.items()}
        self._picture |= {"power": wire.ON, "focus.auto": wire.ON, "exposure.compensate": wire.OFF, "tally": wire.OFF}
        if not hasattr(self, "_presets"):
            self._presets: dict[int, dict[str, int]] = {}
        self._sequence = 0
        self._sockets: dict[int, tuple[asyncio.TimerHandle | None, Callable[[wire.Reply], None], bool]] = {}
        self._answer: Callable[[bytes], None] | None = None
        for name, value in values.items():
            self.hand(name, value)

    def _now(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:  # before it is switched on
            return 0.0

    def _wire(self, control: str, value: Value) -> int:
        if control in self._scales:
            return self._scales[control].say(float(value))
        return self._modes[control][str(value)] if control in self._modes else _SWITCH[value is True]

    # ── the socket ────────────────────────────────────────────────────────────────────────────────────────────────────

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        if self.model.reply_port:
            addr = (addr[0], self.model.reply_port)

        def answer(packet: bytes) -> None:
            if self._transport and not self._transport.is_closing():
                self._transport.sendto(packet, addr)

        self._take_in(data, answer)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        rest = b""
        try:
            while data := await reader.read(4096):
                packets, rest = wire.split(rest + data)
                for packet in packets:
                    self._take_in(packet, lambda packet: None if writer.is_closing() else writer.write(packet))
        except (OSError, asyncio.CancelledError):
            pass  # whoever called has hung up, or the twin is switched off: both end it
        finally:
            self._streams.discard(writer)
            writer.transport.abort()

    def _hang_up(self) -> None:
        for writer in self._streams:
            writer.transport.abort()

    def _take_in(self, data: bytes, answer: Callable[[bytes], None]) -> None:
        if self.deaf or next(self._loses):
            return
        if self.lost_stops > 0 and _STOP in data:
            self.lost_stops -= 1
            return
        self._answer = answer
        if self.model.framing == "raw":
            for packet in wire.split(data)[0]:
                self._order(packet, lambda reply: self._say(wire.write_reply(reply), answer))
        elif frame := wire.read_frame(data):
            self._on_frame(frame, answer)

    def _on_frame(self, frame: wire.Frame, answer: Callable[[bytes], None]) -> None:
        def say(kind: wire.Kind, payload: bytes) -> None:
            self._say(wire.write_frame(wire.Frame(kind, frame.sequence, payload)), answer)

        if frame.kind == "control":
            if frame.payload == wire.RESET:
                self._sequence = 0
                say("control reply", wire.RESET)
            return
        if frame.sequence != self._sequence + 1 if self.strict else frame.sequence <= self._sequence:
            say("control reply", wire.OUT_OF_STEP)
            return
        self._sequence = frame.sequence
        self._order(frame.payload, lambda reply: say("reply", wire.write_reply(reply)))

    def _say(self, packet: bytes, answer: Callable[[bytes], None]) -> None:
        if not self.deaf and not next(self._loses):
            asyncio.get_running_loop().call_later(self.late, answer, packet)

    # ── orders and questions ──────────────────────────────────────────────────────────────────────────────────────────

    def _order(self, packet: bytes, reply: Callable[[wire.Reply], None]) -> None:
        order = wire.order(packet)
        if order is None:
            reply(wire.Reply("error", problem="syntax"))
            return
        self.heard.append(order)
        del self.heard[:-1000]
        if order.kind == "question":
            self._question(order.name, reply)
        elif order.name == "cancel":
            self._cancel(order.values["socket"], reply)
        else:
            self._command(order, reply)

    def _question(self, name: str, reply: Callable[[wire.Reply], None]) -> None:
        if name in self.unknown or (values := self._answers(name)) is None:
            reply(wire.Reply("error", problem="syntax"))
        elif self._picture["power"] == wire.OFF and name != "power":
            reply(wire.Reply("error", problem="not executable"))
        else:
            form = 1 if name == "pan_tilt" and self.model.wide_pan else 0
            reply(wire.Reply("answer", data=wire.QUESTIONS[name][1][form].write(values)))

    def _answers(self, name: str) -> dict[str, int] | None:
        now = self._now()
        if name == "pan_tilt":
            return {axis: self._axes[axis].at(now) for axis in ("pan", "tilt")} if "pan" in self._axes else None
        control = {"focus.mode": "focus.auto", "tally.sony": "tally"}.get(name, name)
        if control in self._axes:
            return {"value": self._axes[control].at(now)}
        return {"value": self._picture[control]} if control in self._picture else None

    def _cancel(self, socket: int, reply: Callable[[wire.Reply], None]) -> None:
        if socket not in self._sockets:
            reply(wire.Reply("error", socket, problem="no socket"))
            return
        timer, owner, travels = self._sockets.pop(socket)
        if timer:
            timer.cancel()
        if travels:
            self._stand(AXES)
        owner(wire.Reply("error", socket, problem="cancelled"))

    def _command(self, order: wire.Order, reply: Callable[[wire.Reply], None]) -> None:
        socket = next((each for each in (1, 2) if each not in self._sockets), 0)
        if not socket or self._now() < self._full_until:
            reply(wire.Reply("error", problem="buffer full"))
            return
        asleep = self._picture["power"] == wire.OFF and order.name != "power"
        if asleep or self._concerns(order.name) & self._refused:
            reply(wire.Reply("error", socket, problem="not executable"))
            return
        seconds = self._do(order)
        if seconds is None:
            reply(wire.Reply("error", problem="syntax"))
            return
        if self.model.acks:
            reply(wire.Reply("ack", socket))
            loop = asyncio.get_running_loop()
            timer = loop.call_later(seconds + self._slow, self._done, socket, reply)
            self._sockets[socket] = timer, reply, seconds > 0

    def _done(self, socket: int, reply: Callable[[wire.Reply], None]) -> None:
        del self._sockets[socket]
        reply(wire.Reply("done", socket))

    def _forget_commands(self) -> None:
        for timer, _owner, _travels in self._sockets.values():
            if timer:
                timer.cancel()
        self._sockets.clear()

    @staticmethod
    def _concerns(name: str) -> set[str]:
        """The controls of a command."""
        first, _dot, second = name.partition(".")
        if first == "pan_tilt":
            return {"pan", "tilt"}
        if first in ("zoom", "tally", "preset"):
            return {first}
        return {"focus.auto" if name == "focus.mode" else first if second in ("drive", "to") else name}

    def _do(self, order: wire.Order) -> float | None:
        """Do a command; returns the seconds that it takes, or `None` for what this model does not know."""
        name, values, now = order.name, order.values, self._now()
        if name in ("pan_tilt.drive", "zoom.drive", "focus.drive"):
            return self._drive(name, values)
        if name in ("pan_tilt.to", "pan_tilt.to.wide"):
            share = values["pan_speed"] / max(1, self.model.speeds.pan[1])
            return max(self._axes[axis].send(values[axis], share, now) for axis in ("pan", "tilt"))
        if name == "pan_tilt.home":
            return max(self._axes[axis].send(0, 1.0, now) for axis in ("pan", "tilt"))
        if name in ("zoom.to", "focus.to") and name[:-3] in self._axes:
            return self._axes[name[:-3]].send(values["value"], 1.0, now)
        if name == "preset":
            return self._preset(values["what"], values["number"])
        control = {"focus.mode": "focus.auto", f"tally.{self.model.tally}": "tally"}.get(name, name)
        if control in self._picture:
            self._picture[control] = values["value"]
        known = control in self._picture or name in ("white_balance.trigger", "preset.speed", "preset.speeds")
        return 0.0 if known else None

    def _drive(self, name: str, values: Mapping[str, int]) -> float | None:
        now, speeds = self._now(), self.model.speeds
        if name == "pan_tilt.drive":
            ways = {wire.LEFT: -1, wire.RIGHT: 1}
            shares = {
                "pan": ways.get(values["pan"], 0) * values["pan_speed"] / speeds.pan[1],
                "tilt": {wire.UP: 1, wire.DOWN: -1}.get(values["tilt"], 0) * values["tilt_speed"] / speeds.tilt[1],
            }
        else:
            way = {wire.FORTH: 1, wire.BACK: -1}.get(values["way"], 0)
            shares = {name.partition(".")[0]: way * (values["speed"] + 1) / 8}
        if not shares.keys() <= self._axes.keys():
            return None
        self._interrupt()
        for axis, share in shares.items():
            if self._scales[axis].shown[0] > self._scales[axis].shown[1]:
                share = -share  # noqa: PLW2901 - it counts the other way; right stays right
            self._axes[axis].drive(self._held.get(axis) or share, now)
        return 0.0

    def _preset(self, what: int, number: int) -> float | None:
        now = self._now()
        if what == wire.SAVE:
            self._presets[number] = {name: axis.at(now) for name, axis in self._axes.items()} | (
                {name: each for name, each in self._picture.items() if "." in name}
                if self.model.presets.keep_picture
                else {}
            )
        elif what == wire.CLEAR:
            self._presets.pop(number, None)
        else:
            kept = self._presets.get(number, {})
            self._picture |= {name: each for name, each in kept.items() if name in self._picture}
            return max(
                (self._axes[name].send(kept[name], 1.0, now) for name in self._axes if name in kept), default=0.0
            )
        return 0.0

    def _stand(self, axes: Iterable[str]) -> None:
        for name in axes:
            if name in self._axes:
                self._axes[name].drive(self._held.get(name, 0.0), self._now())

    def _interrupt(self) -> None:
        """A drive ends what travels to a place."""
        for socket, (timer, owner, travels) in list(self._sockets.items()):
            if travels and timer:
                timer.cancel()
                del self._sockets[socket]
                self._stand(AXES)
                owner(wire.Reply("error", socket, problem="cancelled"))
