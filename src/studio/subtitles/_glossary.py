"""Names as they are to be written: what a file of `subtitles/glossaries` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """A person, a place, a work, or a word of the trade."""

    write: str
    """As it is to be written; one word or several."""
    heard: tuple[str, ...] = ()
    """What a recogniser makes of it instead; one word or several each."""
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other cases of it, as they are to be written, each with what a recogniser makes of that one instead."""
    hint: bool = False
    """Tell Whisper beforehand that this is likely to be said."""


@dataclass(frozen=True, slots=True)
class Glossary:
    """A file of the drawer `subtitles/glossaries`."""

    name: str
    """What these words are about, for people."""
    language: Literal["pl", "lt", "en", "any"]
    """Spoken where this glossary is of use."""
    entries: tuple[Entry, ...]
    """Where two of them claim the same word, the first one has it."""
    never: tuple[str, ...] = ()
    """Words that are right as they were heard, however near they come to a name; compared with their diacritics."""


@dataclass(frozen=True, slots=True)
class Term:
    """One written form and all that stands for it, as the corrector takes it."""

    write: str
    heard: tuple[str, ...] = ()
    hint: bool = False
