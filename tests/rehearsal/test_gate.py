"""The gate of faults between two real local sockets: each fault does what it says, and no more."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.devices.hall import PATIENCE, until

from studio.rehearsal import Gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Echo(asyncio.DatagramProtocol):
    """A device that says back what it hears."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        self.transport.sendto(data, addr)


class Ear(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.refused = 0

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self.heard.append(data)

    def error_received(self, _exc: Exception) -> None:
        self.refused += 1


@contextlib.asynccontextmanager
async def udp() -> AsyncIterator[tuple[Gate, Echo, Ear, Any]]:
    loop = asyncio.get_running_loop()
    device, echo = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    async with Gate("udp", device.get_extra_info("sockname")[1]) as gate:
        house, ear = await loop.create_datagram_endpoint(Ear, remote_addr=("127.0.0.1", gate.port))
        yield gate, echo, ear, house
        house.abort()
    device.abort()
    await asyncio.sleep(0)  # closed with the loop's next turn


def said(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@pytest.mark.parametrize(
    ("fault", "there", "back"),
    [
        ("well", said(6), said(6)),
        ("lose", [b"1", b"2", b"4", b"5"], [b"2", b"4"]),
        ("duplicate", [b"0", b"0", b"1", b"2", b"3", b"3", b"4", b"5"], None),
        ("reorder", [b"1", b"0", b"2", b"4", b"3", b"5"], None),
        ("half-open", said(6), []),
        ("deaf", [], []),
    ],
)
async def test_udp_by_pattern(fault: str, there: list[bytes], back: list[bytes] | None) -> None:
    pattern = [True, False, False]
    async with udp() as (gate, echo, ear, house):
        match fault:
            case "lose":
                gate.lose(pattern)
            case "duplicate":
                gate.duplicate(pattern)
            case "reorder":
                gate.reorder(pattern)
            case "half-open":
                gate.half_open()
            case "deaf":
                gate.deaf()
        for each in said(6):
            house.sendto(each)
        if there:
            await until(lambda: len(echo.heard) >= len(there), f"all of {there} there")
        assert echo.heard == there
        if back is not None:
            await until(lambda: len(ear.heard) >= len(back), f"all of {back} back")
            assert ear.heard == back
        gate.well()
        house.sendto(b"well")
        await until(lambda: ear.heard[-1:] == [b"well"], "well again")


async def test_udp_unplugged_is_refused_and_comes_back_at_the_same_port() -> None:
    async with udp() as (gate, echo, ear, house):
        house.sendto(b"before")
        await until(lambda: ear.heard == [b"before"], "an answer")
        port = gate.port
        await gate.unplug()
        house.sendto(b"nobody")
        await until(lambda: ear.refused, "refused")
        await gate.plug()
        assert gate.port == port
        house.sendto(b"after")
        await until(lambda: ear.heard[-1] == b"after", "an answer again")
        assert echo.heard == [b"before", b"after"]


async def test_late_and_slow_are_late() -> None:
    async with udp() as (gate, echo, ear, house):
        loop = asyncio.get_running_loop()
        for fault, seconds, way in ((gate.slow, 0.1, 1), (gate.late, 0.1, 2)):
            fault(seconds)
            before, heard = loop.time(), len(ear.heard)
            house.sendto(b"x")
            await until(lambda seen=heard: len(ear.heard) > seen, "an answer")  # type: ignore[misc]
            assert loop.time() - before >= seconds * way - 0.01
        assert len(echo.heard) == 2


async def test_junk_comes_to_all_who_talked() -> None:
    async with udp() as (gate, _echo, ear, house):
        house.sendto(b"hello")
        await until(lambda: ear.heard, "an answer")
        gate.junk(b"\xff\xfe")
        await until(lambda: ear.heard[-1] == b"\xff\xfe", "junk")


async def serve_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(100):
            writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def tcp() -> AsyncIterator[Gate]:
    server = await asyncio.start_server(serve_echo, "127.0.0.1", 0)
    async with Gate("tcp", server.sockets[0].getsockname()[1]) as gate:
        yield gate
    server.close()


async def call(gate: Gate) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", gate.port)


async def test_tcp_passes_and_comes_in_single_bytes() -> None:
    async with tcp() as gate:
        reader, writer = await call(gate)
        gate.fragment()
        writer.write(b"hello")
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(5) == b"hello"
        writer.close()


async def test_tcp_deaf_stalls_and_then_all_of_it_comes() -> None:
    async with tcp() as gate:
        reader, writer = await call(gate)
        gate.deaf()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        gate.well()
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(5) == b"hello"
        writer.close()


async def test_tcp_half_open_lets_in_says_nothing_and_ends_in_a_reset() -> None:
    async with tcp() as gate:
        old, old_writer = await call(gate)
        old_writer.write(b"x")
        assert await old.readexactly(1) == b"x"
        gate.half_open()
        new, new_writer = await call(gate)
        for reader, writer in ((old, old_writer), (new, new_writer)):
            writer.write(b"hello")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(1)
        gate.well()
        for reader in (old, new):
            with pytest.raises(ConnectionResetError):
                async with asyncio.timeout(PATIENCE):
                    await reader.read(1)
        again, writer = await call(gate)
        writer.write(b"well")
        async with asyncio.timeout(PATIENCE):
            assert await again.readexactly(4) == b"well"
        for each in (old_writer, new_writer, writer):
            each.close()


async def test_tcp_unplugged_resets_and_refuses() -> None:
    async with tcp() as gate:
        reader, writer = await call(gate)
        writer.write(b"x")
        await reader.readexactly(1)
        await gate.unplug()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        with pytest.raises(ConnectionRefusedError):
            await call(gate)
        await gate.plug()
        again, writer = await call(gate)
        writer.write(b"y")
        assert await again.readexactly(1) == b"y"
        writer.close()


async def test_a_tap_hears_both_sides() -> None:
    heard: list[tuple[str, bytes, int]] = []
    server = await asyncio.start_server(serve_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Gate("tcp", port, tap=lambda *said: heard.append(said)) as gate:
        reader, writer = await call(gate)
        writer.write(b"x")
        await reader.readexactly(1)
        writer.close()
    server.close()
    assert heard == [("house", b"x", 0), ("device", b"x", 0)]
