"""`studio subtitle sounds`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studio.archive import Document, FilmCue, as_track, default_path, listen_for_sounds, open_library, suggest
from studio.catalogue import Catalogue
from studio.cli._films_open import LibraryOption
from studio.cli._screen import err, out, span_progress
from studio.cli._venue import LangOption, VenueOption, read_venue
from studio.errors import SubtitlesError
from studio.language import _, plural
from studio.subtitles import read, save, sound_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.archive import Film, Library


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
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Write what was heard as a file of its own, for a person to take over what is right; subtitles stay.

    Where the library has subtitles of the film in that language, it keeps the suggestions for the page of films.
    """
    house = read_venue(venue)
    language = lang or house.language
    target = into or film.with_suffix(".sounds.srt")
    if target.exists() and not overwrite:
        raise SubtitlesError(
            _("{file} is there and says something else; --overwrite replaces it, or name another --out.").format(
                file=target
            )
        )
    labels = sound_labels(language, Catalogue(house.folder))
    with _known(film, language, library or house.archive.films or default_path()) as kept:
        own = kept[0].texts.document(kept[1].id, language) if kept else Document(language, "sdh")
        document = _read(subtitles, language) if subtitles else own
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
        if kept:
            cupboard, known = kept
            cupboard.sounds.keep(known.id, language, suggest(own, heard, labels))
            waiting = len(cupboard.sounds.waiting(known.id, cupboard.texts.document(known.id, language)))
            out.print(
                plural(
                    '{n} label waits in the library; `studio films sounds "{film}"` and the page of films show it.',
                    '{n} labels wait in the library; `studio films sounds "{film}"` and the page of films show them.',
                    waiting,
                ).format(n=waiting, film=known.title),
                markup=False,
                soft_wrap=True,
            )


def _read(subtitles: Path, language: str) -> Document:
    cues = read(subtitles).cues
    return Document(language, "sdh", tuple(FilmCue(cue.number, cue.start, cue.end, cue.lines) for cue in cues))


@contextlib.contextmanager
def _known(film: Path, language: str, library: Path) -> Iterator[tuple[Library, Film] | None]:
    """The library and the film in it, where there are subtitles of it in that language; else `None`."""
    if not library.expanduser().exists():
        yield None
        return
    with open_library(library) as cupboard:
        known = cupboard.at(film)
        there = known is not None and any(head.language == language for head in known.heads)
        yield (cupboard, known) if known is not None and there else None
