"""What hands on the surfaces ask for, and what the surfaces show: pure, with the time handed in.

Two roads that never meet: gestures become deeds (`pressed`, `released`, `due`, `moved`, `turned`), and the state of the
devices becomes lights and positions (`light`, `position`). Nothing that a device reports ever becomes a deed, so there
are no loops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from studio.show._bindings import Binding, Deed, Fader, Knob, Press, Shift, along, deeds
from studio.show._lights import Shown, ends, hold, is_level, lit, number, stand, touches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.devices import Light, Value
    from studio.show._bindings import Asked
    from studio.show._lights import World

LATEST = 1.0
"""Seconds in which a knob goes on from where it last turned to, rather than from what is reported: clicks come quicker
than a device reports."""


class Where(NamedTuple):
    """A control of a surface."""

    surface: str
    control: str


class Ask(NamedTuple):
    """What a gesture asks for."""

    binding: Binding
    deeds: tuple[Deed, ...]


class Move(NamedTuple):
    """What a fader or knob asks for."""

    binding: Binding
    device: str
    control: str
    value: Value


@dataclass(slots=True)
class _Down:
    """A pad that is held."""

    binding: Binding
    at: float
    decided: bool = False
    """The long press was done."""

    @property
    def due(self) -> float | None:
        """When something happens by itself."""
        what = self.binding.meaning
        if not isinstance(what, Press):
            return None
        if what.repeat is not None:
            return self.at + what.repeat
        return None if self.decided or what.hold is None else self.at + what.hold


@dataclass(slots=True)
class _Page:
    name: str = ""
    held: str = ""
    """By which control, while it is held."""


@dataclass(slots=True)
class _Outcomes:
    """What became of what a binding asked for."""

    open: int = 0
    failed: bool = False


@dataclass(slots=True)
class _Knobs:
    at: float = -math.inf
    value: float = 0.0


class Board:
    """All surfaces."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        self._bindings: dict[Where, list[Binding]] = {}
        for binding in bindings:
            self._bindings.setdefault(Where(binding.surface, binding.control), []).append(binding)
        self._pages: dict[str, _Page] = {where.surface: _Page() for where in self._bindings}
        self._down: dict[Where, _Down] = {}
        self._outcomes: dict[int, _Outcomes] = {}
        self._knobs: dict[tuple[str, str], _Knobs] = {}

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def controls(self) -> list[Where]:
        """All controls that mean something on any page."""
        return list(self._bindings)

    def page(self, surface: str) -> str:
        """The page that a surface is on; empty for its first."""
        page = self._pages.get(surface)
        return page.name if page else ""

    def meant(self, where: Where, world: World) -> Binding | None:
        """What the control means now: the first whose page and conditions hold."""
        page = self.page(where.surface)
        for binding in self._bindings.get(where, ()):
            what = binding.meaning
            if isinstance(what, Shift) or (
                what.page == page and (not isinstance(what, Press) or hold(what.when, world))
            ):
                return binding
        return None

    def concerns(self, world: World) -> dict[tuple[str, str], set[Where]]:
        """Device and control → the controls of surfaces that show it, as `touches` has it."""
        found: dict[tuple[str, str], set[Where]] = {}
        for where, bindings in self._bindings.items():
            for binding in bindings:
                for touched in touches(binding.meaning, world):
                    found.setdefault(touched, set()).add(where)
        return found

    # ── gestures ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def pressed(self, where: Where, now: float, world: World) -> list[Ask]:
        """A pad went down at `now` (seconds)."""
        binding = self.meant(where, world)
        if binding is None:
            return []
        what = binding.meaning
        if isinstance(what, Shift):
            self._shift(where, what)
            return []
        if not isinstance(what, Press):
            return []
        if what.hold is not None or what.release is not None or what.repeat is not None:
            self._down[where] = _Down(binding, now, decided=what.hold is None)
        return [] if what.hold is not None else self._asks(binding, what.do)

    def released(self, where: Where, now: float, seconds: float | None = None) -> list[Ask]:
        """It was let go, after `seconds` by the surface's own count. What it was pressed for is what counts."""
        page = self._pages.get(where.surface)
        if page and page.held == where.control:
            page.name = page.held = ""
        down = self._down.pop(where, None)
        if down is None or not isinstance(what := down.binding.meaning, Press):
            return []
        if what.release is not None:
            return self._asks(down.binding, what.release)
        if down.decided or what.hold is None:
            return []
        held = (now - down.at if seconds is None else seconds) >= what.hold
        return self._asks(down.binding, what.held if held else what.do)

    def due(self, now: float) -> list[Ask]:
        """Long presses that are long enough by now, and what is done again while a pad is held."""
        found: list[Ask] = []
        for down in self._down.values():
            what = down.binding.meaning
            if isinstance(what, Press) and down.due is not None and now >= down.due:
                found += self._asks(down.binding, what.do if what.repeat is not None else what.held)
                down.decided = True
                down.at = now
        return found

    def next_due(self) -> float | None:
        """When `due` is to be asked; `None`: not before another press."""
        return min((down.due for down in self._down.values() if down.due is not None), default=None)

    def lost(self, surface: str) -> list[Ask]:
        """The surface is gone: what was held is let go, and a press that was not decided is forgotten."""
        found: list[Ask] = []
        for where in [where for where in self._down if where.surface == surface]:
            what = self._down[where].binding.meaning
            if isinstance(what, Press) and what.release is not None:
                found += self._asks(self._down[where].binding, what.release)
            del self._down[where]
        if page := self._pages.get(surface):
            page.name = "" if page.held else page.name
            page.held = ""
        return found

    def moved(self, where: Where, position: float, world: World) -> list[Move]:
        """A fader was moved to `position` in [0..1]; nothing for what is so already, by the devices' own report."""
        binding = self.meant(where, world)
        if binding is None or not isinstance(what := binding.meaning, Fader):
            return []
        found = []
        for device, name in what.targets.items():
            control = world.control(device, name)
            span = ends(control, what)
            if control is None or span is None:
                continue
            value = round(along(position, *span, level=is_level(control, what)), 4)
            known = world.get(device, name)
            if known is None or known.source != "reported" or not control.same(known.value, value):
                found.append(Move(binding, device, name, value))
        return found

    def turned(self, where: Where, steps: int, now: float, world: World) -> list[Move]:
        """A knob was turned; nothing where nobody knows how what it turns stands."""
        binding = self.meant(where, world)
        if binding is None or not isinstance(what := binding.meaning, Knob):
            return []
        found = []
        for device, name in what.targets.items():
            control, known = world.control(device, name), world.get(device, name)
            reported = number(known.value) if known is not None and known.source == "reported" else None
            if control is None or reported is None:
                continue
            last = self._knobs.get((device, name), _Knobs())
            stands = last.value if now - last.at < LATEST else reported
            low, high = ends(control, what) or (-math.inf, math.inf)
            step = what.step or (1.0 if math.isinf(high - low) or control.kind == "level" else (high - low) / 100)
            value = round(min(max(stands + steps * step, low), high), 4)
            self._knobs[device, name] = _Knobs(now, value)
            found.append(Move(binding, device, name, value))
        return found

    def _shift(self, where: Where, what: Shift) -> None:
        page = self._pages[where.surface]
        if what.latch:
            page.name, page.held = ("" if page.name == what.shift else what.shift), ""
        else:
            page.name, page.held = what.shift, where.control

    @staticmethod
    def _asks(binding: Binding, asked: Asked | None) -> list[Ask]:
        return [Ask(binding, deeds(asked))]

    # ── what became of it ─────────────────────────────────────────────────────────────────────────────────────────────

    def asked(self, binding: Binding) -> None:
        """What `binding` means was asked of somebody, and is open."""
        outcomes = self._outcomes.setdefault(id(binding), _Outcomes())
        outcomes.open += 1
        outcomes.failed = False

    def ended(self, binding: Binding, *, failed: bool) -> None:
        """It ended: refused or unconfirmed is `failed`."""
        outcomes = self._outcomes.setdefault(id(binding), _Outcomes())
        outcomes.open = max(0, outcomes.open - 1)
        outcomes.failed = failed

    # ── what the surfaces show ────────────────────────────────────────────────────────────────────────────────────────

    def light(self, where: Where, world: World) -> Light:
        """`asked` while outcomes are open, `on` when it is reported to be so, `failed` until it is so or asked again.

        `off` where it means nothing now, or what it would ask is not there.
        """
        binding = self.meant(where, world)
        if binding is None:
            return "off"
        what = binding.meaning
        if isinstance(what, Shift):
            return "on" if self.page(where.surface) == what.shift else "ready"
        if not isinstance(what, Press):
            return "off"
        outcomes = self._outcomes.get(id(binding), _Outcomes())
        if outcomes.open:
            return "asked"
        shown = lit(deeds(what.do), world)
        if shown == "on":
            outcomes.failed = False
        return "failed" if outcomes.failed else shown

    def position(self, where: Where, world: World) -> Shown | None:
        """Where a fader or ring stands; `None` for what is neither on any page."""
        if not any(isinstance(one.meaning, Fader | Knob) for one in self._bindings.get(where, ())):
            return None
        binding = self.meant(where, world)
        if binding is None or not isinstance(what := binding.meaning, Fader | Knob):
            return Shown(None, "")
        return stand(what, world)
