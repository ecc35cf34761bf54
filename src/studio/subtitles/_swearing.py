"""Words that a hall may want hidden: what a file of `subtitles/swearing` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Swearing:
    """A file of the drawer `subtitles/swearing`. Words are compared without capitals, but with their diacritics."""

    language: Literal["pl", "lt", "en"]
    stems: tuple[str, ...]
    """Beginnings of swear words, whatever follows."""
    words: tuple[str, ...] = ()
    """Swear words whose beginning other words share."""
    prefixes: tuple[str, ...] = ()
    """What may stand before a stem: `wy`, `za`."""
    innocent: tuple[str, ...] = ()
    """Beginnings of words that are none, though a stem fits them: the longer of the two decides."""
