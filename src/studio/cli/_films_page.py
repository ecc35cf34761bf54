"""`studio films page`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Annotated

import typer

from studio import web as pages
from studio.app import Films
from studio.cli._films_open import LibraryOption
from studio.cli._screen import err
from studio.cli._venue import VenueOption, doors_folder, read_venue
from studio.language import _


def page(
    *,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help=_("Port of the page; 0 takes any free one."))
    ] = None,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Serve until Ctrl-C."""
    house = read_venue(venue)
    with contextlib.closing(Films(library or house.archive.films)) as films:
        asyncio.run(_serve(films, house.web.host, house.web.port if port is None else port))


async def _serve(films: Films, host: str, port: int) -> None:
    """Serve; Ctrl-C ends open connections in order."""
    loop = asyncio.get_running_loop()

    def answer(port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        err.print(_("The page of films: {address}").format(address=f"http://{shown}:{port}/films"), soft_wrap=True)

    serving = asyncio.create_task(pages.serve_films(films, host, port, opened=answer, doors=doors_folder()))
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
