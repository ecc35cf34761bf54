"""What pages and other programs may ask of devices: `device.set`, `device.call`, `device.recall`, `device.undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from studio.app._orders import Done, worst
from studio.devices import Outcome
from studio.errors import StudioError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studio.app._orders import Orders

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=1000)]


class _Set(msgspec.Struct, forbid_unknown_fields=True):
    device: Name
    control: Name
    value: float | bool | Text
    dry_run: bool = False
    anyway: bool = False


class _Call(msgspec.Struct, forbid_unknown_fields=True):
    device: Name
    action: Name
    arguments: Annotated[dict[Name, float | bool | Text], msgspec.Meta(max_length=32)] = {}
    dry_run: bool = False


class _Recall(msgspec.Struct, forbid_unknown_fields=True):
    snapshot: Name
    dry_run: bool = False
    anyway: bool = False


class _Undo(msgspec.Struct, forbid_unknown_fields=True):
    dry_run: bool = False


WISHES = {"device.set": _Set, "device.call": _Call, "device.recall": _Recall, "device.undo": _Undo}
COMMANDS = frozenset(WISHES)


class DeviceCommands:
    """Reads what is asked for and has `orders` do it."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def command(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Do one of COMMANDS; what cannot be read is refused with what is wrong."""
        try:
            wish = msgspec.convert(dict(arguments), WISHES[name])
        except msgspec.ValidationError as problem:
            no = _("{command} cannot be read ({problem}); the guide shows how it is written.")
            return Outcome("refused", no.format(command=name, problem=problem))
        try:
            return await self._do(wish)
        except StudioError as problem:
            return Outcome("refused", str(problem))

    async def _do(self, wish: object) -> Outcome:
        orders = self._orders
        match wish:
            case _Set(device=device, control=control, value=value, dry_run=dry_run, anyway=anyway):
                steps = await orders.planned({device: {control: value}})
                return _told(await orders.do(steps, by="set", dry_run=dry_run, anyway=anyway))
            case _Call(device=device, action=action, arguments=given, dry_run=dry_run):
                return await orders.call(device, action, given, dry_run=dry_run)
            case _Recall(snapshot=name, dry_run=dry_run, anyway=anyway):
                steps = await orders.planned(orders.snapshot(name))
                return _told(await orders.do(steps, by=f"recall {name}", dry_run=dry_run, anyway=anyway))
            case _Undo(dry_run=dry_run):
                entry = await orders.last()
                if entry is None:
                    return Outcome("refused", _("There is nothing to undo."))
                return _told(await orders.undo(entry, await orders.plan_back(entry), dry_run=dry_run))
        return Outcome("refused")


def _told(done: Sequence[Done]) -> Outcome:
    outcome = worst(done)
    if outcome.kind != "simulated":
        return outcome
    same = sum(one.already for one in done)
    changes = sum(one.outcome.kind == "simulated" for one in done)
    return Outcome("simulated", _("{changes} would change, {same} are so already.").format(changes=changes, same=same))
