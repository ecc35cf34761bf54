"""What the recorder wrote beside a take while it was recorded: `takes/001.marks.jsonl`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lost:
    """Sound that was lost; silence stands in its place."""

    frame: int
    """Of the take."""
    frames: int
    how: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What they say; all of it is empty where there are none."""

    rate: int | None = None
    channels: int | None = None
    tracks: tuple[tuple[int, str], ...] = ()
    """Channel of the input, and name."""
    frames: int = 0
    """Up to the last word."""
    lost: tuple[Lost, ...] = ()
    stalls: int = 0
    ended: str | None = None
    """`None` where the recorder did not come to say it."""


class _Line(msgspec.Struct):
    rate: int | None = None
    channels: int | None = None
    tracks: tuple[tuple[int, str], ...] = ()
    frames: int | None = None
    dropout: int | None = None
    how: str = ""
    stall: object = None
    ended: str | None = None


def marks_of(take: Path) -> Marks:
    """Read those beside `take`; lines that are none, for a crash tore them, are passed over."""
    try:
        data = take.with_suffix(".marks.jsonl").read_bytes()
    except OSError:
        return Marks()
    said = [line for raw in data.splitlines() if (line := _read(raw))]
    counts = [line.frames for line in said if line.frames is not None and line.dropout is None]
    return Marks(
        rate=next((line.rate for line in said if line.rate), None),
        channels=next((line.channels for line in said if line.channels), None),
        tracks=next((line.tracks for line in said if line.tracks), ()),
        frames=max(counts, default=0),
        lost=tuple(Lost(line.dropout, line.frames or 0, line.how) for line in said if line.dropout is not None),
        stalls=sum(line.stall is not None for line in said),
        ended=next((line.ended for line in reversed(said) if line.ended), None),
    )


def _read(raw: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(raw, type=_Line)
    except msgspec.MsgspecError:
        return None
