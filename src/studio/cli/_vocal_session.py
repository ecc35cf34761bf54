"""`studio vocal session …`: make one, open one, look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._usage import HELP
from studio.cli._vocal_open import JsonOption, SessionOption, opened, remember
from studio.language import _, plural
from studio.vocal import Session

app = typer.Typer(
    help=_("A session: the folder of one rehearsal or recording day."),
    no_args_is_help=True,
    context_settings={"help_option_names": HELP},
)


@app.command(help=_("Make a session in a folder, and open it."))
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=_("Takes and all that belongs to them go there."))],
    *,
    name: Annotated[str, typer.Option("--name", help=_("What it is called; else as the folder."))] = "",
    rate: Annotated[int, typer.Option("--rate", help=_("Samples a second of all takes: 44100, 48000, 96000."))] = 48000,
    as_json: JsonOption = False,
) -> None:
    """Make it; later commands mean it."""
    session = Session.new(folder.expanduser().absolute(), name, rate)
    remember(session)
    _said(session, as_json=as_json)


@app.command("open", help=_("Open a session: takes that were cut off are closed, and later commands mean this one."))
def open_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=_("The folder of the session."))],
    *,
    as_json: JsonOption = False,
) -> None:
    """Open it; later commands mean it."""
    session = opened(folder.expanduser().absolute())
    remember(session)
    _said(session, as_json=as_json)


@app.command(help=_("Say what a session holds: songs, singers, tracks, comps and notes."))
def show(*, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """Print all of it but the takes."""
    _said(opened(session), as_json=as_json)


def _said(session: Session, *, as_json: bool) -> None:
    state = session.state
    if as_json:
        shown.print_json(
            {
                "folder": str(session.folder),
                "name": state.name,
                "rate": state.rate,
                "created": state.created,
                "song": state.song,
                "songs": list(state.songs.values()),
                "singers": list(state.singers.values()),
                "tracks": list(state.tracks.values()),
                "takes": [shown.take_row(session, take, peaks=False) for take in state.takes.values()],
                "comps": list(state.comps.values()),
                "notes": [{"at": note.at, "text": note.text} for note in state.notes],
                "exported": list(state.exported),
                "said": list(session.said),
            }
        )
        return
    takes = plural("{n} take", "{n} takes", len(state.takes)).format(n=len(state.takes))
    out.print(Text(state.name, style="bold"), Text(f"{state.rate} Hz, {takes}, {session.folder}"), soft_wrap=True)
    if state.songs:
        out.print(shown.songs_table(state))
    if state.singers:
        out.print(shown.singers_table(state.singers.values()))
    if state.tracks:
        out.print(shown.tracks_table(state, state.tracks.values()))
    if state.comps:
        out.print(shown.comps_table(state))
    for note in state.notes:
        out.print(Text(f"{note.at.astimezone():%Y-%m-%d %H:%M}  {note.text}"), soft_wrap=True)
    if not state.tracks:
        err.print(_("Next: `studio vocal arm 1=NAME` says what is recorded from the first input."), markup=False)
