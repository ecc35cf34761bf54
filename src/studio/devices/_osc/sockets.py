"""The UDP sockets to one desk."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.bridge import Mailbox

logger = logging.getLogger(__name__)


class Socket(asyncio.DatagramProtocol):
    """One UDP socket of ours; datagrams come out of `arrived`, `None` when the other end refused one."""

    def __init__(self, arrived: Mailbox[bytes | None], host: str | None = None) -> None:
        self.arrived = arrived
        self._host = host
        """Whose datagrams are taken where the socket is not connected."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._host in (None, addr[0]):
            self.arrived.put(data)

    def error_received(self, exc: Exception) -> None:
        logger.debug("a datagram was refused: %r", exc)
        self.arrived.put(None)


class Sockets:
    """One that listens and asks, and one that orders; or one for both."""

    def __init__(self, one: bool, listens: int | None) -> None:  # noqa: FBT001 - there are one or two of them
        """Open nothing yet. `listens` is the local port that the desk sends to, `None`: any."""
        self._one = one
        self._listens = listens
        self._to: tuple[str, int] | None = None
        """Where the asking socket sends to; `None` where it is connected."""
        self._asking: asyncio.DatagramTransport | None = None
        self._ordering: asyncio.DatagramTransport | None = None

    async def open(self, host: str, port: int, arrived: Mailbox[bytes | None]) -> None:
        """Open them; OSError where the host is not known or the local port is taken."""
        loop = asyncio.get_running_loop()
        if self._listens is None:
            self._asking, _protocol = await loop.create_datagram_endpoint(
                lambda: Socket(arrived), remote_addr=(host, port)
            )
        else:
            found = await loop.getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
            self._to = str(found[0][4][0]), port
            self._asking, _protocol = await loop.create_datagram_endpoint(
                lambda: Socket(arrived, str(found[0][4][0])),
                local_addr=("0.0.0.0", self._listens),  # noqa: S104 - a desk elsewhere sends here; others are not heard
            )
        if self._one:
            self._ordering = self._asking
            return
        self._ordering, _protocol = await loop.create_datagram_endpoint(
            lambda: Socket(arrived), remote_addr=(host, port)
        )

    def close(self) -> None:
        for transport in (self._asking, self._ordering):
            if transport:
                transport.close()
        self._asking = self._ordering = None

    def ask(self, data: bytes) -> None:
        """Send a question; nothing where no socket is open."""
        if self._asking is not None and not self._asking.is_closing():
            self._asking.sendto(data, self._to)

    def order(self, data: bytes) -> None:
        """Send an order; nothing where no socket is open."""
        if self._ordering is self._asking:
            self.ask(data)
        elif self._ordering is not None and not self._ordering.is_closing():
            self._ordering.sendto(data)
