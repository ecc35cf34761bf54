"""Listening to an unknown device over OSC, and making it talk."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from studio.bridge import Mailbox
from studio.devices._osc.sockets import Socket
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WAITING = 4096
"""Datagrams that may wait to be heard."""


async def listen(
    take: Callable[[wire.Message], None],
    listens: int | None,
    to: tuple[str, int] | None = None,
    says: Sequence[wire.Message] = (),
    every: float = 8.0,
) -> None:
    """Hear every message until cancelled, at the local port `listens` (`None`: any).

    To `to` all of `says` is said at once and every `every` seconds. OSError where the port is taken, or where the host
    is not known.
    """
    loop = asyncio.get_running_loop()
    arrived: Mailbox[bytes | None] = Mailbox(WAITING)
    there: tuple[str, int] | None = None
    if to:
        found = await loop.getaddrinfo(*to, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        there = str(found[0][4][0]), to[1]
    transport, _protocol = await loop.create_datagram_endpoint(
        lambda: Socket(arrived),
        local_addr=("0.0.0.0", listens or 0),  # noqa: S104 - whoever talks is what we want to hear
    )

    async def say() -> None:
        while there and says:
            for message in says:
                transport.sendto(wire.encode(message), there)
            await asyncio.sleep(every)

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(say())
            while True:
                for message in wire.decode(await arrived.get() or b""):
                    take(message)
    finally:
        transport.close()
