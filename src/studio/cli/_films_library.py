"""`studio films list|show|search|add`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.table import Table
from rich.text import Text

from studio.archive import FilmState, bring, bring_subtitles, shown_name
from studio.catalogue import Catalogue
from studio.cli._films_open import (
    ByOption,
    JsonOption,
    LibraryOption,
    TextOption,
    accepted,
    length,
    local,
    opened,
    state_name,
    whoever,
    write_json,
)
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.errors import StudioError
from studio.language import _, plural
from studio.units import timecode

STATES = get_args(FilmState)


def _state(asked: str | None) -> str | None:
    if asked is not None and asked not in STATES:
        raise typer.BadParameter(_("use one of {names}").format(names=", ".join(STATES)))
    return asked


def list_films(
    *,
    find: Annotated[str, typer.Option("--find", metavar="TEXT", help=_("Only films with this in title or path."))] = "",
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", callback=_state, help=", ".join(STATES))
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help=_("Show so many at most."))] = 1000,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """List films by title."""
    with opened(library, read_venue(venue)) as cupboard:
        wanted = cast("FilmState | None", state)
        films = cupboard.films(asked=find, state=wanted, most=most)
        total = cupboard.count(asked=find, state=wanted)
    if as_json:
        write_json(films)
        return
    if not films:
        out.print(
            _("There is no such film.") if find or state else _("The library is empty; `studio films add` fills it.")
        )
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", _("title"), _("length"), _("state"), _("subtitles"), _("accepted")):
        table.add_column(heading, overflow="fold")
    for film in films:
        texts = ", ".join(f"{head.language} {head.cues}" for head in film.heads)
        signed = "; ".join(filter(None, map(accepted, film.heads)))
        table.add_row(
            str(film.id), Text(shown_name(film.title)), length(film.length), Text(state_name(film)), texts, Text(signed)
        )
    out.print(table)
    if total > len(films):
        out.print(plural("of {n} film", "of {n} films", total).format(n=total))


def show(
    film: Annotated[str, typer.Argument(metavar="FILM", help=_("Its number, path, or title."))],
    *,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Say all about one film."""
    with opened(library, read_venue(venue)) as cupboard:
        known = cupboard.find(film)
    if as_json:
        write_json(known)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in (
        (_("number"), str(known.id)),
        (_("title"), shown_name(known.title)),
        (_("file"), shown_name(known.path)),
        (_("length"), length(known.length)),
        (_("language"), known.language),
        (_("state"), state_name(known)),
        (_("added"), local(known.added)),
    ):
        table.add_row(name, Text(value))
    for head in known.heads:
        said = _("version {number} by {name}, {time}").format(number=head.number, name=head.by, time=local(head.at))
        cues = plural("{n} subtitle", "{n} subtitles", head.cues).format(n=head.cues)
        table.add_row(head.language, Text(f"{said}: {cues}"))
        if accepted(head):
            table.add_row(_("accepted"), Text(accepted(head)))
    out.print(table)


def search(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORDS…", help=_('All of these; "two words" stand together, kult* begins one, -no not.')
        ),
    ],
    *,
    film: Annotated[str | None, typer.Option("--film", metavar="FILM", help=_("In this film only."))] = None,
    lang: TextOption = None,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help=_("Show so many at most."))] = 50,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Find words."""
    with opened(library, read_venue(venue)) as cupboard:
        number = None if film is None else cupboard.find(film).id
        asked = " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in words)
        found = cupboard.search(asked, film=number, language=lang, most=most)
    if as_json:
        write_json(found.hits)
        return
    if not found.hits:
        out.print(_("Nothing was found."))
        return
    last = None
    for hit in found.hits:
        if (hit.film, hit.language) != last:
            last = (hit.film, hit.language)
            out.print(Text(f"{hit.film}  {shown_name(hit.title)}  [{hit.language}]", style="bold"), soft_wrap=True)
        text = Text(f"  {timecode(hit.start)[:-4]}  ")
        text.append(hit.text)
        for begin, end in hit.marks:
            shift = len(text) - len(hit.text)
            text.stylize("reverse", begin + shift, end + shift)
        out.print(text, soft_wrap=True)
    if found.next is not None:
        out.print(_("There is more; ask for it with --most, or for fewer with more words."))


def add(
    paths: Annotated[list[Path], typer.Argument(metavar="FILM|SHOW…", help=_("Films, or folders of shows."))],
    *,
    subtitles: Annotated[
        Path | None, typer.Option("--subtitles", metavar="FILE", help=_("Subtitles that the film has already."))
    ] = None,
    lang: Annotated[
        str, typer.Option("--lang", metavar="CODE", help=_("What is spoken, or read in --subtitles."))
    ] = "",
    title: Annotated[str, typer.Option("--title", help=_("Title, where it is not the name of the file."))] = "",
    profile: Annotated[str, typer.Option("--profile", help=_("Reading profile; else that of the language."))] = "",
    by: ByOption = None,
    library: LibraryOption = None,
    venue: VenueOption = None,
) -> None:
    """Take them in one after the other; one that cannot be taken in does not keep out the others."""
    house = read_venue(venue)
    if len(paths) > 1 and (subtitles is not None or title):
        raise typer.BadParameter(_("--subtitles and --title are for one film."))
    failed = False
    with opened(library, house) as cupboard:
        for path in paths:
            try:
                film = bring(cupboard, path, Catalogue(house.folder), language=lang, title=title, profile_name=profile)
                if subtitles is not None:
                    bring_subtitles(cupboard, film.id, subtitles, whoever(by), language=lang, profile_name=profile)
                    film = cupboard.film(film.id)
            except StudioError as problem:
                if len(paths) == 1:
                    raise
                failed = True
                err.print(str(problem), markup=False, soft_wrap=True)
                continue
            cues = ", ".join(f"{head.language} {head.cues}" for head in film.heads)
            out.print(Text(f"{film.id}  {shown_name(film.title)}  {cues}".rstrip()), soft_wrap=True)
    if failed:
        raise typer.Exit(1)
