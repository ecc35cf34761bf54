"""What a film's subtitles are while people work on them: cues that know their words and who made them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from studio.spoken import Cue, Word
from studio.subtitles import Track
from studio.units import Ms

Maker = Literal["machine", "person", "file", "live"]
"""Who made a cue as it stands: recognition, a hand, a subtitle file that was read, or a show's live captions."""


class FilmCue(Struct, frozen=True):
    """A cue of a film."""

    id: int
    """Unique in its film and never used again: a cue that is split keeps it for its first half."""
    start: Ms
    """On the film's own clock: 0 is its first frame."""
    end: Ms
    """On the film's own clock."""
    lines: tuple[str, ...]
    """Without markup; at least one, none of them empty."""
    words: tuple[Word, ...] = ()
    """What was heard in it, with confidence; empty where nobody listened."""
    by: Maker = "machine"
    """A `person`'s cue outlives recognition of its stretch."""
    speaker: str | None = None
    """Label of who speaks; `None` where nobody told."""


class Shift(Struct, frozen=True):
    """All that begins at a moment or after it was moved."""

    since: Ms
    """On the clock as earlier shifts left it."""
    by: Ms
    """Later; below 0 it is earlier."""


class Document(Struct, frozen=True):
    """All cues of a film in one language, in order, at one moment of their history."""

    language: str
    """Code of the language that is read."""
    profile: str
    """Name of the reading profile that it is held against."""
    cues: tuple[FilmCue, ...] = ()
    shifts: tuple[Shift, ...] = ()
    """What a person moved, oldest first; what is heard again comes without."""

    @property
    def track(self) -> Track:
        """The cues as a subtitle file has them, numbered from 1."""
        cues = (Cue(number, cue.start, cue.end, cue.lines) for number, cue in enumerate(self.cues, 1))
        return Track(tuple(cues), self.language)
