"""What would have to happen so that devices stand as desired; and what undoing it would mean. Pure.

Presets and snapshots are partial *desired* states: `{device: {control: value}}`. What they leave out stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from studio.catalogue import instead
from studio.devices import Action, Control, Property, Value
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

Desired: TypeAlias = Mapping[str, Mapping[str, Value]]
"""Device → control → value."""

Kind = Literal["change", "same", "stale", "unknown", "impossible"]
"""`change`: it is otherwise, by the device's own report; `same`: it is so already; `stale`: known only from before the
link was lost; `unknown`: never told; `impossible`: there is no such device or control, or it cannot take the value."""

UNKNOWN = Property(None, "unknown", 0.0, 0)


@dataclass(frozen=True, slots=True)
class Seen:
    """A device, as far as a plan needs it."""

    controls: Mapping[str, Control] = field(default_factory=dict)
    values: Mapping[str, Property] = field(default_factory=dict)
    """What is missing is unknown."""
    up: bool = True
    """Whether commands can be asked of it."""
    detail: str = ""
    """Why not, as its link says."""


Reported: TypeAlias = Mapping[str, Seen]


@dataclass(frozen=True, slots=True)
class Step:
    """One control on the way to a desired state."""

    device: str
    control: str
    wanted: Value
    """As the control takes it; as it was written where that is impossible."""
    kind: Kind
    now: Property = UNKNOWN
    unit: str = ""
    reason: str = ""
    """One sentence; empty for `change` and `same`."""

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.device} {self.control}"

    @property
    def to_do(self) -> bool:
        """Whether it has to be asked of the device: what is not known is asked rather than believed."""
        return self.kind in ("change", "stale", "unknown")


def plan(desired: Desired, reported: Reported) -> tuple[Step, ...]:
    """Return one step for each control of `desired`, in its order. Nothing is asked of anybody."""
    return tuple(_steps(desired, reported))


def holds(desired: Desired, reported: Reported) -> bool | None:
    """Whether all of `desired` is reported to be so; `None` where some of it cannot be told."""
    kinds = {step.kind for step in _steps(desired, reported)}
    if kinds <= {"same"}:
        return True
    return False if kinds <= {"same", "change"} else None


def wrong_call(
    device: str, actions: Mapping[str, Action], action: str, arguments: Mapping[str, object], *, up: bool
) -> str:
    """Why `device` cannot be asked for `action` with `arguments`: one sentence, or nothing.

    A device that is not `up` may not know all its actions yet: what it does not know then is let through.
    """
    known = actions.get(action)
    if known is None:
        if not up and not actions:
            return ""
        no = _('{device} has no action "{action}"').format(device=device, action=action)
        return _ended(no + instead(action, actions))
    wanted = {argument.name: argument for argument in known.arguments}
    for name, value in arguments.items():
        if name not in wanted:
            no = _('{action} of {device} takes no "{name}"').format(action=action, device=device, name=name)
            return _ended(no + instead(name, wanted))
        try:
            wanted[name].fit(value)
        except ValueError as problem:
            return str(problem)
    for argument in known.arguments:
        if argument.needed and argument.name not in arguments:
            no = _('{action} of {device} needs "{name}", too.')
            return no.format(action=action, device=device, name=argument.name)
    return ""


def _steps(desired: Desired, reported: Reported) -> Iterator[Step]:
    for device, controls in desired.items():
        seen = reported.get(device)
        for name, value in controls.items():
            if seen is None:
                no = _('There is no device "{name}" in studio.toml').format(name=device) + instead(device, reported)
                yield Step(device, name, value, "impossible", reason=_ended(no))
            elif (control := seen.controls.get(name)) is not None:
                yield _step(device, control, value, seen)
            elif not seen.up:
                yield Step(device, name, value, "unknown", reason=_absent(device, seen))
            else:
                no = _('{device} has no control "{control}"').format(device=device, control=name)
                yield Step(device, name, value, "impossible", reason=_ended(no + instead(name, seen.controls)))


def _step(device: str, control: Control, value: Value, seen: Seen) -> Step:
    now = seen.values.get(control.name, UNKNOWN)

    def step(wanted: Value, kind: Kind, reason: str = "") -> Step:
        return Step(device, control.name, wanted, kind, now, control.unit, reason)

    try:
        wanted = control.fit(value)
    except ValueError as problem:
        return step(value, "impossible", str(problem))
    if not seen.up or now.source == "assumed":
        return step(wanted, "stale" if now.value is not None else "unknown", _absent(device, seen))
    if now.source != "reported":
        return step(
            wanted, "unknown", _("{device} has not told {control}.").format(device=device, control=control.name)
        )
    return step(wanted, "same" if control.same(now.value, wanted) else "change")


def _absent(device: str, seen: Seen) -> str:
    return seen.detail or _("{name} is not connected yet.").format(name=device)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else sentence + "."


# ── undo ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Changed:
    """One control that we changed, as the journal keeps it."""

    device: str
    control: str
    before: Value | None
    """As it was reported before; `None`: nobody knew."""
    wanted: Value
    after: Value | None = None
    """As it was reported when it was done; `None` where we do not know that it was."""


@dataclass(frozen=True, slots=True)
class Back:
    """One control on its way back."""

    changed: Changed
    kind: Literal["back", "same", "moved", "open"]
    """`back`: it is as we left it and goes back; `same`: it is as it was before; `moved`: somebody else changed it
    since, so it stays; `open`: it cannot be told now, and may be undone later."""
    now: Property = UNKNOWN
    unit: str = ""
    reason: str = ""
    """One sentence; empty for `back` and `same`."""


def plan_back(changes: tuple[Changed, ...], reported: Reported) -> tuple[Back, ...]:
    """Return what undoing `changes` means now, control by control, the last one first."""
    return tuple(_back(changed, reported.get(changed.device)) for changed in reversed(changes))


def _back(changed: Changed, seen: Seen | None) -> Back:
    control = seen.controls.get(changed.control) if seen else None
    names = {"control": changed.control, "device": changed.device}
    if seen is None or (control is None and seen.up):
        return Back(changed, "moved", reason=_("{device} has no {control} any more.").format(**names))
    now = seen.values.get(changed.control, UNKNOWN)
    unit = control.unit if control else ""
    if control is None or not seen.up or now.source != "reported":
        return Back(changed, "open", now, unit, _absent(changed.device, seen))
    left = changed.wanted if changed.after is None else changed.after
    if changed.before is None:
        no = _("Nobody knew how {control} of {device} was before, so it stays.")
    elif control.same(now.value, changed.before):
        return Back(changed, "same", now, unit)
    elif control.same(now.value, left):
        return Back(changed, "back", now, unit)
    else:
        no = _("Somebody else has changed {control} of {device} since; it stays as it is.")
    return Back(changed, "moved", now, unit, no.format(**names))
