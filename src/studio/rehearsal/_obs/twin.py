"""The twin of OBS: obs-websocket 5 on a real local socket, with faults on order.

Messages, codes and the way to identify by obs-websocket's protocol.md (5.1), sections *Creating an authentication
string*, *Message Types (OpCodes)* and *WebSocketCloseCode*.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from studio.rehearsal._obs import inputs, items, scenes  # noqa: F401 - they fill REQUESTS
from studio.rehearsal._obs.controls import order, question
from studio.rehearsal._obs.world import FAILED, NOT_READY, RefusedError, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from websockets.asyncio.server import Server, ServerConnection

    from studio.devices import Value

HELLO, IDENTIFY, IDENTIFIED, REIDENTIFY, EVENT, REQUEST, RESPONSE = 0, 1, 2, 3, 5, 6, 7
BAD_MESSAGE, MISSING, UNKNOWN_OP, NOT_IDENTIFIED, WRONG_PASSWORD = 4002, 4003, 4006, 4007, 4009
METERS = 1 << 16
"""The subscription that has to be asked for by name: it is told 20 times a second."""
METER_PAUSE = 0.05
WAITING = 2000
"""Messages that wait for a client; one that takes none loses the oldest, where OBS would keep all."""

_INTENTS = {
    "General": 1,
    "Scene": 4,
    "Input": 8,
    "Transition": 16,
    "SourceFilter": 32,
    "Output": 64,
    "SceneItem": 128,
    "Media": 256,
    "Ui": 1024,
}
_INTENT_OF = {
    "CustomEvent": 1,
    "ExitStarted": 1,
    "CurrentSceneCollectionChanged": 2,
    "CurrentProgramSceneChanged": 4,
    "CurrentPreviewSceneChanged": 4,
    "CurrentSceneTransitionChanged": 16,
    "CurrentSceneTransitionDurationChanged": 16,
    "SceneTransitionStarted": 16,
    "SceneTransitionEnded": 16,
    "StreamStateChanged": 64,
    "RecordStateChanged": 64,
    "ReplayBufferStateChanged": 64,
    "ReplayBufferSaved": 64,
    "VirtualcamStateChanged": 64,
    "StudioModeStateChanged": 1024,
    "SceneItemTransformChanged": 1 << 19,
    "InputVolumeMeters": METERS,
    "MediaInputActionTriggered": 256,
    "MediaInputPlaybackStarted": 256,
}


def _intent(event: str) -> int:
    if event in _INTENT_OF:
        return _INTENT_OF[event]
    return next((bit for prefix, bit in reversed(_INTENTS.items()) if event.startswith(prefix)), 1)


class _Client:
    """One that identified, and what waits to be sent to it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.subscribed = 0
        self.waiting: asyncio.Queue[tuple[float, str]] = asyncio.Queue(WAITING)

    def say(self, op: int, data: dict[str, Any], late: float) -> None:
        self.say_text(json.dumps({"op": op, "d": data}), late)

    def say_text(self, text: str, late: float = 0.0) -> None:
        if self.waiting.full():
            self.waiting.get_nowait()
        self.waiting.put_nowait((asyncio.get_running_loop().time() + late, text))

    async def send(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, text = await self.waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self.socket.send(text)


class ObsTwin:
    """`async with ObsTwin("password") as obs`: an OBS on 127.0.0.1, port `obs.port`; an empty password is none."""

    def __init__(self, password: str = "", port: int = 0) -> None:
        """Listen on `port`, 0: any that is free."""
        self.port = port
        self.password = password
        self.world = World(self._tell)
        self.asked: list[str] = []
        """The requests it was told, oldest first; the last thousand."""
        self._server: Server | None = None
        self._clients: list[_Client] = []
        self._refused: set[tuple[str, str]] = set()
        self._late = 0.0
        self._full_until = 0.0
        self._last = ""
        self._metering: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, compression=None, ping_interval=None, close_timeout=0.2
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._metering = asyncio.create_task(self._meter())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._metering:
            self._metering.cancel()
            await asyncio.gather(self._metering, return_exceptions=True)
        for client in list(self._clients):
            client.socket.transport.abort()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, control: str) -> Value:
        """Where `control` stands, named as the driver names it. KeyError for one that it does not know."""
        request, data, read = question(self.world, control)
        try:
            value: Value = read(self.world.ask(request, data))
        except RefusedError:
            raise KeyError(control) from None
        return value

    def hand(self, control: str, value: Value) -> None:
        """Somebody clicks in OBS's own window; all who listen are told."""
        self.world.ask(*order(self.world, control, value))

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """OBS is started again, and holds what it held at first, but for `values`; connections are gone."""
        clients, self._clients = self._clients, []
        self.world = World(self._tell)
        for control, value in (values or {}).items():
            self.world.ask(*order(self.world, control, value))
        for client in clients:
            client.socket.transport.abort()

    def refuse(self, *controls: str) -> None:
        """Answer orders for these with a no."""
        self._refused = set()
        for control in controls:
            request, data, _read = question(self.world, control)
            self._refused.add((f"Set{request.removeprefix('Get')}", str(data.get("inputName", ""))))

    def slow(self, seconds: float) -> None:
        """Do at once what is asked, and answer and report it so much later."""
        self._late = seconds

    def full(self, seconds: float) -> None:
        """For so long be "not ready", as OBS is while it changes its collection: it takes no orders."""
        self._full_until = asyncio.get_running_loop().time() + seconds

    def junk(self, text: str) -> None:
        """Say `text` to all who listen to events, in a right frame: no OBS would say it."""
        for client in self._clients:
            if client.subscribed:
                client.say_text(text)

    @property
    def last(self) -> str:
        """The last order, with its data."""
        return self._last

    # ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self, socket: ServerConnection) -> None:
        client = _Client(socket)
        sending = asyncio.create_task(client.send())
        try:
            with contextlib.suppress(ConnectionClosed, OSError):
                await self._talk(client)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            if client in self._clients:
                self._clients.remove(client)

    async def _talk(self, client: _Client) -> None:
        salt, challenge = (base64.b64encode(secrets.token_bytes(32)).decode() for _each in range(2))
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
        if self.password:
            hello["authentication"] = {"challenge": challenge, "salt": salt}
        client.say(HELLO, hello, 0.0)
        async for text in client.socket:
            try:
                message = json.loads(text)
                op, data = message["op"], message["d"]
                if not isinstance(data, dict):
                    raise TypeError(data)  # noqa: TRY301 - one answer for all nonsense
            except (ValueError, KeyError, TypeError):
                await client.socket.close(BAD_MESSAGE, "Your message could not be read.")
                return
            if client in self._clients:
                if not await self._hear(client, op, data):
                    return
            elif op != IDENTIFY:
                await client.socket.close(NOT_IDENTIFIED, "You have not identified.")
                return
            elif self.password and not _knows(self.password, salt, challenge, data.get("authentication")):
                await client.socket.close(WRONG_PASSWORD, "Authentication failed.")
                return
            else:
                client.subscribed = int(data.get("eventSubscriptions", (1 << 11) - 1))
                client.say(IDENTIFIED, {"negotiatedRpcVersion": 1}, 0.0)
                self._clients.append(client)

    async def _hear(self, client: _Client, op: int, data: Mapping[str, Any]) -> bool:
        """Take in one message of a client that identified; False where it was hung up on."""
        if op == REIDENTIFY:
            client.subscribed = int(data.get("eventSubscriptions", client.subscribed))
            client.say(IDENTIFIED, {"negotiatedRpcVersion": 1}, 0.0)
        elif op == REQUEST:
            self._answer(client, data)
        else:
            await client.socket.close(UNKNOWN_OP, f"Unknown OpCode: {op}")
            return False
        return True

    def _answer(self, client: _Client, data: Mapping[str, Any]) -> None:
        request, asked = str(data.get("requestType", "")), data.get("requestData") or {}
        status: dict[str, Any] = {"result": True, "code": 100}
        answer: dict[str, Any] | None = None
        self.asked = [*self.asked[-999:], request]
        if not request.startswith(("Get", "Broadcast")):
            shown = (
                {key: value for key, value in asked.items() if "ervice" not in key} if isinstance(asked, dict) else {}
            )
            self._last = f"{request} {json.dumps(shown, ensure_ascii=False)}"
        try:
            answer = self._done(request, asked)
        except RefusedError as no:
            status = {"result": False, "code": no.code, "comment": no.comment}
        said = {"requestType": request, "requestId": data.get("requestId"), "requestStatus": status}
        client.say(RESPONSE, said if answer is None else {**said, "responseData": answer}, self._late)

    def _done(self, request: str, data: Mapping[str, Any]) -> dict[str, Any]:
        orders = not request.startswith(("Get", "Broadcast"))
        if orders and asyncio.get_running_loop().time() < self._full_until:
            raise RefusedError(NOT_READY, "OBS is not ready to perform the request.")
        if (request, str(data.get("inputName", ""))) in self._refused:
            raise RefusedError(FAILED, "The request could not be done.")
        return self.world.ask(request, data)

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        intent = _intent(event)
        for client in self._clients:
            if client.subscribed & intent:
                told = {"eventType": event, "eventIntent": intent, "eventData": data}
                client.say(EVENT, told, self._late)

    async def _meter(self) -> None:
        while True:
            await asyncio.sleep(METER_PAUSE)
            if any(client.subscribed & METERS for client in self._clients):
                self._tell("InputVolumeMeters", self.world.meters())


def _knows(password: str, salt: str, challenge: str, said: object) -> bool:
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest()).decode()
    right = base64.b64encode(hashlib.sha256((secret + challenge).encode()).digest()).decode()
    return hmac.compare_digest(str(said).encode(), right.encode())
