"""What the controls of all surfaces mean: files of `presets/bindings/`, and the short `bind` of `studio.toml`.

How to add an action: 1. a row in `ACTIONS` where a text says all of it, or a dataclass here whose first field is its
name; 2. a branch in `_board.lit`, if a light can tell whether it is so, and in `app/_surfaces.py`, which does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta

from studio.catalogue import Place, Said
from studio.errors import DrawerError, ShowError
from studio.language import _
from studio.show._actions import Action, meaning

if TYPE_CHECKING:
    from studio.catalogue import Catalogue
    from studio.venue import Venue

DRAWER = "presets/bindings"

Stated = float | str | bool
Within: TypeAlias = Annotated[float, Meta(ge=0.1, le=30)]
"""Seconds in which a device has to confirm."""


@dataclass(frozen=True, slots=True)
class Set:
    """Controls of one or several devices, each with its own deadline."""

    set: Mapping[str, Mapping[str, Stated]]
    """Device → control → value."""
    within: Within = 2.0


@dataclass(frozen=True, slots=True)
class Toggle:
    """A switch goes to what it is not; of several all go to what the first is not."""

    toggle: Mapping[str, str]
    """Device → control, which must be a switch."""
    within: Within = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """Something a device does."""

    call: Mapping[str, Stated]
    """Device → action, and after it argument → value: `{cam1: preset.recall, preset: 3}`."""
    within: Within = 5.0

    def __post_init__(self) -> None:
        if not self.call or not isinstance(next(iter(self.call.values())), str):
            raise ValueError(
                _('"call" must begin with a device and its action, as in {cam1: preset.recall, preset: 3}')
            )

    @property
    def device(self) -> str:
        """Whose action it is."""
        return next(iter(self.call))

    @property
    def action(self) -> str:
        """Its name."""
        return str(self.call[self.device])

    @property
    def arguments(self) -> dict[str, Stated]:
        """What goes with it."""
        return {name: value for name, value in self.call.items() if name != self.device}


@dataclass(frozen=True, slots=True)
class Recall:
    """All of a snapshot."""

    recall: str
    """A file of `presets/snapshots/`."""
    within: Within = 5.0


One: TypeAlias = str | Set | Toggle | Call | Recall
Asked: TypeAlias = str | Set | Toggle | Call | Recall | tuple[One, ...]
Deed: TypeAlias = Action | Set | Toggle | Call | Recall
"""What the house can carry out."""


@dataclass(frozen=True, slots=True)
class When:
    """Conditions, all of which must hold. What cannot be told does not hold."""

    scene: str | None = None
    """OBS reports this scene on the programme."""
    not_scene: str | None = None
    """OBS reports another scene."""
    online: str | None = None
    """This device is there."""
    state: Mapping[str, Mapping[str, Stated]] = field(default_factory=dict)
    """Device → control → value: all are reported to be so."""


@dataclass(frozen=True, slots=True)
class Press:
    """A pad or button."""

    do: Asked
    when: When = field(default_factory=When)
    page: str = ""
    """The page that it belongs to; empty: the one that no shift leads to."""
    hold: Annotated[float, Meta(ge=0.2, le=10)] | None = None
    """Seconds after which it is a long press, which does `held` instead; what is shorter does `do` when it ends."""
    held: Asked | None = None
    release: Asked | None = None
    """Done when it is let go, or when the surface is lost meanwhile: so a camera never moves on by itself."""

    repeat: Annotated[float, Meta(ge=0.1, le=10)] | None = None
    """Seconds after which `do` is done again while it is held: a camera moves only as long as somebody asks it to."""

    def __post_init__(self) -> None:
        if self.repeat is not None and self.hold is not None:
            raise ValueError(_('"repeat" cannot go with "hold": one of them says what holding means'))
        if (self.hold is None) != (self.held is None):
            raise ValueError(_('"hold" says after how many seconds, and "held" what is done then: both or neither'))
        if self.held is not None and self.release is not None:
            raise ValueError(_('"release" cannot go with "hold": a long press is decided before it'))


@dataclass(frozen=True, slots=True)
class Fader:
    """A fader, or a knob with ends, that moves controls of devices."""

    moves: Mapping[str, str]
    """Device → control; several follow the fader, and the first shows where it stands."""
    lowest: float | None = None
    """At the lower end; `None`: as low as the control goes."""
    highest: float | None = None
    """At the upper end; `None`: as high as the control goes. A fader may end at 0 dB."""
    law: Literal["level", "linear"] | None = None
    """`level`: finer where it is loud, as desks have it; `None`: so for decibels, else linear."""
    page: str = ""

    def __post_init__(self) -> None:
        _ordered(self.lowest, self.highest)

    @property
    def targets(self) -> Mapping[str, str]:
        """Device → control."""
        return self.moves


@dataclass(frozen=True, slots=True)
class Knob:
    """An endless knob that turns controls up and down."""

    turns: Mapping[str, str]
    """Device → control."""
    step: float | None = None
    """For each click, in the control's unit; below 0 the other way round. `None`: a hundredth of its range, or 1."""
    lowest: float | None = None
    highest: float | None = None
    page: str = ""

    def __post_init__(self) -> None:
        if self.step == 0:
            raise ValueError(_('"step" must not be 0'))
        _ordered(self.lowest, self.highest)

    @property
    def targets(self) -> Mapping[str, str]:
        """Device → control."""
        return self.turns


