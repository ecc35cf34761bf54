"""What a file of `hardware/` says under `gear`: what is told to it, and what it says back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from studio.devices._ground.names import once
from studio.language import _

SevenBits = Annotated[int, Meta(ge=0, le=127)]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that one message makes the gear do."""

    name: str
    """What `studio.toml` and the page call it: `blackout`, `scene.recall`."""
    note: SevenBits | None = None
    """A note that is struck, with `value` as its velocity …"""
    controller: SevenBits | None = None
    """… or a controller that is set to `value` …"""
    program: Annotated[int, Meta(ge=1, le=128)] | None = None
    """… or the programme that it changes to, counted from 1."""
    value: SevenBits = 127

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.note, self.controller, self.program)) != 1:
            raise ValueError(_('"name" needs one of "note", "controller" and "program" beside it'))


@dataclass(frozen=True, slots=True)
class Dial:
    """A controller of the gear that has a value."""

    name: str
    controller: SevenBits
    answers: bool = False
    """Whether the gear says the controller itself once it stands there; else nobody knows that it does."""


@dataclass(frozen=True, slots=True)
class Gear:
    """Gear that is told by MIDI what to do. `program`, `control` and `note` it can be told in any case."""

    deeds: tuple[Deed, ...] = ()
    dials: tuple[Dial, ...] = ()
    machine: SevenBits | None = None
    """Its number in MIDI machine control, 127 for any; `None` where it is no recorder or player."""
    machine_answers: bool = False
    """Whether it says what it does when it is asked ("closed loop"); else it is told, and nobody knows."""

    def __post_init__(self) -> None:
        once("deeds", [deed.name for deed in self.deeds])
        once("dials", [dial.name for dial in self.dials])
        once("dials", [str(dial.controller) for dial in self.dials])
        if self.machine_answers and self.machine is None:
            raise ValueError(_('"machine_answers" needs "machine" beside it'))
