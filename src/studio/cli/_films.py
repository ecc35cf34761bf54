"""`studio films …`: the library of films."""

from __future__ import annotations

import typer

from studio.cli import _films_library, _films_out, _films_page, _films_sounds
from studio.cli._usage import HELP
from studio.language import _

app = typer.Typer(
    help=_("The library of films and their subtitles."),
    no_args_is_help=True,
    context_settings={"help_option_names": HELP},
)
app.command("page", help=_("Open the page of films: correct subtitles, accept them, search in all of them."))(
    _films_page.page
)
app.command("list", help=_("List the films of the library."))(_films_library.list_films)
app.command("show", help=_("Say all that the library knows of a film."))(_films_library.show)
app.command("search", help=_("Find words in the subtitles of all films, and when they are spoken."))(
    _films_library.search
)
app.command("add", help=_("Take in films, and shows that were captioned live."))(_films_library.add)
app.command("export", help=_("Write subtitles or a transcript to read."))(_films_out.export)
app.command("versions", help=_("List every version of a film's subtitles."))(_films_out.versions)
app.command("restore", help=_("Let a film's subtitles read as an earlier version did."))(_films_out.restore)
app.command("accept", help=_("Note that somebody has checked a film's subtitles, and that they may go out."))(
    _films_out.accept
)
app.command("sounds", help=_("List sounds that were suggested for a film; accept them, or refuse them."))(
    _films_sounds.sounds
)
