"""The lines of a session: each is one thing that happened, and is never changed.

A `session.jsonl` is read by every studio of the same `VERSION`; kinds that a studio does not know are passed over.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

import msgspec

VERSION = 1
"""Of the lines; a higher one in a file means that they would be misread here."""

Consent = Literal["yes", "no"]


def _now() -> datetime:
    return datetime.now(UTC)


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """One line."""

    at: datetime = msgspec.field(default_factory=_now)
    """When it was written, UTC."""


class Begun(Entry, frozen=True, tag="session"):
    """The first line of all."""

    name: str
    version: int
    rate: int
    """Hertz of all its takes."""

    def __post_init__(self) -> None:
        """Nobody records at a rate that is none."""
        if self.rate <= 0:
            raise ValueError(self.rate)


class Until(msgspec.Struct, frozen=True):
    """Consent that ends."""

    until: date
    """The last day."""


class Singer(Entry, frozen=True, tag="singer"):
    """Somebody who sings; a later line of the same `id` replaces it."""

    id: str
    name: str
    child: bool = False
    consent: Consent | Until | None = None
    """What the form says, `None` where none was noted."""

    def permits(self, day: date) -> bool:
        """Whether what they sang may leave on that day: of a child only with consent, of others unless refused."""
        if isinstance(self.consent, Until):
            return day <= self.consent.until
        return self.consent == "yes" or (self.consent is None and not self.child)


class Song(Entry, frozen=True, tag="song"):
    """What is sung; a later line of the same `id` replaces it."""

    id: str
    title: str
    tempo: float | None = None
    """Beats a minute."""
    beats: int = 4
    """In one bar."""
    melody: str = ""
    """A MIDI file in the session's folder, or empty."""
    backing: str = ""
    """The sound that is played while it is sung, in the session's folder, or empty."""


class Armed(Entry, frozen=True, tag="arm"):
    """A channel of the input is recorded from now on, or no more."""

    channel: int
    """Counted from 1."""
    track: str = ""
    """What it is called; empty disarms it."""
    singers: tuple[str, ...] = ()
    """Their `id`s."""


class Device(Entry, frozen=True, tag="device"):
    """What is recorded from, and what is played to; a part of a name, or empty for the system's own choice."""

    input: str = ""
    channels: int = 0
    """0: as many as it has."""
    output: str | None = None
    """`None`: nothing is played."""


class Span(msgspec.Struct, frozen=True):
    """A part of a song, in seconds of the song."""

    start: float = msgspec.field(name="in")
    end: float = msgspec.field(name="out")


class TakeTrack(msgspec.Struct, frozen=True):
    """One channel of a take's file, in the order of the file."""

    channel: int
    """Of the input."""
    name: str
    singers: tuple[str, ...] = ()


class TakeBegun(Entry, frozen=True, tag="take"):
    """A take has its number; nobody gets it again."""

    number: int
    tracks: tuple[TakeTrack, ...]
    rate: int
    song: str = ""
    """Its `id`, or empty."""
    punch: Span | None = None
    loop: Span | None = None
    turn: int = 1
    """Which pass of `loop` it is."""
    backing: str = ""


class TakeRuns(Entry, frozen=True, tag="started"):
    """The first sample of a take is being written."""

    number: int
    file: str
    """In the session's folder."""
    first_frame: int = 0
    """Of the input, since it was opened."""
    offset: float | None = None
    """Second of the song at the first sample; `None` where nothing was played."""
    channels: tuple[int, ...] = ()
    """Of the tracks that are written, where the input has not all that were armed; empty: all of them."""


class Taken(Entry, frozen=True, tag="taken"):
    """A take is over."""

    number: int
    frames: int
    ended: str
    """`stopped`, `whole`, or one sentence that says why."""
    lost: int = 0
    """Frames of silence in the place of what was lost."""


class Kept(Entry, frozen=True, tag="keep"):
    """What is thought of a take; the last line counts."""

    number: int
    keeper: bool
    stars: int | None = None
    """0 to 5; `None` leaves it."""


class Comment(Entry, frozen=True, tag="comment"):
    """A word about a moment of a take."""

    number: int
    seconds: float
    """Since the take's first sample."""
    text: str


class Piece(msgspec.Struct, frozen=True):
    """A part of a take that a comp is made of; what lies between two of them is silent."""

    take: int
    start: float = msgspec.field(name="from")
    """Second of the song; a take to which nothing was played begins with the song."""
    end: float = msgspec.field(name="to")


class Comp(Entry, frozen=True, tag="comp"):
    """The best of several takes; a later line of the same `number` replaces it."""

    number: int
    song: str
    pieces: tuple[Piece, ...]
    crossfade: float = 0.02
    """Seconds at each seam."""
    title: str = ""


class Latency(Entry, frozen=True, tag="latency"):
    """How long it took from output to input."""

    frames: float
    spread: float = 0.0


class Level(Entry, frozen=True, tag="level"):
    """What the level assistant found on a channel."""

    channel: int
    verdict: str
    detail: str = ""


class Exported(Entry, frozen=True, tag="exported"):
    """Files that left."""

    files: tuple[str, ...]
    takes: tuple[int, ...] = ()
    comp: int | None = None
    preset: str = ""
    loudness: float | None = None


class Note(Entry, frozen=True, tag="note"):
    """Something to remember of the session."""

    text: str


AnyEntry = (
    Begun
    | Singer
    | Song
    | Armed
    | Device
    | TakeBegun
    | TakeRuns
    | Taken
    | Kept
    | Comment
    | Comp
    | Latency
    | Level
    | Exported
    | Note
)
KINDS = frozenset(
    str(kind.__struct_config__.tag)
    for kind in (
        *(Begun, Singer, Song, Armed, Device, TakeBegun, TakeRuns, Taken, Kept, Comment, Comp),
        *(Latency, Level, Exported, Note),
    )
)
_decoder = msgspec.json.Decoder(AnyEntry)


class _Any(msgspec.Struct):
    kind: str
    version: int = VERSION


def written(entry: AnyEntry) -> bytes:
    """Return the line, with its end."""
    return msgspec.json.encode(entry) + b"\n"


def read(line: bytes) -> AnyEntry | None:
    """Read a line; `None` for a kind that is not known here. Raises ValueError where it is none."""
    if msgspec.json.decode(line, type=_Any).kind not in KINDS:
        return None
    entry: AnyEntry = _decoder.decode(line)
    return entry


def version_of(line: bytes) -> int | None:
    """Return the version that a first line names; `None` where it is not the first line of a session."""
    try:
        first = msgspec.json.decode(line, type=_Any)
    except msgspec.MsgspecError:
        return None
    return first.version if first.kind == "session" else None
