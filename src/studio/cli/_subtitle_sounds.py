"""`studio subtitle sounds`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.archive import Document, FilmCue, as_track, listen_for_sounds, suggest
from studio.catalogue import Catalogue
from studio.cli._screen import err, out, span_progress
from studio.cli._venue import LangOption, VenueOption, read_venue
from studio.errors import SubtitlesError
from studio.language import _, plural
from studio.subtitles import Track, read, save, sound_labels


def sounds(
    film: Annotated[Path, typer.Argument(metavar="FILM", help=_("A film, or any sound."))],
    subtitles: Annotated[
        Path | None, typer.Argument(metavar="SUBTITLES", help=_("Its subtitles: labels stand where no cue does."))
    ] = None,
    *,
    lang: LangOption = None,
    into: Annotated[
        Path | None, typer.Option("--out", help=_("Where the suggestions go; without: FILM.sounds.srt beside it."))
    ] = None,
    folder: Annotated[Path | None, typer.Option("--model", help=_("The folder of the tagger (YAMNet)."))] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace files that say something else."))] = False,
    venue: VenueOption = None,
) -> None:
    """Write what was heard as a file of its own, for a person to take over what is right; subtitles stay."""
    house = read_venue(venue)
    language = lang or house.language
    target = into or film.with_suffix(".sounds.srt")
    if target.exists() and not overwrite:
        raise SubtitlesError(
            _("{file} is there and says something else; --overwrite replaces it, or name another --out.").format(
                file=target
            )
        )
    cues = (read(subtitles) if subtitles else Track(())).cues
    document = Document(language, "sdh", tuple(FilmCue(cue.number, cue.start, cue.end, cue.lines) for cue in cues))
    labels = sound_labels(language, Catalogue(house.folder))
    bar, told = span_progress(_("listening to the film"))
    said: list[str] = []
    with bar:
        heard = listen_for_sounds(film, labels, said.append, told, folder)
    for sentence in said:
        err.print(sentence, markup=False, soft_wrap=True)
    found = suggest(document, heard, labels)
    for sentence in save(as_track(found, language), target):
        err.print(sentence, markup=False, soft_wrap=True, style="dim")
    count = plural("{n} label", "{n} labels", len(found)).format(n=len(found))
    out.print(
        _("{count} suggested in {file}; see which are right before anybody else sees them.").format(
            count=count, file=target
        ),
        markup=False,
        soft_wrap=True,
    )
