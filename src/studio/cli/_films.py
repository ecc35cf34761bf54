"""`studio films …`: the library of films."""

from __future__ import annotations

import typer

from studio.cli import _films_page
from studio.language import _

app = typer.Typer(help=_("The library of films and their subtitles."), no_args_is_help=True)
app.command("page", help=_("Open the page of films: correct subtitles, accept them, search in all of them."))(
    _films_page.page
)
