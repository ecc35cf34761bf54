"""`studio live` and `studio demo`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.live import Live

from studio import web as pages
from studio.app import House, Wish, demo_venue, plan_evening
from studio.catalogue import Catalogue
from studio.cli._screen import err, out, phase_name, status, summary_table
from studio.errors import StudioError, first_of
from studio.language import _, speak
from studio.rehearsal import make_talk
from studio.venue import Venue, read

if TYPE_CHECKING:
    from studio.app import Summary

VenueOption = Annotated[
    Path | None,
    typer.Option("--venue", help=_("The studio.toml of the house; without it ./studio.toml, then the user's own.")),
]
LangOption = Annotated[str | None, typer.Option("--lang", help=_("What is spoken on stage: pl, lt, en or auto."))]
OutOption = Annotated[Path | None, typer.Option("--out", help=_("The folder for recording and subtitles."))]
SecondsOption = Annotated[float | None, typer.Option("--seconds", help=_("End by itself after so many seconds."))]
HoldOption = Annotated[float | None, typer.Option("--hold", help=_("Seconds between arriving and airing."))]
StyleOption = Annotated[str | None, typer.Option("--style", help=_("A style from subtitles/styles."))]
EncodeOption = Annotated[str | None, typer.Option("--encode", help=_("A preset from presets/encode."))]
WebOption = Annotated[bool, typer.Option("--web/--no-web", help=_("Serve the status page."))]
PortOption = Annotated[int | None, typer.Option("--port", help=_("Port of the status page; 0 takes any free one."))]

REFRESH = 4
"""Times a second that the terminal is drawn anew."""


def live(
    *,
    source: Annotated[
        str | None,
        typer.Option("--input", help=_("A file, mic[:DEVICE], or listen to wait for an encoder such as OBS.")),
    ] = None,
    lang: LangOption = None,
    folder: OutOption = None,
    hold: HoldOption = None,
    style: StyleOption = None,
    encode: EncodeOption = None,
    captions: Annotated[bool | None, typer.Option("--captions/--no-captions", help=_("Listen and caption."))] = None,
    seconds: SecondsOption = None,
    web: WebOption = True,
    port: PortOption = None,
    venue: VenueOption = None,
) -> None:
    """Run one show."""
    wish = Wish(
        input=source,
        language=lang,
        out=folder,
        hold=hold,
        style=style,
        encode=encode,
        seconds=seconds,
        captions=captions,
    )
    _put_on(_read(venue), wish, web=web, port=port)


def demo(
    *,
    folder: OutOption = None,
    seconds: SecondsOption = None,
    hold: HoldOption = None,
    style: StyleOption = None,
    web: WebOption = True,
    port: PortOption = None,
) -> None:
    """Make the talk where it is missing, and run a show of real OBS playing it."""
    with err.status(_("Preparing the talk …")):
        talk = make_talk()
    wish = Wish(out=folder, seconds=seconds, hold=hold, style=style, talk=talk)
    _put_on(demo_venue(), wish, web=web, port=port)


def _read(file: Path | None) -> Venue:
    """Read `studio.toml`, and speak the language it asks for from now on."""
    venue = read(file)
    if venue.interface:
        speak(venue.interface)
    return venue


def _put_on(venue: Venue, wish: Wish, *, web: bool, port: int | None) -> None:
    catalogue = Catalogue(venue.folder)
    with err.status(_("Getting ready …")):
        evening = plan_evening(venue, catalogue, wish)
    house = House(venue, catalogue, evening)
    summary = asyncio.run(
        _see_through(house, (venue.web.host, venue.web.port if port is None else port) if web else None)
    )
    out.print(summary_table(summary))


async def _see_through(house: House, address: tuple[str, int] | None) -> Summary:
    """Run the show with its page and its line in the terminal; the first Ctrl-C ends it in order."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, house.stop)
    try:
        async with asyncio.TaskGroup() as doors:
            open_doors = []
            if address:
                opened = loop.create_future()
                open_doors.append(doors.create_task(_serve_page(house, address, opened)))
                await opened
            open_doors.append(doors.create_task(_show_in_terminal(house)))
            show = doors.create_task(house.run())
            await show
            for door in open_doors:
                door.cancel()
    except* StudioError as several:
        raise first_of(several) from None
    return show.result()


async def _serve_page(house: House, address: tuple[str, int], opened: asyncio.Future[None]) -> None:
    def answer(port: int) -> None:
        err.print(_("The status page: {address}").format(address=f"http://{address[0]}:{port}"), soft_wrap=True)
        opened.set_result(None)

    await pages.serve(house, *address, opened=answer)


async def _show_in_terminal(house: House) -> None:
    """A moving line on a terminal; elsewhere a line for each phase and each notice."""
    said = 0
    phase = ""
    with (
        Live(console=err, auto_refresh=False, transient=True) if err.is_terminal else contextlib.nullcontext() as screen
    ):
        async for _change in house.state.changes():
            state = cast("dict[str, Any]", house.state.snapshot())
            for notice in state.get("notices", []):
                if notice["id"] > said:
                    said = notice["id"]
                    err.print(notice["text"], markup=False, soft_wrap=True)
            if screen:
                screen.update(status(state), refresh=True)
            elif state.get("show", {}).get("phase", "") != phase:
                phase = state["show"]["phase"]
                err.print(phase_name(phase))
            await asyncio.sleep(1 / REFRESH)
