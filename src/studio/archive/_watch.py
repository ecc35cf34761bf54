"""What a run tells: what became of each film, how far it is, and how long all of it may still take."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from msgspec import Struct

from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

LOADING = 5.0
"""Seconds in which models are loaded and little else is done."""

Fate: TypeAlias = Literal["done", "already", "silent", "failed"]
"""`already`: it was done before, with these settings. `silent`: it has no speech, and its files are valid and empty."""


class Result(Struct, frozen=True):
    """What became of a film."""

    film: str
    """As people know it."""
    path: Path
    fate: Fate
    reason: str = ""
    """Why it failed, in a sentence."""
    files: tuple[Path, ...] = ()
    """What stands there now."""
    language: str = ""
    length: Ms = Ms(0)
    cues: int = 0
    unreadable: int = 0
    """Cues that nobody can read in the time in which they are spoken."""
    said: tuple[str, ...] = ()
    """What somebody should know of it, a sentence each."""


class Watch(Protocol):
    """Whoever looks on. All is called from the thread that runs."""

    def begins(self, film: str) -> None:
        """Work on a film begins."""

    def at(self, film: str, stage: Literal["look", "hear", "write"], share: float) -> None:
        """It is so far in what is done of it now; a share in [0..1]."""

    def ended(self, result: Result) -> None:
        """A film is done, or never will be."""

    def all_at(self, films: int, of: int, share: float, left: tuple[float, float] | None) -> None:
        """So many films are at their end, so much of all the sound is heard, and between so many seconds are left.

        `None`: nobody can tell yet.
        """

    def say(self, sentence: str) -> None:
        """Tell people something, once."""


class Pace:
    """How long the rest takes, by what was measured in this run: a wide guess at first, a narrow one later."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began: float | None = None
        self._heard = 0.0
        self._parts = 0

    def begin(self) -> None:
        """The first task is handed out: loading of models counts, since each run pays it."""
        if self._began is None:
            self._began = self._now()

    def part(self, length: Ms) -> None:
        """A chunk of so much sound is heard."""
        self._heard += length
        self._parts += 1

    def left(self, heard: float, rest: float, unknown: int, films: int) -> tuple[float, float] | None:
        """Seconds until `rest` milliseconds of sound are heard, least and most; `heard` are, with parts of chunks.

        `unknown` films of `films` were not looked at yet: they are taken to be as long as the others, more or less.
        """
        if self._began is None or heard <= 0 or films <= unknown:
            return None
        spent = self._now() - self._began
        if spent < LOADING and not self._parts:
            return None
        mean = (heard + rest) / (films - unknown)
        expected = (rest + unknown * mean) * spent / heard
        doubt = 0.1 + 0.9 / math.sqrt(1 + self._parts) + 0.5 * unknown / films
        return expected / (1 + doubt), expected * (1 + doubt)
