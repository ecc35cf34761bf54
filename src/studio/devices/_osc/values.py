"""Between what a desk says and what it means. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.devices._ground.values import Control
from studio.language import _
from studio.wire.osc import Law

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.devices._ground.values import Value
    from studio.devices._osc.model import OscControl, OscModel
    from studio.devices._osc.parts import OscAction

SAME = 0.55
"""Steps of a desk between two values that are one: half a step is lost where it takes the nearest position, and a
little in our three decimals."""
NEAR = 1.05
"""Steps between what was ordered and what a desk made of it: some cut where others take the nearest position."""


@dataclass(frozen=True, slots=True)
class LawControl(Control):
    """A control whose steps are the desk's positions: at the bottom of a fader one is half a decibel."""

    law: Law | None = None

    def same(self, one: Value | None, other: Value | None) -> bool:
        """Whether both are the same position of the desk."""
        return self._apart(one, other, SAME)

    def near(self, one: Value | None, other: Value | None) -> bool:
        """Whether a desk that was told `other` may say `one`."""
        return self._apart(one, other, NEAR)

    def _apart(self, one: Value | None, other: Value | None, steps: float) -> bool:
        numbers = isinstance(one, int | float) and isinstance(other, int | float)
        if self.law is None or not numbers or isinstance(one, bool) or isinstance(other, bool):
            return Control.same(self, one, other)
        assert one is not None and other is not None  # noqa: S101, PT018 - both are numbers
        return one == other or self.law.apart(float(one), float(other)) <= steps


def described(model: OscModel, control: OscControl) -> LawControl:
    """Return `control` as callers know it."""
    law = model.law_of(control)
    unit = "dB" if control.value == "level" else control.unit
    step = 1.0 if control.whole else 0.0
    if law and law.steps:
        step = min(abs(b - a) for a, b in _first_steps(law))
    return LawControl(
        control.name,
        control.value,
        unit,
        law.lowest if law else control.lowest,
        law.highest if law else control.highest,
        control.choices,
        0.0 if control.whole else step,
        control.writable,
        law,
    )


def _first_steps(law: Law) -> list[tuple[float, float]]:
    """Two values a step apart at each point: the smallest difference is what a caller is told."""
    return [(law.value(at), law.value(at + law.step)) for at, _value in law.points[:-1]]


def said(model: OscModel, control: OscControl, value: Value) -> float | int | str:
    """Return what a desk is told for `value`, which fits the control."""
    if control.value == "text":
        if control.longest and len(str(value).encode()) > control.longest:
            raise ValueError(
                _("{control} holds {longest} letters at most (those with accents count as two).").format(
                    control=control.name, longest=control.longest
                )
            )
        return str(value)
    if control.value == "switch":
        return int(bool(value) != control.inverted)
    if control.value == "choice":
        return control.choices.index(str(value))
    number = float(value)
    law = model.law_of(control)
    number = law.position(number) if law else number
    return round(number) if control.whole else number


def meant(model: OscModel, control: OscControl, argument: Any) -> Value | None:  # noqa: ANN401 - off the wire
    """Return what a desk's argument means, or `None` for one that means nothing."""
    if control.value == "text":
        return argument if isinstance(argument, str) else None
    if not isinstance(argument, int | float) or not math.isfinite(argument):
        return None
    if control.value == "switch":
        return bool(argument) != control.inverted
    if control.value == "choice":
        place = int(argument)
        return control.choices[place] if 0 <= place < len(control.choices) and place == argument else None
    law = model.law_of(control)
    return round(law.value(float(argument)), 3) if law else round(float(argument), 3)


def spoken(action: OscAction, given: Mapping[str, Value]) -> tuple[float | int | str, ...]:
    """Return the arguments of `action` as they are sent."""
    sent: list[float | int | str] = []
    for argument in action.arguments:
        value = given[argument.name] if argument.name else argument.value
        assert value is not None  # noqa: S101 - OscArgument says so
        if isinstance(value, bool):
            value = int(value)
        sent.append(round(float(value)) if argument.whole else value)
    return tuple(sent)
