"""One connection to a VISCA camera: what is said, what it is said in reply to, and what was lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studio.devices._camera.ways import GoneError
from studio.errors import DeviceError
from studio.wire import visca as wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.devices._camera.ways import Way
    from studio.devices._visca.model import ViscaModel

logger = logging.getLogger(__name__)

PATIENCE = 0.3
"""Seconds for the first reply, then it is said again; cameras reply within four pictures, 160 ms at 25 a second."""
TRIES = 4
"""How often something is said before the camera counts as silent."""
URGENT, URGENT_TRIES = 0.15, 8
"""The same of a question on which STOP waits."""
SILENT_COMMAND = 0.1
"""Seconds that a camera which does not acknowledge gets to say that it has no use for a command."""
RENUMBERED = 4
"""How often a message gets another sequence number at the camera's wish: some may never be content."""
REMEMBERED = 64
"""Messages of which a reply may still come."""
OWED, OWED_ACK = 2.0, 0.7
"""Seconds after which an answer, or what a camera says to a command, will not come any more. An answer taken for that
to another question would be a wrong value; an acknowledgement is a hint, and waiting for lost ones holds others up."""


class SilentError(GoneError):
    """The camera does not answer to what it was told or asked, however often."""


class NoError(DeviceError):
    """The camera says no; `problem` is its word for it."""

    def __init__(self, problem: wire.Problem) -> None:
        super().__init__(problem)
        self.problem: wire.Problem = problem


class OvertakenError(DeviceError):
    """What was to be said is not wanted any more."""


@dataclass(eq=False, slots=True)
class Exchange:
    """Something that was said to the camera, until all replies to it have come."""

    payload: bytes
    question: str | None
    """Name of the question; `None` for a command."""
    begun: asyncio.Future[wire.Reply]
    """The first reply: it begins, is done, the answer, or an error."""
    ended: asyncio.Future[wire.Reply]
    """Of a command: it is done, or came to nothing."""
    sequence: int | None = None
    """Of Sony's frame, when it was said last; `None`: it is to get a new one."""
    sequences: set[int] = field(default_factory=set)
    """All that it ever had."""
    said: int = 0
    """How often, with this sequence number."""
    renumbered: int = 0
    times: deque[float] = field(default_factory=deque)
    """When each was said of which no reply has come; of raw framing, which does not say what a reply is to."""

    def fits(self, reply: wire.Reply) -> bool:
        """Whether `reply` can be to this."""
        if reply.kind == "answer":
            return self.question is not None and wire.answer(self.question, reply.data) is not None
        return reply.kind == "error" or self.question is None

    def take(self, reply: wire.Reply) -> None:
        """`reply` is to this."""
        if not self.begun.done():
            self.begun.set_result(reply)
        if reply.kind != "ack" and not self.ended.done():
            self.ended.set_result(reply)


