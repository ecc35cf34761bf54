"""`studio check`, `studio recover`, `studio microphones`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from studio import media
from studio.app import check_everything, join_recording
from studio.cli._screen import lines, out, progress
from studio.cli._venue import VenueOption, read_venue
from studio.errors import DrawerError
from studio.language import _, plural
from studio.venue import Venue


def check(
    venue: VenueOption = None,
    *,
    here: Annotated[
        bool,
        typer.Option(
            "--here/--not-here", help=_("Look, too, where names of devices lead, and whether ports are free.")
        ),
    ] = True,
) -> None:
    """Print every finding; exit with 2 where one keeps a show from going as the files say."""
    findings = check_everything(venue, here=here)
    lines([str(finding) for finding in findings])
    if any(finding.serious for finding in findings):
        raise typer.Exit(2)
    if not findings:
        out.print(_("All drawers and studio.toml are in order."))


def recover(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=_("A show folder."))], venue: VenueOption = None
) -> None:
    """Join what is there, to what `recording` in studio.toml says; the parts go only when the whole is safe."""
    house = Venue()
    with contextlib.suppress(*(() if venue else (DrawerError,))):  # an evening is saved with a broken studio.toml, too
        house = read_venue(venue)
    bar, told = progress(_("joining the recording"))
    with bar:
        recording = join_recording(folder, told, house.show.recording, house.language)
    if recording is None:
        out.print(_("There is nothing to join in {folder}.").format(folder=folder), markup=False, soft_wrap=True)
    else:
        out.print(_("The recording is whole: {path}").format(path=recording), markup=False, soft_wrap=True)


def microphones() -> None:
    """Print one name a line."""
    found = media.microphones()
    lines(found)
    if not found:
        out.print(_("No microphone is connected, or the sound server does not run."))
    else:
        out.print(plural("{n} microphone", "{n} microphones", len(found)).format(n=len(found)), style="dim")
