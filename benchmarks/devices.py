#!/usr/bin/env python3
"""What the devices must show, measured: `benchmarks/devices.py RUN [--json FILE]`.

load    ten devices, 1000 changes of values a second: the processor time of the drivers; the twins are another process
fuzz    a million random and torn packets into each codec and into what hears OBS; junk between each twin and its driver
stall   200 commands at an OBS whose socket stands still: none may count as done, and no later answer may be a wrong one
all     the three

Each prints what was asked, what was measured, and whether it is met, and ends with 1 where something asked is not met.
docs/evidence/devices.md holds the figures of a release.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.devices_fuzz import codecs, intake, live
from benchmarks.devices_stage import PASSWORD, Row, models, until
from rich.console import Console
from rich.table import Table

from studio.bus import Bus
from studio.devices import Metered, Obs, OscDesk, PropertyChanged, ViscaCamera
from studio.rehearsal import CameraTwin, DeskTwin, Gate, ObsTwin

if TYPE_CHECKING:
    from studio.devices import Device

DESKS, CAMERAS = 6, 3
CHANGES = 1000
"""A second, of all devices together."""
TURNS = 3
LAPSE = 10.5
"""Seconds after which a desk tells its meters no more to who does not ask again."""
CORE = 0.15
"""Of one core: what the drivers may take for it."""
COMMANDS = 200
MANY = 1_000_000
LIVE = 20_000
"""Pieces of junk between a twin and its driver."""


# ── load ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def twins() -> None:
    """Stand for ten devices until standard input ends; say the ports, then change values all the time."""
    async with AsyncExitStack() as stack:
        x32, camera = models()
        desks = [await stack.enter_async_context(DeskTwin(x32)) for _desk in range(DESKS)]
        cameras = [await stack.enter_async_context(CameraTwin(camera)) for _camera in range(CAMERAS)]
        obs = await stack.enter_async_context(ObsTwin(PASSWORD))
        ports = {"desks": [each.port for each in desks], "cameras": [each.port for each in cameras], "obs": obs.port}
        print(json.dumps(ports), flush=True)
        loop = asyncio.get_running_loop()
        ended = loop.run_in_executor(None, sys.stdin.read)
        began, done = loop.time(), 0
        while not ended.done():
            await asyncio.sleep(0.02)
            due = int((loop.time() - began) * CHANGES)
            for number in range(done, due):
                which, round_ = number % (DESKS + 1), number // (DESKS + 1)
                if which == DESKS:
                    obs.hand("input.Mic.volume", float(-(round_ % 60)))
                else:
                    channel = round_ % 32 + 1
                    desks[which].hand(f"ch{channel}.fader", -40.0 + (round_ // 32 % 8) * 5)
            done = due


async def load(seconds: float) -> list[Row]:
    """Ten drivers here, their twins in another process."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "twins", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if child.stdin is None or child.stdout is None:
        raise TypeError("pipes were asked for")
    try:
        ports = json.loads(await child.stdout.readline())
        bus = Bus()
        x32, camera = models()
        devices: list[Device] = [
            OscDesk(f"desk{number}", x32, bus, "127.0.0.1", port) for number, port in enumerate(ports["desks"], 1)
        ]
        devices += [
            ViscaCamera(f"camera{number}", camera, bus, "127.0.0.1", port)
            for number, port in enumerate(ports["cameras"], 1)
        ]
        devices.append(Obs("127.0.0.1", ports["obs"], PASSWORD, bus))
        running = [asyncio.create_task(device.run()) for device in devices]
        try:
            return await _measured(devices, bus, seconds)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    finally:
        child.stdin.close()
        await child.wait()


