"""Every command: thin readers of arguments, no decisions."""

from studio.cli._main import app, main

__all__ = ["app", "main"]
