#!/usr/bin/env python3
"""The X32 profile against a desk, or an emulator that nobody here wrote: `benchmarks/devices_x32.py HOST [PORT]`.

Asks for everything that `hardware/behringer-x32.yaml` names, sets some of it and puts it back, and looks from a second
client at what the first did. It moves faders, mutes and names of channel 32, bus 16 and matrix 6: nothing of it may be
on the air. `--hardware NAME` for another desk's file, `--no-sets` to only look.

The emulator is X32.c of https://github.com/pmaillot/X32-Behringer: `make` in `X32lib`, `make X32`, then
`build/X32 -i 127.0.0.1 -v 0`. Prints what was asked, what was seen, and whether it is met; ends with 1 where it is not.
docs/evidence/devices.md holds the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import itertools
import json
import re
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, Metered, OscDesk, OscModel
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from studio.devices import Value

PATIENCE = 15.0
"""Seconds before a step counts as not met."""
RESYNC = 2.0
"""Seconds in which the first set has to be known again."""
POSITIONS = 90
"""Of a fader, that /node has to tell of 93 that were asked."""
ROUNDED = 0.051
"""Decibels: it tells them with one digit after the point."""
SETS: tuple[tuple[str, Value], ...] = (
    ("ch32.fader", -12.3),
    ("ch32.mute", True),
    ("ch32.name", "Ona"),
    ("ch32.pan", -50.0),
    ("ch32.send16.level", -33.0),
    ("ch32.send16.mute", True),
    ("ch32.colour", "cyan"),
    ("ch32.gate", True),
    ("ch32.comp", True),
    ("ch32.eq", True),
    ("ch32.lowcut.frequency", 100.0),
    ("bus16.fader", 3.0),
    ("bus16.matrix6.level", -20.0),
    ("mtx6.fader", -90.0),
    ("dca8.fader", 10.0),
    ("mutegroup6", True),
    ("headamp128.gain", 24.5),
)


class Findings:
    """What was asked, seen, and whether it is met."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, bool | None]] = []

    def saw(self, what: str, seen: object, *, met: bool | None = None) -> None:
        """Keep a finding; `met` None: only told."""
        self.rows.append((what, str(seen), met))
        Console().print(f"{'·' if met is None else '✓' if met else '✗'} {what}: {seen}", markup=False, highlight=False)

    def show(self) -> None:
        """Print the table for docs/evidence/devices.md."""
        table = Table("what", "seen", "met", title="X32 profile")
        for what, seen, met in self.rows:
            table.add_row(what, seen, {True: "yes", False: "NO", None: ""}[met])
        Console(width=160).print(table)


@contextlib.asynccontextmanager
async def driver(model: OscModel, host: str, port: int, bus: Bus) -> AsyncIterator[OscDesk]:
    """A driver of ours, running."""
    desk = OscDesk("desk", model, bus, host, port)
    task = asyncio.create_task(desk.run())
    try:
        await until(lambda: desk.link.state in ("online", "degraded", "refused"))
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(so: Callable[[], object]) -> bool:
    """Wait until `so()` holds; False after a while."""
    ends = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(0.005)
    return True


async def measure(host: str, port: int, hardware: str, *, sets: bool) -> Findings:
    """All of it."""
    model = Catalogue().load("hardware", hardware, Hardware).osc
    if model is None:
        sys.exit(f"{hardware} does not speak OSC")
    found = Findings()
    bus = Bus()
    began = time.monotonic()
    async with driver(model, host, port, bus) as desk:
        found.saw("link", f"{desk.link.state} {desk.link.detail}", met=desk.link.state == "online")
        first = [name for name, each in model.expanded().items() if not each.lazy]
        found.saw(f"seconds until {len(first)} first controls are known", f"{time.monotonic() - began:.2f}", met=None)
        await everything(desk, model, found)
        if sets:
            await setting(desk, found)
            await two_clients(desk, model, host, port, found)
            await scene(desk, found)
        await meters(bus, found)
    node(model, host, port, found)
    await again(model, host, port, found)
    return found


async def everything(desk: OscDesk, model: OscModel, found: Findings) -> None:
    """Every lazy control, asked at once."""
    lazy = [name for name, each in model.expanded().items() if each.lazy]
    began = time.monotonic()
    await desk.ask(lazy)
    missing = [name for name in lazy if desk.get(name).source != "reported"]
    kinds = Counter(re.sub(r"\d+", "{n}", name) for name in missing)
    found.saw(f"{len(lazy)} lazy controls answered", f"{len(lazy) - len(missing)}, not: {dict(kinds)}", met=not missing)
    found.saw("seconds for them", f"{time.monotonic() - began:.2f}")


