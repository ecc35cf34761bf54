"""`studio vocal takes` and `check`: what was recorded, and whether all of it is there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._vocal_open import JsonOption, SessionOption, edges, opened
from studio.errors import VocalError
from studio.language import _, decimal, plural
from studio.vocal import Session, Take
from studio.vocal import check as look


def takes(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[TAKE]…", help=_("Numbers of takes to see more of; none: all."))
    ] = None,
    *,
    keepers: Annotated[bool, typer.Option("--keepers", help=_("Only keepers."))] = False,
    song: Annotated[str | None, typer.Option("--song", help=_("Only of this song."))] = None,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """List takes."""
    opened_ = opened(session)
    wanted = _wanted(opened_, numbers or [], keepers=keepers, song=song)
    if as_json:
        shown.print_json([shown.take_row(opened_, take) for take in wanted])
    elif wanted:
        out.print(shown.takes_table(opened_, wanted))
        if numbers:
            for take in wanted:
                _more(opened_, take)
    elif opened_.state.takes:
        out.print(_("There is no such take."))
    else:
        out.print(_("There is no take yet; `studio vocal record` makes one."), markup=False)


def _wanted(session: Session, numbers: list[int], *, keepers: bool, song: str | None) -> list[Take]:
    state = session.state
    for number in numbers:
        if number not in state.takes:
            raise VocalError(_("There is no take {number} in this session.").format(number=number))
    of = session.must_find_song(song).id if song else None
    return [
        take
        for take in state.takes.values()
        if (not numbers or take.number in numbers) and (not keepers or take.keeper) and of in (None, take.song)
    ]


def _more(session: Session, take: Take) -> None:
    begin, end = edges(take)
    lines = [
        f"{take.at.astimezone():%Y-%m-%d %H:%M:%S}  {session.folder / take.file}",
        *(
            [_("seconds {begin} to {end} of the song").format(begin=decimal(begin, ".2f"), end=decimal(end, ".2f"))]
            if take.offset is not None
            else []
        ),
        *(
            f"{track.channel}  {track.name}  {shown.names(session.state, track.singers)}".rstrip()
            for track in take.tracks
        ),
    ]
    for line in lines:
        out.print(Text(line), soft_wrap=True)


def check(*, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """Read every file to its end; exit with 1 where something is wrong."""
    opened_ = opened(session)
    with err.status(_("Reading the takes …")):
        found = look(opened_, datetime.now().astimezone().date())
    wrong = [one for one in found if one.wrong]
    if as_json:
        rows = [{"what": one.what, "take": one.take, "wrong": one.wrong, "sentence": one.sentence} for one in found]
        shown.print_json({"takes": len(opened_.state.takes), "wrong": len(wrong), "found": rows})
    else:
        for one in found:
            out.print(Text(one.sentence, style="red" if one.wrong else "yellow"), soft_wrap=True)
        count = len(opened_.state.takes)
        done = plural("{n} take was read", "{n} takes were read", count).format(n=count)
        well = _("nothing is wrong")
        told = plural("{n} thing is wrong", "{n} things are wrong", len(wrong)).format(n=len(wrong))
        out.print(f"{done}, {told if wrong else well}.")
    if wrong:
        raise typer.Exit(1)
