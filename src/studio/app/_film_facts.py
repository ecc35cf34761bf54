"""What pages are told of films; msgspec writes it as JSON, and `static/film*.js` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from studio.archive import FilmCue, SoundCue
from studio.units import Ms

if TYPE_CHECKING:
    from datetime import datetime

    from studio.archive import Film


class Row(Struct):
    """Subtitles of a film in one language, or a film that has none yet."""

    id: int
    title: str
    path: str
    language: str
    length: Ms | None
    state: str
    reason: str
    version: int | None = None
    """`None`: there are no subtitles yet."""
    cues: int | None = None
    accepted: dict[str, Any] | None = None
    """`by` and `at`."""
    was_accepted: bool = False
    """An earlier version was."""


class Found(Struct):
    """A place that breaks the profile."""

    cue: int
    kind: str
    text: str


class Share(Struct):
    """How many cues of a version are in need of a person."""

    broken: int
    doubtful: int


class View(Struct):
    """Subtitles as they stand."""

    version: int
    undo: bool
    redo: bool
    film: Row
    findings: list[Found]
    sounds: tuple[SoundCue, ...]
    """Suggested, and waiting for a person."""


class Whole(View):
    """Subtitles as they stand, with all their cues and what is to be known for working at them."""

    profile: str
    rules: dict[str, Any]
    frame_ms: float
    cues: tuple[FilmCue, ...]
    media: dict[str, Any]


class Change(View):
    """What is new since the version that was known."""

    changed: list[FilmCue]
    removed: list[int]


class Place(Struct):
    """A cue in which something would be replaced."""

    film: int
    title: str
    language: str
    version: int
    cue: int
    start: Ms
    before: str
    after: str


def rows_of(film: Film) -> list[Row]:
    known: dict[str, Any] = {
        "id": film.id,
        "title": film.title,
        "path": str(film.path),
        "length": film.length,
        "state": film.state,
        "reason": film.reason,
    }
    if not film.heads:
        return [Row(**known, language=film.language)]
    return [
        Row(
            **known,
            language=head.language,
            version=head.number,
            cues=head.cues,
            accepted=_accepted(head.accepted_by, head.accepted_at),
            was_accepted=head.was_accepted is not None,
        )
        for head in film.heads
    ]


def _accepted(by: str | None, at: datetime | None) -> dict[str, Any] | None:
    return None if by is None else {"by": by, "at": at}
