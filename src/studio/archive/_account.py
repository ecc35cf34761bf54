"""What a report tells of a film beside its subtitles."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from studio.units import Ms

Span: TypeAlias = tuple[Ms, Ms]
"""Begin and end on the film's clock."""


class Account(Struct, frozen=True):
    """What is known of a film and of how its subtitles were made; what is empty or `None` is not told."""

    title: str
    file: str = ""
    """The film's name."""
    length: Ms | None = None
    model: str = ""
    made: datetime | None = None
    accepted_by: str | None = None
    voiced: tuple[Span, ...] = ()
    """Where somebody speaks."""
    rejected: tuple[Span, ...] = ()
    """Quiet stretches that were taken for no speech, though they are not silent."""
    again: tuple[Span, ...] = ()
    """What was heard with little confidence and decoded again."""
    languages: tuple[tuple[Ms, Ms, str], ...] = ()
    """Which language was heard where."""
    said: tuple[str, ...] = ()
    """What else somebody should know, as sentences."""
