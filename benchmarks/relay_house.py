"""A house for the measurements: its studio.toml, its show in this process, and its processes by their roles."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
from benchmarks.relay_stage import Ear, Encoder, Heartbeat, Pulse, free_port, until

from studio import web
from studio.app import House, Wish, plan_evening
from studio.catalogue import Catalogue
from studio.media import RelayPlan
from studio.venue import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence


LEAVES = 180.0
"""Seconds for a show to air what is held and to join its recording."""


@dataclass(frozen=True, slots=True)
class To:
    """A destination as studio.toml has it."""

    name: str
    address: str
    key: str = ""
    on: bool = True
    preset: str = ""


def write_house(
    folder: Path,
    *,
    listen: str,
    to: Sequence[To] = (),
    hold: float = 6.0,
    captions: bool = False,
    language: str = "en",
    encode: str = "",
    port: int = 0,
) -> Path:
    """Write a `studio.toml` and an encode preset below `folder`; `encode` are further lines of the preset."""
    presets = folder / "presets" / "encode"
    presets.mkdir(parents=True)
    (presets / "bench.yaml").write_text(f"based_on: hall-720p\n{encode}\n", encoding="utf-8")
    lines = [
        f'name = "bench"\nlanguage = "{language}"\ninterface = "en"',
        f'[show]\ntitle = "Bench"\ninput = "listen"\nlisten = "{listen}"\nencode = "bench"\nhold = {hold}',
        f'[obs]\nuse = "off"\n[web]\nport = {port or free_port()}\n[captions]\non = {str(captions).lower()}',
    ]
    for each in to:
        lines.append(f'[[destinations]]\nname = "{each.name}"\naddress = "{each.address}"\non = {str(each.on).lower()}')
        if each.preset:
            lines.append(f'preset = "{each.preset}"')
        if each.key:
            key = folder / f"{each.name}.key"
            key.touch(mode=0o600)
            key.write_text(each.key + "\n", encoding="utf-8")
            lines.append(f'key_file = "{key.name}"')
    file = folder / "studio.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@dataclass(eq=False)
class OnAir:
    """A show of a house in this process: our loop is the core's."""

    house: House
    plan: RelayPlan
    ear: Ear
    heart: Heartbeat
    port: int
    """Of its pages."""

    async def send(self, name: str, *, on: bool) -> None:
        """Send to a destination from now on, or no more."""
        await self.house.command(f"destinations.{'add' if on else 'remove'}", {"name": name})

    async def hold(self, seconds: float) -> None:
        """Change the hold, and wait until it is so."""
        await self.house.command("hold", {"seconds": seconds})

    async def takes(self, name: str, within: float = 60.0) -> None:
        """Wait until a destination is on the air."""
        await until(lambda: self.ear.state(name) == "on air", within, f"{name} on the air")


@contextlib.asynccontextmanager
async def on_air(toml: Path, show: Path, *, ears: Path | None = None, sound: bool = False) -> AsyncIterator[OnAir]:
    """Put the show of the house `toml` on the air in the folder `show`, with its pages; it is over on leaving.

    `ears` is a program to run in place of the recogniser; `sound`: our ear listens to the programme's sound, too.
    """
    venue = read(toml)
    catalogue = Catalogue(venue.folder)
    evening = plan_evening(venue, catalogue, Wish(out=show))
    house = House(venue, catalogue, evening)
    if ears is not None and house._recogniser is not None:  # noqa: SLF001 - only a measurement wants other ears
        house._recogniser.child.command = [sys.executable, str(ears)]  # noqa: SLF001
    async with asyncio.TaskGroup() as doors:
        showing = doors.create_task(house.run())
        opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        page = doors.create_task(web.serve(house, "127.0.0.1", 0, opened=opened.set_result))
        ear, heart = Ear(evening.relay.socket, sound=sound), Heartbeat()
        yield OnAir(house, evening.relay, ear, heart, await opened)
        house.stop()
        await until(showing.done, LEAVES, "the end of the show")
        page.cancel()
        await heart.close()
        await ear.close()


@dataclass(eq=False)
class Apart:
    """A show of `studio live`, in a process of its own: nothing that the measurement does holds its loop up."""

    port: int
    ear: Ear
    pulse: Pulse

    async def send(self, name: str, *, on: bool) -> None:
        """Send to a destination from now on, or no more."""
        async with httpx.AsyncClient(timeout=30) as client:
            wish = {"name": name, "on": on}
            (await client.post(f"http://127.0.0.1:{self.port}/api/destinations", json=wish)).raise_for_status()

    async def takes(self, name: str, within: float = 60.0) -> None:
        """Wait until a destination is on the air."""
        await until(lambda: self.ear.state(name) == "on air", within, f"{name} on the air")


@contextlib.asynccontextmanager
async def apart(toml: Path, show: Path, port: int) -> AsyncIterator[Apart]:
    """Let `studio live` put the show on the air, with its pages at `port`; it is over on leaving."""
    studio = begin(toml, show, toml.with_name("studio.log"))
    ear, pulse = Ear(show / "run" / "relay.sock"), Pulse(port)
    try:
        yield Apart(port, ear, pulse)
    finally:
        studio.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            await until(lambda: studio.poll() is not None, LEAVES, "the studio's end")
        end(studio)
        pulse.close()
        await ear.close()


def begin(toml: Path, show: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `studio live` of the house `toml`, with the show in the folder `show`."""
    command = [sys.executable, "-m", "studio", "live", "--venue", str(toml), "--out", str(show)]
    with log.open("wb") as words:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words)


async def arrives(air: OnAir | Apart, encoder: Encoder) -> None:
    """Wait until what `encoder` streams airs."""

    def is_so() -> bool:
        report = air.ear.report
        return bool(encoder.connected and report and report.on_time > 0 and not report.slate)

    await until(is_so, 60, "the programme on the air")


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A folder for a run, gone after it."""
    folder = Path(tempfile.mkdtemp(prefix="relay-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def role(process: psutil.Process) -> str:
    """What a process of the house is there for."""
    with contextlib.suppress(psutil.Error):
        line = " ".join(process.cmdline())
        if "studio.media" in line:
            return "relay"
        if "studio.captions" in line or "relay_ears" in line:
            return "recogniser"
        if "ffmpeg" in line:
            return "destination" if "pipe:0" in line else "listener"
        if "studio" in line:
            return "core"
    return "other"


def family(of: int) -> Iterator[psutil.Process]:
    """Yield a process and all below it that still run."""
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(of)
        for process in [whole, *whole.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def child(of: int, which: str) -> psutil.Process:
    """Return the process below `of` whose role is `which`. Raises LookupError."""
    for process in family(of):
        if role(process) == which:
            return process
    raise LookupError(which)


def end(process: subprocess.Popen[bytes], patience: float = 10) -> None:
    """Ask a process to leave, and make it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.poll() is None:
        process.kill()
        process.wait()
