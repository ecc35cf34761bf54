"""`studio subtitle convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli._screen import err, out
from studio.errors import SubtitlesError
from studio.language import _, plural
from studio.subtitles import FORMATS, ConvertWish, convert, opened, targets


def convert_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=_("Subtitle files of any form."))],
    *,
    formats: Annotated[
        str,
        typer.Option(
            "--format", help=_("What to write: {kinds}; several with commas.").format(kinds=", ".join(FORMATS))
        ),
    ] = "",
    into: Annotated[
        Path | None, typer.Option("--out", help=_("A folder, or for one file its new name; without: beside it."))
    ] = None,
    lang: Annotated[
        str, typer.Option("--lang", help=_("Language of files that do not tell, such as pl; film.pl.srt does."))
    ] = "",
    fps: Annotated[
        int | None, typer.Option("--fps", help=_("Frames a second of EBU STL and of files that count frames; 25."))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace files that say something else."))] = False,
) -> None:
    """Say of each file what became of it; exit with 1 where one could not be converted, after all the others."""
    kinds = tuple(dict.fromkeys(kind.strip().lower() for kind in formats.split(",") if kind.strip()))
    wish = ConvertWish(kinds, into, lang, fps, overwrite)
    failed = False
    for source, places in targets(tuple(dict.fromkeys(files)), wish).items():
        try:
            track = opened(source, wish)
        except SubtitlesError as problem:
            failed = True
            err.print(str(problem), markup=False, soft_wrap=True)
            continue
        _remark(track.remarks)
        cues = plural("{n} cue", "{n} cues", len(track.cues)).format(n=len(track.cues))
        if not track.cues:
            cues = _("nobody speaks in it")
        for kind, target in places.items():
            try:
                done = convert(track, source, kind, target, wish)
            except SubtitlesError as problem:
                failed = True
                err.print(str(problem), markup=False, soft_wrap=True)
                continue
            what = f"{source} → {target}: {cues}"
            out.print(
                what if done.new else _("{file} is so already.").format(file=target), markup=False, soft_wrap=True
            )
            _remark(done.said)
    if failed:
        raise typer.Exit(1)


def _remark(sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        err.print(sentence, markup=False, soft_wrap=True, style="dim")
