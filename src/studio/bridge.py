"""From a blocking thread, or another process, to the loop: one bounded queue that says what it drops.

`Mailbox` stands between a thread and the loop of one process. `Line` carries `events.Message`s between two processes
over a Unix socket: each message is its length (4 bytes, big-endian) and its msgpack. Never pickles.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from studio.events import AnyMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

T = TypeVar("T")

LARGEST = 4 << 20
"""Bytes of one message. The largest we send is a second of sound, 32 kB; whoever announces more is not one of ours."""

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


class Mailbox(Generic[T]):
    """A bounded queue that any thread may fill and the loop empties; when full, the oldest goes and is counted."""

    def __init__(self, limit: int) -> None:
        """Belong to the running loop; at most `limit` wait."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: deque[T] = deque(maxlen=limit)
        self._lock = threading.Lock()  # so that `dropped` is right when several threads fill at once
        self._some = asyncio.Event()
        self.dropped = 0
        """How many were dropped, ever."""

    def put(self, item: T) -> None:
        """Add `item`, from any thread; never blocks. After the loop has closed it goes nowhere."""
        with self._lock:
            if len(self._waiting) == self._waiting.maxlen:
                self.dropped += 1
            self._waiting.append(item)
        if threading.get_ident() == self._thread:  # the loop's own: it needs no waking, which costs two system calls
            self._some.set()
            return
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._some.set)

    async def get(self) -> T:
        """Return the oldest; wait for one where there is none."""
        while not self._waiting:
            self._some.clear()
            if not self._waiting:
                await self._some.wait()
        with self._lock:
            return self._waiting.popleft()

    def __len__(self) -> int:
        return len(self._waiting)


class Line:
    """One end of a conversation in messages with another process.

    Sending never waits: what the other end does not take in time is dropped, oldest first, and counted in `dropped`.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int = 2000) -> None:
        """Own both ends of the stream; at most `limit` messages wait to be sent."""
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=0)  # so that what waits, waits here, where it is counted
        self._length: int | None = None
        """Of the message that is being received: kept, so that a `receive` that is cancelled loses nothing."""
        self._waiting: deque[bytes] = deque(maxlen=limit)
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._pump = asyncio.create_task(self._send_waiting())
        self.dropped = 0

    @classmethod
    async def call(cls, path: Path) -> Line:
        """Call whoever listens at `path`. Raises OSError when nobody does."""
        return cls(*await asyncio.open_unix_connection(path))

    def send(self, message: AnyMessage) -> None:
        """Queue `message`; call it from the loop's own thread. ValueError for one that the other end would not take."""
        data = _encoder.encode(message)
        if len(data) > LARGEST:
            raise ValueError(f"{type(message).__name__} of {len(data)} bytes: no message may be longer than {LARGEST}")
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(data)
        self._idle.clear()
        self._some.set()

    async def receive(self) -> AnyMessage | None:
        """Return the next message, or `None` once the other end is gone or talks nonsense. May be cancelled."""
        try:
            if self._length is None:
                (self._length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if self._length > LARGEST:
                return None
            data = await self._reader.readexactly(self._length)
            self._length = None
            return _decoder.decode(data)
        except (asyncio.IncompleteReadError, OSError, msgspec.MsgspecError):
            return None

    def __aiter__(self) -> Line:
        return self

    async def __anext__(self) -> AnyMessage:
        message = await self.receive()
        if message is None:
            raise StopAsyncIteration
        return message

    async def drain(self) -> None:
        """Wait until all that was sent has left this process, or the other end is gone."""
        idle = asyncio.ensure_future(self._idle.wait())
        try:
            await asyncio.wait({self._pump, idle}, return_when="FIRST_COMPLETED")
        finally:
            idle.cancel()

    async def close(self) -> None:
        """Hang up at once, even on somebody who does not listen; what still waits is lost (see `drain`)."""
        self._pump.cancel()
        self._writer.transport.abort()
        await asyncio.wait({self._pump})  # unlike `await self._pump`, which would take our own cancelling for its
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _send_waiting(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                while not self._waiting:
                    self._idle.set()
                    self._some.clear()
                    await self._some.wait()
                data = self._waiting.popleft()
                self._writer.write(_LENGTH.pack(len(data)) + data)
                await self._writer.drain()


async def answer(path: Path, talk: Callable[[Line], Awaitable[None]]) -> asyncio.Server:
    """Listen at `path`, a Unix socket that only this user may call, and `talk` with everyone who calls.

    A socket left behind by a dead process is taken over; OSError (EADDRINUSE) where a living one listens. Lines are
    closed when `talk` returns.
    """

    async def pick_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        try:
            await talk(line)
        finally:
            await line.close()

    if _answered(path):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # before anybody can call
        return await asyncio.start_unix_server(pick_up, sock=listener)
    except BaseException:
        listener.close()
        raise


def _answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(0)
        try:
            caller.connect(str(path))
        except BlockingIOError:  # somebody listens who is too busy to pick up
            return True
        except OSError:
            return False
        return True
