"""A real OBS for the tests of its driver, and helpers to wait until something is so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import ffmpeg
import pytest
from tests.ports import free_port

from studio.bus import Bus
from studio.devices import Obs, ObsProcess
from studio.wire.obs import Box, Collection, Scene, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

PATIENCE = 60.0
"""Seconds before a test gives up waiting; far beyond what anything takes, so that a busy machine is no failure."""


async def until(so: Callable[[], object], what: str) -> None:
    """Wait until `so()` holds; fail naming `what`."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def played(scene: Callable[..., Awaitable[None]], *takes: tuple[object, ...]) -> None:
    """Play `scene` with each of `takes` at the same time: most of a scene is waiting. A failure names its take."""

    async def play(take: tuple[object, ...]) -> None:
        try:
            await scene(*take)
        except BaseException as problem:
            problem.add_note(f"in the scene with {take}")
            raise

    async with asyncio.TaskGroup() as stage:
        for take in takes:
            stage.create_task(play(take))


@contextlib.asynccontextmanager
async def frozen(pid: int | None) -> AsyncIterator[None]:
    """Have a process stand still meanwhile, all of its threads: under load one may go on for a while after SIGSTOP."""
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: all(_stands(thread) for thread in Path(f"/proc/{pid}/task").iterdir()), "it stands still")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _stands(thread: Path) -> bool:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] in "TZ"


def needs(*programs: str) -> None:
    """Skip aloud without a program."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: this test needs the real one (scripts/setup installs it)")


def talk(folder: Path) -> Path:
    """Four seconds of moving picture with a tone."""
    film = folder / "talk.mp4"
    ffmpeg.output(
        ffmpeg.input("testsrc2=size=640x360:rate=15", f="lavfi", t=4),
        ffmpeg.input("sine=440", f="lavfi", t=4),
        str(film),
        vcodec="libx264",
        preset="ultrafast",
        pix_fmt="yuv420p",
        acodec="aac",
        loglevel="error",
    ).run(overwrite_output=True)
    return film


def demo(film: Path) -> Collection:
    """Two scenes as the demo has them."""
    name = Source("Name", "text", box=Box(0.05, 0.75, 0.9, 0.1), text="Ona Žukauskaitė", align="left")
    slide = Source("Slide", "colour", colour="#102030")
    soon = Source("Soon", "text", box=Box(0, 0.4, 1, 0.2), text="Zaraz zaczynamy")
    return Collection(
        (Scene("Talk", (Source("Film", "media", file=film), name)), Scene("Holding", (slide, soon))), 640, 360, 15
    )


class Hall:
    """One OBS of our own with its driver, running."""

    def __init__(self, folder: Path) -> None:
        self.collection = demo(talk(folder))
        self.bus = Bus()
        self.process = ObsProcess(folder / "obs", self.collection)
        self.obs = Obs(self.process.host, self.process.port, self.process.password, self.bus)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Hall]:
        async with asyncio.TaskGroup() as rooms:
            process = rooms.create_task(self.process.run())
            driver = rooms.create_task(self.obs.run())
            await until(lambda: self.obs.link.state == "online", "OBS online")
            try:
                yield self
            finally:
                driver.cancel()
                await self.process.stop()
                await process


class Ingest:
    """A server that OBS streams to: ffmpeg listening once, and again for ever."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.server = f"rtmp://127.0.0.1:{self.port}/live"
        self.file = folder / "ingest.flv"
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        listening = ffmpeg.output(
            ffmpeg.input(f"{self.server}/studio", listen=1), str(self.file), c="copy", flush_packets=1, loglevel="quiet"
        )
        command = ffmpeg.compile(listening, overwrite_output=True)
        while True:
            self.process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
            try:
                await self.process.wait()
            finally:
                if self.process.returncode is None:
                    self.process.kill()
                    await self.process.wait()

    @property
    def size(self) -> int:
        """Bytes of the stream that has arrived since the last listener began."""
        return self.file.stat().st_size if self.file.exists() else 0
