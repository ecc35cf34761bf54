"""What may be said to `studio subtitle`, each with its sentence of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from studio.language import _

# ── what is listened to ───────────────────────────────────────────────────────────────────────────────────────────────

Films: TypeAlias = Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER…", help=_("Films, or folders of them."))]
Lang: TypeAlias = Annotated[
    str | None, typer.Option("--lang", help=_("What is spoken: pl, lt, en, another code, or auto."))
]
Glossary: TypeAlias = Annotated[
    list[str] | None, typer.Option("--glossary", help=_("A name in subtitles/glossaries; may be repeated."))
]
Model: TypeAlias = Annotated[str | None, typer.Option("--model", help=_("A speech model by name, or its folder."))]
Speakers: TypeAlias = Annotated[
    bool, typer.Option("--speakers", help=_("Tell speakers apart (an extra and models that are yours to fetch)."))
]
Track: TypeAlias = Annotated[int | None, typer.Option("--track", help=_("Sound track that is listened to, from 1."))]
Channel: TypeAlias = Annotated[
    str | None, typer.Option("--channel", help=_("mix, left, right, centre, or its number from 1."))
]
Begin: TypeAlias = Annotated[str | None, typer.Option("--from", help=_("Begin here: 1:02:03 or 12:30.5."))]
Until: TypeAlias = Annotated[str | None, typer.Option("--to", help=_("End here."))]

# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────

Profile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help=_("How it is read: polish, lithuanian, english, bbc, sdh, children; else as the language."),
    ),
]
Formats: TypeAlias = Annotated[
    str | None, typer.Option("--format", help=_("srt, vtt, ass, ttml, ebu-tt-d, stl; several with commas."))
]
Burn: TypeAlias = Annotated[
    str | None,
    typer.Option("--burn", metavar="PRESET", help=_("Write the film with its subtitles in the picture, too.")),
]
Mux: TypeAlias = Annotated[
    bool, typer.Option("--mux", help=_("Write the film with its subtitles as a track to switch on, too."))
]
Translate: TypeAlias = Annotated[
    str | None, typer.Option("--translate", metavar="en", help=_("A second file in English, by the same model."))
]
Out: TypeAlias = Annotated[
    Path | None, typer.Option("--out", help=_("Write into this folder, in the folders that the films are in."))
]
Overwrite: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help=_("Replace subtitle files that are not studio's, or were edited."))
]
Report: TypeAlias = Annotated[
    bool, typer.Option("--report", help=_("Write a page beside each film that shows where to look."))
]
Shots: TypeAlias = Annotated[
    bool, typer.Option("--shots", help=_("Bring cues into step with the cuts of the picture; takes some longer."))
]

# ── who does it, and what is told ─────────────────────────────────────────────────────────────────────────────────────

Workers: TypeAlias = Annotated[
    int | None,
    typer.Option("--workers", help=_("Processes that listen; else as `studio models bench` found, or one a core.")),
]
Scheduler: TypeAlias = Annotated[
    str | None,
    typer.Option("--scheduler", help=_("A cluster that listens: tls://HOST:PORT or tcp://HOST:PORT.")),
]
TlsFolder: TypeAlias = Annotated[
    Path | None, typer.Option("--tls", help=_("Folder of its certificates: ca.pem, cert.pem, key.pem."))
]
Media: TypeAlias = Annotated[
    str | None,
    typer.Option("--media", help=_("Where its workers find the films, if not under the same path: http://…")),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help=_("Say only what failed."))]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help=_("A line of JSON for each film."))]
