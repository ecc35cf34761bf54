"""What a file of `hardware/` says: what a model is. Read by `Catalogue.load("hardware", name, Hardware)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from studio.devices._device import Light
from studio.language import _
from studio.wire.osc import Law

Checked = Literal["real device", "rehearsal", "manual only"]
"""How a file was tried: on the thing itself, against our twin of it, or only read in its manual."""

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
        _once("pads", [name for group in self.pads for name in group.notes])
        _once("pads", [str(note) for group in self.pads for note in group.notes.values()])


@dataclass(frozen=True, slots=True)
class OscControl:
    """One control of a desk, or one on each of its channels."""

    name: str
    """What `studio.toml` calls it. `{n}` stands for the channel's number, `{nn}` for the same with two digits."""
    address: str
    """Begins with a slash; `{n}` and `{nn}` as in `name`."""
    value: Literal["level", "switch", "text"]
    """`level`: decibels by the desk's law; `switch`: true or false; `text`: a name."""
    channels: Annotated[int, Meta(ge=0, le=256)] = 0
    """How many there are, counted from 1; 0 for one without a number."""
    inverted: bool = False
    """Of a switch: the desk says 1 for false. Behringer's `on` is 0 for a muted channel."""

    def __post_init__(self) -> None:
        if not self.address.startswith("/"):
            raise ValueError(_('"address" must begin with a slash, such as /ch/01/mix/fader'))
        for key, text in (("name", self.name), ("address", self.address)):
            if ("{n" in text) != bool(self.channels):
                raise ValueError(_('"{key}" needs {{n}} or {{nn}} if and only if "channels" is given').format(key=key))


@dataclass(frozen=True, slots=True)
class OscModel:
    """A sound desk over OSC."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    """UDP port it listens on."""
    probe: str
    """An address that it always answers, with the same address."""
    law: Law
    """Of its faders."""
    controls: tuple[OscControl, ...]
    keep_alive: str | None = None
    """What has to be said again and again so that it reports changes; `None` where it reports them anyway."""
    keep_alive_seconds: Annotated[float, Meta(gt=0)] = 8.0
    steps: Annotated[int, Meta(ge=2)] = 1024
    """How many positions its faders know: two values closer than one step are the same."""
    pause: Annotated[float, Meta(ge=0, le=1)] = 0.002
    """Seconds between two questions when everything is asked."""

    def __post_init__(self) -> None:
        expanded = self.expanded()
        _once("controls", [control.address for control in expanded.values()])
        if len(expanded) < sum(control.channels or 1 for control in self.controls):
            raise ValueError(_('"controls" gives two controls one name'))

    def expanded(self) -> dict[str, OscControl]:
        """Every single control by its name."""
        return {
            _numbered(control.name, number): OscControl(
                _numbered(control.name, number),
                _numbered(control.address, number),
                control.value,
                inverted=control.inverted,
            )
            for control in self.controls
            for number in (range(1, control.channels + 1) if control.channels else (0,))
        }


def _once(key: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(_('"{key}" names {name} twice').format(key=key, name=name))
        seen.add(name)


def _numbered(text: str, number: int) -> str:
    return text.replace("{nn}", f"{number:02}").replace("{n}", str(number))


@dataclass(frozen=True, slots=True)
class Hardware:
    """A model: exactly one of `midi` and `osc` says how it talks."""

    maker: str
    model: str
    checked: Checked
    checked_note: str = ""
    """What was tried, by whom, on which firmware; what was not."""
    midi: MidiModel | None = None
    osc: OscModel | None = None

    def __post_init__(self) -> None:
        if (self.midi is None) == (self.osc is None):
            raise ValueError(_('"model" needs one of "midi" and "osc" beside it, to say how it talks'))

    @property
    def driver(self) -> str:
        """The name of its driver in `DRIVERS`."""
        return "midi" if self.midi else "osc"

    def controls(self) -> tuple[str, ...]:
        """What `bind` in `studio.toml` may name."""
        if self.midi:
            return tuple(name for group in self.midi.pads for name in group.notes)
        return tuple(self.osc.expanded()) if self.osc else ()
