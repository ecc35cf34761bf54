"""What all commands on the library share: where it is, and how its words are shown."""

from __future__ import annotations

import contextlib
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import typer

from studio.archive import open_library
from studio.cli._screen import out
from studio.language import _

if TYPE_CHECKING:
    from datetime import datetime

    from studio.archive import Film, Head, Library
    from studio.units import Ms
    from studio.venue import Venue

LibraryOption: TypeAlias = Annotated[
    Path | None, typer.Option("--library", metavar="FILE", help=_("The library; else that of studio.toml, or yours."))
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help=_("Write JSON, for other programs."))]
TextOption: TypeAlias = Annotated[
    str | None, typer.Option("--lang", metavar="CODE", help=_("Language of the subtitles, where there are several."))
]
ByOption: TypeAlias = Annotated[str | None, typer.Option("--by", metavar="NAME", help=_("Who does it; else you."))]


def opened(asked: Path | None, house: Venue) -> Library:
    """Open the library that is meant."""
    return open_library(asked or house.archive.films)


def whoever(by: str | None) -> str:
    """The name that stands beside what is done."""
    if by and by.strip():
        return by.strip()
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return "?"


def write_json(value: object) -> None:
    """Print facts as JSON."""
    made = msgspec.to_builtins(value, enc_hook=str)
    out.print(json.dumps(made, ensure_ascii=False, indent=2), markup=False, soft_wrap=True)


def state_name(film: Film) -> str:
    """How far a film is, in the user's language, with the reason where it failed."""
    name = {
        "new": _("new"),
        "changed": _("file has changed"),
        "queued": _("waiting"),
        "running": _("in work"),
        "done": _("done"),
        "silent": _("without speech"),
        "failed": _("failed"),
        "missing": _("file is missing"),
    }[film.state]
    return f"{name}: {film.reason}" if film.reason and film.state == "failed" else name


def accepted(head: Head) -> str:
    """Who accepted subtitles, and when; or that they were edited since."""
    if head.accepted_by and head.accepted_at:
        return f"{head.accepted_by}, {local(head.accepted_at)}"
    return _("edited since version {number} was accepted").format(number=head.was_accepted) if head.was_accepted else ""


def local(at: datetime) -> str:
    """A time of day as clocks here show it."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def length(of: Ms | None) -> str:
    """Hours and minutes; empty where nobody knows."""
    if of is None:
        return ""
    minutes, seconds = divmod(round(of / 1000), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
