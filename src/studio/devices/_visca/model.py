"""What a file of `hardware/` says under `visca`: where a camera listens, and what of VISCA it understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from studio.language import _

Byte = Annotated[int, Meta(ge=0, le=254)]
Speed = Annotated[int, Meta(ge=0, le=127)]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a number on the wire is shown: straight from one pair of ends to the other."""

    wire: tuple[int, int]
    """The two ends as the camera says them, the lower one first."""
    shown: tuple[float, float]
    """What they are to people; the first may be the greater, for a camera that counts the other way."""
    unit: str = ""
    """`°`, `%`, `dB`; empty for bare steps."""
    tolerance: Annotated[int, Meta(ge=0)] = 0
    """How far from what was asked the camera may rest and be there; on the wire."""

    def __post_init__(self) -> None:
        if self.wire[0] >= self.wire[1]:
            raise ValueError(_('"wire" must be two numbers, the lower one first'))
        if self.shown[0] == self.shown[1]:
            raise ValueError(_('"shown" must be two different numbers'))

    @property
    def step(self) -> float:
        """Shown values no further apart than this are the same."""
        return abs(self._ratio) * (self.tolerance + 0.5)

    def show(self, wire: int) -> float:
        """Return what `wire` is to people, rounded to what the camera can tell apart; beyond the ends, too."""
        return round(self.shown[0] + (wire - self.wire[0]) * self._ratio, 3)

    def say(self, shown: float) -> int:
        """Return what is nearest on the wire, within the ends."""
        wire = round(self.wire[0] + (shown - self.shown[0]) / self._ratio)
        return min(max(wire, self.wire[0]), self.wire[1])

    @property
    def _ratio(self) -> float:
        return (self.shown[1] - self.shown[0]) / (self.wire[1] - self.wire[0])


def _ascending(key: str, speeds: tuple[int, int]) -> None:
    if speeds[0] > speeds[1]:
        raise ValueError(_('"{key}" must be two speeds, the slower one first').format(key=key))


def _per_cent() -> Scale:
    return Scale((0, 0x4000), (0.0, 100.0), "%", 16)


@dataclass(frozen=True, slots=True)
class Speeds:
    """Slowest and fastest on the wire."""

    pan: tuple[Speed, Speed] = (1, 0x18)
    tilt: tuple[Speed, Speed] = (1, 0x14)
    zoom: tuple[Speed, Speed] = (0, 7)
    focus: tuple[Speed, Speed] = (0, 7)

    def __post_init__(self) -> None:
        for key in ("pan", "tilt", "zoom", "focus"):
            _ascending(key, getattr(self, key))


@dataclass(frozen=True, slots=True)
class Presets:
    """What a camera remembers."""

    count: Annotated[int, Meta(ge=0, le=254)]
    first: Byte = 0
    """The number on the wire of what people call preset 1."""
    reserved: tuple[Byte, ...] = ()
    """Numbers on the wire that mean something else, such as 95, which opens the menu of many cameras."""
    keep_picture: bool = False
    """Whether a preset brings back white balance and exposure too."""
    speed: Literal["none", "each", "all"] = "none"
    """Whether its speed can be told: of `each` preset (Sony), or of `all` at once (PTZOptics)."""
    speeds: tuple[Speed, Speed] = (1, 0x18)

    def __post_init__(self) -> None:
        _ascending("speeds", self.speeds)


@dataclass(frozen=True, slots=True)
class ViscaModel:
    """A remote camera over VISCA."""

    framing: Literal["sony", "raw"]
    """`sony`: each packet has a header with a sequence number (VISCA over IP); `raw`: as on a serial line."""
    port: Annotated[int, Meta(ge=1, le=65535)]
    """Where it listens."""
    transport: Literal["udp", "tcp"] = "udp"
    reply_port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    """The port of ours to which it always answers, whoever asked; `None`: to the one that asked. All such cameras share
    it and are told apart by their address."""
    acks: bool = True
    """Whether it acknowledges a command before it does it; else only what can be asked is known to have been done."""
    pan: Scale | None = None
    """`None`: it does not turn."""
    tilt: Scale | None = None
    wide_pan: bool = False
    """Its pan position has five digits on the wire, not four (BRC-X1000 and its kin)."""
    one_speed: bool = False
    """When it goes to a position it takes one speed for both, and 0 in place of the other (BRC-X400 and its kin)."""
    zoom: Scale | None = field(default_factory=_per_cent)
    focus: Scale | None = None
    speeds: Speeds = field(default_factory=Speeds)
    presets: Presets = field(default_factory=lambda: Presets(0))
    white_balance: Mapping[str, Byte] = field(default_factory=dict)
    """Name of each mode → number on the wire; `one push` is the one that `white_balance.trigger` needs."""
    red: Scale | None = None
    blue: Scale | None = None
    exposure: Mapping[str, Byte] = field(default_factory=dict)
    """Name of each mode → number on the wire."""
    shutter: Scale | None = None
    iris: Scale | None = None
    gain: Scale | None = None
    compensation: Scale | None = None
    tally: Literal["none", "sony", "ptzoptics"] = "none"
    """Which command lights its lamp: Sony's `8x 01 7E 01 0A 00 0p`, or PTZOptics' `8x 0A 02 02 0p`."""
    tally_seconds: Annotated[float, Meta(gt=0)] | None = None
    """How often it wants to be told that the lamp stays on; `None`: once."""
    unasked: tuple[str, ...] = ()
    """Controls of these that it can be told but not asked, such as `tally`."""

    def __post_init__(self) -> None:
        if self.framing == "sony" and self.transport == "tcp":
            raise ValueError(_('"framing" sony goes over UDP only; say "transport": udp'))
        if self.reply_port is not None and self.transport == "tcp":
            raise ValueError(_('"reply_port" is of UDP only; leave it out with "transport": tcp'))
        if (self.pan is None) != (self.tilt is None):
            raise ValueError(_('"pan" and "tilt" go together; give both or none'))
        for key, modes in (("white_balance", self.white_balance), ("exposure", self.exposure)):
            if len(set(modes.values())) < len(modes):
                raise ValueError(_('"{key}" gives two names one number').format(key=key))
        last = self.presets.first + self.presets.count - 1
        if last > 254:  # noqa: PLR2004 - 255 ends a packet
            raise ValueError(_('"presets" end with number {last} on the wire, where 254 is the last').format(last=last))

    def scales(self) -> dict[str, Scale]:
        """Every number that this camera has, by the name of its control."""
        found = {
            "pan": self.pan,
            "tilt": self.tilt,
            "zoom": self.zoom,
            "focus": self.focus,
            "white_balance.red": self.red,
            "white_balance.blue": self.blue,
            "exposure.shutter": self.shutter,
            "exposure.iris": self.iris,
            "exposure.gain": self.gain,
            "exposure.compensation": self.compensation,
        }
        return {name: scale for name, scale in found.items() if scale}

    def modes(self) -> dict[str, Mapping[str, int]]:
        """Every choice that this camera has, by the name of its control."""
        found = {"white_balance.mode": self.white_balance, "exposure.mode": self.exposure}
        return {name: modes for name, modes in found.items() if modes}
