"""`studio destinations`: where the programme can be sent, and whether each key can be had."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from studio.app import house_destinations
from studio.cli._screen import out
from studio.cli._venue import VenueOption, read_venue
from studio.events import shown_address
from studio.language import _
from studio.show import Outlet


def destinations(
    venue: VenueOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print them as JSON."))] = False,
) -> None:
    """Print one row a destination; a key itself is never printed."""
    found = [_row(outlet, problem) for outlet, problem in house_destinations(read_venue(venue))]
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(found)).decode()
        out.print(text, markup=False, soft_wrap=True)
    elif found:
        out.print(_table(found))
    else:
        out.print(
            _("There are no destinations; write [[destinations]] into studio.toml, as the guide shows."), markup=False
        )


def _row(outlet: Outlet, problem: str) -> dict[str, Any]:
    return {
        "name": outlet.name,
        "kind": outlet.kind,
        "address": shown_address(outlet.address),
        "preset": outlet.preset,
        "on": outlet.on,
        "key": outlet.key.shown,
        "ready": not problem,
        "problem": problem,
    }


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table()
    for title in (_("destination"), _("where to"), _("key"), _("state")):
        table.add_column(title, overflow="fold")
    for row in found:
        state = row["problem"] or (_("on from the beginning") if row["on"] else _("when asked for"))
        table.add_row(row["name"], row["address"], row["key"] or _("none"), state)
    return table
