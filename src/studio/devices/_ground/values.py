"""What a device says of itself: controls that have a value, and actions that have none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = float | str | bool
"""Of a control: a number in its unit, a text or one of its choices, or whether it is so."""

LARGEST = 1e15
"""No device counts further; what is beyond is infinite, or an integer that no float can be."""

YES = ("on", "true", "yes", "1")
NO = ("off", "false", "no", "0")
"""What people type for a switch, besides what it is called in their language."""

Kind = Literal["level", "number", "switch", "text", "choice", "meter"]
"""`level`: decibels by the device's own law; `number`: in `unit`; `meter`: measured many times a second, never set."""


@dataclass(frozen=True, slots=True)
class Control:
    """Something of a device that has a value."""

    name: str
    """Unique on the device; parts are joined by full stops: `ch1.fader`, `scene`, `input.Mic.mute`."""
    kind: Kind
    unit: str = ""
    """`dB`, `%`, `Hz`, `s`; empty for none."""
    lowest: float | None = None
    """Of a level or number; `None`: no bound is known."""
    highest: float | None = None
    choices: tuple[str, ...] = ()
    """Of a choice: all of them, in the device's own order; empty while they are not known yet."""
    step: float = 0.0
    """Two values no further apart than this are the same to the device."""
    writable: bool = True
    """Whether it can be set; others are only reported."""

    def fit(self, value: object) -> Value:
        """Return `value` as this control takes it. ValueError with a sentence for the user where it cannot be."""
        if not self.writable:
            raise ValueError(_("{control} can only be read.").format(control=self.name))
        match self.kind:
            case "switch" if isinstance(value, bool):
                return value
            case "text" if isinstance(value, str):
                return value
            case "choice" if isinstance(value, str):
                if self.choices and value not in self.choices:
                    raise ValueError(
                        _("{control} is one of {choices}, not {value}.").format(
                            control=self.name, choices=", ".join(self.choices), value=repr(value)
                        )
                    )
                return value
            case "level" | "number" if isinstance(value, int | float) and not isinstance(value, bool):
                return self._in_range(value)
        raise ValueError(
            _("{control} is a {kind}, which {value} is not.").format(
                control=self.name, kind=self.kind, value=repr(value)
            )
        )

    def read(self, text: str) -> Value:
        """Return what somebody typed as a value; ValueError with a sentence where it is none of this control's."""
        if self.kind == "switch":
            word = text.strip().casefold()
            if word in (*YES, _("on")):
                return self.fit(value=True)
            if word in (*NO, _("off")):
                return self.fit(value=False)
            raise ValueError(_("{control} is on or off, not {value}.").format(control=self.name, value=repr(text)))
        if self.kind in ("level", "number", "meter"):
            try:
                number = float(text.strip().removesuffix(self.unit).replace(",", "."))
            except ValueError:
                raise ValueError(
                    _("{control} is a number, which {value} is not.").format(control=self.name, value=repr(text))
                ) from None
            return self.fit(number)
        return self.fit(text)

    def same(self, one: Value | None, other: Value | None) -> bool:
        """Whether the device cannot tell `one` from `other`."""
        if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, str) or isinstance(other, str):
            return one == other and type(one) is type(other)
        if one is None or other is None:
            return one is other
        return abs(one - other) <= self.step + 1e-9

    def _in_range(self, value: float) -> float:
        low = -math.inf if self.lowest is None else self.lowest
        high = math.inf if self.highest is None else self.highest
        if not low <= value <= high or abs(value) > LARGEST:  # also for what is no number
            raise ValueError(
                _("{control} goes from {lowest} to {highest} {unit}.")
                .format(control=self.name, lowest=_end(self.lowest), highest=_end(self.highest), unit=self.unit)
                .replace(" .", ".")  # of what has no unit
            )
        return float(value)


def _end(number: float | None) -> str:
    return "…" if number is None else f"{number:g}"


@dataclass(frozen=True, slots=True)
class Argument:
    """What an action wants to be told; it fits as a control of the same kind would."""

    name: str
    kind: Literal["number", "switch", "text", "choice"] = "text"
    lowest: float | None = None
    highest: float | None = None
    choices: tuple[str, ...] = ()
    needed: bool = True
    """Else it may be left out."""

    def as_control(self) -> Control:
        """For `read`."""
        return Control(self.name, self.kind, lowest=self.lowest, highest=self.highest, choices=self.choices)

    def fit(self, value: object) -> Value:
        """Return `value` as this argument is told; ValueError with a sentence where it cannot be.

        A text may be given as a number: files and pages write the presets of a camera so.
        """
        if self.kind == "text" and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(int(value) if float(value).is_integer() else value)
        return self.as_control().fit(value)


@dataclass(frozen=True, slots=True)
class Action:
    """Something a device does that is not a value: recall a preset, stop, cue a film."""

    name: str
    """Unique on the device: `preset.recall`, `stop`, `media.play`."""
    arguments: tuple[Argument, ...] = ()
    urgent: bool = False
    """Overtakes whatever waits: STOP."""

    def fit(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Return what is `given` as it is told; ValueError with a sentence for what is unknown, missing or no value."""
        known = {argument.name: argument for argument in self.arguments}
        for name in given:
            if name not in known:
                raise ValueError(_("{action} takes no {argument}.").format(action=self.name, argument=name))
        for name, argument in known.items():
            if argument.needed and name not in given:
                raise ValueError(_("{action} needs {argument}.").format(action=self.name, argument=name))
        return {name: argument.fit(given[name]) for name, argument in known.items() if name in given}
