"""`studio subtitle FILE|FOLDER…`, and the group that its sisters `convert`, `check`, `fix`, `sync` stand in.

A sister lives in a file of its own (`_subtitle_convert.py`) and is put into `app` by `_main.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from studio.errors import ArchiveError
from studio.language import _

FILMS = "listen"
"""Name of the main command, which nobody types."""


class _Subtitle(TyperGroup):
    """`studio subtitle FILM…` beside `studio subtitle convert …`: what is no command is a film.

    A film that is called like a command is `./convert`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own, not public
        if not args:
            args = ["--help"]
        if args[0] == FILMS or args[0] not in self.commands:
            args = [FILMS, *args]
        return super().parse_args(ctx, args)


class _FilmsContext(typer.Context):
    @property
    def command_path(self) -> str:
        """What is typed: not the name that the command has in here."""
        return str(self.parent.command_path if self.parent else super().command_path)


class _Films(TyperCommand):
    context_class = _FilmsContext


app = typer.Typer(cls=_Subtitle, help=_("Subtitle films, and work on subtitle files."))


@app.command(FILMS, cls=_Films, hidden=True, help=_("Subtitle films."))
def films(
    films: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER…", help=_("Films, or folders of them."))],
) -> None:
    """Subtitle each of them."""
    raise ArchiveError(_("{film} cannot be subtitled yet.").format(film=films[0]))
