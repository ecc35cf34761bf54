"""What the surfaces show, by what the devices report: lights, conditions, and where faders stand. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from studio.show._actions import Action
from studio.show._bindings import Call, Fader, Knob, Press, Recall, Set, Toggle, back_along, deeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.devices import Control, Light, Property
    from studio.show._bindings import Deed, Meaning, When
    from studio.show._plan import Desired


class World(Protocol):
    """How things stand, as they were reported."""

    @property
    def scene(self) -> str | None:
        """The programme scene; `None` while OBS is not there."""
        ...

    @property
    def scenes(self) -> bool:
        """Whether scenes can be taken at all now."""
        ...

    def up(self, device: str) -> bool:
        """Whether the device is there."""
        ...

    def control(self, device: str, name: str) -> Control | None:
        """What the device says of it; `None` for no such control."""
        ...

    def get(self, device: str, name: str) -> Property | None:
        """What is known of it; `None` for no such control."""
        ...

    def snapshot(self, name: str) -> Desired | None:
        """What it holds; `None` where it cannot be read."""
        ...


class Shown(NamedTuple):
    """What a fader or ring shows."""

    position: float | None
    """In [0..1]; `None`: it moves nothing now, or nobody knows where that stands."""
    text: str


def lit(asked: tuple[Deed, ...], world: World) -> Light:
    """What a pad shows that would do `asked`: by what is reported, whoever did it."""
    shown = Counter(_lit(deed, world) for deed in asked)
    if shown["off"] or not shown:
        return "off"
    if shown["ready"]:
        return "ready"
    return "on" if shown["on"] else "ready"


def _lit(deed: Deed, world: World) -> str:
    """`off`, `ready` or `on`; `any` for what no state can tell."""
    desired = _desired(deed, world)
    if desired is not None:
        return _so(desired, world)
    if isinstance(deed, Call):
        return "any" if world.up(deed.device) else "off"
    if isinstance(deed, Action) and deed.scene:
        return "off" if not world.scenes else "on" if deed.scene == world.scene else "ready"
    return "any"


def _desired(deed: Deed, world: World) -> Desired | None:
    """What is so when it is done; `None` where no state tells, nothing where that cannot be read."""
    match deed:
        case Set(set=desired):
            return desired
        case Toggle(toggle=switches):
            return {device: {control: True} for device, control in switches.items()}
        case Recall(recall=name):
            return world.snapshot(name) or {}
    return None


def _so(desired: Desired | None, world: World) -> str:
    if not desired:
        return "off"
    whole = "on"
    for device, controls in desired.items():
        if not world.up(device):
            return "off"
        for name, value in controls.items():
            control, known = world.control(device, name), world.get(device, name)
            if control is None or known is None or known.source != "reported":
                return "off"
            if not control.same(known.value, value):
                whole = "ready"
    return whole


def hold(when: When, world: World) -> bool:
    """Whether all conditions hold."""
    if when.scene is not None and world.scene != when.scene:
        return False
    if when.not_scene is not None and (world.scene is None or world.scene == when.not_scene):
        return False
    if when.online is not None and not world.up(when.online):
        return False
    return not when.state or _so(when.state, world) == "on"


def touches(what: Meaning, world: World) -> Iterator[tuple[str, str]]:
    """Device and control whose reports change what it shows; without a control a link, without both the scenes."""
    if isinstance(what, Fader | Knob):
        for device, control in what.targets.items():
            yield from ((device, ""), (device, control), (device, _sibling(control)))
    elif isinstance(what, Press):
        yield from _pressed(what, world)


def _pressed(what: Press, world: World) -> Iterator[tuple[str, str]]:
    desired: list[Desired] = [what.when.state]
    for deed in deeds(what.do):
        if (wanted := _desired(deed, world)) is not None:
            desired.append(wanted)
        else:
            yield (deed.device, "") if isinstance(deed, Call) else ("", "")
    if what.when.online is not None:
        yield what.when.online, ""
    yield "", ""
    for each in desired:
        for device, controls in each.items():
            yield device, ""
            yield from ((device, control) for control in controls)


def ends(control: Control | None, what: Fader | Knob) -> tuple[float, float] | None:
    """Where it ends below and above; `None` where that is nowhere said."""
    if control is None:
        return None
    low = what.lowest if what.lowest is not None else control.lowest
    high = what.highest if what.highest is not None else control.highest
    if low is None or high is None:
        return None
    if control.lowest is not None:
        low = max(low, control.lowest)
    if control.highest is not None:
        high = min(high, control.highest)
    return (low, high) if low < high else None


def is_level(control: Control, what: Fader | Knob) -> bool:
    """Whether it goes by the curve of a desk's fader."""
    law = what.law if isinstance(what, Fader) else None
    return control.kind == "level" if law is None else law == "level"


def stand(what: Fader | Knob, world: World) -> Shown:
    """Where the first of what it moves is reported to stand."""
    device, name = next(iter(what.targets.items()))
    control, known = world.control(device, name), world.get(device, name)
    text = label(device, name, world)
    span = ends(control, what)
    if control is None or known is None or known.source != "reported" or span is None:
        return Shown(None, text)
    value = number(known.value)
    return Shown(None if value is None else back_along(value, *span, level=is_level(control, what)), text)


def label(device: str, control: str, world: World) -> str:
    """What a display above a fader says: the name that the desk has for the channel, else the control's own."""
    named = world.get(device, _sibling(control))
    if named is not None and named.source == "reported" and isinstance(named.value, str) and named.value.strip():
        return named.value.strip()
    return control


def _sibling(control: str) -> str:
    return f"{control.rpartition('.')[0]}.name"


def number(value: object) -> float | None:
    """`value`, where it is a number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
