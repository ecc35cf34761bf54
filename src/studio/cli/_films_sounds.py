"""`studio films sounds`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli._films_open import ByOption, JsonOption, LibraryOption, TextOption, opened, whoever, write_json
from studio.cli._screen import out
from studio.cli._venue import VenueOption, read_venue
from studio.language import _, plural
from studio.units import timecode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.archive import SoundCue

ALL = "all"


def _asked(wanted: list[str] | None) -> list[str]:
    for one in wanted or []:
        if one != ALL and not (one.isascii() and one.isdigit() and len(one) < 16):  # noqa: PLR2004 - SQLite's integers
            raise typer.BadParameter(_("use numbers that the list shows, or all"))
    return wanted or []


def _numbers(wanted: list[str], waiting: Sequence[SoundCue]) -> list[int]:
    return [one.id for one in waiting] if ALL in wanted else sorted({int(one) for one in wanted})


def sounds(
    film: Annotated[str, typer.Argument(metavar="FILM", help=_("Its number, path, or title."))],
    *,
    take: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="N|all", callback=_asked, help=_("Make a subtitle of it; may be repeated.")),
    ] = None,
    refuse: Annotated[
        list[str] | None,
        typer.Option("--refuse", metavar="N|all", callback=_asked, help=_("Suggest it no more; may be repeated.")),
    ] = None,
    lang: TextOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """List what waits, after what was asked for is done."""
    with opened(library, read_venue(venue)) as cupboard:
        known = cupboard.find(film)
        head = cupboard.texts.head(known.id, lang)
        waiting = cupboard.sounds.waiting(known.id, cupboard.texts.document(known.id, head.language, head.number))
        refused = _numbers(refuse or [], waiting)
        cupboard.sounds.refuse(known.id, head.language, refused)
        accepted = _numbers(take or [], [one for one in waiting if one.id not in refused])
        if accepted:
            cupboard.sounds.accept(known.id, head.language, head.number, accepted, whoever(by))
        left = cupboard.sounds.waiting(known.id, cupboard.texts.document(known.id, head.language))
    if as_json:
        write_json(left)
        return
    if accepted:
        out.print(
            plural("{n} subtitle made of a label", "{n} subtitles made of labels", len(accepted)).format(
                n=len(accepted)
            )
        )
    if refused:
        out.print(plural("{n} label refused", "{n} labels refused", len(refused)).format(n=len(refused)))
    if not left:
        out.print(_("No suggested sound waits; `studio subtitle sounds` listens for them."))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", _("time"), _("label"), _("how sure")):
        table.add_column(heading, overflow="fold")
    for one in left:
        table.add_row(str(one.id), timecode(one.start), Text(one.label), f"{one.share:.0%}")
    out.print(table)
