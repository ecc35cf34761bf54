"""What a file of `hardware/` says under `obsbot`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from studio.language import _


@dataclass(frozen=True, slots=True)
class ObsbotModel:
    """A camera that OBSBOT's OSC table speaks of: one by itself on the network, or one of those of OBSBOT Center."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    """Where it, or OBSBOT Center, listens over UDP."""
    presets: str
    """The address that calls a preset, such as /OBSBOT/WebCam/Tiny/TriggerPreset."""
    preset_count: Annotated[int, Meta(ge=0, le=16)] = 3
    reply_port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    """The port of ours to which it always answers; `None`: to the one that asked."""
    device: Annotated[int, Meta(ge=0, le=7)] | None = None
    """Which camera of OBSBOT Center, counted from 0; `None`: the camera itself, which takes no such number."""
    pan: Annotated[float, Meta(gt=0, le=360)] = 129.0
    """Degrees that it can be sent to, left and right of the middle."""
    tilt: Annotated[float, Meta(gt=0, le=180)] = 59.0
    """Degrees that it can be sent to, up and down."""
    full_speed: Annotated[float, Meta(ge=20, le=1000)] = 50.0
    """Degrees a second, and per cent of its zoom, that its full speed is at least; rather too few than too many.

    After a stop it has to look the same for as long as it would take for a degree at the share of this that was asked.
    """

    def __post_init__(self) -> None:
        if not self.presets.startswith("/"):
            raise ValueError(_('"presets" must begin with a slash, such as /OBSBOT/WebCam/Tiny/TriggerPreset'))
