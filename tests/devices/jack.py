"""A sound server of our own, in which MIDI ports can be made and unmade: a jackd without a sound card."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

import mido
from tests.devices.hall import needs, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from studio.devices import Device

BACKEND = "mido.backends.rtmidi/UNIX_JACK"


@contextlib.asynccontextmanager
async def jack_server(folder: Path) -> AsyncIterator[Path]:
    """Start one; the log of it."""
    needs("jackd")
    name = f"studio-test-{os.getpid()}"
    log = folder / "jackd.log"
    # Synchronous: else a jackd that is late for a cycle, as on a busy machine, throws away what came in it.
    command = ["jackd", "-n", name, "--no-realtime", "--sync", "-t", "5000", "-d", "dummy", "-r", "48000", "-p", "256"]
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out)
    outer = {key: os.environ.get(key) for key in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER")}
    os.environ.update(JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1")
    try:
        await until(lambda: b"JACK server starting" in log.read_bytes() and _answers(), "jackd is up")
        yield log
    finally:
        for key, value in outer.items():
            os.environ.pop(key)
            if value is not None:
                os.environ[key] = value
        process.terminate()
        await process.wait()


def _answers() -> bool:
    """Whether a port that one end makes is seen by the other."""
    backend = mido.Backend(BACKEND, load=True)
    try:
        with backend.open_output("is it up", virtual=True):
            return any("is it up" in name for name in backend.get_input_names())
    except (OSError, RuntimeError):
        return False


@contextlib.asynccontextmanager
async def running(device: Device) -> AsyncIterator[None]:
    """Run its driver."""
    task = asyncio.create_task(device.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
