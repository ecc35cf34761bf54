"""`studio encoders`: what can encode pictures on this machine."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from studio import media
from studio.cli._screen import err, out
from studio.language import _, decimal


def encoders(
    size: Annotated[str, typer.Option(help=_("Pictures of this size, in pixels."))] = "1280x720",
    fps: Annotated[float, typer.Option(help=_("Pictures a second."), min=1, max=120)] = 25.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print them as JSON."))] = False,
) -> None:
    """Try each and print one row an encoder."""
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", size)
    if not found:
        raise typer.BadParameter(_("{size} is no size; write it as 1280x720.").format(size=repr(size)))
    with err.status(_("trying the encoders …")):
        tried = media.encoders(media.EncodePreset(), (int(found[1]), int(found[2])), fps)
    if as_json:
        text = msgspec.json.format(msgspec.json.encode([asdict(one) for one in tried])).decode()
        out.print(text, markup=False, soft_wrap=True)
        return
    table = Table()
    for title in (_("encoder"), _("full name"), _("works here"), _("a picture takes")):
        table.add_column(title, overflow="fold")
    for one in tried:
        state = _("yes") if one.works else _("no: {why}").format(why=one.why)
        if not one.works and one.needs:
            state += "; " + _("it needs {needs}").format(needs=one.needs)
        table.add_row(one.name, one.title, state, decimal(one.ms, ".1f") + " ms" if one.ms is not None else "")
    out.print(table)
    out.print(
        _("Write its name as `encoder` into a preset; `auto` takes the first graphics unit that works, else x264.")
    )
