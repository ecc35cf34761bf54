"""What an OBSBOT camera can be told of its picture and can not be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.devices._ground.values import Control

if TYPE_CHECKING:
    from studio.devices._ground.values import Value

_MODE = {"manual": 0, "auto": 1}
_SHUTTERS = (6400, 5000, 3200, 2500, 2000, 1600, 1250, 1000, 800, 640, 500, 400, 320, 240, 200, 160, 120, 100, 80)
_SLOW_SHUTTERS = (60, 50, 40, 30, 25, 20, 15, 10, 8, 5, 4, 3)


@dataclass(frozen=True, slots=True)
class Told:
    """A control with its message, which says one whole number."""

    control: Control
    message: str
    """Its address, behind `/OBSBOT/WebCam/General/`."""
    thirds: bool = False
    """Steps of a third, told as tenths: -30, -27, -23, -20 …"""

    def say(self, value: Value) -> int:
        """Return `value`, which fits the control, as it is on the wire."""
        if isinstance(value, str):
            return _MODE[value] if value in _MODE else int(value.removeprefix("1/"))
        return round(round(value * 3) / 3 * 10) if self.thirds else round(value)


TOLD = {
    told.control.name: told
    for told in (
        Told(Control("focus.auto", "switch"), "SetAutoFocus"),
        Told(Control("focus", "number", "%", 0, 100, step=0.5), "SetManualFocus"),
        Told(Control("white_balance.mode", "choice", choices=tuple(_MODE)), "SetAutoWhiteBalance"),
        Told(Control("white_balance.temperature", "number", "K", 2000, 10_000, step=50), "SetColorTemperature"),
        Told(Control("exposure.mode", "choice", choices=tuple(_MODE)), "SetAutoExposure"),
        Told(Control("exposure.compensation", "number", "EV", -3, 3, step=0.17), "SetExposureCompensate", thirds=True),
        Told(
            Control("exposure.shutter", "choice", choices=tuple(f"1/{each}" for each in (*_SHUTTERS, *_SLOW_SHUTTERS))),
            "SetShutterSpeed",
        ),
        Told(Control("exposure.iso", "number", "", 100, 6400, step=50), "SetISO"),
    )
}
"""By OBSBOT's own table; the names are those of VISCA cameras where they mean the same."""
