"""`studio subtitle FILE|FOLDER…`, without its sisters `convert`, `check`, `fix`, `sync` and others.

A sister lives in a file of its own (`_subtitle_convert.py`); `_subtitles.py` puts all of them beside it.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

import typer

from studio.app import FilmsWish, subtitle_films
from studio.archive import Stopped
from studio.catalogue import Catalogue
from studio.cli import _subtitle_options as asked
from studio.cli._screen import err
from studio.cli._subtitle_screen import screen_for
from studio.cli._unnamed import UNNAMED, OrUnnamed, Unnamed
from studio.cli._venue import VenueOption, read_venue
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from studio.cli._subtitle_screen import FilmsScreen
    from studio.venue import Venue


app = typer.Typer(cls=OrUnnamed, help=_("Subtitle films, and work on subtitle files."))


@app.command(
    UNNAMED,
    cls=Unnamed,
    hidden=True,
    help=_("Subtitle films: listen to each, and write files beside it that a broadcaster would accept.")
    + "\n\n"
    + _(
        "What was done is not done again; what was broken off goes on. "
        "For files there are `studio subtitle convert`, `check`, `fix`, `sync` and `translate`; `sounds` suggests "
        "labels for what is no speech."
    ),
)
def films(
    films: asked.Films,
    *,
    lang: asked.Lang = None,
    profile: asked.Profile = None,
    formats: asked.Formats = None,
    burn: asked.Burn = None,
    mux: asked.Mux = False,
    translate: asked.Translate = None,
    glossary: asked.Glossary = None,
    model: asked.Model = None,
    out: asked.Out = None,
    overwrite: asked.Overwrite = False,
    report: asked.Report = False,
    shots: asked.Shots = False,
    speakers: asked.Speakers = False,
    track: asked.Track = None,
    channel: asked.Channel = None,
    begin: asked.Begin = None,
    until: asked.Until = None,
    workers: asked.Workers = None,
    scheduler: asked.Scheduler = None,
    tls: asked.TlsFolder = None,
    media: asked.Media = None,
    quiet: asked.Quiet = False,
    json: asked.Json = False,
    venue: VenueOption = None,
) -> None:
    """Subtitle each of them; 1 where one failed, 130 where Ctrl-C ended it."""
    wish = FilmsWish(
        language=lang,
        profile=profile,
        formats=formats,
        burn=burn,
        mux=mux,
        translate=translate,
        glossaries=tuple(glossary or ()),
        model=model,
        out=out,
        overwrite=overwrite,
        report=report,
        shots=shots,
        speakers=speakers,
        track=track,
        channel=channel,
        begin=begin,
        until=until,
        workers=workers,
        scheduler=scheduler,
        tls=tls,
        media=media,
    )
    _subtitle(films, wish, read_venue(venue), screen_for(quiet=quiet, json=json))


def _subtitle(films: list[Path], wish: FilmsWish, house: Venue, screen: FilmsScreen) -> None:
    stop = threading.Event()
    with _asked_to_stop(stop), screen:
        try:
            results = subtitle_films(house, Catalogue(house.folder), films, wish, watch=screen, stop=stop)
        except Stopped:
            screen.stopped()
            raise typer.Exit(130) from None
    screen.sum_up(results)
    if any(result.fate == "failed" for result in results):
        raise typer.Exit(1)


@contextlib.contextmanager
def _asked_to_stop(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C ends in order, the second at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def ending(_number: int, _frame: FrameType | None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.set()
        err.print(_("Ending …"), style="dim")

    for number in before:
        signal.signal(number, ending)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
