"""Ways to a camera: a UDP socket, the one UDP port that several cameras answer to, or a TCP connection."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from studio.bridge import Mailbox
from studio.errors import DeviceError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

WAITING = 256
"""Pieces that may wait to be read; a camera sends some ten a second."""
CONNECT = 2.0
"""Seconds in which a camera has to take a TCP connection."""
PIECE = 4096


class GoneError(DeviceError):
    """The camera cannot be reached, or does not answer any more; empty where nobody knows why."""


class Way(Protocol):
    """Bytes to one camera and back."""

    arrived: Mailbox[bytes | None]
    """What came: datagrams, or pieces of the stream; `None`: it is over."""
    stream: bool
    """Whether the pieces join without regard to packets."""

    def send(self, data: bytes) -> None:
        """Send at once; what cannot go is lost."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


async def open_way(host: str, port: int, transport: str, reply_port: int | None) -> Way:
    """Open a way to `host`:`port`. Raises GoneError, and OSError for a host that is unknown or does not let us in."""
    if transport == "tcp":
        return await _Stream.open(host, port)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    address = (str(found[0][4][0]), port)
    if reply_port is not None:
        return await _shared_port(reply_port).join(address)
    arrived: Mailbox[bytes | None] = Mailbox(WAITING)
    transport_, _ear = await loop.create_datagram_endpoint(
        lambda: _Ear(lambda data, _from: arrived.put(data)), remote_addr=address
    )
    return _Datagrams(arrived, transport_)


class _Ear(asyncio.DatagramProtocol):
    """A socket that hands on what it hears, and where from; `None` for a datagram of ours that was refused."""

    def __init__(self, heard: Callable[[bytes | None, Any], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        self._heard(data, addr)

    def error_received(self, exc: Exception) -> None:
        logger.debug("a datagram was refused: %r", exc)
        self._heard(None, None)


class _Datagrams:
    """A socket of our own, on which only this camera is heard."""

    stream = False

    def __init__(self, arrived: Mailbox[bytes | None], transport: asyncio.DatagramTransport) -> None:
        self.arrived = arrived
        self._transport = transport

    def send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data)

    async def close(self) -> None:
        self._transport.close()


class _SharedPort:
    """One UDP port of this machine that several cameras answer to, told apart by their address."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.DatagramTransport | None = None
        self._opening = asyncio.Lock()
        self._ways: dict[tuple[str, int], _Guest] = {}

    async def join(self, camera: tuple[str, int]) -> Way:
        """A way to `camera`, an address. Raises GoneError where another program has the port."""
        async with self._opening:
            if self._transport is None:
                try:
                    self._transport, _ear = await asyncio.get_running_loop().create_datagram_endpoint(
                        lambda: _Ear(self._heard),
                        ("0.0.0.0", self._port),  # noqa: S104 - cameras are on the network
                    )
                except OSError as problem:
                    raise GoneError(
                        _(
                            "Cameras answer to UDP port {port} of this machine, which another program has; close it."
                        ).format(port=self._port)
                    ) from problem
            if camera in self._ways:
                raise GoneError(
                    _("Two cameras cannot both be at {host}:{port}.").format(host=camera[0], port=camera[1])
                )
            guest = self._ways[camera] = _Guest(self, camera)
            return guest

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(data, to)

    def leave(self, camera: tuple[str, int]) -> None:
        self._ways.pop(camera, None)
        if not self._ways and self._transport:
            self._transport.close()
            self._transport = None

    def _heard(self, data: bytes | None, who: Any) -> None:  # noqa: ANN401 - an address
        if data is None:  # refused: nobody knows which camera, and its silence will be noticed
            return
        guest = self._ways.get(who) or next((each for at, each in self._ways.items() if at[0] == who[0]), None)
        if guest:
            guest.arrived.put(data)


class _Guest:
    """One camera's share of a shared port."""

    stream = False

    def __init__(self, port: _SharedPort, camera: tuple[str, int]) -> None:
        self.arrived: Mailbox[bytes | None] = Mailbox(WAITING)
        self._port = port
        self._camera = camera

    def send(self, data: bytes) -> None:
        self._port.send(data, self._camera)

    async def close(self) -> None:
        self._port.leave(self._camera)
        await asyncio.sleep(0)  # asyncio closes a socket with the next turn of the loop


_PORTS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _SharedPort]] = WeakKeyDictionary()


def _shared_port(port: int) -> _SharedPort:
    return _PORTS.setdefault(asyncio.get_running_loop(), {}).setdefault(port, _SharedPort(port))


class _Stream:
    """A TCP connection."""

    stream = True

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrived: Mailbox[bytes | None] = Mailbox(WAITING)
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(cls, host: str, port: int) -> _Stream:
        try:
            async with asyncio.timeout(CONNECT):
                reader, writer = await asyncio.open_connection(host, port, family=socket.AF_INET)
        except TimeoutError as problem:
            raise GoneError from problem
        writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(reader, writer)

    def send(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.wait({self._reading})  # unlike `await`, which would take our own cancelling for its
        self._writer.transport.abort()  # a camera that is dead would never say goodbye

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(PIECE):
                self.arrived.put(data)
        except OSError as problem:
            logger.debug("a connection broke: %r", problem)
        self.arrived.put(None)
