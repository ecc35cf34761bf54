from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
import struct
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from studio.bridge import LARGEST, Line, Mailbox, answer
from studio.events import AnyMessage, CaptionsDone, Heard, ShowCue, Sound, Subscribe, Welcome
from studio.spoken import Cue, Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CUE = ShowCue(Cue(7, Ms(1000), Ms(2500), ("Zażółć gęślą", "ąžuolą šaknį")))


class Reception:
    """Somebody who picks up and hands over the lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: asyncio.Queue[Line] = asyncio.Queue()
        self.hang_up = asyncio.Event()

    async def talk(self, line: Line) -> None:
        await self.lines.put(line)
        await self.hang_up.wait()


@pytest.fixture
async def reception(tmp_path: Path) -> AsyncIterator[Reception]:
    reception = Reception(tmp_path / "relay.sock")
    server = await answer(reception.path, reception.talk)
    async with server:
        yield reception
        reception.hang_up.set()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def calling(path: Path) -> AsyncIterator[Line]:
    line = await Line.call(path)
    try:
        yield line
    finally:
        await line.close()


@contextlib.asynccontextmanager
async def raw(path: Path) -> AsyncIterator[asyncio.StreamWriter]:
    """Someone who speaks no language of ours."""
    _reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_a_message_arrives_as_it_was_sent(reception: Reception) -> None:
    async with calling(reception.path) as here:
        there = await reception.lines.get()
        messages: list[AnyMessage] = [
            Subscribe("recogniser", sound_from=Ms(120)),
            CUE,
            Heard((Word("dzień", Ms(0), Ms(300), 0.9),), "dobry", Ms(2000), Ms(80)),
            CaptionsDone(),
        ]
        for message in messages:
            here.send(message)
        assert [await there.receive() for _ in messages] == messages
        there.send(Welcome(1, Ms(6000), 42))
        assert await here.receive() == Welcome(1, Ms(6000), 42)


async def test_a_large_message_arrives_whole(reception: Reception) -> None:
    sound = Sound(Ms(0), bytes(range(256)) * 8000)
    async with calling(reception.path) as here:
        here.send(sound)
        assert await (await reception.lines.get()).receive() == sound


async def test_the_other_end_hears_that_we_hung_up_after_all_that_was_drained(reception: Reception) -> None:
    async with calling(reception.path) as here:
        there = await reception.lines.get()
        for number in range(500):
            here.send(Sound(Ms(number), bytes(320)))
        await here.drain()
    heard = [message async for message in there]
    assert [message.start for message in heard if isinstance(message, Sound)] == list(range(500))


async def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Line.call(tmp_path / "nobody.sock")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\nHost: studio\r\n\r\n",
        struct.pack(">I", LARGEST + 1),
        struct.pack(">I", 0xFFFFFFFF) + b"x" * 100_000,
        struct.pack(">I", 4) + b"\xc1\xc1\xc1\xc1",
        struct.pack(">I", 0),
        struct.pack(">I", 3) + msgspec.msgpack.encode([1, 2]),
        b"\x00\x00",
    ],
    ids=["another protocol", "too long", "far too long", "no msgpack", "empty", "no message", "half a length"],
)
async def test_nonsense_ends_the_line_and_nothing_else(reception: Reception, nonsense: bytes) -> None:
    async with raw(reception.path) as stranger:
        stranger.write(nonsense)
        stranger.write_eof()
        assert await (await reception.lines.get()).receive() is None
    async with calling(reception.path) as friend:
        friend.send(CUE)
        assert await (await reception.lines.get()).receive() == CUE


async def test_a_message_of_another_kind_ends_the_line(reception: Reception) -> None:
    data = msgspec.msgpack.encode({"type": "OpenTheDoors"})
    async with raw(reception.path) as stranger:
        stranger.write(struct.pack(">I", len(data)) + data)
        assert await (await reception.lines.get()).receive() is None


async def test_what_nobody_would_take_is_not_sent(reception: Reception) -> None:
    async with calling(reception.path) as here:
        with pytest.raises(ValueError, match="Sound of"):
            here.send(Sound(Ms(0), bytes(LARGEST)))


async def test_who_reads_slowly_gets_the_newest_and_we_count_what_they_missed(tmp_path: Path) -> None:
    path = tmp_path / "slow.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        line = Line(*await asyncio.open_unix_connection(path), limit=10)
        slow, _address = listener.accept()
    try:
        for number in range(300):
            line.send(Sound(Ms(number), bytes(32_000)))
            await asyncio.sleep(0)
        assert line.dropped > 0
        there = Line(*await asyncio.open_unix_connection(sock=slow))
        got: list[int] = []
        while not got or got[-1] < 299:
            message = await there.receive()
            assert isinstance(message, Sound)
            got.append(message.start)
        assert got == sorted(got)
        assert got[-10:] == list(range(290, 300))
        assert len(got) + line.dropped == 300
        await there.close()
    finally:
        await line.close()


async def test_hanging_up_on_who_never_reads_does_not_wait(tmp_path: Path) -> None:
    path = tmp_path / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        line = Line(*await asyncio.open_unix_connection(path))
        deaf, _address = listener.accept()
    with deaf:
        for number in range(50):
            line.send(Sound(Ms(number), bytes(320_000)))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            await line.close()


async def test_draining_ends_when_the_other_end_goes(reception: Reception) -> None:
    async with calling(reception.path) as here:
        there = await reception.lines.get()
        for number in range(100):
            here.send(Sound(Ms(number), bytes(320_000)))
        draining = asyncio.ensure_future(here.drain())
        await asyncio.sleep(0)
        await there.close()
        async with asyncio.timeout(20):
            await draining


async def test_sending_to_somebody_who_is_gone_is_harmless(reception: Reception) -> None:
    async with calling(reception.path) as here:
        await (await reception.lines.get()).close()
        assert await here.receive() is None
        for _ in range(10):
            here.send(CUE)
            await asyncio.sleep(0)
        assert await here.receive() is None


async def test_a_receive_that_was_given_up_loses_nothing(reception: Reception) -> None:
    data = msgspec.msgpack.encode(CUE)
    async with raw(reception.path) as slow:
        there = await reception.lines.get()
        slow.write(struct.pack(">I", len(data)))
        await slow.drain()
        giving_up = asyncio.ensure_future(there.receive())
        for _ in range(5):
            await asyncio.sleep(0)
        giving_up.cancel()
        await asyncio.wait({giving_up})
        slow.write(data)
        assert await there.receive() == CUE


async def test_only_this_user_may_call(reception: Reception) -> None:
    assert stat.S_IMODE(reception.path.stat().st_mode) == 0o600


async def test_a_socket_left_behind_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "relay.sock"
    script = f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r}); s.listen()"
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: ASYNC221 - nothing else runs here
    assert path.is_socket()
    reception = Reception(path)
    reception.hang_up.set()
    async with await answer(path, reception.talk), calling(path):
        await reception.lines.get()


async def test_a_socket_in_use_is_not_taken_away(reception: Reception) -> None:
    with pytest.raises(OSError, match=r"relay\.sock"):
        await answer(reception.path, reception.talk)
    async with calling(reception.path):
        await reception.lines.get()


async def test_a_mailbox_hands_over_from_many_threads() -> None:
    mailbox: Mailbox[tuple[int, int]] = Mailbox(10_000)

    def fill(thread: int) -> None:
        for number in range(500):
            mailbox.put((thread, number))

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    got = [await mailbox.get() for _ in range(2000)]
    for thread in threads:
        thread.join()
    for number in range(4):
        assert [item for thread, item in got if thread == number] == list(range(500))
    assert (mailbox.dropped, len(mailbox)) == (0, 0)


async def test_a_full_mailbox_drops_the_oldest_and_counts_right_over_all_threads() -> None:
    mailbox: Mailbox[int] = Mailbox(5)

    def fill() -> None:
        for number in range(2000):
            mailbox.put(number)

    threads = [threading.Thread(target=fill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailbox) == 5
    assert mailbox.dropped == 7995
    assert [await mailbox.get() for _ in range(5)][-1] == 1999


def test_a_thread_that_outlives_the_loop_is_not_disturbed() -> None:
    async def open_one() -> Mailbox[int]:
        return Mailbox(3)

    mailbox = asyncio.run(open_one())
    mailbox.put(1)
    assert len(mailbox) == 1
