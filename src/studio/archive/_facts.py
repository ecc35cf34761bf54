"""What the library tells: plain facts, which may be handed to other threads, written as JSON and shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from studio.errors import ArchiveError
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from studio.archive._document import Document

FilmState: TypeAlias = Literal["new", "changed", "queued", "running", "done", "silent", "failed", "missing"]
"""`new`: nobody looked at it yet. `changed`: the file is another one than its subtitles were made of. `silent`: it has
no speech. `missing`: the file is not where it was."""

Kind: TypeAlias = Literal["recognised", "edited", "imported", "restored"]
"""How a version came to be."""

JobState: TypeAlias = Literal["open", "running", "done", "failed"]
"""Of a job, and of a chunk of one."""


class Head(Struct, frozen=True):
    """Where the subtitles of a film stand in one language."""

    language: str
    number: int
    """Of the version that counts now."""
    by: str
    """Who made it."""
    at: datetime
    """When; in UTC."""
    kind: Kind
    cues: int
    """How many it has."""
    accepted_by: str | None = None
    """Who said that this very version may go out; `None`: nobody did, or it was edited since."""
    accepted_at: datetime | None = None
    was_accepted: int | None = None
    """The newest version that was ever accepted, where it is not this one."""


class Film(Struct, frozen=True):
    """A film or recording that the library knows."""

    id: int
    path: Path
    """Absolute."""
    title: str
    fingerprint: str
    """Of the file's content; empty where nobody took it yet."""
    length: Ms | None
    """`None`: nobody measured it yet."""
    language: str
    """Spoken in it; empty where nobody told."""
    state: FilmState
    reason: str
    """Why it failed, as a sentence; else empty."""
    added: datetime
    seen: datetime
    """When its file was last found where it is."""
    heads: tuple[Head, ...] = ()
    """Its subtitles, by language; empty where it has none yet."""


class Version(Struct, frozen=True):
    """Subtitles of a film as they were at one moment."""

    number: int
    """Counts from 1 in its film and language."""
    parent: int | None
    """The version that it was made of; `None` for the first."""
    by: str
    at: datetime
    kind: Kind
    cues: int
    accepted_by: str | None
    accepted_at: datetime | None
    head: bool
    """It is the one that counts now."""


class Correction(Struct, frozen=True):
    """Words that a person wrote in place of what was heard."""

    film: int
    language: str
    cue: int
    """Its id in the document."""
    before: str
    after: str
    by: str
    at: datetime


class Hit(Struct, frozen=True):
    """A cue in which something was found."""

    film: int
    title: str
    path: Path
    language: str
    cue: int
    """Its id in the document."""
    start: Ms
    """Where to jump to."""
    end: Ms
    text: str
    """All of the cue, as one line."""
    marks: tuple[tuple[int, int], ...]
    """Stretches of `text` that were asked for: first letter, and the one after the last."""


class Found(Struct, frozen=True):
    """A page of what was found, in the order of films and in each in the order of time."""

    hits: tuple[Hit, ...]
    next: int | None
    """Where the next page begins; `None`: there is none."""


class Job(Struct, frozen=True):
    """A film that is to be made into subtitles with certain settings."""

    id: int
    film: int
    settings: str
    """Fingerprint of the settings."""
    state: JobState
    owner: str
    """Who works on it, or did last; empty: nobody yet."""
    reason: str
    """Why it failed, as a sentence; else empty."""
    made: datetime
    ended: datetime | None
    chunks: int
    done: int
    """Chunks that are done."""
    plan: bytes
    """Whatever whoever added it needs to go on; the library does not look into it."""


class Chunk(Struct, frozen=True):
    """A stretch of a film that one worker hears."""

    job: int
    number: int
    """Counts from 0 in its job, in the order of time."""
    start: Ms
    end: Ms
    state: JobState
    attempts: int
    """How often somebody began it."""
    worker: str
    """Who has it, or had it last."""
    error: str
    """What went wrong last; empty: nothing."""
    payload: bytes | None
    """What came out of it; `None` until it is done."""


class LibraryError(ArchiveError):
    """The library cannot be opened, read or written."""


class NotThere(LibraryError):  # noqa: N818 - it is an answer, not a fault
    """The library has no such film, language, version or job."""

    exit_code = 2


class Conflict(ArchiveError):  # noqa: N818 - it is an answer, not a fault
    """Somebody else saved the same subtitles meanwhile; nothing of either is lost."""

    def __init__(self, head: Head, theirs: Document, mine: Document) -> None:
        super().__init__(
            _(
                "{name} has changed these subtitles meanwhile (version {number}); nothing was saved. "
                "Look at both and save again."
            ).format(name=head.by, number=head.number)
        )
        self.head = head
        self.theirs = theirs
        """As they stand in the library now."""
        self.mine = mine
        """As they were to be saved."""
