"""`studio subtitle FILE|FOLDER…`, and the group that its sisters `convert`, `check`, `fix`, `sync` stand in.

A sister lives in a file of its own (`_subtitle_convert.py`) and is put into `app` by `_main.py`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studio.app import FilmsWish, subtitle_films
from studio.archive import Stopped
from studio.catalogue import Catalogue
from studio.cli._screen import err
from studio.cli._subtitle_screen import screen_for
from studio.cli._unnamed import UNNAMED, OrUnnamed, Unnamed
from studio.cli._venue import VenueOption, read_venue
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


app = typer.Typer(cls=OrUnnamed, help=_("Subtitle films, and work on subtitle files."))


@app.command(
    UNNAMED,
    cls=Unnamed,
    hidden=True,
    help=_("Subtitle films: listen to each, and write files beside it that a broadcaster would accept.")
    + "\n\n"
    + _(
        "What was done is not done again; what was broken off goes on. "
        "For files there are `studio subtitle convert`, `check`, `fix` and `sync`; `sounds` suggests labels for what "
        "is no speech."
    ),
)
def films(
    films: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER…", help=_("Films, or folders of them."))],
    *,
    lang: Annotated[
        str | None, typer.Option("--lang", help=_("What is spoken: pl, lt, en, another code, or auto."))
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            help=_("How it is read: polish, lithuanian, english, bbc, sdh, children; else as the language."),
        ),
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--format", help=_("srt, vtt, ass, ttml, ebu-tt-d, stl; several with commas."))
    ] = None,
    burn: Annotated[
        str | None,
        typer.Option("--burn", metavar="PRESET", help=_("Write the film with its subtitles in the picture, too.")),
    ] = None,
    mux: Annotated[
        bool, typer.Option("--mux", help=_("Write the film with its subtitles as a track to switch on, too."))
    ] = False,
    translate: Annotated[
        str | None, typer.Option("--translate", metavar="en", help=_("A second file in English, by the same model."))
    ] = None,
    glossary: Annotated[
        list[str] | None, typer.Option("--glossary", help=_("A name in subtitles/glossaries; may be repeated."))
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help=_("A speech model by name, or its folder."))] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help=_("Write into this folder, in the folders that the films are in."))
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help=_("Replace subtitle files that are not studio's, or were edited."))
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help=_("Write a page beside each film that shows where to look."))
    ] = False,
    shots: Annotated[
        bool, typer.Option("--shots", help=_("Bring cues into step with the cuts of the picture; takes some longer."))
    ] = False,
    speakers: Annotated[
        bool, typer.Option("--speakers", help=_("Tell speakers apart (an extra and models that are yours to fetch)."))
    ] = False,
    track: Annotated[int | None, typer.Option("--track", help=_("Sound track that is listened to, from 1."))] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", help=_("mix, left, right, centre, or its number from 1."))
    ] = None,
    begin: Annotated[str | None, typer.Option("--from", help=_("Begin here: 1:02:03 or 12:30.5."))] = None,
    until: Annotated[str | None, typer.Option("--to", help=_("End here."))] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help=_("Processes that listen; else one a core, as memory allows."))
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help=_("A cluster that listens: tls://HOST:PORT or tcp://HOST:PORT.")),
    ] = None,
    tls: Annotated[
        Path | None, typer.Option("--tls", help=_("Folder of its certificates: ca.pem, cert.pem, key.pem."))
    ] = None,
    media: Annotated[
        str | None,
        typer.Option("--media", help=_("Where its workers find the films, if not under the same path: http://…")),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help=_("Say only what failed."))] = False,
    json: Annotated[bool, typer.Option("--json", help=_("A line of JSON for each film."))] = False,
    venue: VenueOption = None,
) -> None:
    """Subtitle each of them; 1 where one failed, 130 where Ctrl-C ended it."""
    house = read_venue(venue)
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
    screen = screen_for(quiet=quiet, json=json)
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

    def asked(_number: int, _frame: FrameType | None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.set()
        err.print(_("Ending …"), style="dim")

    for number in before:
        signal.signal(number, asked)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