class Session:
    """Talk over one way, until it is closed. All methods belong to the loop's thread."""

    def __init__(self, way: Way, model: ViscaModel) -> None:
        self.restarts = 0
        """How often the camera had another sequence number in mind than we: it was switched off and on meanwhile."""
        self.noticed = asyncio.Event()
        """The camera told something unasked: somebody uses its remote."""
        self._way = way
        self._model = model
        self._framed = model.framing == "sony"
        self._turn = asyncio.Lock()
        self._sequence = 0
        self._waiting: deque[Exchange] = deque(maxlen=REMEMBERED)
        """What may still be replied to, the oldest first."""
        self._sockets: dict[int, Exchange] = {}
        self._reset_done: asyncio.Future[None] | None = None

    # ── what is said ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, name: str, *, urgent: bool = False) -> dict[str, int]:
        """Return the camera's answer to the question `name`.

        Raises NoError where it says no, SilentError where it says nothing. `urgent`: do not wait for one's turn.
        """
        exchange = self._exchange(wire.question(name), name)
        tries, every = (URGENT_TRIES, URGENT) if urgent else (TRIES, PATIENCE)
        reply = await self._say(exchange, urgent=urgent, wanted=lambda: True, tries=tries, every=every)
        if reply is None or reply.kind == "error":
            raise NoError((reply and reply.problem) or "unknown")
        found = wire.answer(name, reply.data)
        if found is None:
            raise NoError("unknown")
        return found

    async def tell(
        self,
        packet: bytes,
        *,
        wanted: Callable[[], bool] = lambda: True,
        urgent: bool = False,
        tries: int = TRIES,
        every: float = PATIENCE,
    ) -> Exchange:
        """Say a command, and again until the camera takes it; what becomes of it is in `ended` of what is returned.

        Raises NoError, SilentError, and OvertakenError when it is not `wanted` any more before it was taken. A camera
        that does not acknowledge takes everything.
        """
        exchange = self._exchange(packet, None)
        if not self._model.acks:
            tries, every = 1, SILENT_COMMAND
        reply = await self._say(exchange, urgent=urgent, wanted=wanted, tries=tries, every=every)
        if reply is not None and reply.kind == "error":
            raise NoError(reply.problem or "unknown")
        return exchange

    def cancel_all(self) -> None:
        """Tell the camera to leave what it does, in both its places; what it says to that is not waited for."""
        for socket in (1, 2):
            self._send(self._exchange(wire.command("cancel", socket=socket), None), remember=False)

    async def reset(self) -> None:
        """Count from 0 again. A camera that does not answer to this may count on all the same."""
        self._renumber()
        self._reset_done = asyncio.get_running_loop().create_future()
        self._way.send(wire.write_frame(wire.Frame("control", 0, wire.RESET)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._reset_done

    def _exchange(self, packet: bytes, question: str | None) -> Exchange:
        loop = asyncio.get_running_loop()
        return Exchange(packet, question, loop.create_future(), loop.create_future())

    async def _say(
        self, exchange: Exchange, *, urgent: bool, wanted: Callable[[], bool], tries: int, every: float
    ) -> wire.Reply | None:
        """The first reply; `None` where none is to be expected."""
        async with contextlib.nullcontext() if urgent else self._turn:
            for number in range(tries):
                if not wanted():
                    raise OvertakenError
                if number > 1 or (number and urgent):  # at first it may tell us that it had this number already
                    exchange.sequence = None
                self._send(exchange)
                done, _pending = await asyncio.wait((exchange.begun,), timeout=every)
                if done:
                    return exchange.begun.result()
        if exchange.question is None and not self._model.acks:
            return None
        raise SilentError

    def _send(self, exchange: Exchange, *, remember: bool = True) -> None:
        data = exchange.payload
        if self._framed:
            if exchange.sequence is None:
                self._sequence = self._sequence % wire.LARGEST_SEQUENCE + 1
                exchange.sequence, exchange.said = self._sequence, 0
                exchange.sequences.add(self._sequence)
            kind: wire.Kind = "command" if exchange.question is None else "question"
            data = wire.write_frame(wire.Frame(kind, exchange.sequence, data))
        exchange.said += 1
        if remember:
            exchange.times.append(asyncio.get_running_loop().time())
            if exchange not in self._waiting:
                self._waiting.append(exchange)
        self._way.send(data)

    # ── what is heard ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def hear(self) -> None:
        """Read until the way is over: GoneError."""
        rest = b""
        while True:
            data = await self._way.arrived.get()
            if data is None:
                raise GoneError
            if self._framed:
                if frame := wire.read_frame(data):
                    self._on_frame(frame)
                continue
            packets, rest = wire.split(rest + data)
            if not self._way.stream:
                rest = b""
            for packet in packets:
                if reply := wire.reply(packet):
                    self._on_raw(reply)

    def _on_frame(self, frame: wire.Frame) -> None:
        if frame.kind in ("control", "control reply"):
            self._on_control(frame)
            return
        reply = wire.reply(frame.payload) if frame.kind == "reply" else None
        if reply is None:
            return
        if reply.kind == "notice":
            self.noticed.set()
            return
        exchange = next((each for each in self._waiting if frame.sequence in each.sequences), None)
        if exchange is None and reply.problem in ("cancelled", "no socket"):
            exchange = self._sockets.get(reply.socket)
        if exchange and exchange.fits(reply):
            self._take(exchange, reply)

    def _on_control(self, frame: wire.Frame) -> None:
        if frame.payload == wire.RESET and self._reset_done and not self._reset_done.done():
            self._reset_done.set_result(None)
        if frame.payload != wire.OUT_OF_STEP:
            return
        exchange = next((each for each in self._waiting if each.sequence == frame.sequence), None)
        if exchange is None or exchange.begun.done():
            return
        # It may have had this already, and only its reply was lost; or it had a later one first. All that is ever said
        # here may be said twice, so it gets a new number and is said again.
        if exchange.said == 1 and exchange.sequence == self._sequence:  # neither: the camera counts otherwise than we
            self.restarts += 1
            self._renumber()
            self._way.send(wire.write_frame(wire.Frame("control", 0, wire.RESET)))
        exchange.sequence = None
        exchange.renumbered += 1
        if exchange.renumbered <= RENUMBERED:
            self._send(exchange)

    def _renumber(self) -> None:
        self._sequence = 0
        for each in self._waiting:
            each.sequence = None
            each.sequences.clear()

    def _on_raw(self, reply: wire.Reply) -> None:
        """Of raw framing: replies come in the order of what was said, and nothing else tells them apart."""
        if reply.kind == "notice":
            self.noticed.set()
            return
        if reply.kind in ("done", "error") and reply.socket in self._sockets:
            self._take(self._sockets[reply.socket], reply)
            return
        if reply.problem in ("cancelled", "no socket"):
            return
        self._forget_old()
        for exchange in list(self._waiting):
            if not exchange.times:
                continue
            if exchange.fits(reply):
                exchange.times.popleft()
                self._take(exchange, reply)
                return
            if reply.kind == "answer" and exchange.question is not None:
                exchange.times.clear()  # a later question was answered, so this one never will be

    def _take(self, exchange: Exchange, reply: wire.Reply) -> None:
        if reply.kind == "ack":
            self._sockets[reply.socket] = exchange
        else:
            for socket in [socket for socket, each in self._sockets.items() if each is exchange]:
                del self._sockets[socket]
        exchange.take(reply)
        self._forget_old()

    def _forget_old(self) -> None:
        """Keep only what may still be replied to."""
        now = asyncio.get_running_loop().time()
        for exchange in list(self._waiting):
            old = now - (OWED if exchange.question else OWED_ACK)
            while exchange.times and exchange.times[0] < old:
                exchange.times.popleft()
            settled = exchange.begun.done() if exchange.question else exchange.ended.done()
            if settled and (self._framed or not exchange.times):
                self._waiting.remove(exchange)
