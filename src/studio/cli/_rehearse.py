"""`studio rehearse`: the house's devices as twins on this machine, with faults on order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from studio.catalogue import Catalogue
from studio.cli._screen import out
from studio.cli._venue import VenueOption
from studio.language import _
from studio.rehearsal import PretendHall, Rehearsal, play, pretended, read_rehearsal, venue_file
from studio.venue import find, read

REFRESH = 4
"""Times a second that the table is drawn anew."""
FILE = "rehearsal.toml"


def rehearse(
    venue: VenueOption = None,
    *,
    hall: Annotated[
        str | None,
        typer.Option("--hall", help=_("Pretend the hall of presets/rehearsal/HALL.yaml, not that of studio.toml.")),
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option("--faults", metavar="FILE", help=_("What goes wrong: a file, or a name of presets/rehearsal.")),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help=_("Where to write the studio.toml that leads to the twins.")),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help=_("End by itself after so many seconds."))
    ] = None,
) -> None:
    """Put the hall up, show it, and take it down at Ctrl-C."""
    asyncio.run(_rehearse(venue, hall, faults, write, seconds))


async def _rehearse(
    file: Path | None, name: str | None, faults: str | None, write: Path | None, seconds: float | None
) -> None:
    own = (file or find()) if name is None else None
    house = read(own) if own else read(None)
    catalogue = Catalogue(house.folder)
    if own is None:
        house = pretended(house, read_rehearsal(name or "hall", catalogue))
    script = read_rehearsal(faults, catalogue) if faults else Rehearsal()
    target = write or (house.folder or Path()) / FILE
    async with PretendHall(house, catalogue).open() as hall:
        hall.check(script)
        with venue_file(hall, target):
            await _show(hall, script, target, seconds)


async def _show(hall: PretendHall, script: Rehearsal, target: Path, seconds: float | None) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    out.print(
        _("Try it in another terminal: studio devices status --venue {file}").format(file=target),
        markup=False,
        soft_wrap=True,
    )
    playing = asyncio.create_task(play(script.faults, hall.puts, script.again))
    try:
        with Live(_table(hall), console=out, auto_refresh=False) as live, contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not await _within(done, 1 / REFRESH):
                    live.update(_table(hall), refresh=True)
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _within(done: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done.wait()
    return done.is_set()


def _table(hall: PretendHall) -> Table:
    table = Table(title=_("Rehearsal: none of this is real"), title_justify="left")
    for title in (_("device"), _("model"), _("at")):
        table.add_column(title, overflow="fold")
    table.add_column(_("told last"), overflow="ellipsis", no_wrap=True)
    table.add_column(_("wrong with it"), overflow="fold", style="red")
    for put in hall.puts.values():
        table.add_row(put.name, put.what, put.where, put.twin.last, put.wrong)
    for name, why in hall.left_out.items():
        table.add_row(name, "", "", "", why, style="dim")
    return table
