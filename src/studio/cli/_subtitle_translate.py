"""`studio subtitle translate`: a subtitle file in English, by the sound of its film."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from studio import speech, subtitles
from studio.archive import english
from studio.catalogue import Catalogue
from studio.cli._screen import err, out, span_progress
from studio.cli._subtitle_check import LangOption, ProfileOption
from studio.cli._subtitle_options import Model
from studio.cli._venue import VenueOption, read_venue
from studio.errors import SubtitlesError
from studio.language import _, plural

INTO = "en"
_NAMED = re.compile(r"\.[a-z]{2,3}$")
"""`film.pl` says its language."""


def translate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("The subtitle file."))],
    *,
    film: Annotated[Path, typer.Option("--film", metavar="FILM", help=_("The film, whose sound is translated."))],
    lang: LangOption = None,
    profile: ProfileOption = None,
    model: Model = None,
    track: Annotated[
        int | None, typer.Option(min=1, help=_("Sound track to listen to; without it, the one with speech."))
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--out", help=_("Where to write; without it, beside FILE as NAME.en."))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace files that say something else."))] = False,
    venue: VenueOption = None,
) -> None:
    """Write FILE in English, sentence by sentence, in the times of its cues."""
    house = read_venue(venue)
    catalogue = Catalogue(house.folder)
    text = subtitles.opened(file, subtitles.ConvertWish(language=lang or ""))
    language = text.language or subtitles.language_of(text, catalogue) or ""
    if language in ("", INTO):
        raise SubtitlesError(
            _("{file} is in English already.").format(file=file.name)
            if language
            else _("{file} does not tell its language; say --lang pl, lt or another.").format(file=file.name)
        )
    rules = subtitles.profile(profile or subtitles.profile_of(INTO), INTO, catalogue)
    folder = speech.resolve(model or house.captions.model, offline=True)
    ears = speech.Archivist(folder, language, os.cpu_count() or 1)
    bar, told = span_progress(_("listening to {film}").format(film=film.name))
    with bar:
        made, remarks = english(replace(text, language=language), film, ears, rules, track=track, told=told, say=_say)
    kind = subtitles.kind_of(into or file)
    target = into or _beside(file, subtitles.FORMATS[kind].ending)
    done = subtitles.convert(made, file, kind, target, subtitles.ConvertWish(overwrite=overwrite))
    cues = plural("{n} cue", "{n} cues", len(made.cues)).format(n=len(made.cues))
    what = f"{file} → {target}: {cues}" if done.new else _("{file} is so already.").format(file=target)
    out.print(what, markup=False, soft_wrap=True)
    for remark in (*remarks, *done.said):
        _say(remark)


def _beside(file: Path, ending: str) -> Path:
    name = file.name[: -len(ending)]
    return file.with_name(f"{_NAMED.sub('', name)}.{INTO}{ending}")


def _say(said: str) -> None:
    err.print(said, markup=False, soft_wrap=True)
