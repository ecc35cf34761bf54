"""The smaller parts of what a file says under `osc`: subscriptions, meters and actions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from studio.devices._ground.names import numbered
from studio.devices._ground.values import Action, Argument
from studio.language import _
from studio.wire.osc import MeterForm

Plain: TypeAlias = int | float | str
"""An argument as a file says it: a whole number is sent as `i`, another as `f`."""


def slash(key: str, address: str) -> None:
    """ValueError that names `key` for an address without its slash."""
    if not address.startswith("/"):
        raise ValueError(_('"{key}" must begin with a slash, such as /ch/01/mix/fader').format(key=key))


def has_letter(text: str, letter: str) -> bool:
    """Whether `{n}`, `{nn}` or `{nnn}` stands in `text`; so for any `letter`."""
    return re.search(rf"\{{{letter}{{1,3}}\}}", text) is not None


@dataclass(frozen=True, slots=True)
class OscSubscription:
    """Something said to a desk so that it talks."""

    address: str
    arguments: tuple[Plain, ...] = ()
    every: Annotated[float, Meta(ge=0, le=600)] = 0.0
    """Seconds after which it is said again; 0: once at each connection."""

    def __post_init__(self) -> None:
        slash("address", self.address)


@dataclass(frozen=True, slots=True)
class OscMeterPart:
    """Meters that follow each other in a blob."""

    count: Annotated[int, Meta(ge=1, le=512)]
    name: str = ""
    """What they are called, `{n}` their number; empty for meters that nobody wants."""
    first: int = 1

    def __post_init__(self) -> None:
        if self.name and has_letter(self.name, "n") != (self.count > 1):
            raise ValueError(_('"name" needs {n} if and only if "count" is more than one'))

    def names(self) -> tuple[str, ...]:
        """Return the name of each; none at all where nobody wants them."""
        return tuple(numbered(self.name, self.first + at) for at in range(self.count)) if self.name else ()


@dataclass(frozen=True, slots=True)
class OscMeters:
    """A blob of meters that comes many times a second."""

    address: str
    """Where it comes from."""
    form: MeterForm
    parts: tuple[OscMeterPart, ...]
    """In the order of the blob."""
    subscription: OscSubscription | None = None
    """What has to be said to get it."""

    def __post_init__(self) -> None:
        slash("address", self.address)

    def places(self) -> dict[str, int]:
        """Return where in the blob each meter stands."""
        found: dict[str, int] = {}
        at = 0
        for part in self.parts:
            found |= {name: at + number for number, name in enumerate(part.names())}
            at += part.count
        return found


@dataclass(frozen=True, slots=True)
class OscArgument:
    """An argument of an action: one that the caller gives, by its `name`, or always the same `value`."""

    name: str = ""
    value: Plain | None = None
    kind: Literal["number", "switch", "text"] = "text"
    lowest: float | None = None
    highest: float | None = None
    whole: bool = False
    """Of a number: the desk wants an integer."""

    def __post_init__(self) -> None:
        if bool(self.name) == (self.value is not None):
            raise ValueError(_('"name" or "value" must stand here, and not both'))
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(_('"lowest" must be below "highest"'))

    def described(self) -> Argument:
        """What a caller is told of it."""
        return Argument(self.name, self.kind, self.lowest, self.highest)


@dataclass(frozen=True, slots=True)
class OscAction:
    """Something that a desk does."""

    name: str
    address: str
    arguments: tuple[OscArgument, ...] = ()
    confirms: str = ""
    """The control that tells that it is done, by showing what was given as `by`. Left out: the desk has no way to tell,
    and the outcome is *unconfirmed*."""
    by: str = ""
    """The argument that `confirms` has to show."""
    seconds: Annotated[float, Meta(gt=0, le=30)] = 3.0
    """Within which it has to be done."""
    stirs: str = ""
    """Controls (`*`) that may be changed by it: they are asked for afterwards."""

    def __post_init__(self) -> None:
        slash("address", self.address)
        given = [argument.name for argument in self.arguments if argument.name]
        if len(set(given)) < len(given):
            raise ValueError(_('"arguments" gives two of them one name'))
        if bool(self.confirms) != bool(self.by) or (self.by and self.by not in given):
            raise ValueError(_('"confirms" needs "by", the name of one of the arguments'))

    def described(self) -> Action:
        """What a caller is told of it."""
        return Action(self.name, tuple(argument.described() for argument in self.arguments if argument.name))
