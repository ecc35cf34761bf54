"""What is asked of devices, whoever asks: planned, journalled, done, told, and undone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio import show
from studio.catalogue import instead
from studio.devices import Camera, Outcome, Value
from studio.errors import DeviceError, ShowError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from studio.catalogue import Catalogue
    from studio.devices import Device
    from studio.show import Back, Changed, Desired, Entry, Journal, Seen, Step

AT_ONCE = 16
"""Sets of one device under way at a time: a desk takes a whole snapshot without its buffers running over."""
DEADLINE = 20.0
"""Seconds after which a set or call that the driver itself does not end is given up as unconfirmed. The slowest of
them ends after 15 by itself: a camera on its way to a preset."""
LEARN = 1.5
"""Seconds to wait for what was not read before; what is unknown then is asked without knowing."""
LOOK = 0.02
SO_ALREADY = Outcome("confirmed")
SIMULATED = Outcome("simulated")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one control."""

    device: str
    control: str
    value: Value | None
    """What was asked for."""
    outcome: Outcome
    already: bool = False
    """It was so before, and nothing was asked of anybody."""


class Orders:
    """Sets, calls, recalls and undoes on the devices it was given, which others keep running."""

    def __init__(self, devices: Callable[[], Mapping[str, Device]], catalogue: Catalogue, journal: Journal) -> None:
        """`devices` by name, asked anew each time: OBS comes later."""
        self._devices = devices
        self._catalogue = catalogue
        self._journal = journal

    # ── planning ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def seen(self) -> dict[str, Seen]:
        """How all devices stand, as far as they were read before."""
        return {name: look(device) for name, device in self._devices().items()}

    async def learn(self, controls: Mapping[str, Iterable[str]], seconds: float = LEARN) -> None:
        """Wait until these controls are reported, by device: some are asked for only when they are read."""
        devices = self._devices()
        end = asyncio.get_running_loop().time() + seconds
        missing = {(name, control) for name in controls.keys() & devices.keys() for control in controls[name]}
        while True:
            missing = {(name, control) for name, control in missing if _missing(devices[name], control)}
            if not missing or asyncio.get_running_loop().time() > end:
                return
            await asyncio.sleep(LOOK)

    async def planned(self, desired: Desired, seconds: float = LEARN) -> tuple[Step, ...]:
        """Return `plan(desired)`, once it is known how all of it stands, or after `seconds`."""
        await self.learn(desired, seconds)
        return self.plan(desired)

    def plan(self, desired: Desired) -> tuple[Step, ...]:
        """Return what would have to be done; nothing is asked of anybody."""
        devices = self._devices()
        wanted = {name: set(controls) for name, controls in desired.items()}
        seen = {name: look(device, wanted.get(name, set())) for name, device in devices.items()}
        return show.plan(desired, seen)

    def snapshot(self, name: str) -> Desired:
        """The desired state of a file of `presets/snapshots/`; DrawerError where it is none."""
        return self._catalogue.load(show.SNAPSHOTS, name, show.Snapshot).set

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def do(
        self,
        steps: Sequence[Step],
        *,
        by: str,
        dry_run: bool = False,
        deadline: float = DEADLINE,
        anyway: bool = False,
    ) -> list[Done]:
        """Carry out what of `steps` is to be done, each control with its own `deadline` (seconds).

        `anyway`: also of cameras that viewers see.

        What is changed is in the journal before anything is sent; ShowError where it cannot be kept.
        """
        work = [step for step in steps if step.to_do]
        journalled = ""
        if work and not dry_run:
            changes = [
                show.Changed(
                    step.device, step.control, step.now.value if step.now.source == "reported" else None, step.wanted
                )
                for step in work
            ]
            journalled = await asyncio.to_thread(self._journal.begin, by, changes)
        lanes = {step.device: asyncio.Semaphore(AT_ONCE) for step in work}

        async def each(step: Step) -> Done:
            if step.kind == "impossible":
                outcome = Outcome("refused", step.reason)
            elif step.kind == "same":
                outcome = SO_ALREADY
            elif dry_run:
                up = self._devices()[step.device].link.up
                outcome = SIMULATED if up else Outcome("refused", step.reason)
            else:
                async with lanes[step.device]:
                    outcome = await self.set(step.device, step.control, step.wanted, deadline, anyway=anyway)
            return Done(step.device, step.control, step.wanted, outcome, step.kind == "same")

        done = list(await asyncio.gather(*map(each, steps)))
        if journalled:
            await asyncio.to_thread(self._journal.done, journalled, self._after(done))
            never = [(one.device, one.control) for one in done if one.outcome.kind == "refused"]
            if never:  # nothing was sent, so there is nothing to undo
                await asyncio.to_thread(self._journal.undone, journalled, never)
        return done

    async def set(
        self, device: str, control: str, value: Value, deadline: float = DEADLINE, *, anyway: bool = False
    ) -> Outcome:
        """Set one control, without plan and journal: of faders and what is undone. Never raises for a device's sake."""
        there = self._devices().get(device)
        if there is None:
            return Outcome("refused", self._no_device(device))
        asked = there.set(control, value, anyway=anyway) if isinstance(there, Camera) else there.set(control, value)
        return await answered(there, asked, deadline)

    async def call(
        self,
        device: str,
        action: str,
        arguments: Mapping[str, Value] | None = None,
        *,
        dry_run: bool = False,
        deadline: float = DEADLINE,
    ) -> Outcome:
        """Call an action. What has no value is not journalled: nobody could take it back."""
        there = self._devices().get(device)
        if there is None:
            return Outcome("refused", self._no_device(device))
        if problem := show.wrong_call(device, there.actions(), action, arguments or {}, up=there.link.up):
            return Outcome("refused", problem)
        if dry_run:
            if not there.link.up:
                return Outcome("refused", there.link.detail or _("{name} is not connected yet.").format(name=device))
            return SIMULATED
        return await answered(there, there.call(action, dict(arguments or {})), deadline)

    # ── undoing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def last(self) -> Entry | None:
        """The last change that is not undone yet, by whichever process; `None` where there is none."""
        return await asyncio.to_thread(self._journal.last)

    async def plan_back(self, entry: Entry) -> tuple[Back, ...]:
        """Return what undoing `entry` means now, control by control."""
        controls: dict[str, set[str]] = {}
        for change in entry.changes:
            controls.setdefault(change.device, set()).add(change.control)
        await self.learn(controls)
        devices = self._devices()
        seen = {name: look(devices[name], wanted) for name, wanted in controls.items() if name in devices}
        return show.plan_back(entry.changes, seen)

    async def undo(
        self, entry: Entry, backs: Sequence[Back], *, dry_run: bool = False, deadline: float = DEADLINE
    ) -> list[Done]:
        """Bring back what can be; what somebody else changed since stays, and is refused with the reason.

        What cannot be told now stays in the journal, so that a later undo may try again.
        """
        lanes = {back.changed.device: asyncio.Semaphore(AT_ONCE) for back in backs}

        async def each(back: Back) -> Done:
            before = back.changed.before
            if back.kind in ("moved", "open"):
                outcome = Outcome("refused", back.reason)
            elif back.kind == "same" or before is None:
                outcome = SO_ALREADY
            elif dry_run:
                outcome = SIMULATED
            else:
                async with lanes[back.changed.device]:
                    outcome = self._moved_since(back.changed) or await self.set(
                        back.changed.device, back.changed.control, before, deadline
                    )
            return Done(back.changed.device, back.changed.control, before, outcome, back.kind == "same")

        done = list(await asyncio.gather(*map(each, backs)))
        if not dry_run:
            settled = [
                (one.device, one.control)
                for back, one in zip(backs, done, strict=True)
                if back.kind in ("moved", "same") or one.outcome.kind in ("confirmed", "superseded")
            ]
            await asyncio.to_thread(self._journal.undone, entry.id, settled)
        return done

    def _moved_since(self, changed: Changed) -> Outcome | None:
        """Why it may not go back any more: between the plan and its turn, somebody else changed it, or it is gone."""
        there = self._devices().get(changed.device)
        seen = {changed.device: look(there, {changed.control})} if there else {}
        (now,) = show.plan_back((changed,), seen)
        return Outcome("refused", now.reason) if now.kind in ("moved", "open") else None

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _after(self, done: Sequence[Done]) -> dict[tuple[str, str], Value]:
        """How the controls that were confirmed are reported now."""
        devices = self._devices()
        after: dict[tuple[str, str], Value] = {}
        for one in done:
            if one.outcome.kind == "confirmed" and not one.already and one.device in devices:
                now = devices[one.device].get(one.control)
                if now.source == "reported" and now.value is not None:
                    after[one.device, one.control] = now.value
        return after

    def _no_device(self, name: str) -> str:
        return _('There is no device "{name}" in studio.toml').format(name=name) + (
            instead(name, self._devices()) or "."
        )