def _ordered(lowest: float | None, highest: float | None) -> None:
    if lowest is not None and highest is not None and lowest >= highest:
        raise ValueError(_('"lowest" must be below "highest"'))


@dataclass(frozen=True, slots=True)
class Shift:
    """A pad that brings another page of its surface, on whatever page it is pressed."""

    shift: str
    """The name of the page."""
    latch: bool = False
    """Each press changes there or back; else the page is there while the pad is held."""

    def __post_init__(self) -> None:
        if not self.shift:
            raise ValueError(_('"shift" must name a page'))


Meaning: TypeAlias = Press | Fader | Knob | Shift


@dataclass(frozen=True, slots=True)
class Bindings:
    """A file of `presets/bindings/`."""

    surfaces: Mapping[str, Mapping[str, str | Press | Fader | Knob | Shift | tuple[Press | Fader | Knob, ...]]]
    """Surface (its name in `studio.toml`) → control → what it does. Of several the first whose page and conditions
    hold."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """One meaning of one control."""

    surface: str
    control: str
    meaning: Meaning
    place: Place
    """Where it is said; of what is inside, ask `at`."""
    said: Said | None = field(default=None, repr=False, compare=False)

    def at(self, *path: str | int) -> Place:
        """Where a part of it is said."""
        return self.said.at(*path).place if self.said else self.place


def load_bindings(venue: Venue, catalogue: Catalogue) -> tuple[Binding, ...]:
    """Return all that `bind` and the file named by `bindings` in `[show]` say.

    Raises DrawerError at the first place that cannot be so, with the others in its `also`.
    """
    found, wrong = gather(venue, catalogue)
    if wrong:
        first, *others = wrong
        first.also += tuple(others)
        raise first
    return found


def gather(venue: Venue, catalogue: Catalogue) -> tuple[tuple[Binding, ...], list[DrawerError]]:
    """Return what could be read, and what is wrong with the rest."""
    found: list[Binding] = []
    wrong: list[DrawerError] = []
    for number, device in enumerate(venue.devices):
        for control, text in device.bind.items():
            place = venue.place("devices", number, "bind", control)
            try:
                meaning(text)
                found.append(Binding(device.name, control, Press(text), place))
            except ShowError as problem:
                wrong.append(place.error(str(problem)))
    name = venue.show.bindings
    if name is None:
        return tuple(found), wrong
    asked = venue.place("show", "bindings")
    try:
        said = catalogue.said(DRAWER, name, asked)
        file = catalogue.load(DRAWER, name, Bindings, asked)
    except DrawerError as problem:
        return tuple(found), [*wrong, problem]
    short = {(one.surface, one.control): one.place for one in found}
    for binding in _of_file(file, said):
        if earlier := short.get((binding.surface, binding.control)):
            message = _('"{control}" is bound in {file} line {line}, too; leave out one of them')
            wrong.append(
                binding.place.error(message.format(control=binding.control, file=earlier.file.name, line=earlier.line))
            )
            continue
        problems = list(_texts(binding))
        wrong += problems
        if not problems:
            found.append(binding)
    return tuple(found), wrong


def _of_file(file: Bindings, said: Said) -> Iterator[Binding]:
    for surface, controls in file.surfaces.items():
        for control, what in controls.items():
            here = said.at("surfaces", surface, control)
            if isinstance(what, tuple):
                for number, one in enumerate(what):
                    inner = here.at(number)
                    yield Binding(surface, control, one, inner.place, inner)
            else:
                yield Binding(surface, control, Press(what) if isinstance(what, str) else what, here.place, here)


def _texts(binding: Binding) -> Iterator[DrawerError]:
    """What is said as text and means nothing."""
    for path, one in written(binding.meaning):
        if isinstance(one, str):
            try:
                meaning(one)
            except ShowError as problem:
                yield binding.at(*path).error(str(problem))


def written(what: Meaning) -> Iterator[tuple[tuple[str | int, ...], One]]:
    """Each thing that a pad does, and where it stands in what was said; nothing of faders, knobs and shifts."""
    if not isinstance(what, Press):
        return
    for key, asked in (("do", what.do), ("held", what.held), ("release", what.release)):
        if isinstance(asked, tuple):
            yield from (((key, number), one) for number, one in enumerate(asked))
        elif asked is not None:
            yield (key,), asked


def deeds(asked: Asked | None) -> tuple[Deed, ...]:
    """What `asked` means; ShowError where a text means nothing."""
    several = () if asked is None else asked if isinstance(asked, tuple) else (asked,)
    return tuple(_deed(meaning(one)) if isinstance(one, str) else one for one in several)


def _deed(action: Action) -> Deed:
    name = action.arguments.get("snapshot")
    return Recall(name) if isinstance(name, str) else action


# ── where a fader stands ──────────────────────────────────────────────────────────────────────────────────────────────

_LEVEL = ((0.0, -90.0), (0.0625, -60.0), (0.25, -30.0), (0.5, -10.0), (1.0, 10.0))
"""Decibels along a fader, as Behringer's and Midas's desks have them; other ranges take their part of this curve."""


def along(position: float, lowest: float, highest: float, *, level: bool) -> float:
    """The value in [lowest..highest] at `position` in [0..1] of a fader."""
    position = min(max(position, 0.0), 1.0)
    if not level:
        return lowest + position * (highest - lowest)
    low, high = _place(lowest), _place(highest)
    value = _curve(low + position * (high - low), 0, 1)
    return min(max(value, lowest), highest)


def back_along(value: float, lowest: float, highest: float, *, level: bool) -> float:
    """The position in [0..1] at which a fader stands for `value`."""
    value = min(max(value, lowest), highest)
    low, high, here = (_place(each) if level else each for each in (lowest, highest, value))
    return min(max((here - low) / (high - low), 0.0), 1.0) if high > low else 0.0


def _place(decibels: float) -> float:
    """Where on the curve; beyond its ends it goes on straight, so that every range has its own places."""
    return _curve(decibels, 1, 0)


def _curve(x: float, of: int, to: int) -> float:
    after = next((n for n, point in enumerate(_LEVEL) if x <= point[of] and n), len(_LEVEL) - 1)
    one, other = _LEVEL[after - 1], _LEVEL[after]
    share = (x - one[of]) / (other[of] - one[of])
    return one[to] + share * (other[to] - one[to])
