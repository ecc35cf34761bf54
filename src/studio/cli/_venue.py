"""The house that a command is for, and what is spoken there: options of many commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.language import _, speak
from studio.venue import Venue, read

VenueOption = Annotated[
    Path | None,
    typer.Option("--venue", help=_("The studio.toml of the house; without it ./studio.toml, then the user's own.")),
]
LangOption = Annotated[
    str | None, typer.Option("--lang", help=_("What is spoken: pl, lt, en or auto; as studio.toml says, or pl."))
]


def read_venue(file: Path | None) -> Venue:
    """Read `studio.toml`, and speak the language it asks for from now on."""
    venue = read(file)
    if venue.interface:
        speak(venue.interface)
    return venue


def doors_folder() -> Path:
    """Where servers of this user's pages find each other."""
    from studio.show import state_folder  # noqa: PLC0415 - loads for a third of a second

    return state_folder() / "doors"
