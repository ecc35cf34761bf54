"""A group of commands of which one has no name: `studio captions INPUT` beside `studio captions repair RECORDING`."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

UNNAMED = "listen"
"""What that command is called in here; nobody types it."""


class OrUnnamed(TyperGroup):
    """What is no command is for the one without a name. A file that is called like a command is `./repair`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own, not public
        """Put the name in where none was typed; nothing at all asks for help."""
        args = args or ["--help"]
        if args[0] == UNNAMED or args[0] not in self.commands:
            args = [UNNAMED, *args]
        return super().parse_args(ctx, args)


class _Context(typer.Context):
    @property
    def command_path(self) -> str:
        """What is typed: not the name that the command has in here."""
        return str(self.parent.command_path if self.parent else super().command_path)


class Unnamed(TyperCommand):
    """The command without a name."""

    context_class = _Context
