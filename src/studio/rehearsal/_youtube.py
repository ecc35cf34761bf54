"""The twin of YouTube's door for captions: a real HTTP server that counts, with faults on order."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

KEY = "twin-k3y-never-to-be-seen"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?: region:\S+)?")

Fault = Literal["hang up", "hang up after"] | int
"""`hang up`: in the middle of the request; `hang up after` taking it; a number: answer so instead of taking it."""


@dataclass(frozen=True, slots=True)
class PostedCaption:
    """A caption that viewers would see."""

    seq: int
    moment: datetime
    text: str
    language: str


class YouTubeTwin:
    """`async with YouTubeTwin() as youtube`: takes captions at `youtube.address`.

    It takes each `seq` once, says yes to one that is repeated, and refuses one that goes back.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        """Have a clock that shows `wall`, in seconds since 1970."""
        self._wall = wall
        self.port = 0
        self.captions: list[PostedCaption] = []
        self.seqs: list[int] = []
        """As they came, repeated ones too."""
        self.complaints: list[str] = []
        """What a real one would not have borne."""
        self.late = 0.0
        """Seconds by which it answers late."""
        self.clock_off = 0.0
        """Seconds by which its clock is ahead."""
        self.faults: deque[Fault] = deque()
        """One for each of the next posts."""
        self.refuses = False
        """Knows nobody's key."""
        self.refused = 0
        """Posts with a key that it did not know."""
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """What YouTube Studio would show, the key in it."""
        return f"http://127.0.0.1:{self.port}/closedcaption?cid={KEY}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.shut()

    async def open(self) -> None:
        """Answer, at the same port as before."""
        self._server = await asyncio.start_server(self._call, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        self._server = None

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            # The server's own callback trips over a call that was cancelled.
            with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
                while await self._answer(reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; false where the line is cut."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        first, *lines = head.split("\r\n")
        method, target, _version = first.split(" ")
        headers = {
            name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines if line)
        }
        fault = self.faults.popleft() if self.faults else None
        if fault == "hang up":
            return False
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if method != "POST" or headers.get("content-type") != "text/plain":
            self.complaints.append(f"{method} with {headers.get('content-type')}")
        await asyncio.sleep(self.late)
        code = fault if isinstance(fault, int) else self._take(target, body)
        if fault == "hang up after":
            return False
        now = datetime.fromtimestamp(self._wall() + self.clock_off, UTC)
        text = now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "\n"
        writer.write(f"HTTP/1.1 {code} so\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()
        return True

    def _take(self, target: str, body: bytes) -> int:
        asked = parse_qs(urlsplit(target).query)
        if self.refuses or asked.get("cid") != [KEY]:
            self.refused += 1
            return 403
        seq = int(asked["seq"][0])
        last = max(self.seqs, default=0)
        self.seqs.append(seq)
        if seq < last:
            self.complaints.append(f"seq went back from {last} to {seq}")
            return 400
        if seq == last:
            return 200
        lines = body.decode("utf-8").split("\n")
        if lines.pop() or len(lines) % 2 or not lines or not all(_STAMP.fullmatch(line) for line in lines[::2]):
            self.complaints.append(f"no captions: {body!r}")
            return 400
        for stamp, text in zip(lines[::2], lines[1::2], strict=True):
            moment = datetime.fromisoformat(stamp.partition(" ")[0]).replace(tzinfo=UTC)
            self.captions.append(PostedCaption(seq, moment, text, asked.get("lang", [""])[0]))
        return 200
