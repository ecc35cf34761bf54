"""One WebSocket for each open page: the state goes down, commands come up.

Down: `{"kind": "snapshot", "version", "state"}`, then `{"kind": "diff", "version", "patch"}` one version at a time,
`{"kind": "outcome", "id", "outcome", "reason"}` for each command, and `{"kind": "beat", "version"}` when nothing else
was said for a while, so that a page knows a quiet house from a dead one. Each of the three that tell of the state
says `at`, the machine's monotonic clock in milliseconds as it was sent, by which a page keeps the time of the show
(`show.epoch_ms`).

Up: `{"id", "name", "arguments"}`, or `{"kind": "resync"}` from a page that missed a version.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.websockets import WebSocketDisconnect

from studio.errors import StudioError
from studio.language import _

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from studio.web._house import House

logger = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
"""The WebSocket's own code for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What open pages may ask of the house."""

    largest: int = 16 * 1024
    """Bytes of one message from a page; a command has a name and a few words."""
    clients: int = 64
    """Open pages at a time."""
    beat: float = 2.0
    """Seconds of silence after which a beat is sent; `static/link.js` gives up after three of them."""
    patience: float = 10.0
    """Seconds that a page may take to take in one message, before it is let go."""
    rate: float = 20
    """Commands a second that one page may send for long; a hand on a fader makes fewer."""
    burst: float = 40
    """Commands that it may send at once."""
    busy: int = 8
    """Commands of one page that may be under way at a time."""
    answer: float = 30.0
    """Seconds after which a command that did not end is answered as unconfirmed; it goes on."""


class Request(msgspec.Struct):
    """What a page says."""

    kind: Literal["command", "resync"] = "command"
    id: int | str | None = None
    name: str = ""
    arguments: dict[str, Any] = {}


class Snapshot(msgspec.Struct, tag_field="kind", tag="snapshot"):
    """The whole state."""

    version: int
    state: dict[str, Any]
    at: int


class Diff(msgspec.Struct, tag_field="kind", tag="diff"):
    """What is new since the version before."""

    version: int
    patch: dict[str, Any]
    at: int


class Beat(msgspec.Struct, tag_field="kind", tag="beat"):
    """Nothing is new."""

    version: int
    at: int


class Answer(msgspec.Struct, tag_field="kind", tag="outcome"):
    """What became of a command."""

    id: int | str | None
    outcome: str
    reason: str


def _clock() -> int:
    """Milliseconds of the machine's monotonic clock."""
    return time.monotonic_ns() // 1_000_000


class TooSlow(Exception):  # noqa: N818 - it is what the page is, not an error of ours
    """A page does not take in what it is sent."""


class Allowance:
    """A bucket of `burst` tokens that fills up with `rate` of them a second."""

    def __init__(self, rate: float, burst: float) -> None:
        """Begin full."""
        self._rate = rate
        self._burst = self._left = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take one at `now` (seconds that never go back); False where there is none."""
        passed = 0.0 if self._at is None else now - self._at
        self._at = now
        self._left = min(self._burst, self._left + passed * self._rate)
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Switchboard:
    """Talks with every open page."""

    def __init__(self, house: House, limits: Limits) -> None:
        """Nobody is there yet."""
        self._house = house
        self._limits = limits
        self._open = 0
        self._under_way: set[asyncio.Task[Answer]] = set()

    async def answer(self, websocket: WebSocket) -> None:
        """Talk with one page until it goes, or is too slow."""
        await websocket.accept()
        if self._open >= self._limits.clients:
            await websocket.close(TRY_AGAIN_LATER, _("Too many pages are open; close one."))
            return
        self._open += 1
        try:
            await Client(websocket, self._house, self._limits, self._under_way).talk()
        finally:
            self._open -= 1

    async def close(self) -> None:
        """Give up the commands that are still under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


class Client:
    """One open page."""

    def __init__(
        self, websocket: WebSocket, house: House, limits: Limits, under_way: set[asyncio.Task[Answer]]
    ) -> None:
        """Commands are kept in `under_way`: a page that is closed takes none of them back."""
        self._websocket = websocket
        self._house = house
        self._limits = limits
        self._under_way = under_way
        self._mine = 0
        self._changes = house.state.changes()
        self._sending = asyncio.Lock()
        self._allowance = Allowance(limits.rate, limits.burst)
        self._version = 0

    async def talk(self) -> None:
        """Tell and listen until the page goes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tell())
                await self._listen(tasks)
        except* WebSocketDisconnect:
            logger.debug("a page was closed")
        except* TooSlow:
            logger.warning("a page took in nothing for %s s and was let go", self._limits.patience)

    async def _tell(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._limits.beat):
                    change = await anext(self._changes)
            except TimeoutError:
                await self._send(Beat(self._version, _clock()))
                continue
            self._version = change.version
            kind = Snapshot if change.whole else Diff
            await self._send(kind(change.version, change.patch, _clock()))

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            try:
                request = msgspec.json.decode(message.get("text") or message.get("bytes") or b"", type=Request)
            except (msgspec.MsgspecError, UnicodeError):
                request = Request()
            if not self._allowance.take(loop.time()):
                await self._refuse(request, _("Too many commands at once; wait a moment."))
                await asyncio.sleep(
                    1 / self._limits.rate
                )  # read no faster than is allowed: the sender's socket fills up instead
            elif request.kind == "resync":
                self._changes.restart()
            elif not request.name or request.id is None:
                await self._refuse(request, _("A command needs an id and a name."))
            elif self._mine >= self._limits.busy:
                await self._refuse(request, _("Earlier commands are still under way; wait for them."))
            else:
                self._mine += 1
                tasks.create_task(self._do(request))

    async def _do(self, request: Request) -> None:
        task = asyncio.create_task(self._command(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            async with asyncio.timeout(self._limits.answer):
                answer = await asyncio.shield(task)
        except TimeoutError:
            answer = Answer(request.id, "unconfirmed", _("Nobody answered in time; look whether it happened."))
        finally:
            self._mine -= 1
        await self._send(answer)

    async def _command(self, request: Request) -> Answer:
        try:
            outcome = await self._house.command(request.name, request.arguments)
        except StudioError as problem:
            return Answer(request.id, "refused", str(problem))
        except Exception:  # a broken command is no reason to take the page away from whoever runs the show
            logger.exception("the command %r failed", request.name)
            return Answer(request.id, "unconfirmed", _("This went wrong inside studio; its log says more."))
        return Answer(request.id, outcome.kind, outcome.reason)

    async def _refuse(self, request: Request, reason: str) -> None:
        await self._send(Answer(request.id, "refused", reason))

    async def _send(self, message: msgspec.Struct) -> None:
        text = msgspec.json.encode(message).decode()
        try:
            async with asyncio.timeout(self._limits.patience), self._sending:
                await self._websocket.send_text(text)
        except TimeoutError:
            raise TooSlow from None
