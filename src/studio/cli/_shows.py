"""`studio live` and `studio demo`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.live import Live

from studio import web as pages
from studio.app import House, Wish, demo_venue, house_films, plan_evening
from studio.catalogue import Catalogue
from studio.cli._screen import LOG_LINE, err, out, phase_name, status, summary_table
from studio.cli._venue import LangOption, VenueOption, doors_folder, read_venue
from studio.errors import StudioError, first_of
from studio.language import _
from studio.rehearsal import make_talk
from studio.venue import Venue

if TYPE_CHECKING:
    from studio.app import Films, Summary

OutOption = Annotated[Path | None, typer.Option("--out", help=_("The folder for recording and subtitles."))]
SecondsOption = Annotated[float | None, typer.Option("--seconds", help=_("End by itself after so many seconds."))]
HoldOption = Annotated[float | None, typer.Option("--hold", help=_("Seconds between arriving and airing."))]
StyleOption = Annotated[str | None, typer.Option("--style", help=_("A style from subtitles/styles."))]
EncodeOption = Annotated[str | None, typer.Option("--encode", help=_("A preset from presets/encode."))]
WebOption = Annotated[bool, typer.Option("--web/--no-web", help=_("Serve the status page."))]
PortOption = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help=_("Port of the status page; 0 takes any free one."))
]

logger = logging.getLogger(__name__)

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
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", help=_("Send to this destination of studio.toml, and to each other that is named; or none.")
        ),
    ] = None,
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
        to=tuple(to or ()),
    )
    _put_on(read_venue(venue), wish, web=web, port=port)


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


def _put_on(venue: Venue, wish: Wish, *, web: bool, port: int | None) -> None:
    catalogue = Catalogue(venue.folder)
    with err.status(_("Getting ready …")):
        evening = plan_evening(venue, catalogue, wish)
    log = logging.FileHandler(evening.run / "core.log", encoding="utf-8")
    log.setFormatter(logging.Formatter(LOG_LINE))
    logging.getLogger().addHandler(log)
    house = House(venue, catalogue, evening)
    summary = asyncio.run(
        _see_through(
            house, (venue.web.host, venue.web.port if port is None else port) if web else None, venue.archive.films
        )
    )
    out.print(summary_table(summary))
    if summary.frames and summary.recording is None:  # whoever starts us from a script is told, too
        raise typer.Exit(1)


async def _see_through(house: House, address: tuple[str, int] | None, films: Path | None) -> Summary:
    """Run the show with its page and its line in the terminal; the first Ctrl-C ends it in order."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, house.stop)
    try:
        async with asyncio.TaskGroup() as doors:
            open_doors = []
            if address:
                opened = loop.create_future()
                open_doors.append(doors.create_task(_serve_page(house, address, films, opened)))
                await opened
            open_doors.append(doors.create_task(_show_in_terminal(house)))
            show = doors.create_task(house.run())
            await show
            for door in open_doors:
                door.cancel()
    except* StudioError as several:
        raise first_of(several) from None
    return show.result()


async def _serve_page(
    house: House, address: tuple[str, int], library: Path | None, opened: asyncio.Future[None]
) -> None:
    def answer(port: int) -> None:
        # A page that every address leads to is opened here by this machine's own; guide.md says how from elsewhere.
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])  # noqa: S104 - not bound
        host = f"[{host}]" if ":" in host else host
        with _nobody_reads():
            err.print(_("The status page: {address}").format(address=f"http://{host}:{port}"), soft_wrap=True)
        opened.set_result(None)

    films = await asyncio.to_thread(_films, library)
    house.state.set("show.films", value=films is not None)
    try:
        await pages.serve(house, *address, films=films, opened=answer, doors=doors_folder())
    except Exception as problem:
        if opened.done():  # the show goes on without its page
            logger.exception("the page fell")
        else:
            opened.set_exception(problem)


def _films(path: Path | None) -> Films | None:
    """The library, for its page beside those of the show; a broken one is no reason to have no show."""
    try:
        return house_films(path)
    except StudioError as problem:
        logger.warning("no page of films: %s", problem)
        return None


@contextlib.contextmanager
def _nobody_reads() -> Iterator[None]:
    """A terminal that went away, or a line that could not be drawn, costs the line and never the show."""
    try:
        yield
    except (OSError, SystemExit) as problem:  # rich makes SystemExit of a broken pipe
        logger.info("nobody reads the terminal any more: %s", problem)
        err.file = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    except Exception:
        logger.exception("the terminal's line could not be drawn")


async def _show_in_terminal(house: House) -> None:
    """A moving line on a terminal; elsewhere a line for each phase and each notice."""
    said = 0
    phase = ""
    with (
        Live(console=err, auto_refresh=False, transient=True) if err.is_terminal else contextlib.nullcontext() as screen
    ):
        async for _change in house.state.changes():
            state = cast("dict[str, Any]", house.state.snapshot())
            with _nobody_reads():
                for notice in state["notices"]:
                    if notice["id"] > said:
                        said = notice["id"]
                        err.print(notice["text"], markup=False, soft_wrap=True)
                if screen:
                    screen.update(status(state), refresh=True)
                elif state["show"]["phase"] != phase:
                    phase = state["show"]["phase"]
                    err.print(phase_name(phase))
            await asyncio.sleep(1 / REFRESH)
