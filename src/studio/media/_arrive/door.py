"""The door of an RTMP input: it stays open all the time, and lets one encoder at a time in to the listener behind it.

FFmpeg's own listener takes whoever calls first and then hears nobody else: somebody who connects and says nothing would
keep the encoder out for ever. So it listens where only this machine calls, and we look at who comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from studio.language import _

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

logger = logging.getLogger(__name__)

HELLO = 1 + 1536
"""Bytes that everybody who speaks RTMP says first: C0 and C1 (Adobe's specification 1.0, 5.2)."""
VERSION = 3
"""Of RTMP, the first byte."""
PATIENCE = 3.0
"""Seconds in which they must have come."""
CALLERS = 16
"""Who may be looked at at a time; who comes then is hung up on."""
TAKEN_AFTER = 8.0
"""Seconds that an encoder has until the first of its programme is passed on; FFmpeg looks at it for one."""
STALE = 2.0
"""Seconds without a byte after which an encoder makes room for one that calls: it may be the same one, whose line broke
without a word."""
LISTENS_AFTER = 5.0
"""Seconds that a listener may take to be started."""
CHUNK = 1 << 16


class Door:
    """Owns a thread with a loop of its own, so that neither the air nor the relay's loop waits for a stranger."""

    def __init__(self, listening: socket.socket, name: str, say: Callable[[str], None]) -> None:
        """Answer at `listening`, which `name` shows without its key; begin with `open`."""
        self._listening = listening
        self._name = name
        self._say = say
        self._said: set[str] = set()
        self._callers = 0
        self._guest: asyncio.StreamWriter | None = None
        self._heard = 0.0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self.inner = 0
        """The port at which the listener waits now."""
        self.taken = False
        """Whether the programme of whoever was let in is passed on; set by the listener's owner."""

    def open(self) -> None:
        """Begin to answer, unless it does."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="door", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Hang up on everybody and answer no more; from any thread."""
        if self._loop is not None and self._closing is not None:
            with contextlib.suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._closing.set)

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._meet, sock=self._listening, limit=CHUNK)
        async with server:
            await self._closing.wait()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Look at somebody who calls, and let an encoder in when nobody else is."""
        self._callers += 1
        try:
            if self._callers <= CALLERS:
                hello = await self._hello(reader)
                if hello and await self._room():
                    await self._let_in(hello, reader, writer)
        except OSError as problem:
            logger.info("a caller at %s is gone: %s", self._name, problem)
        finally:
            self._callers -= 1
            writer.close()

    async def _hello(self, reader: asyncio.StreamReader) -> bytes:
        """Return what an encoder says first; nothing where it is none."""
        said = b""
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while len(said) < HELLO and (more := await reader.read(HELLO - len(said))):
                    said += more
                    if said[0] != VERSION:
                        break
        if len(said) == HELLO and said[0] == VERSION:
            return said
        logger.info("somebody who is no encoder called at %s: %r …", self._name, said[:12])
        if said.startswith(b"\x16\x03"):  # a TLS record with a handshake in it
            self._once(
                _("An encoder calls at {address} with encryption, which nobody here understands; set it to rtmp://.")
            )
        elif said:
            self._once(
                _(
                    "Something that is no encoder calls at {address} and is turned away; if it goes on, let only the"
                    " encoder's computer reach that port."
                )
            )
        return b""

    async def _room(self) -> bool:
        """Wait until it is known whether whoever is in stays; return whether there is room then."""
        while self._guest is not None:
            if time.monotonic() - self._heard > STALE:
                logger.warning("who streamed to %s says nothing, and makes room for another encoder", self._name)
                self._guest.transport.abort()
                self._guest = None
            elif self.taken:
                self._once(
                    _(
                        "A second encoder calls at {address} and is turned away, for one streams there; if it is to be"
                        " the backup, give it the address of one (docs/guide.md)."
                    )
                )
                return False
            else:
                await asyncio.sleep(0.1)
        return True

    async def _let_in(self, hello: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._guest, self._heard, self.taken = writer, time.monotonic(), False
        inner: asyncio.StreamWriter | None = None
        try:
            answers, inner = await self._call_listener()
            inner.write(hello)
            ways = [
                asyncio.ensure_future(way)
                for way in (self._pass_on(reader, inner), self._pass_on(answers, writer, heard=False), self._too_slow())
            ]
            _done, others = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
        finally:
            if self._guest is writer:
                self._guest = None
            if inner is not None:
                inner.close()

    async def _call_listener(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Call the listener as soon as it is there. Raises OSError."""
        until = time.monotonic() + LISTENS_AFTER
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", self.inner, limit=CHUNK)
            except OSError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.05)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, heard: bool = True) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if heard:
                    self._heard = time.monotonic()
                writer.write(data)
                await writer.drain()

    async def _too_slow(self) -> None:
        """Be done when whoever was let in has sent no programme in time."""
        await asyncio.sleep(TAKEN_AFTER)
        while self.taken:  # noqa: ASYNC110 - another thread says so
            await asyncio.sleep(1)
        logger.warning("who called at %s sends no programme and is hung up on", self._name)

    def _once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence.format(address=self._name))
