"""The inner form, and what a broadcaster's file tells besides the cues."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studio.spoken import Cue
from studio.subtitles._breaks import single_spaced
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Track:
    """All cues of a programme in one language, in order."""

    cues: tuple[Cue, ...]
    language: str = ""
    """Its code, or empty where a file did not tell."""
    remarks: tuple[str, ...] = field(default=(), compare=False)
    """A sentence for each thing that had to be guessed when it was read, for people to look at."""


@dataclass(frozen=True, slots=True)
class Programme:
    """What a file tells of its programme besides the cues; only EBU STL has a place for it."""

    title: str = ""
    """As the programme is called; what does not fit into 32 characters is cut off."""
    made: dt.date | None = None
    """The day that the file says it was made on; `None` for today. Give one where two runs must give equal bytes."""
    rate: int = 25
    """Frames a second of its times: 24, 25, 30 or 50."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file's bytes."""

    content: bytes
    said: tuple[str, ...] = ()
    """A sentence for each kind of thing that the form cannot carry and that is written otherwise."""


def shown(lines: Iterable[str]) -> list[str]:
    """`lines` without what would end a cue early: blank ones and line breaks inside them."""
    return [line for line in (single_spaced(line) for line in lines) if line]


def cues(found: Iterable[tuple[int, int, Iterable[str]]]) -> tuple[Cue, ...]:
    """Cues of what was `found` (begin and end in milliseconds, lines), by time and numbered from 1.

    Those without text are left out; none ends before it begins.
    """
    kept = [(begin, max(begin, end), tuple(shown(lines))) for begin, end, lines in found]
    kept = sorted((one for one in kept if one[2]), key=lambda one: one[0])
    return tuple(Cue(number, Ms(begin), Ms(end), lines) for number, (begin, end, lines) in enumerate(kept, 1))