async def _measured(devices: list[Device], bus: Bus, seconds: float) -> list[Row]:
    await until(lambda: all(device.link.up for device in devices), "all ten are online")
    await asyncio.sleep(2.0)
    without: list[tuple[float, float]] = []
    with_: list[tuple[float, float]] = []
    metered = 0.0
    for _turn in range(TURNS):  # in turn, so that what else runs on the machine weighs on both alike
        without.append(await _used(bus, seconds / TURNS))
        async with bus.listen(Metered, 100_000) as meters:
            await asyncio.sleep(1.0)  # until they come
            before = len(meters._waiting)  # noqa: SLF001 - how many came, not what
            with_.append(await _used(bus, seconds / TURNS))
            metered += (len(meters._waiting) - before) / seconds  # noqa: SLF001 - as above
        await asyncio.sleep(LAPSE)
    share, rate = (sum(column) / TURNS for column in zip(*without, strict=True))
    metering = sum(share for share, _rate in with_) / TURNS
    still = [device.name for device in devices if not device.link.up]
    return [
        Row(
            f"ten devices ({DESKS} X32, {CAMERAS} cameras, OBS), {CHANGES} changes a second: their drivers' process",
            f"≤ {CORE:.0%} of a core",
            f"{share:.1%}, {rate:.0f} changes a second, for {seconds:.0f} s",
            share <= CORE and rate >= CHANGES * 0.95,
        ),
        Row(
            "… while somebody listens to all meters",
            "told only",
            f"{metering:.1%}, {metered:.0f} packets of meters a second; {share / metering:.2f} of it without",
            None,
        ),
        Row("… that stayed online", "all", f"{len(devices) - len(still)} of {len(devices)}", not still),
    ]


async def _used(bus: Bus, seconds: float) -> tuple[float, float]:
    """The share of a core that this process takes, and how many changes a second come."""
    async with bus.listen(PropertyChanged, 100_000) as changes:
        used, began = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        used, took = time.process_time() - used, time.monotonic() - began
        return used / took, (len(changes._waiting) + changes.missed) / took  # noqa: SLF001 - how many came, not what


# ── stall ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def stall() -> list[Row]:
    """Commands while OBS's socket stands still, and after."""
    bus = Bus()
    async with ObsTwin(PASSWORD) as obs, Gate("tcp", obs.port) as gate:
        device = Obs("127.0.0.1", gate.port, PASSWORD, bus)
        running = asyncio.create_task(device.run())
        try:
            await until(lambda: device.link.up, "OBS is online")
            epoch = device.link.epoch
            gate.deaf()
            switches = [
                name for name, each in device.controls().items() if each.kind == "switch" and "visible" not in name
            ]
            work = [
                device.set(switches[number % len(switches)], number % (2 * len(switches)) < len(switches))
                for number in range(COMMANDS // 2)
            ]
            work += [device.set("input.Mic.volume", -float(number % 60)) for number in range(COMMANDS // 4)]
            work += [device.set("scene", ("Talk", "Holding")[number % 2]) for number in range(COMMANDS // 4)]
            outcomes = await asyncio.gather(*work)
            done = sum(outcome.kind == "confirmed" for outcome in outcomes)
            kinds = {kind: sum(each.kind == kind for each in outcomes) for kind in sorted({o.kind for o in outcomes})}
            silent = sum(not outcome.reason for outcome in outcomes)
            gate.well()
            await until(lambda: device.link.up and device.link.epoch > epoch, "OBS is back")
            wrong = 0
            for number in range(50):
                level, scene = float(-number), ("Holding", "Talk")[number % 2]
                for control, value in (("input.Mic.volume", level), ("scene", scene)):
                    outcome = await device.set(control, value)
                    has, known = obs.value(control), device.get(control).value
                    wrong += outcome.kind != "confirmed" or has != value or known != value
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return [
        Row(
            f"{COMMANDS} commands at an OBS whose socket stands still: counted as done",
            "none",
            f"{done}: {told}",
            not done,
        ),
        Row("… without a reason", "none", str(silent), not silent),
        Row("… 100 commands after it moves again, with the late answers: wrong ones", "none", str(wrong), not wrong),
    ]


# ── all ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", choices=("load", "fuzz", "stall", "all", "twins"))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load (%(default)s)")
    parser.add_argument("--count", type=int, default=MANY, help="packets into each codec (%(default)s)")
    parser.add_argument("--seed", type=int, default=5)
    said = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    if said.run == "twins":
        asyncio.run(twins())
        return 0
    rows: list[Row] = []
    if said.run in ("load", "all"):
        rows += asyncio.run(load(said.seconds))
    if said.run in ("fuzz", "all"):
        rows += codecs(said.count, said.seed)
        rows += asyncio.run(intake(said.count, said.seed))
        rows += asyncio.run(live(LIVE, said.seed))
    if said.run in ("stall", "all"):
        rows += asyncio.run(stall())
    table = Table("what", "asked", "measured", "met")
    for row in rows:
        table.add_row(row.what, row.asked, row.measured, "" if row.met is None else "yes" if row.met else "MISSED")
    Console(width=160).print(table)
    if said.json:
        said.json.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n", "utf-8")
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
