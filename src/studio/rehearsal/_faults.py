"""A gate between a device and whoever talks to it, on real local sockets: all that goes wrong on the way, on order.

The house calls the gate, and the gate calls the device, a twin or the real thing. What a device itself does wrong (no,
a full buffer, other values after a reboot, a hand on its panel) is done by its twin: see `Twin`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

Side = Literal["house", "device"]
"""Who said it: the house's driver, or the device."""
Tap: TypeAlias = "Callable[[Side, bytes, int], None]"
"""Hears all that comes to a gate, as it comes, before any fault, with the number of the house's socket, from 0."""

PEERS = 64
"""Sockets of the house that a UDP gate keeps apart; the one that was silent longest goes first."""
WAITING = 1024
"""Pieces that may wait on one way of a TCP connection; then it is no longer read, as TCP does."""
PIECE = 65536
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes `close` send RST instead of FIN."""
_NEVER = (False,)


class Gate:
    """`async with Gate("udp", twin.port) as gate`: who calls `gate.port` on 127.0.0.1 reaches the device.

    Every fault stands until it is taken back, or until `well`. Patterns are deterministic and count on each way for
    itself: `gate.lose([True, False, False, False])` loses every fourth datagram.
    """

    def __init__(
        self,
        kind: Literal["udp", "tcp"],
        port: int,
        host: str = "127.0.0.1",
        *,
        listen: int = 0,
        at: str = "127.0.0.1",
        tap: Tap | None = None,
        seed: int = 0,
    ) -> None:
        """Lead to `host`:`port`; listen on port `listen` of the address `at`, 0: any that is free."""
        self.kind = kind
        self.there = (host, port)
        self.port = listen
        self.passed: dict[Side, int] = {"house": 0, "device": 0}
        """Pieces that were let through, by who said them."""
        self._at = at
        self._tap = tap
        self._random = random.Random(seed)  # noqa: S311 - jitter that a test can repeat
        self._way: _Udp | _Tcp = _Udp(self) if kind == "udp" else _Tcp(self)
        self._plugged = False
        self._half_open = False
        self.well()

    async def __aenter__(self) -> Self:
        await self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.unplug()

    # ── faults ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def well(self) -> None:
        """Nothing is wrong (any more); one that is unplugged stays so until `plug`."""
        self._late: dict[Side, tuple[float, float]] = {"house": (0.0, 0.0), "device": (0.0, 0.0)}
        self._deaf = False
        self._fragments = 0
        self._loses = _on_each_way(_NEVER)
        self._doubles = _on_each_way(_NEVER)
        self._swaps = _on_each_way(_NEVER)
        was, self._half_open = self._half_open, False
        self._way.flow()
        if was:
            self._way.reset()

    def late(self, seconds: float, jitter: float = 0.0) -> None:
        """All that is said, either way, comes so much later, and up to `jitter` seconds more; over TCP in order."""
        self._late = {"house": (seconds, jitter), "device": (seconds, jitter)}

    def slow(self, seconds: float) -> None:
        """Only what the device says comes later: it does at once what it is told, and acknowledges in its own time."""
        self._late["device"] = (seconds, 0.0)

    def deaf(self) -> None:
        """Nothing passes either way: UDP is lost; TCP stalls, and all of it comes when the gate is well again."""
        self._deaf = True
        self._way.stall()

    def half_open(self) -> None:
        """Whoever calls is let in and hears nothing. Over TCP nothing reaches the device; when it is over, reset.

        Over UDP orders reach the device, and only its answers are lost.
        """
        self._half_open = True
        self._way.stall()

    def lose(self, pattern: Iterable[bool]) -> None:
        """UDP: lose each datagram, coming or going, for which `pattern` says so, over and over."""
        self._loses = _on_each_way(pattern)

    def duplicate(self, pattern: Iterable[bool]) -> None:
        """UDP: let each datagram for which `pattern` says so come twice."""
        self._doubles = _on_each_way(pattern)

    def reorder(self, pattern: Iterable[bool]) -> None:
        """UDP: let each datagram for which `pattern` says so come after the one behind it (or 50 ms later)."""
        self._swaps = _on_each_way(pattern)

    def fragment(self, size: int = 1) -> None:
        """TCP: hand over no more than `size` bytes at a time; 0: as they come."""
        self._fragments = size

    def junk(self, data: bytes, to: Side = "house") -> None:
        """Put bytes that nobody said among what `to` hears, on each connection there is."""
        self._way.say(to, data)

    async def unplug(self) -> None:
        """Close the port: TCP connections are reset, and the next call is refused (ICMP, RST)."""
        self._plugged = False
        await self._way.close()

    async def plug(self) -> None:
        """Open the port (again), the same one. OSError where somebody else has taken it meanwhile."""
        if not self._plugged:
            await self._way.open(self._at, self.port)
            self._plugged = True

    @property
    def faults(self) -> str:
        """What is wrong now, in a few words; empty where nothing is."""
        says = {
            "unplugged": not self._plugged,
            "deaf": self._deaf,
            "half-open": self._half_open,
            "late": any(self._late["house"]),
            "slow": any(self._late["device"]) and not any(self._late["house"]),
            "loss": self._loses["house"][0],
            "duplicate": self._doubles["house"][0],
            "reorder": self._swaps["house"][0],
            "fragments": bool(self._fragments),
        }
        return ", ".join(name for name, so in says.items() if so)

    # ── for the two ways ──────────────────────────────────────────────────────────────────────────────────────────────

    def heard(self, side: Side, data: bytes, socket: int) -> None:
        """A piece came from `side`, on the house's `socket` or for it."""
        if self._tap:
            self._tap(side, data, socket)

    def delay(self, side: Side) -> float:
        """Seconds by which a piece of `side` comes late."""
        fixed, jitter = self._late[side]
        return fixed + self._random.uniform(0, jitter)

    def datagrams(self, side: Side) -> tuple[int, bool]:
        """How often the next datagram of `side` is to come, and whether after the one behind it."""
        lost, twice, behind = (next(each[side][1]) for each in (self._loses, self._doubles, self._swaps))
        if lost or self._deaf or (self._half_open and side == "device"):
            return 0, False
        return 2 if twice else 1, behind

    @property
    def stalled(self) -> bool:
        """Whether nothing passes over TCP."""
        return self._deaf or self._half_open

    @property
    def answers(self) -> bool:
        """Whether a new TCP connection leads to the device."""
        return not self._half_open

    @property
    def piece(self) -> int:
        """Bytes at a time over TCP."""
        return self._fragments or PIECE


