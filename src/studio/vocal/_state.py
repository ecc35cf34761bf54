"""What a session is: its lines, folded one after the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from studio.vocal._entries import (
    AnyEntry,
    Armed,
    Begun,
    Comment,
    Comp,
    Device,
    Exported,
    Kept,
    Latency,
    Level,
    Note,
    Singer,
    Song,
    Span,
    TakeBegun,
    Taken,
    TakeRuns,
    TakeTrack,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_STARS = 5
WELL = frozenset({"stopped", "whole"})
"""How a take ends that went well."""


@dataclass(frozen=True, slots=True)
class Take:
    """One take, and what is thought of it."""

    number: int
    at: datetime
    """When it began, UTC."""
    song: str
    """Its `id`, or empty."""
    tracks: tuple[TakeTrack, ...]
    """In the order of the file's channels."""
    rate: int
    absent: tuple[TakeTrack, ...] = ()
    """Were armed, and the input had no such channel."""
    punch: Span | None = None
    loop: Span | None = None
    turn: int = 1
    """Which pass of `loop` it is."""
    backing: str = ""
    file: str = ""
    """In the session's folder; empty before the first sample."""
    first_frame: int = 0
    """Of the input, since that was opened."""
    offset: float | None = None
    """Second of the song at the first sample; `None` where nothing was played."""
    frames: int = 0
    """0 until it has ended."""
    ended: str | None = None
    """`stopped`, `whole`, one sentence that says why, or `None` while it is recorded."""
    lost: int = 0
    keeper: bool = False
    stars: int = 0
    comments: tuple[Comment, ...] = ()
    """In the order of the moments that they are about."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames / self.rate

    @property
    def well(self) -> bool:
        """Whether it ended as somebody wanted."""
        return self.ended in WELL

    @property
    def singers(self) -> tuple[str, ...]:
        """The `id`s of all who sing in it, each once."""
        return tuple(dict.fromkeys(singer for track in self.tracks for singer in track.singers))


@dataclass(frozen=True, slots=True)
class SessionState:
    """All that the lines of a session say; numbers and ids lead to what they name, in the order they came."""

    name: str = ""
    rate: int = 48_000
    created: datetime | None = None
    """`None` where the first line is lost."""
    song: str = ""
    """`id` of the one that is sung now: the last that was named."""
    singers: Mapping[str, Singer] = field(default_factory=dict)
    songs: Mapping[str, Song] = field(default_factory=dict)
    tracks: Mapping[int, TakeTrack] = field(default_factory=dict)
    """What is armed, by channel, lowest first."""
    device: Device | None = None
    takes: Mapping[int, Take] = field(default_factory=dict)
    comps: Mapping[int, Comp] = field(default_factory=dict)
    latency: Latency | None = None
    levels: Mapping[int, Level] = field(default_factory=dict)
    """The last of each channel."""
    exported: tuple[Exported, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def running(self) -> tuple[Take, ...]:
        """Takes that nobody said were over."""
        return tuple(take for take in self.takes.values() if take.ended is None)


def folded(state: SessionState, entries: Iterable[AnyEntry]) -> SessionState:
    """Return `state` after `entries`."""
    for entry in entries:
        state = after(state, entry)
    return state


def after(state: SessionState, entry: AnyEntry) -> SessionState:  # noqa: C901, PLR0911 - one line for each kind
    """Return `state` after one more thing happened. What speaks of a take that is not there changes nothing."""
    match entry:
        case Begun():
            return replace(state, name=entry.name, rate=entry.rate, created=entry.at)
        case Singer():
            return replace(state, singers={**state.singers, entry.id: entry})
        case Song():
            return replace(state, songs={**state.songs, entry.id: entry}, song=entry.id)
        case Armed():
            return replace(state, tracks=_armed(state.tracks, entry))
        case Device():
            return replace(state, device=entry)
        case TakeBegun():
            return _with_take(state, _begun(entry))
        case TakeRuns() | Taken() | Kept() | Comment():
            return _about_a_take(state, entry)
        case Comp():
            return replace(state, comps={**state.comps, entry.number: entry})
        case Latency():
            return replace(state, latency=entry)
        case Level():
            return replace(state, levels={**state.levels, entry.channel: entry})
        case Exported():
            return replace(state, exported=(*state.exported, entry))
        case Note():
            return replace(state, notes=(*state.notes, entry))


def _armed(tracks: Mapping[int, TakeTrack], entry: Armed) -> dict[int, TakeTrack]:
    kept = {channel: track for channel, track in tracks.items() if channel != entry.channel}
    if entry.track:
        kept[entry.channel] = TakeTrack(entry.channel, entry.track, entry.singers)
    return dict(sorted(kept.items()))


def _begun(entry: TakeBegun) -> Take:
    return Take(
        entry.number,
        entry.at,
        entry.song,
        entry.tracks,
        entry.rate,
        punch=entry.punch,
        loop=entry.loop,
        turn=entry.turn,
        backing=entry.backing,
    )


def _with_take(state: SessionState, take: Take) -> SessionState:
    return replace(state, takes={**state.takes, take.number: take})


def _about_a_take(state: SessionState, entry: TakeRuns | Taken | Kept | Comment) -> SessionState:
    take = state.takes.get(entry.number)
    if take is None:
        return state
    match entry:
        case TakeRuns():
            there = entry.channels or tuple(track.channel for track in take.tracks)
            take = replace(
                take,
                at=entry.at,
                file=entry.file,
                first_frame=entry.first_frame,
                offset=entry.offset,
                tracks=tuple(track for track in take.tracks if track.channel in there),
                absent=tuple(track for track in take.tracks if track.channel not in there),
            )
        case Taken():
            take = replace(take, frames=entry.frames, ended=entry.ended, lost=entry.lost)
        case Kept():
            stars = take.stars if entry.stars is None else entry.stars
            take = replace(take, keeper=entry.keeper, stars=max(0, min(MOST_STARS, stars)))
        case Comment():
            said = sorted((*take.comments, entry), key=lambda comment: comment.seconds)
            take = replace(take, comments=tuple(said))
    return _with_take(state, take)
