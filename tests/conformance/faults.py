"""The thirteen faults, each a scene played on a rig of any kind."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING

from tests.conformance.kit import owed, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conformance.kit import Rig, Stage

    from studio.devices import Value

JUNK = 60
"""Pieces of it."""


async def late(rig: Rig, on: Stage) -> None:
    """All comes 50 to 100 ms later: nothing changes but the time it takes."""
    epoch = on.device.link.epoch
    on.gate.late(0.05, jitter=0.05)
    on.overtaken = rig.datagrams
    for value in (rig.values[1], rig.values[2]):
        await on.set(rig.control, value)
    on.gate.well()
    await _all_arrived(on)
    await on.sure(rig.control, rig.values[3])
    await on.all_true()
    if on.device.link.epoch == epoch:
        on.logged(losses=0)


async def deaf(rig: Rig, on: Stage) -> None:
    """It hears and says nothing, and meanwhile somebody moves it."""
    await _gone(rig, on, on.gate.deaf)


async def half_open(rig: Rig, on: Stage) -> None:
    """Who calls is let in and never answered."""
    await _gone(rig, on, on.gate.half_open)


async def _gone(rig: Rig, on: Stage, fault: Callable[[], None]) -> None:
    epoch = on.device.link.epoch
    fault()
    outcome = await on.set(rig.control, rig.values[1])
    owed(outcome.kind in ("unconfirmed", "refused"), f"{outcome.kind}, and nobody answered")
    await on.lost()
    outcome = await on.set(rig.control, rig.values[2])
    owed(outcome.kind == "refused", f"{outcome.kind} on a dead link")
    on.twin.hand(rig.other, rig.other_values[1])
    on.gate.well()
    await on.back(epoch)
    await on.all_true()
    on.logged(losses=1)
    await on.sure(rig.control, rig.values[3])


async def rebooted(rig: Rig, on: Stage) -> None:
    """Off and on again, with other values than it had."""
    epoch = on.device.link.epoch
    await on.sure(rig.control, rig.values[1])
    await rig.rebooted(on, {rig.control: rig.values[2], rig.other: rig.other_values[1]})
    await on.back(epoch)
    await on.all_true()
    on.logged(losses=1)
    await on.sure(rig.control, rig.values[3])


async def slow(rig: Rig, on: Stage) -> None:
    """It does at once what it is told, and says so later: nothing is confirmed before it said so."""
    on.twin.slow(0.2)
    for value in (rig.values[1], rig.values[2]):
        await on.set(rig.control, value)
    on.twin.slow(0.0)
    await on.sure(rig.control, rig.values[3])
    await on.all_true()
    on.logged(losses=0)


async def nak(rig: Rig, on: Stage) -> None:
    """It refuses one control: that is said, what it has is still known, and all else is done."""
    on.twin.refuse(rig.control)
    outcome = await on.set(rig.control, rig.values[1])
    owed(outcome.kind in ("refused", "unconfirmed"), f"{outcome.kind}, and it refused")
    owed(not rig.same(on.device, rig.control, on.device.get(rig.control).value, rig.values[1]), "taken for done")
    await on.sure(rig.other, rig.other_values[1])
    on.twin.refuse()
    await on.sure(rig.control, rig.values[2])
    await on.all_true()
    on.logged(losses=0)


async def buffer_full(rig: Rig, on: Stage) -> None:
    """It takes no more orders for a moment, while many come."""
    on.twin.full(0.3)
    await asyncio.gather(*(on.set(rig.control, value) for value in (*rig.values, *rig.values)))
    await on.sure(rig.control, rig.values[3])
    await on.all_true()
    on.logged(losses=0)


async def junk(rig: Rig, on: Stage) -> None:
    """Random bytes among what it says change nothing, and the link survives or comes back."""
    chance = random.Random(rig.name)  # noqa: S311 - the same junk each time
    await on.all_true()
    before, epoch = len(on.changes), on.device.link.epoch
    for _piece in range(JUNK):
        on.gate.junk(chance.randbytes(chance.randrange(1, 80)))
        await asyncio.sleep(0.001)
    await on.all_true()
    news = {change.control for change in on.changes[before:] if not on.has(change.control, change.property.value)}
    if on.device.link.epoch == epoch:  # else all was told anew
        owed(not news, f"junk changed {news}")
    await on.sure(rig.control, rig.values[1])
    await on.all_true()


async def loss(rig: Rig, on: Stage) -> None:
    """Every fourth datagram is lost; over TCP, where none can be, all comes in single bytes."""
    if rig.datagrams:
        on.gate.lose([False, False, True, False])
    else:
        on.gate.fragment(1)
    await _busy(rig, on)


async def duplicate(rig: Rig, on: Stage) -> None:
    """Every second datagram comes twice; over TCP, in pieces of three bytes."""
    if rig.datagrams:
        on.gate.duplicate([True, False])
    else:
        on.gate.fragment(3)
    await _busy(rig, on)


async def reorder(rig: Rig, on: Stage) -> None:
    """Every second datagram is overtaken; over TCP, in pieces of seven bytes and late."""
    if rig.datagrams:
        on.overtaken = True
        on.gate.reorder([True, False])
    else:
        on.gate.fragment(7)
        on.gate.late(0.01, jitter=0.03)
    await _busy(rig, on)


async def _all_arrived(on: Stage) -> None:
    """Wait until no datagram of before is on its way any more."""
    await asyncio.sleep(0.15)
    on.overtaken = False


async def _busy(rig: Rig, on: Stage) -> None:
    for value in rig.values[1:]:
        await on.set(rig.control, value)
    await asyncio.gather(*(on.set(rig.control, value) for value in rig.values))
    on.gate.well()
    await _all_arrived(on)
    await on.all_true()
    await on.sure(rig.other, rig.other_values[1])
    await on.sure(rig.control, rig.values[1])
    await on.all_true()


async def hand(rig: Rig, on: Stage) -> None:
    """Somebody at the device itself moves something: it is seen, and it was not us."""
    for control, value in ((rig.control, rig.values[1]), (rig.other, rig.other_values[1])):
        on.twin.hand(control, value)
        seen = partial(_stands_at, rig, on, control, value)
        await until(seen, f"a hand on {control} is seen")
        owed(on.device.get(control).origin == "device", f"{control} counts as moved by us")
    await on.all_true()
    await on.sure(rig.control, rig.values[2])
    owed(on.device.get(rig.control).origin == "us", f"{rig.control} does not count as moved by us")
    on.logged(losses=0)


def _stands_at(rig: Rig, on: Stage, control: str, value: Value) -> bool:
    return rig.same(on.device, control, on.device.get(control).value, value)


async def unplugged(rig: Rig, on: Stage) -> None:
    """The cable is pulled, and put back."""
    epoch = on.device.link.epoch
    await on.sure(rig.control, rig.values[1])
    await on.gate.unplug()
    await on.lost()
    outcome = await on.set(rig.control, rig.values[2])
    owed(outcome.kind == "refused", f"{outcome.kind} without a cable")
    await on.gate.plug()
    await on.back(epoch)
    on.logged(losses=1)
    await on.sure(rig.control, rig.values[3])


FAULTS: dict[str, Callable[[Rig, Stage], Awaitable[None]]] = {
    "late": late,
    "deaf": deaf,
    "half-open": half_open,
    "rebooted with other state": rebooted,
    "slow acknowledgement": slow,
    "NAK": nak,
    "buffer full": buffer_full,
    "junk bytes": junk,
    "UDP loss": loss,
    "duplicate": duplicate,
    "reorder": reorder,
    "hand on the front panel": hand,
    "unplugged and back": unplugged,
}
