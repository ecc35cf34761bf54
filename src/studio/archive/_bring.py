"""Films and subtitle files that are brought into the library by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio import media
from studio.archive._document import Document, FilmCue
from studio.archive._show import add_show, is_show
from studio.errors import ArchiveError
from studio.language import _
from studio.subtitles import profile_of, read

if TYPE_CHECKING:
    from pathlib import Path

    from studio.archive._facts import Film, Version
    from studio.archive._library import Library
    from studio.catalogue import Catalogue


def bring(
    library: Library, path: Path, catalogue: Catalogue, *, language: str = "", title: str = "", profile_name: str = ""
) -> Film:
    """Take in a film, or the folder of a show that was captioned live; what is known of it already stays.

    Raises StudioError with a sentence for what is neither.
    """
    if path.is_dir():
        if not is_show(path):
            raise ArchiveError(
                _("{folder} is not the folder of a show with captions; name a film, or a show's folder.").format(
                    folder=path
                )
            )
        return add_show(library, path.absolute(), catalogue, language=language, title=title, profile_name=profile_name)
    facts = media.film(path)
    spoken = facts.speech(language)
    return library.add(path, length=facts.length, title=title, language=language or (spoken.language if spoken else ""))


def bring_subtitles(
    library: Library, film: int, file: Path, by: str, *, language: str = "", profile_name: str = ""
) -> Version:
    """Take in a subtitle file as the newest version of a film's subtitles in its language.

    `language` is said where the file does not say it. What was there before is a version before it. Raises StudioError.
    """
    track = read(file)
    code = language or track.language or library.film(film).language
    if not code:
        raise ArchiveError(_("{file} does not say its language; add --lang.").format(file=file))
    if not track.cues:
        raise ArchiveError(_("There is no subtitle in {file}.").format(file=file))
    head = next((head for head in library.film(film).heads if head.language == code), None)
    first = 1 if head is None else library.texts.next_id(film, code)
    cues = tuple(
        FilmCue(number, cue.start, cue.end, cue.lines, (), "file") for number, cue in enumerate(track.cues, first)
    )
    document = Document(code, profile_name or profile_of(code), cues)
    return library.texts.save(film, None if head is None else head.number, document, by, "imported")
