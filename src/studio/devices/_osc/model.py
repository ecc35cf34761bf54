"""What a file of `hardware/` says under `osc`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from studio.devices._ground.names import numbered, once
from studio.language import _
from studio.wire.osc import Law


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
        once("controls", [control.address for control in expanded.values()])
        if len(expanded) < sum(control.channels or 1 for control in self.controls):
            raise ValueError(_('"controls" gives two controls one name'))

    def expanded(self) -> dict[str, OscControl]:
        """Every single control by its name."""
        return {
            numbered(control.name, number): OscControl(
                numbered(control.name, number),
                numbered(control.address, number),
                control.value,
                inverted=control.inverted,
            )
            for control in self.controls
            for number in (range(1, control.channels + 1) if control.channels else (0,))
        }
