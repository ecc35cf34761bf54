"""`studio films export|versions|restore|accept`."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio import media
from studio.archive import TRANSCRIPTS, save_transcript, transcript
from studio.cli._films_open import (
    ByOption,
    JsonOption,
    LibraryOption,
    TextOption,
    accepted,
    local,
    opened,
    whoever,
    write_json,
)
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.errors import ArchiveError, DrawerError, MediaError, StudioError, why
from studio.language import _, plural
from studio.subtitles import FORMATS, check, profile, save

if TYPE_CHECKING:
    from studio.archive import Document, Film, Kind, Library
    from studio.units import Ms

FilmArgument = Annotated[str, typer.Argument(metavar="FILM", help=_("Its number, path, or title."))]
_UNFIT = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
"""What no name of a file may hold, on whatever disk it lands."""


def _forms(asked: str) -> list[str]:
    known = [*FORMATS, *(ending.lstrip(".") for ending in TRANSCRIPTS)]
    forms = [form.strip().lower().lstrip(".") for form in asked.split(",") if form.strip()]
    for form in forms:
        if form not in known:
            raise typer.BadParameter(_("use one of {names}").format(names=", ".join(known)))
    if not forms:
        raise typer.BadParameter(_("use one of {names}").format(names=", ".join(known)))
    return forms


def export(
    films: Annotated[list[str], typer.Argument(metavar="FILM…", help=_("Their numbers, paths, or titles."))],
    *,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMS", help=_("srt, vtt, … or txt, html, docx, odt to read."))
    ] = "srt",
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help=_("Where to; else beside the film."))
    ] = None,
    lang: TextOption = None,
    version: Annotated[int | None, typer.Option("--version", metavar="N", help=_("As this version reads."))] = None,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Write a file for each film, language and form; one that cannot be written does not keep out the others."""
    house = read_venue(venue)
    forms = _forms(form)
    failed = False
    with opened(library, house) as cupboard:
        for asked in films:
            try:
                _export(cupboard, cupboard.find(asked), forms, folder, lang=lang, version=version)
            except StudioError as problem:
                if len(films) == 1:
                    raise
                failed = True
                err.print(str(problem), markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _export(
    cupboard: Library, film: Film, forms: list[str], folder: Path | None, *, lang: str | None, version: int | None
) -> None:
    languages = [lang] if lang is not None else [head.language for head in film.heads]
    if not languages or (version is not None and len(languages) > 1):
        cupboard.texts.head(film.id)  # says what is amiss
    where = film.path.parent if folder is None else folder
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ArchiveError(
            _("The folder {folder} cannot be made ({problem}).").format(folder=where, problem=why(problem))
        ) from problem
    for language in languages:
        document = cupboard.texts.document(film.id, language, version)
        for form in forms:
            ending = FORMATS[form].ending if form in FORMATS else f".{form}"
            path = where / f"{_UNFIT.sub(' ', film.path.stem).strip()}.{language}{ending}"
            if ending in TRANSCRIPTS:
                save_transcript(transcript(film.title, document, _chapters(film)), path)
            else:
                save(document.track, path)
            out.print(Text(f"{path}  {_remarks(document)}"), soft_wrap=True)


def _remarks(document: Document) -> str:
    said = plural("{n} subtitle", "{n} subtitles", len(document.cues)).format(n=len(document.cues))
    with contextlib.suppress(DrawerError):
        count = len({each.cue for each in check(document.track, profile(document.profile, document.language)).findings})
        if count:
            said += ", " + plural("{n} not by the profile", "{n} not by the profile", count).format(n=count)
    return said


def _chapters(film: Film) -> tuple[tuple[Ms, str], ...]:
    with contextlib.suppress(MediaError):
        return tuple((chapter.start, chapter.title) for chapter in media.film(film.path).chapters)
    return ()


def versions(
    film: FilmArgument,
    *,
    lang: TextOption = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """List versions, newest first; a star marks the one that counts."""
    with opened(library, read_venue(venue)) as cupboard:
        found = cupboard.texts.versions(cupboard.find(film).id, lang)
    if as_json:
        write_json(found)
        return
    kinds: dict[Kind, str] = {
        "recognised": _("recognised"),
        "edited": _("edited"),
        "imported": _("from a file"),
        "restored": _("restored"),
    }
    table = Table(box=None, pad_edge=False)
    for heading in ("", _("version"), _("time"), _("by"), _("how"), _("subtitles"), _("accepted")):
        table.add_column(heading, overflow="fold")
    for each in found:
        signed = f"{each.accepted_by}, {local(each.accepted_at)}" if each.accepted_by and each.accepted_at else ""
        table.add_row(
            "*" if each.head else "",
            str(each.number),
            local(each.at),
            Text(each.by),
            kinds[each.kind],
            str(each.cues),
            Text(signed),
        )
    out.print(table)


def restore(
    film: FilmArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help=_("A number that `studio films versions` shows."))],
    *,
    lang: TextOption = None,
    by: ByOption = None,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Make a new version; none is lost."""
    with opened(library, read_venue(venue)) as cupboard:
        made = cupboard.texts.restore(cupboard.find(film).id, lang, version, whoever(by))
    out.print(_("Version {new} reads as version {old} did.").format(new=made.number, old=version))


def accept(
    film: FilmArgument,
    *,
    lang: TextOption = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who accepts them."))] = "",
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Sign the version that counts now."""
    if not by.strip():  # the user of the system is often one for all, and this is a signature
        raise typer.BadParameter(_("Say who accepts the subtitles: --by NAME."))
    with opened(library, read_venue(venue)) as cupboard:
        known = cupboard.find(film)
        cupboard.texts.accept(known.id, lang, by.strip())
        head = cupboard.texts.head(known.id, lang)
    out.print(
        Text(
            _('"{title}", version {number}, is accepted: {who}').format(
                title=known.title, number=head.number, who=accepted(head)
            )
        ),
        soft_wrap=True,
    )
