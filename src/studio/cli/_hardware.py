"""`studio hardware …`: making and trying files of `hardware/`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import IO, Annotated

import typer

from studio.catalogue import Catalogue, instead
from studio.cli._learn import learn
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.errors import DeviceError, DrawerError, why
from studio.language import _, plural
from studio.rehearsal import recorded
from studio.venue import DeviceSettings

app = typer.Typer(help=_("Models of desks, cameras and surfaces: learn one, record one."), no_args_is_help=True)
app.command(
    help=_("Listen to a device over OSC while you move everything on it, and write a first draft of its file.")
)(learn)


@app.command(help=_("Record what the house and a device say to each other, until Ctrl-C: a recording is a test."))
def record(
    name: Annotated[str, typer.Argument(help=_("Its name in studio.toml."))],
    file: Annotated[Path, typer.Option("--out", metavar="FILE", help=_("Where to: a new file of JSON lines."))],
    venue: VenueOption = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help=_("End by itself after so many seconds."))] = None,
) -> None:
    """Run the device's own driver through a recorder; move something on the device meanwhile.

    OBS is not among the devices that can be named: its conversation holds stream keys.
    """
    house = read_venue(venue)
    known = [device.name for device in house.devices]
    settings = next((device for device in house.devices if device.name == name), None)
    if settings is None:
        no = _('There is no device "{name}" in studio.toml').format(name=name)
        raise DeviceError(no + (instead(name, known) or "."))
    try:
        with file.open("x", encoding="utf-8") as lines:
            pieces = asyncio.run(_record(settings, Catalogue(house.folder), lines, seconds))
    except FileExistsError:
        raise DrawerError(_("{file} is there already and is not overwritten.").format(file=file)) from None
    except OSError as problem:
        raise DrawerError(_("{file} cannot be written: {reason}").format(file=file, reason=why(problem))) from None
    said = plural("{n} piece is recorded in {file}", "{n} pieces are recorded in {file}", pieces)
    out.print(said.format(n=pieces, file=file), markup=False, soft_wrap=True)


async def _record(settings: DeviceSettings, catalogue: Catalogue, lines: IO[str], seconds: float | None) -> int:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    async with recorded(settings, catalogue, lines) as (device, gate):
        with contextlib.suppress(TimeoutError), err.status("") as line:
            async with asyncio.timeout(seconds):
                while not done.is_set():
                    line.update(_state(settings.name, device.link.state, gate.port))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.5):
                            await done.wait()
        if not device.link.up:
            err.print(device.link.detail, markup=False, soft_wrap=True)
    return sum(gate.passed.values())


def _state(name: str, state: str, port: int) -> str:
    return _("{name} is {state}; others may call it through 127.0.0.1:{port} …").format(
        name=name, state=state, port=port
    )
