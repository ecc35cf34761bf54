"""A relay that follows a script, on a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, TypeVar

from tests.captions.scripted_ears import CHUNK, SCRIPT, second_look

from studio.bridge import Line, answer
from studio.events import AnyMessage, ListenerReport, Message, ShowCue, Sound, SoundEnded, Subscribe, Trouble, Welcome
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.captions import CaptionsPlan

M = TypeVar("M", bound=Message)

QUIET = bytes(2 * 16 * CHUNK)


class ScriptedRelay:
    """Says Welcome, plays its programme from where the caller wants it, remembers what it was told."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.epoch = time.monotonic_ns() - 60_000_000_000  # the show began a minute ago
        self.show = 0
        self.process = os.getpid()
        self.hold = Ms(1000)
        self.kept_from = 0
        """What the ring still holds begins here."""
        self.plays_until = 0
        """The programme so far."""
        self.programme = b""
        """Its sound from show time 0; silence after its end."""
        self.ends = False
        self.silent = False
        self.said: list[AnyMessage] = []
        self.asked: list[Ms | None] = []
        self.changed = asyncio.Condition()
        self._lines: list[Line] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await answer(self.socket, self._talk)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        for line in self._lines:
            await line.close()
        self._lines.clear()

    async def play(self, until: int) -> None:
        async with self.changed:
            self.plays_until = until
            self.changed.notify_all()

    async def end(self, *, silent: bool = False) -> None:
        async with self.changed:
            self.ends, self.silent = True, silent
            self.changed.notify_all()

    def send(self, message: AnyMessage) -> None:
        """Say something to whoever called last."""
        self._lines[-1].send(message)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so; the test's own time limit is the only one."""
        async with self.changed:
            await self.changed.wait_for(true)

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.said if isinstance(message, kind)]

    def cues(self) -> list[int]:
        return [message.cue.number for message in self.of(ShowCue)]

    def last_report(self) -> ListenerReport:
        return self.of(ListenerReport)[-1]

    def troubles(self) -> list[str]:
        return [message.sentence for message in self.of(Trouble)]

    async def _talk(self, line: Line) -> None:
        first = await line.receive()
        assert isinstance(first, Subscribe)
        self._lines.append(line)
        self.asked.append(first.sound_from)
        line.send(Welcome(self.epoch, self.hold, self.process, self.show))
        playing = asyncio.create_task(self._play(line, first.sound_from))
        async for message in line:
            async with self.changed:
                self.said.append(message)
                self.changed.notify_all()
        playing.cancel()

    async def _play(self, line: Line, sound_from: Ms | None) -> None:
        if sound_from is None:
            return
        at = max(self.kept_from, sound_from)
        while True:
            while at < self.plays_until:
                line.send(Sound(Ms(at), self.programme[32 * at : 32 * (at + CHUNK)] or QUIET))
                at += CHUNK
                await line.drain()
                await asyncio.sleep(0.002)  # fifty times as fast as life
            if self.ends and at >= self.plays_until:
                line.send(SoundEnded(self.silent))
                return
            async with self.changed:
                await self.changed.wait()


def expected(until: int) -> list[str]:
    """What the script says up to there."""
    return [word.text for word in SCRIPT if word.end <= until]


def looked_at(until: int) -> list[str]:
    """What the second look makes of it."""
    return [word.text for n in range(len(SCRIPT)) if SCRIPT[n].end <= until for word in second_look(n)]


def in_journal(plan: CaptionsPlan) -> list[str]:
    lines = (plan.folder / "captions.words.jsonl").read_text().splitlines()
    return [entry["text"] for entry in map(json.loads, lines) if "text" in entry]
