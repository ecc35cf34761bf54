"""`studio vocal open`: the recorder and its page."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from studio import web as pages
from studio.app import VocalStudio, vocal_desk
from studio.catalogue import Catalogue
from studio.cli._screen import err
from studio.cli._venue import VenueOption, doors_folder, read_venue
from studio.cli._vocal_open import opened, remember
from studio.cli._vocal_record import ChannelsOption, InputOption, device_of, remember_device
from studio.language import _
from studio.venue import Venue
from studio.vocal import Device, Session


def open_(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[SESSION]", help=_("Its folder; else the last one."))
    ] = None,
    *,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help=_("Port of the page; 0 takes any free one."))
    ] = None,
    input_: InputOption = None,
    channels: ChannelsOption = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="NAME", help=_("Where backing and click are heard."))
    ] = None,
    desk: Annotated[
        str | None,
        typer.Option("--desk", metavar="NAME", help=_("The desk of studio.toml whose gains and mixes the page sets.")),
    ] = None,
    venue: VenueOption = None,
) -> None:
    """Serve until Ctrl-C."""
    session = opened(folder)
    remember(session)
    plays = output is not None or any(song.backing or song.tempo for song in session.state.songs.values())
    device = device_of(session, input_, channels, output, plays=plays)
    house = read_venue(venue)
    asyncio.run(_serve(session, device, house, house.web.port if port is None else port, desk))


async def _serve(session: Session, device: Device, house: Venue, port: int, desk: str | None) -> None:
    """Serve; Ctrl-C closes the take and ends open connections in order."""
    loop = asyncio.get_running_loop()
    host = house.web.host

    def answer(port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        err.print(_("The vocal studio: {address}").format(address=f"http://{shown}:{port}/vocal"), soft_wrap=True)

    catalogue = Catalogue(house.folder)
    async with AsyncExitStack() as rooms:
        known = await rooms.enter_async_context(vocal_desk(house, desk, catalogue=catalogue)) if desk else None
        studio = VocalStudio(session, device=device, desk=known, catalogue=catalogue)
        await rooms.enter_async_context(studio)
        remember_device(session, device)
        serving = asyncio.create_task(pages.serve_vocal(studio, host, port, opened=answer, doors=doors_folder()))
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving
