"""What a file of `hardware/` says under `midi`: a surface, other gear, or a machine that sends timecode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from studio.devices._ground.device import Light
from studio.devices._ground.names import numbered, once
from studio.devices._midi.orders import Gear
from studio.language import _
from studio.wire.mackie import COLUMNS, ROWS, Style
from studio.wire.midi import WIDE

SevenBits = Annotated[int, Meta(ge=0, le=127)]
Channel = Annotated[int, Meta(ge=1, le=16)]
Channels = Annotated[int, Meta(ge=0, le=64)]

Sort: TypeAlias = Literal["pad", "fader", "encoder"]
"""`pad`: is pressed; `fader`: has two ends, also where it is a knob; `encoder`: turns without end."""
TakeOver: TypeAlias = Literal["motor", "pickup", "relative", "jump"]
"""How a fader comes to move what it is bound to: its motor keeps it there already; it has to be brought to where that
stands; it moves that as it is moved itself, in proportion to the way that is left; at once, wherever it is."""
Turns: TypeAlias = Literal["twos_complement", "offset", "sign"]
"""How an encoder says which way: 1 and 127; 65 and 63; 1 and 65, as Mackie Control does."""
Source: TypeAlias = tuple[Literal["note_on", "control_change", "pitch_bend"], int, int]
"""What a control sends: the kind of message, its channel, and its number (0 for a pitch bend)."""

LIGHTS = ("off", "ready", "on", "asked", "failed")


@dataclass(frozen=True, slots=True)
class Pads:
    """Pads or buttons of a surface that light up in the same way."""

    notes: Mapping[str, SevenBits] = field(default_factory=dict)
    """Control → the note it sends, and is lit by."""
    controllers: Mapping[str, SevenBits] = field(default_factory=dict)
    """Control → the controller it sends, 0 when it is let go, and is lit by."""
    channels: Channels = 0
    """How many there are of each name, which then has `{n}` in it: the numbers given are the first's. 0: just one."""
    lights: Mapping[Light, SevenBits] = field(default_factory=dict)
    """What it shows → the velocity or value that makes it do so; none at all where it has no light."""
    light_channels: Mapping[Light, Channel] = field(default_factory=dict)
    """What it shows → the MIDI channel that this is sent on, where that is not the surface's own."""

    def __post_init__(self) -> None:
        missing = [light for light in LIGHTS if light not in self.lights]
        if self.lights and missing:
            raise ValueError(_('"lights" leaves out {missing}').format(missing=", ".join(sorted(missing))))
        for name in (*self.notes, *self.controllers):
            _numbered_once("channels", name, self.channels)


@dataclass(frozen=True, slots=True)
class Pad:
    """One pad."""

    name: str
    kind: Literal["note_on", "control_change"]
    number: int
    lights: Mapping[Light, int]
    light_channels: Mapping[Light, int]


@dataclass(frozen=True, slots=True)
class Fader:
    """A fader, or a knob with two ends; or one on each channel."""

    name: str
    """`{n}` in it stands for the channel's number."""
    channels: Channels = 0
    """How many there are; the MIDI numbers below are the first's. 0: just one, without a number."""
    pitch_bend: Channel | None = None
    """The MIDI channel whose pitch bend it sends: 14 bits …"""
    controller: SevenBits | None = None
    """… or the controller that it sends: 7 bits …"""
    fine: SevenBits | None = None
    """… or 14, where another controller has the lower 7."""
    motor: bool = False
    touch: SevenBits | None = None
    """The note that says that a hand is on it; `None` where it does not feel."""
    takeover: TakeOver | None = None
    """`None`: `motor` where it has one, else `pickup`."""
    steps: Annotated[int, Meta(ge=0, le=WIDE + 1)] = 0
    """How many places it knows; two that are nearer than one are the same. 0: as many as its bits allow."""

    def __post_init__(self) -> None:
        _numbered_once("channels", self.name, self.channels)
        if (self.pitch_bend is None) == (self.controller is None):
            raise ValueError(_('"name" needs one of "pitch_bend" and "controller" beside it'))
        if self.fine is not None and self.controller is None:
            raise ValueError(_('"fine" needs "controller" beside it, which has the upper seven bits'))
        if self.motor and self.fine is not None:
            raise ValueError(_('"motor" goes with "pitch_bend" or a "controller" of seven bits, not with "fine"'))
        if self.takeover == "motor" and not self.motor:
            raise ValueError(_('"takeover" is motor, but the fader has none: say motor: true, or pickup'))

    @property
    def takes(self) -> TakeOver:
        """How it takes over."""
        return self.takeover or ("motor" if self.motor else "pickup")

    @property
    def wide(self) -> bool:
        """Whether it has 14 bits."""
        return self.pitch_bend is not None or self.fine is not None

    @property
    def places(self) -> int:
        """How many it knows."""
        return self.steps or (WIDE + 1 if self.wide else 128)

    def single(self, number: int) -> Fader:
        """The fader of channel `number`, counted from 1."""
        on = number - 1
        return replace(
            self,
            name=numbered(self.name, number),
            channels=0,
            pitch_bend=None if self.pitch_bend is None else self.pitch_bend + on,
            controller=None if self.controller is None else self.controller + on,
            fine=None if self.fine is None else self.fine + on,
            touch=None if self.touch is None else self.touch + on,
        )


@dataclass(frozen=True, slots=True)
class Encoder:
    """A knob without ends, a jog wheel; or one on each channel."""

    name: str
    controller: SevenBits
    channels: Channels = 0
    turns: Turns = "sign"
    ring: SevenBits | None = None
    """The controller that lights the ring around it as Mackie Control does; `None` where it has none."""
    style: Style = "dot"

    def __post_init__(self) -> None:
        _numbered_once("channels", self.name, self.channels)

    def single(self, number: int) -> Encoder:
        """The encoder of channel `number`, counted from 1."""
        return replace(
            self,
            name=numbered(self.name, number),
            channels=0,
            controller=self.controller + number - 1,
            ring=None if self.ring is None else self.ring + number - 1,
        )

    def steps(self, value: int) -> int:
        """How far it was turned, clockwise above 0, when it sends `value`."""
        match self.turns:
            case "twos_complement":
                return value - 128 if value >= 64 else value  # noqa: PLR2004 - half of seven bits
            case "offset":
                return value - 64
            case "sign":
                return -(value & 0x3F) if value & 0x40 else value


AnyControl: TypeAlias = Pad | Fader | Encoder


@dataclass(frozen=True, slots=True)
class Display:
    """Letters over the strips, written as Mackie Control does."""

    rows: Annotated[tuple[str, ...], Meta(min_length=1, max_length=ROWS)]
    """From the top: the names, with `{n}` for the strip, of the controls whose text (`Device.show`) stands there."""
    strips: Annotated[int, Meta(ge=1, le=COLUMNS)] = 8
    device: SevenBits = 0x14
    """Of Mackie Control; 21 for an extender."""

    @property
    def width(self) -> int:
        """Letters of a strip."""
        return COLUMNS // self.strips

    def at(self, row: int, strip: int) -> str:
        """The control whose text stands there; rows count from 0, strips from 1."""
        return numbered(self.rows[row], strip)


@dataclass(frozen=True, slots=True)
class Pages:
    """Layers of a surface: one control does something else on each."""

    count: Annotated[int, Meta(ge=2, le=64)]
    of: tuple[str, ...]
    """The controls that are layered, with `{n}` for all channels; all others are on every page alike.

    On the first page they are called as ever, on the second `page2.fader1`.
    """
    next: str | None = None
    """The pad that turns one page on …"""
    previous: str | None = None
    """… and one back."""
    select: Mapping[str, Annotated[int, Meta(ge=1, le=64)]] = field(default_factory=dict)
    """Pad → the page that it goes to."""
    hold: Mapping[str, Annotated[int, Meta(ge=1, le=64)]] = field(default_factory=dict)
    """Pad → the page that is there as long as it is held: a shift key."""

    def __post_init__(self) -> None:
        for key, pages in (("select", self.select), ("hold", self.hold)):
            for page in pages.values():
                if page > self.count:
                    raise ValueError(
                        _('"{key}" goes to page {page} of {count}').format(key=key, page=page, count=self.count)
                    )
        once("pages", self.turners)
        if not self.turners:
            raise ValueError(_('"count" needs one of "next", "previous", "select" and "hold", or no hand turns a page'))

    @property
    def turners(self) -> list[str]:
        """The pads that turn pages; they are bound to nothing else."""
        return [*(pad for pad in (self.next, self.previous) if pad), *self.select, *self.hold]


@dataclass(frozen=True, slots=True)
class MidiModel:
    """A surface; or `gear` that is told what to do; or a machine that sends `timecode`."""

    port: str
    """A part of the name that the system gives its MIDI port; upper and lower case are one."""
    channel: Channel = 1
    """The MIDI channel it sends on, as it leaves the factory."""
    alive: Literal["listed", "identity", "mackie"] = "listed"
    """What shows that it is there: the system lists its port; it says who it is when asked; it answers as a Mackie
    Control. What does not answer at all is *degraded*; what answered once and does not any more is lost."""
    pads: tuple[Pads, ...] = ()
    faders: tuple[Fader, ...] = ()
    encoders: tuple[Encoder, ...] = ()
    display: Display | None = None
    pages: Pages | None = None
    pause: Annotated[float, Meta(ge=0, le=0.1)] = 0.0
    """Seconds between two messages to it, for those that lose what comes quicker."""
    gear: Gear | None = None
    timecode: bool = False

    def __post_init__(self) -> None:
        surface = bool(self.pads or self.faders or self.encoders)
        if surface + (self.gear is not None) + self.timecode != 1:
            raise ValueError(
                _('"port" needs either controls ("pads", "faders", "encoders") or "gear" or "timecode: true" beside it')
            )
        controls: list[AnyControl] = [*self.single_pads(), *self.single_faders(), *self.single_encoders()]
        names = [control.name for control in controls]
        for key, kind in (("pads", Pad), ("faders", Fader), ("encoders", Encoder)):
            once(key, [control.name for control in controls if isinstance(control, kind)])
        once("pads" if self.pads else "faders", names)
        for control in controls:
            _in_seven_bits(control)
        once(
            "pads" if self.pads else "faders",
            [_spoken(source) for control in controls for source in self.sources(control)],
        )
        self._pages_fit(names)

    def _pages_fit(self, names: list[str]) -> None:
        pads = [pad.name for pad in self.single_pads()]
        for turner in self.pages.turners if self.pages else ():
            if turner not in pads:
                raise ValueError(_('"pages" is turned by {pad}, which is no pad of it').format(pad=turner))
            if turner in self.paged():
                raise ValueError(_('"pages" is turned by {pad}, which is layered itself').format(pad=turner))
        named = [("pages", pattern, _spread(pattern)[:1]) for pattern in (self.pages.of if self.pages else ())]
        if self.display:
            strips = range(1, self.display.strips + 1)
            named += [
                ("display", each, [self.display.at(row, strip) for strip in strips])
                for row, each in enumerate(self.display.rows)
            ]
        for key, pattern, wanted in named:
            if not set(wanted) <= set(names):
                raise ValueError(_('"{key}" names {control}, which it has not').format(key=key, control=pattern))

    # ── every single one ──────────────────────────────────────────────────────────────────────────────────────────────

    def single_pads(self) -> Iterator[Pad]:
        """Every pad."""
        for group in self.pads:
            for number in range(1, (group.channels or 1) + 1):
                for name, note in group.notes.items():
                    where = note + number - 1
                    yield Pad(numbered(name, number), "note_on", where, group.lights, group.light_channels)
                for name, controller in group.controllers.items():
                    where = controller + number - 1
                    yield Pad(numbered(name, number), "control_change", where, group.lights, group.light_channels)

    def single_faders(self) -> Iterator[Fader]:
        """Every fader."""
        return (fader.single(number) for fader in self.faders for number in range(1, (fader.channels or 1) + 1))

    def single_encoders(self) -> Iterator[Encoder]:
        """Every encoder."""
        return (each.single(number) for each in self.encoders for number in range(1, (each.channels or 1) + 1))

    def sources(self, control: AnyControl) -> list[Source]:
        """What `control` sends."""
        if isinstance(control, Pad):
            return [(control.kind, self.channel, control.number)]
        if isinstance(control, Encoder):
            return [("control_change", self.channel, control.controller)]
        found: list[Source] = [("pitch_bend", control.pitch_bend, 0)] if control.pitch_bend is not None else []
        found += [
            ("control_change", self.channel, number)
            for number in (control.controller, control.fine)
            if number is not None
        ]
        return found + ([("note_on", self.channel, control.touch)] if control.touch is not None else [])

    def paged(self) -> frozenset[str]:
        """The controls that are on each page something else, by their name on the first."""
        return frozenset(name for pattern in (self.pages.of if self.pages else ()) for name in _spread(pattern))

    def controls(self) -> tuple[str, ...]:
        """Everything on it that has a name: of a surface `names`, of gear its dials, of timecode what is told of it."""
        if self.gear:
            return tuple(dial.name for dial in self.gear.dials)
        return ("time", "rate", "running") if self.timecode else tuple(self.names())

    def names(self) -> dict[str, Sort]:
        """What `bind` in `studio.toml` may name; those that turn pages it may not."""
        sorts: dict[str, Sort] = {pad.name: "pad" for pad in self.single_pads()}
        sorts |= {fader.name: "fader" for fader in self.single_faders()}
        sorts |= {encoder.name: "encoder" for encoder in self.single_encoders()}
        for turner in self.pages.turners if self.pages else ():
            del sorts[turner]
        paged = self.paged()
        for page in range(2, (self.pages.count if self.pages else 1) + 1):
            sorts |= {on_page(name, page): sort for name, sort in sorts.items() if name in paged}
        return sorts


def on_page(name: str, page: int) -> str:
    """What a layered control is called on `page`, counted from 1."""
    return name if page == 1 else f"page{page}.{name}"


def _spread(pattern: str) -> list[str]:
    return [numbered(pattern, number) for number in range(1, 65)] if "{n" in pattern else [pattern]


def _numbered_once(key: str, name: str, channels: int) -> None:
    if ("{n" in name) != bool(channels):
        raise ValueError(_('"{key}" needs {{n}} or {{nn}} if and only if "channels" is given').format(key=key))


def _in_seven_bits(control: AnyControl) -> None:
    match control:
        case Pad():
            last = [control.number]
        case Encoder():
            last = [control.controller, control.ring or 0]
        case Fader():
            last = [control.controller or 0, control.fine or 0, control.touch or 0, (control.pitch_bend or 1) + 111]
    if max(last) > 127:  # noqa: PLR2004 - seven bits; the highest channel is 16
        raise ValueError(_('"channels" leads {control} beyond what MIDI has').format(control=control.name))


def _spoken(source: Source) -> str:
    kind, channel, number = source
    match kind:
        case "note_on":
            return str(number)
        case "control_change":
            return _("controller {number}").format(number=number)
        case "pitch_bend":
            return _("the pitch bend of channel {channel}").format(channel=channel)
