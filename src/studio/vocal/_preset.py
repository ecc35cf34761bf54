"""What voices go through after a take: the fields of `presets/vocal/*.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from msgspec import Meta

Hertz: TypeAlias = Annotated[float, Meta(ge=20, le=20_000)]
Level: TypeAlias = Annotated[float, Meta(ge=-100, le=0)]
Change: TypeAlias = Annotated[float, Meta(ge=-24, le=24)]
Quality: TypeAlias = Annotated[float, Meta(ge=0.1, le=10)]
Ratio: TypeAlias = Annotated[float, Meta(ge=1, le=50)]
Milliseconds: TypeAlias = Annotated[float, Meta(ge=0.1, le=5000)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]

DRAWER = "presets/vocal"
_BUTTERWORTH = 0.707


@dataclass(frozen=True, slots=True)
class Gate:
    """Turns down what is quieter than a voice: steps, breath, the hall. Levels are dBFS, times milliseconds."""

    threshold: Level
    ratio: Ratio = 2.0
    """By how much: 2 makes 10 dB under the threshold 20; a child's soft beginning survives that."""
    attack: Milliseconds = 2.0
    release: Milliseconds = 200.0


@dataclass(frozen=True, slots=True)
class Highpass:
    """Leaves out what is lower."""

    highpass: Hertz


@dataclass(frozen=True, slots=True)
class Lowpass:
    """Leaves out what is higher."""

    lowpass: Hertz


@dataclass(frozen=True, slots=True)
class LowShelf:
    """All that is lower, by `gain` decibels louder or softer."""

    lowshelf: Hertz
    gain: Change
    q: Quality = _BUTTERWORTH


@dataclass(frozen=True, slots=True)
class HighShelf:
    """All that is higher, by `gain` decibels louder or softer."""

    highshelf: Hertz
    gain: Change
    q: Quality = _BUTTERWORTH


@dataclass(frozen=True, slots=True)
class Peak:
    """What lies around a frequency, by `gain` decibels louder or softer; a greater `q` is narrower."""

    peak: Hertz
    gain: Change
    q: Quality = 1.0


Band: TypeAlias = Highpass | Lowpass | LowShelf | HighShelf | Peak


@dataclass(frozen=True, slots=True)
class Compressor:
    """Makes what is above `threshold` (dBFS) come out softer by `ratio`. Times are milliseconds."""

    threshold: Level
    ratio: Ratio = 2.0
    attack: Milliseconds = 10.0
    release: Milliseconds = 150.0


@dataclass(frozen=True, slots=True)
class Reverb:
    """A room around the voices."""

    room: Share
    """From a chamber to a church."""
    level: Level = -16.0
    """Decibels of the room's sound against that of the voices, whatever the size of the room."""
    damping: Share = 0.5
    """How much of the brightness the walls swallow."""
    width: Share = 1.0


@dataclass(frozen=True, slots=True)
class VoicePreset:
    """What voices go through, track by track, and the room that they stand in: a file of the drawer `presets/vocal`.

    Levels suit a take of which each voice is about -18 dBFS on average, as the level assistant sets it.
    """

    gain: Change = 0.0
    """Decibels before everything else."""
    gate: Gate | None = None
    eq: tuple[Band, ...] = ()
    """One after the other, in the order of the file."""
    compressor: Compressor | None = None
    reverb: Reverb | None = None
    spread: Share = 0.0
    """How far the outer of several tracks stand from the middle: 0 all in the middle, 1 from one side to the other."""
