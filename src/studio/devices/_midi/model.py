"""What a file of `hardware/` says under `midi`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from studio.devices._ground.device import Light
from studio.devices._ground.names import once
from studio.language import _

SevenBits = Annotated[int, Meta(ge=0, le=127)]


@dataclass(frozen=True, slots=True)
class Pads:
    """Pads of a surface that light up in the same way."""

    notes: Mapping[str, SevenBits]
    """Control → the note it sends, and is lit by."""
    lights: Mapping[Light, SevenBits] = field(default_factory=dict)
    """What it shows → the velocity that makes it do so; none at all where it has no light."""

    def __post_init__(self) -> None:
        missing = {"off", "ready", "on", "asked", "failed"} - set(self.lights)
        if self.lights and missing:
            raise ValueError(_('"lights" leaves out {missing}').format(missing=", ".join(sorted(missing))))


@dataclass(frozen=True, slots=True)
class MidiModel:
    """A surface with pads, over MIDI."""

    port: str
    """A part of the name that the system gives its MIDI port; upper and lower case are one."""
    pads: tuple[Pads, ...]
    channel: Annotated[int, Meta(ge=1, le=16)] = 1
    """The MIDI channel it sends on, as it leaves the factory."""

    def __post_init__(self) -> None:
        once("pads", [name for group in self.pads for name in group.notes])
        once("pads", [str(note) for group in self.pads for note in group.notes.values()])
