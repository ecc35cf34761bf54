"""Numbers as a language writes them: what a file of `subtitles/numbers` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Numbers:
    """A file of the drawer `subtitles/numbers`."""

    language: Literal["pl", "lt", "en"]
    decimal: Literal[",", "."]
    """Between the whole and its parts."""
    group: str
    """Between thousands: a space that does not break, or a comma."""
    group_from: int = 5
    """Numbers with fewer digits are written without `group`."""
    percent: str = "%"
    """How a percent sign follows its number: with the space before it, if any."""
    units: tuple[str, ...] = ()
    """Beginnings of words that follow a measure, never a date, an hour or a version."""
