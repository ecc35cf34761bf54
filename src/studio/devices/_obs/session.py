"""One connection to OBS over obsws-python, guarded against its three faults (measured, version 1.8).

After a timeout it hands out every later reply one too late: so nothing is asked of a connection that timed out once.
It mixes up replies between threads: so one thread owns each client. Its event client reads without a timeout in a
thread that dies with a traceback: so we read its socket ourselves, and a probe (`Session.probe`) has to come back
through it. It also writes the password into its log at level INFO: so its log is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from obsws_python import EventClient, ReqClient, Subs
from obsws_python.error import OBSSDKError, OBSSDKTimeoutError
from websocket import WebSocketException

from studio.bridge import Mailbox
from studio.devices._obs.errors import ObsDeniedError, ObsLostError, ObsRefusedError, absent, wrong_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from websocket import WebSocket

logging.getLogger("obsws_python").setLevel(logging.CRITICAL + 1)

PATIENCE = 1.8
"""Seconds OBS has for one answer. Busy software rendering took 0.2 s; a stopped process must be noticed within 3 s."""
WAITING_EVENTS = 1000
"""OBS sends a handful a second; whoever has a thousand waiting has missed the show and must ask everything anew."""

_METERS = "InputVolumeMeters"
_SUBSCRIPTIONS: int = (Subs.LOW_VOLUME & ~Subs.VENDORS | Subs.SCENEITEMTRANSFORMCHANGED).value
_METERING: int = _SUBSCRIPTIONS | Subs.INPUTVOLUMEMETERS.value
_REIDENTIFY = 3
"""The word by which other events are asked for on a connection that stands."""

_BROKEN = (
    OBSSDKTimeoutError,
    OSError,
    WebSocketException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
)
"""What the library raises in the middle of a conversation: silence, a dead socket, one closed under it, nonsense."""


class _Requests(ReqClient):  # type: ignore[misc]  # the library has no types
    def __init__(self, **where: object) -> None:
        try:
            super().__init__(**where)
        except BaseException:
            _hang_up(self)
            raise

    def __repr__(self) -> str:  # the library's holds the password
        return "<OBS requests>"


class _Events(EventClient):  # type: ignore[misc]  # the library has no types
    def __init__(self, **where: object) -> None:
        try:
            super().__init__(**where, subs=_SUBSCRIPTIONS)
        except BaseException:
            _hang_up(self)
            raise

    def subscribe(self) -> None:
        """Start no thread: `Session` reads the socket in one that it owns."""
        self.base_client.ws.settimeout(None)

    def __repr__(self) -> str:  # the library's holds the password
        return "<OBS events>"


def _hang_up(client: object) -> None:
    base = getattr(client, "base_client", None)
    if base is None:
        return  # never connected
    with contextlib.suppress(OSError):
        base.ws.abort()  # wakes a thread that reads; closing alone would leave it waiting for ever
    base.ws.shutdown()


class Session:
    """A request socket and an event socket, each with the thread that owns it. Once lost, it stays lost."""

    def __init__(self) -> None:
        """Belong to the running loop; see `open`."""
        self._loop = asyncio.get_running_loop()
        self._owner = ThreadPoolExecutor(1, thread_name_prefix="obs-requests")
        self._requests: _Requests | None = None
        self._events: _Events | None = None
        self._reader: threading.Thread | None = None
        self._name = f"{id(self):x}"
        self._broken = False
        self._probes = 0
        self._answered = asyncio.Condition()
        self._last_answer = 0
        self.events: Mailbox[tuple[str, dict[str, Any]] | None] = Mailbox(WAITING_EVENTS)
        """Events of OBS as name and data, oldest first; `None` once the event socket is gone."""
        self.meters: Mailbox[dict[str, Any]] = Mailbox(1)
        """Its meters, twenty times a second: only the newest counts."""
        self.lost = asyncio.Event()
        """Set when anything went wrong once."""

    @classmethod
    async def open(cls, host: str, port: int, password: str) -> Session:
        """Connect both sockets. ObsLostError where nobody answers, ObsRefusedError where the password is wrong."""
        session = cls()
        where = {"host": host, "port": port, "password": password, "timeout": PATIENCE}
        try:
            await session._loop.run_in_executor(session._owner, session._connect, where)
        except OBSSDKError as problem:
            await session.close()
            raise ObsRefusedError(wrong_password(host, port)) from problem
        except (OSError, WebSocketException, ValueError, KeyError) as problem:
            await session.close()
            raise ObsLostError(absent(host, port)) from problem
        except BaseException:
            await session.close()
            raise
        return session

    async def request(self, kind: str, /, **data: object) -> dict[str, Any]:
        """Ask OBS and return its answer's data. Raises ObsDeniedError for a no, ObsLostError once the link is gone."""
        if self.lost.is_set():
            raise ObsLostError(kind)
        try:
            answer = await self._loop.run_in_executor(self._owner, self._ask, kind, data)
        except _BROKEN as problem:
            self.lost.set()
            raise ObsLostError(kind) from problem
        status = answer["requestStatus"]
        if not status["result"]:
            raise ObsDeniedError(kind, status["code"], status.get("comment", ""))
        data_back: dict[str, Any] = answer.get("responseData") or {}
        return data_back

    async def probe(self) -> None:
        """Send an event of our own through both sockets; raises ObsLostError if it does not come back in time."""
        self._probes += 1
        mine = self._probes
        try:
            async with asyncio.timeout(PATIENCE):
                await self.request("BroadcastCustomEvent", eventData={"studio": self._name, "probe": mine})
                async with self._answered:
                    await self._answered.wait_for(lambda: self._last_answer >= mine)
        except TimeoutError as problem:
            self.lost.set()
            raise ObsLostError("probe") from problem

    async def meter(self, *, on: bool) -> None:
        """Have OBS tell its meters from now on, or no more. ObsLostError once the link is gone."""
        try:
            await self._loop.run_in_executor(self._owner, self._subscribe, _METERING if on else _SUBSCRIPTIONS)
        except _BROKEN as problem:
            self.lost.set()
            raise ObsLostError("meters") from problem

    async def next_event(self) -> tuple[str, dict[str, Any]]:
        """Return the next event that is not one of our probes; ObsLostError when none can come or some were missed."""
        while True:
            event = await self.events.get()
            if event is None or self.events.dropped:
                self.lost.set()
                raise ObsLostError("events")
            name, data = event
            if name != "CustomEvent" or data.get("studio") != self._name:
                return event
            async with self._answered:
                self._last_answer = data.get("probe", 0)
                self._answered.notify_all()

    async def close(self) -> None:
        """Hang up, now; threads that still wait for OBS are woken and leave. Idempotent."""
        self.lost.set()
        self._hang_up()
        await asyncio.to_thread(self._owner.shutdown)
        self._hang_up()  # what was still connecting
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join)

    def _hang_up(self) -> None:
        for client in (self._requests, self._events):
            if client is not None:
                _hang_up(client)

    def _connect(self, where: Mapping[str, object]) -> None:
        self._requests = _Requests(**where)
        self._events = _Events(**where)
        for client in (self._requests, self._events):
            client.base_client.password = ""
        self._reader = threading.Thread(target=self._read, name="obs-events", daemon=True)
        self._reader.start()

    def _ask(self, kind: str, data: Mapping[str, object]) -> dict[str, Any]:
        if self._requests is None or self._broken or self.lost.is_set():
            raise ConnectionError(kind)
        # Broken until the answer is here, and noted in this thread: whoever asked may not wait any more, and then hears
        # of no fault, but the next one would get this one's answer.
        self._broken = True
        answer: dict[str, Any] = self._requests.base_client.req(kind, data)
        if answer["requestType"] != kind:
            raise ValueError(f"OBS was asked for {kind} and answered {answer['requestType']}")
        self._broken = False
        return answer

    def _subscribe(self, events: int) -> None:
        if self._events is None or self.lost.is_set():
            raise ConnectionError(_METERS)
        self._events.base_client.ws.send(json.dumps({"op": _REIDENTIFY, "d": {"eventSubscriptions": events}}))

    def _read(self) -> None:
        assert self._events is not None  # noqa: S101 - started only then
        ws: WebSocket = self._events.base_client.ws
        try:
            while text := ws.recv():  # empty: OBS hung up
                name, data = read_event(text)
                if name == _METERS:
                    self.meters.put(data)
                elif name:
                    self.events.put((name, data))
        except _BROKEN as problem:
            logging.getLogger(__name__).debug("the event socket of OBS ended: %r", problem)
        finally:
            self.events.put(None)


def read_event(text: str | bytes) -> tuple[str, dict[str, Any]]:
    """Return name and data of an event that OBS sent; no name for what is none."""
    try:
        said = json.loads(text)["d"]
        name, data = said["eventType"], said.get("eventData") or {}
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", {}
    return (name, data) if isinstance(name, str) and isinstance(data, dict) else ("", {})
