"""Every command, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.cli import (
    _captions,
    _destinations,
    _devices_asked,
    _encoders,
    _files,
    _films,
    _hardware,
    _models,
    _obs,
    _rehearse,
    _shows,
    _subtitles,
    _vocal,
)
from studio.language import _

if TYPE_CHECKING:
    import typer


def add_to(app: typer.Typer) -> None:
    """Give `app` all of them."""
    app.command(help=_("Put a show on the air: a file, a microphone, or whoever streams to us."))(_shows.live)
    app.command(help=_("Put a pretend show on the air: real OBS plays a talk that is captioned live."))(_shows.demo)
    app.command(help=_("Put up the devices of studio.toml as pretend ones on this machine, with faults on order."))(
        _rehearse.rehearse
    )
    app.command(help=_("Read studio.toml and every drawer without touching a device."))(_files.check)
    app.command(help=_("List the destinations of studio.toml, and whether their keys can be had."))(
        _destinations.destinations
    )
    app.command(help=_("Join the parts of a recording that was cut off."))(_files.recover)
    app.command(help=_("Try which encoders work on this machine."))(_encoders.encoders)
    app.command(help=_("List the microphones that --input mic:NAME can take."))(_files.microphones)
    app.add_typer(_captions.app, name="captions")
    app.add_typer(_devices_asked.app, name="devices")
    app.add_typer(_films.app, name="films")
    app.add_typer(_hardware.app, name="hardware")
    app.add_typer(_models.app, name="models")
    app.add_typer(_obs.app, name="obs")
    app.add_typer(_subtitles.app, name="subtitle")
    app.add_typer(_vocal.app, name="vocal")