def look(device: Device, controls: set[str] | None = None) -> Seen:
    """How `device` stands: of its values those of `controls`, or for `None` all that were read before."""
    described = device.controls()
    if controls is None:
        values = {name: device.peek(name) for name in described}
    else:
        values = {name: device.get(name) for name in controls if name in described}
    return show.Seen(described, values, device.link.up, device.link.detail)


def _missing(device: Device, control: str) -> bool:
    return device.link.up and control in device.controls() and device.get(control).source != "reported"


def known(seen: Seen) -> dict[str, int]:
    """How far the values of a device are known: a few numbers, for the values themselves are too many for a page.

    Meters are left out: they come while somebody reads them.
    """
    controls = [name for name, control in seen.controls.items() if control.kind != "meter"]
    sources = [seen.values[name].source for name in controls if name in seen.values]
    return {
        "controls": len(controls),
        "reported": sources.count("reported"),
        "stale": sources.count("assumed"),
        "unknown": sources.count("unknown"),
    }


async def answered(device: Device, asked: object, deadline: float) -> Outcome:
    """What became of what was `asked` of `device`: a driver that raises or never ends says so, too."""
    try:
        async with asyncio.timeout(deadline):
            outcome: Outcome = await asked  # type: ignore[misc]  # a coroutine of Device
            return outcome
    except TimeoutError:
        return Outcome("unconfirmed", _("{name} did not answer in time.").format(name=device.name))
    except (DeviceError, ShowError, ValueError) as problem:
        return Outcome("refused", str(problem))


def worst(done: Iterable[Done]) -> Outcome:
    """One outcome for several: of those that were not done, the first; else whether it was done or simulated."""
    outcomes = [one.outcome for one in done]
    bad = [one for one in outcomes if one.kind in ("refused", "unconfirmed")]
    if bad:
        more = " " + _("({count} in all were not done)").format(count=len(bad)) if len(bad) > 1 else ""
        refused = all(one.kind == "refused" for one in bad)
        return Outcome("refused" if refused else "unconfirmed", bad[0].reason + more)
    return next((one for one in outcomes if one.kind == "simulated"), None) or next(
        (one for one in outcomes if one.kind == "superseded"), SO_ALREADY
    )