async def setting(desk: OscDesk, found: Findings) -> None:
    """Set, read back, put back."""
    took: list[float] = []
    for name, value in SETS:
        await desk.ask([name])
        before = desk.get(name).value
        for wanted in (value, before):
            if wanted is None:
                continue
            began = time.monotonic()
            outcome = await desk.set(name, wanted)
            took.append(time.monotonic() - began)
            now = desk.get(name).value
            if outcome.kind != "confirmed" or not desk.controls()[name].same(now, wanted):
                found.saw(f"set {name} to {wanted!r}", f"{outcome.kind} {outcome.reason} now {now!r}", met=False)
    found.saw(
        f"{len(took)} sets confirmed by the desk, each kind of control",
        f"median {sorted(took)[len(took) // 2] * 1000:.0f} ms, slowest {max(took) * 1000:.0f} ms",
        met=not [row for row in found.rows if row[2] is False and row[0].startswith("set ")],
    )
    many = await asyncio.gather(*(desk.set("ch32.fader", -60.0 + step) for step in range(60)))
    kinds = Counter(each.kind for each in many)
    found.saw("60 sets of one fader at once", dict(kinds), met=kinds["confirmed"] >= 1 and many[-1].kind == "confirmed")


async def two_clients(desk: OscDesk, model: OscModel, host: str, port: int, found: Findings) -> None:
    """What one does, the other is told by the desk itself."""
    async with driver(model, host, port, Bus()) as other:
        late: list[float] = []
        for step in range(20):
            began = time.monotonic()
            await desk.set("ch32.fader", -40.0 + step)
            seen = await until(functools.partial(shows, other, "ch32.fader", -40.0 + step))
            late.append(time.monotonic() - began if seen else PATIENCE)
        met = max(late) < PATIENCE
        found.saw("20 moves seen by a second client", f"slowest {max(late) * 1000:.0f} ms", met=met)
        await desk.set("ch32.mute", value=False)
        await other.set("ch32.mute", value=True)
        back = await until(lambda: desk.get("ch32.mute").value is True)
        found.saw(
            "the second client's mute seen by the first, as a hand on the desk",
            desk.get("ch32.mute").origin,
            met=back and desk.get("ch32.mute").origin == "device",
        )
        both = await asyncio.gather(desk.set("ch32.mute", value=False), other.set("ch32.fader", -90.0))
        found.saw("both at once", [each.kind for each in both], met=all(each.kind == "confirmed" for each in both))


def shows(desk: OscDesk, control: str, value: Value) -> bool:
    """Whether it knows `control` at `value`."""
    return desk.controls()[control].same(desk.get(control).value, value)


async def scene(desk: OscDesk, found: Findings) -> None:
    """A recall is only confirmed by the number that the desk shows."""
    outcome = await desk.call("scene.recall", {"number": 99.0})
    found.saw(
        "recall of scene 99 (an emulator has none to recall)",
        f"{outcome.kind} {outcome.reason}",
        met=outcome.kind in ("confirmed", "unconfirmed"),
    )


async def meters(bus: Bus, found: Findings) -> None:
    """Meters for twelve seconds: longer than one subscription lasts."""
    names: set[str] = set()
    times: list[float] = []
    ends = time.monotonic() + 12
    async with bus.listen(Metered) as metered:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(12.5):
                async for each in metered:
                    names |= set(each.values)
                    times.append(time.monotonic())
                    if times[-1] > ends:
                        break
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    found.saw(
        "meters in 12 s",
        f"{len(names)} of them, {len(times)} reports, longest gap {max(gaps, default=99):.2f} s",
        met=max(gaps, default=99) < 1,
    )


def node(model: OscModel, host: str, port: int, found: Findings) -> None:
    """The desk's own text of a level (`/node`) against our law, at many positions."""
    law = model.law
    if law is None:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wires:
        wires.settimeout(1)
        wires.connect((host, port))
        worst, asked = 0.0, 0
        with contextlib.suppress(TimeoutError):
            for step in range(1, 1024, 11):
                position = step / 1023
                wires.send(wire.encode(wire.Message("/ch/32/mix/fader", (position,))))
                wires.send(wire.encode(wire.Message("/node", ("ch/32/mix",))))
                told = [message for message in wire.decode(wires.recv(4096)) if message.address == "/node"]
                if told and (level := re.match(r"/ch/32/mix (?:ON|OFF)\s+(\S+)", str(told[0].arguments[0]))):
                    shown = -90.0 if level[1] == "-oo" else float(level[1])
                    worst = max(worst, abs(shown - law.value(position)))
                    asked += 1
        wires.send(wire.encode(wire.Message("/ch/32/mix/fader", (0.0,))))
    found.saw(
        "/node's decibels against our law",
        f"{asked} positions, worst {worst:.3f} dB",
        met=asked > POSITIONS and worst <= ROUNDED,
    )


async def again(model: OscModel, host: str, port: int, found: Findings) -> None:
    """How soon all is known after a connection was lost: five times."""
    took = []
    for _time in range(5):
        began = time.monotonic()
        async with driver(model, host, port, Bus()) as desk:
            took.append(time.monotonic() - began if desk.link.state == "online" else PATIENCE)
    found.saw("resync of the first set, five times", f"slowest {max(took):.2f} s", met=max(took) < RESYNC)


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int, nargs="?", default=10023)
    parser.add_argument("--hardware", default="behringer-x32")
    parser.add_argument("--no-sets", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found = asyncio.run(measure(chosen.host, chosen.port, chosen.hardware, sets=not chosen.no_sets))
    found.show()
    if chosen.json:
        chosen.json.write_text(
            json.dumps([dict(zip(("what", "seen", "met"), row, strict=True)) for row in found.rows], indent=1)
        )
    if any(met is False for _what, _seen, met in found.rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
