"""Which of VISCA's values a camera has, by its profile, and what they are to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.devices._ground.values import Control
from studio.devices._visca.model import Scale
from studio.wire import visca as wire

if TYPE_CHECKING:
    from studio.devices._ground.values import Value
    from studio.devices._visca.model import ViscaModel

POSITION = "pan_tilt"
"""The question that is answered with two values, of `pan` and `tilt`."""
PICTURE = ("white_balance.", "exposure.")
"""Beginnings of the controls that a preset may bring back with the position."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A control with its question and its command; each says one number, `value`."""

    control: Control
    question: str | None
    """Of `wire.QUESTIONS`; `None`: it can be told but not asked."""
    command: str
    """Of `wire.COMMANDS`."""
    scale: Scale | None = None
    """Of a number."""
    modes: Mapping[str, int] | None = None
    """Of a choice: name → number on the wire; of a switch `on` and `off`."""

    def say(self, value: Value) -> int:
        """Return `value`, which fits the control, as it is on the wire."""
        if self.scale:
            return self.scale.say(float(value))
        assert self.modes is not None  # noqa: S101 - it has one or the other
        return self.modes["on" if value is True else "off" if value is False else str(value)]

    def show(self, number: int) -> Value | None:
        """Return what `number` on the wire is to people; a mode that the profile does not know keeps its number.

        `None` for a switch that is neither on nor off.
        """
        if self.scale:
            return self.scale.show(number)
        assert self.modes is not None  # noqa: S101 - it has one or the other
        name = next((name for name, each in self.modes.items() if each == number), None)
        if self.control.kind == "switch":
            return None if name is None else name == "on"
        return name or str(number)


_SWITCH = {"on": wire.ON, "off": wire.OFF}


def scale_control(name: str, scale: Scale) -> Control:
    """The control of a number."""
    low, high = sorted(scale.shown)
    return Control(name, "number", scale.unit, low, high, step=scale.step)


def entries(model: ViscaModel) -> dict[str, Entry]:
    """Return every control that the profile gives the camera, but for `pan` and `tilt`, by name."""
    found = [Entry(Control("power", "switch"), "power", "power", modes=_SWITCH)]
    if model.focus:
        found.append(Entry(Control("focus.auto", "switch"), "focus.mode", "focus.mode", modes=_SWITCH))
    for name, modes in model.modes().items():
        found.append(Entry(Control(name, "choice", choices=tuple(modes)), name, name, modes=modes))
    for name, scale in model.scales().items():
        if name not in ("pan", "tilt"):
            command = f"{name}.to" if "." not in name else name
            found.append(Entry(scale_control(name, scale), name, command, scale=scale))
    if model.compensation:
        name = "exposure.compensate"
        found.append(Entry(Control(name, "switch"), name, name, modes=_SWITCH))
    if model.tally != "none":
        question = "tally.sony" if model.tally == "sony" and "tally" not in model.unasked else None
        found.append(Entry(Control("tally", "switch"), question, f"tally.{model.tally}", modes=_SWITCH))
    return {
        entry.control.name: entry
        if entry.control.name not in model.unasked
        else Entry(entry.control, None, entry.command, entry.scale, entry.modes)
        for entry in found
    }
