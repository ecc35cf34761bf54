"""`studio obs …`: the scenes of a file and what OBS holds of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.table import Table

from studio.app import obs_scenes
from studio.cli._screen import out
from studio.cli._venue import VenueOption, read_venue
from studio.devices import said
from studio.language import _, plural
from studio.wire.obs import hides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.wire.obs_plan import Change, Plan

app = typer.Typer(
    help=_("Bring OBS to hold the scenes of a file, and see what that would change."), no_args_is_help=True
)

ScenesArgument = Annotated[
    str | None, typer.Argument(metavar="[SCENES]", help=_("A file of scenes/; without it the one of studio.toml."))
]
TalkOption = Annotated[Path | None, typer.Option("--talk", help=_("The film of sources that play `talk`."))]
BackOption = Annotated[
    list[str] | None,
    typer.Option("--take-back", metavar="NAME", help=_("Undo what a hand changed in this scene or source; repeat it.")),
]
JsonOption = Annotated[bool, typer.Option("--json", help=_("Print it as JSON."))]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=0.1, max=60, help=_("Seconds to wait for OBS."))]
CUT = 60
"""Letters of a value that a row shows."""


@app.command(help=_("Show what would be made, set and removed in OBS, and what a hand changed and stays."))
def plan(
    scenes: ScenesArgument = None,
    venue: VenueOption = None,
    talk: TalkOption = None,
    take_back: BackOption = None,
    *,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Print one row a change; exit with 1 where it cannot be done."""
    _show(scenes, venue, talk, take_back, timeout, as_json=as_json, do=False)


@app.command(help=_("Make OBS hold the scenes; what a hand changed there stays, unless it is taken back."))
def apply(
    scenes: ScenesArgument = None,
    venue: VenueOption = None,
    talk: TalkOption = None,
    take_back: BackOption = None,
    *,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Print one row a change that was made or left; exit with 1 where it cannot be done."""
    _show(scenes, venue, talk, take_back, timeout, as_json=as_json, do=True)


def _show(
    scenes: str | None,
    venue: Path | None,
    talk: Path | None,
    take_back: list[str] | None,
    timeout: float,
    *,
    as_json: bool,
    do: bool,
) -> None:
    work = obs_scenes(read_venue(venue), scenes, talk, do=do, take_back=take_back or (), patience=timeout)
    planned = asyncio.run(work)
    if as_json:
        clashes = [{"source": name, "kind": kind} for name, kind in planned.clashes]
        text = msgspec.json.format(
            msgspec.json.encode(
                {"done": do and not clashes, "changes": [_row(each) for each in planned.changes], "clashes": clashes}
            )
        )
        out.print(text.decode(), markup=False, soft_wrap=True)
    else:
        _print(planned, do=do)
    if planned.clashes:
        raise typer.Exit(1)


def _print(planned: Plan, *, do: bool) -> None:
    for name, kind in planned.clashes:
        message = _('OBS already has a source "{name}" of another kind ({kind}); rename it there or in the scenes.')
        out.print(message.format(name=name, kind=kind), markup=False, soft_wrap=True)
    if planned.changes:
        out.print(_table(planned))
    for change in planned.kept:
        out.print(said(change), markup=False, soft_wrap=True)
    if planned.kept:
        out.print(_("To undo it: studio obs apply --take-back NAME"), markup=False, soft_wrap=True)
    if planned.clashes:
        return
    count = len(planned.todo)
    if not count:
        out.print(_("OBS holds the scenes; there is nothing to do."))
    elif do:
        out.print(plural("{n} change was made.", "{n} changes were made.", count).format(n=count))
    else:
        out.print(plural("{n} change would be made.", "{n} changes would be made.", count).format(n=count))


def _table(planned: Plan) -> Table:
    words = {"make": _("make"), "set": _("set"), "remove": _("remove"), "kept": _("stays")}
    things = {"scene": _("scene"), "source": _("source"), "item": _("place in the scene"), "order": _("order")}
    styles = {"make": "green", "set": "yellow", "remove": "red", "kept": "cyan"}
    table = Table()
    for title in ("", _("what"), _("scene"), _("source"), _("in OBS"), _("in the file")):
        table.add_column(title, overflow="fold")
    for change in planned.changes:
        table.add_row(
            *(words[change.kind], things[change.what], change.scene, change.source),
            _values(change.now),
            _values(change.values) if change.kind != "make" else "",
            style=styles[change.kind],
        )
    return table


def _row(change: Change) -> dict[str, Any]:
    row = {"kind": change.kind, "what": change.what, "scene": change.scene, "source": change.source}
    shown = {name: {key: _hidden(value) for key, value in values.items()} for name, values in _sides(change).items()}
    return {**row, **shown, "why": change.why, "sentence": said(change) if change.kind == "kept" else ""}


def _sides(change: Change) -> dict[str, Mapping[str, Any]]:
    return {"wanted": change.values, "reported": change.now}


def _values(values: Mapping[str, Any]) -> str:
    lines = []
    for key, value in values.items():
        shown = ", ".join(value) if isinstance(value, list) else str(_hidden(value))
        lines.append(f"{key}: {shown[:CUT]}{'…' if len(shown) > CUT else ''}")
    return "\n".join(lines)


def _hidden(value: object) -> object:
    """Leave out the password or key that an address may hold."""
    return "…" if isinstance(value, str) and "://" in value and hides(value) else value