def _on_each_way(pattern: Iterable[bool]) -> dict[Side, tuple[bool, Iterator[bool]]]:
    """A cycle for each way, and whether it ever says so."""
    whole = tuple(pattern)
    return {"house": (any(whole), itertools.cycle(whole)), "device": (any(whole), itertools.cycle(whole))}


class _Ear(asyncio.DatagramProtocol):
    """A socket that hands on what it hears."""

    def __init__(self, heard: Callable[[bytes, Any], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        self._heard(data, addr)


class _Udp:
    """One socket for the house, and one towards the device for each socket of the house."""

    BEHIND = 0.05
    """Seconds that a datagram waits for the one that is to overtake it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._door: asyncio.DatagramTransport | None = None
        self._beyond: OrderedDict[Any, socket.socket] = OrderedDict()
        self._there: Any = None
        self._numbers: dict[Any, int] = {}
        self._next = 0
        self._held: dict[Side, list[Callable[[], None]]] = {"house": [], "device": []}

    async def open(self, at: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*self._gate.there, type=socket.SOCK_DGRAM)
        self._there = found[0]
        self._door, _ear = await loop.create_datagram_endpoint(lambda: _Ear(self._from_house), (at, port))
        self._gate.port = self._door.get_extra_info("sockname")[1]

    async def close(self) -> None:
        if self._door:
            self._door.abort()
        self._door = None
        while self._beyond:
            self._hang_up()
        await asyncio.sleep(0)  # asyncio closes a socket with the next turn of the loop

    def _hang_up(self) -> None:
        who, oldest = self._beyond.popitem(last=False)
        self._numbers.pop(who)
        asyncio.get_running_loop().remove_reader(oldest)
        oldest.close()

    def _from_house(self, data: bytes, who: Any) -> None:  # noqa: ANN401 - an address
        if who not in self._beyond:
            self._introduce(who)
        self._gate.heard("house", data, self._numbers[who])
        self._beyond.move_to_end(who)
        self._pass("house", data, who)

    def _introduce(self, who: Any) -> None:  # noqa: ANN401 - an address
        family, kind, _protocol, _name, address = self._there
        self._numbers[who], self._next = self._next, self._next + 1
        beyond = self._beyond[who] = socket.socket(family, kind)
        beyond.setblocking(False)  # noqa: FBT003 - the library's own
        beyond.connect(address)
        asyncio.get_running_loop().add_reader(beyond, self._from_device, beyond, who)
        if len(self._beyond) > PEERS:
            self._hang_up()

    def _from_device(self, beyond: socket.socket, who: Any) -> None:  # noqa: ANN401 - an address
        try:
            data = beyond.recv(PIECE)
        except OSError:  # nothing there after all; or it refused what we sent, as a device does that is not there
            return
        self._gate.heard("device", data, self._numbers[who])
        self._pass("device", data, who)

    def _pass(self, side: Side, data: bytes, who: Any) -> None:  # noqa: ANN401 - an address
        times, behind = self._gate.datagrams(side)
        loop = asyncio.get_running_loop()
        for _time in range(times):
            if behind:
                self._held[side].append(lambda: self._send(side, data, who))
                loop.call_later(self.BEHIND, self._release, side)
            elif delay := self._gate.delay(side):
                loop.call_later(delay, self._send, side, data, who)
            else:
                self._send(side, data, who)
        if times and not behind:
            self._release(side)

    def _release(self, side: Side) -> None:
        held, self._held[side] = self._held[side], []
        for send in held:
            send()

    def _send(self, side: Side, data: bytes, who: Any) -> None:  # noqa: ANN401 - an address
        beyond = self._beyond.get(who)
        if beyond is None or self._door is None:
            return
        self._gate.passed[side] += 1
        if side == "device":
            self._door.sendto(data, who)
        else:
            _send(beyond, data)

    def say(self, to: Side, data: bytes) -> None:
        for who, beyond in self._beyond.items():
            if to == "device":
                _send(beyond, data)
            elif self._door:
                self._door.sendto(data, who)

    def stall(self) -> None:
        """Datagrams do not wait."""

    def flow(self) -> None:
        """Datagrams do not wait."""

    def reset(self) -> None:
        """There is no connection."""


class _Tcp:
    """A listening socket, and a pair of connections for each that is let in."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._calls: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._next = 0

    async def open(self, at: str, port: int) -> None:
        self._server = await asyncio.start_server(self._let_in, at, port)
        self._gate.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server:
            self._server.close()
        self._server = None
        calls = list(self._calls)
        self.reset()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio's own
        writers = self._calls[task] = [writer]
        try:
            if not self._gate.answers:
                while await reader.read(PIECE):
                    pass
                return
            there, beyond = await asyncio.open_connection(*self._gate.there)
            writers.append(beyond)
            number, self._next = self._next, self._next + 1
            tasks = [
                asyncio.create_task(self._carry("house", number, reader, beyond)),
                asyncio.create_task(self._carry("device", number, there, writer)),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in tasks:
                    way.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            _reset(writer)  # the device does not let us in: nor do we
        except asyncio.CancelledError:
            for each in writers:
                _reset(each)  # not raised again: asyncio's server would report it as its own trouble
        finally:
            del self._calls[task]
            for each in writers:
                each.close()

    async def _carry(self, side: Side, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One way, until either end hangs up."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)

        async def take() -> None:
            while data := await reader.read(PIECE):
                self._gate.heard(side, data, number)
                await waiting.put((loop.time() + self._gate.delay(side), data))
            await waiting.put((loop.time() + self._gate.delay(side), b""))

        async def give() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._open_way()
                if not data:
                    return
                for at in range(0, len(data), size := self._gate.piece):
                    writer.write(data[at : at + size])
                    await writer.drain()
                    if size < PIECE:
                        await asyncio.sleep(0)  # each in a segment of its own
                self._gate.passed[side] += 1

        taking = asyncio.create_task(take())
        try:
            with contextlib.suppress(OSError):
                await give()
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _open_way(self) -> None:
        if self._gate.stalled:
            await self._flows.wait()

    def say(self, to: Side, data: bytes) -> None:
        for writers in self._calls.values():
            if to == "house":
                writers[0].write(data)
            elif len(writers) > 1:
                writers[1].write(data)

    def stall(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def reset(self) -> None:
        """Hang up on all, as a device does that was switched off and on."""
        for task in list(self._calls):
            task.cancel()


def _send(beyond: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # its buffer is full, or nobody is there: the datagram is lost, as they are
        beyond.send(data)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
