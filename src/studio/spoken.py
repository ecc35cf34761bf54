"""What was said, and how it is shown: the two facts that every room of captions hands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studio.units import Ms


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word with its time."""

    text: str
    """As written, with the punctuation that clings to it and no spaces around."""
    start: Ms
    """On the show clock."""
    end: Ms
    """On the show clock; never before `start`."""
    confidence: float | None = None
    """Share in [0..1], or `None` where the recogniser gave none."""


Hand = Literal["ears", "second look", "glossary", "person"]
"""Who wrote a word as it reads now."""


@dataclass(frozen=True, slots=True)
class ScriptWord:
    """A place in what was said, which a word fills that may be corrected until it airs."""

    id: int
    """Counts from 0 in a show, in the order in which words became known."""
    word: Word
    """As it reads now: one word, several (`mam nadzieję`), or none (empty text) where it was struck or never said."""
    heard: str
    """As the fast pass heard it; empty where it heard nothing."""
    by: Hand
    airs: Ms
    """When it goes on the air, on the show clock; a moment that is over closes it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines that stand on the picture for a while."""

    number: int
    """Counts from 1 in a show; a corrected cue keeps its number."""
    start: Ms
    """On the show clock; the first frame at or after it carries the cue."""
    end: Ms
    """On the show clock; the first frame at or after it carries the cue no more."""
    lines: tuple[str, ...]
    """Without markup: as many as the style has, or more where a correction needs them; none, and it is taken back."""

    @property
    def text(self) -> str:
        """The lines as one, parted by spaces."""
        return " ".join(self.lines)
