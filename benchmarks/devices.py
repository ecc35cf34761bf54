#!/usr/bin/env python3
"""What the devices must show, measured: `benchmarks/devices.py RUN [--json FILE]`.

load    ten devices, 1000 changes of values a second: the processor time of the drivers; the twins are another process
fuzz    a million random and torn packets into each codec, and junk between each twin and its driver
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
import random
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, Metered, Obs, OscDesk, PropertyChanged, ViscaCamera
from studio.rehearsal import CameraTwin, DeskTwin, Gate, ObsTwin
from studio.wire import midi, osc, timecode, visca

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.devices import Device, OscModel, ViscaModel

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
PASSWORD = "pod lipami"  # noqa: S105 - of a twin


@dataclass
class Row:
    """One thing that was asked."""

    what: str
    asked: str
    measured: str
    met: bool | None
    """`None`: nothing was asked, it is only told."""


def models() -> tuple[OscModel, ViscaModel]:
    """A desk and a camera of the drawer."""
    catalogue = Catalogue()
    desk = catalogue.load("hardware", "behringer-x32", Hardware).osc
    camera = catalogue.load("hardware", "sony-brc-x400", Hardware).visca
    if desk is None or camera is None:
        raise TypeError("a file of hardware/ is of another kind than it was")
    return desk, camera


async def until(so: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until `so()`; TimeoutError that says `what`."""
    try:
        async with asyncio.timeout(seconds):
            while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise TimeoutError(f"never: {what}") from None


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


# ── fuzz ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _torn(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Random bytes, or a right packet with some bits turned, cut off or doubled."""
    if chance.random() < 0.4:  # noqa: PLR2004 - the rest comes nearer to what a codec believes
        return chance.randbytes(chance.randrange(0, 64))
    data = bytearray(chance.choice(seeds))
    for _flip in range(chance.randrange(1, 4)):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    cut = chance.randrange(len(data) + 1)
    return bytes(data[:cut] if chance.random() < 0.3 else data + data[cut:] if chance.random() < 0.2 else data)  # noqa: PLR2004 - as above


def _codecs() -> dict[str, tuple[Callable[[bytes], object], list[bytes]]]:
    reader, clock = midi.Reader(), timecode.TimecodeReader()

    def hear(data: bytes) -> None:
        for message in reader.feed(data):
            clock.take(message)
            midi.decode(midi.encode(message))

    def see(data: bytes) -> None:
        packets, _rest = visca.split(data)
        for packet in (*packets, data):
            visca.order(packet)
            visca.reply(packet)
        visca.read_frame(data)

    messages = [
        osc.Message("/ch/01/mix/fader", (0.75,)),
        osc.Message("/ch/01/config/name", ("Ona",)),
        osc.Message("/meters/1", (b"\0\1\2\3" * 30,)),
        osc.Message("/xinfo"),
    ]
    notes = [
        *(midi.Message("note_on", 1, 60, 127), midi.Message("control_change", 2, 7, 100)),
        midi.Message("sysex", data=b"\x7e\x00\x06\x01"),
    ]
    words = [bytes.fromhex("81 01 04 07 02 FF"), bytes.fromhex("90 50 01 02 03 04 FF"), bytes.fromhex("90 41 FF")]
    words += [bytes.fromhex("01 00 00 06 00 00 00 01 81 01 04 07 02 FF"), bytes.fromhex("90 60 03 FF")]
    return {
        "osc": (osc.decode, [osc.encode(each) for each in messages]),
        "midi (with timecode)": (hear, [midi.encode(each) for each in notes]),
        "visca (with Sony's frame)": (see, words),
    }


def codecs(count: int, seed: int) -> list[Row]:
    """`count` packets into each; what raises is counted, and shown once."""
    rows = []
    for name, (take, seeds) in _codecs().items():
        chance = random.Random(seed)  # noqa: S311 - the same junk each time
        raised, first, size, began = 0, "", 0, time.monotonic()
        for _packet in range(count):
            data = _torn(chance, seeds)
            size += len(data)
            try:
                take(data)
            except Exception as problem:  # noqa: BLE001 - that none comes is what is measured
                raised += 1
                first = first or f", such as {problem!r} for {data.hex()}"
        rows.append(
            Row(
                f"{count:,} random and torn packets into {name}".replace(",", " "),
                "none raises",
                f"{raised} raised{first}; {size / 1e6:.0f} MB in {time.monotonic() - began:.0f} s",
                raised == 0,
            )
        )
    return rows


def _junk_event(chance: random.Random) -> str:
    """What no OBS would say: events with nonsense in them, answers nobody asked for, other JSON, and none."""
    names = ["CurrentProgramSceneChanged", "InputVolumeChanged", "SceneItemListReindexed", "InputVolumeMeters"]
    names += ["StreamStateChanged", "InputMuteStateChanged", "SceneListChanged", "RecordStateChanged", "Nonsense"]
    nothing: list[Any] = [None, 7, "x", [], {}, [[[]]], {"sceneName": 7}, {"inputs": [{}]}, {"sceneItems": [None]}]
    nothing += [{"inputName": "Mic", "inputVolumeDb": "loud"}, {"inputName": ["Mic"]}, {"scenes": [{}]}]
    event = {"eventType": chance.choice(names), "eventIntent": 1, "eventData": chance.choice(nothing)}
    return json.dumps({"op": 5, "d": event})


async def live(count: int, seed: int) -> list[Row]:
    """Junk between each twin and its driver: values, link and epoch stay."""
    chance = random.Random(seed)  # noqa: S311 - the same junk each time
    rows = []
    x32, camera = models()
    bus = Bus()
    async with DeskTwin(x32) as desk, Gate("udp", desk.port) as gate:
        rows.append(await _thrown("x32", OscDesk("x32", x32, bus, "127.0.0.1", gate.port), count, _at(gate, chance)))
    async with CameraTwin(camera) as twin, Gate("udp", twin.port) as gate:
        device = ViscaCamera("camera", camera, bus, "127.0.0.1", gate.port)
        rows.append(await _thrown("camera", device, count, _at(gate, chance)))
    async with ObsTwin(PASSWORD) as obs:
        device_ = Obs("127.0.0.1", obs.port, PASSWORD, bus)
        rows.append(await _thrown("OBS", device_, count // 10, lambda: obs.junk(_junk_event(chance))))
    return rows


def _at(gate: Gate, chance: random.Random) -> Callable[[], None]:
    return lambda: gate.junk(chance.randbytes(chance.randrange(1, 64)))


async def _thrown(name: str, device: Device, count: int, throw: Callable[[], None]) -> Row:
    running = asyncio.create_task(device.run())
    try:
        await until(lambda: device.link.up, f"{name} is online")
        await asyncio.sleep(0.3)
        kinds = {each: control.kind for each, control in device.controls().items()}
        known = {each: device.get(each) for each, kind in kinds.items() if kind != "meter"}
        before = {each: now.value for each, now in known.items() if now.source == "reported"}
        epoch = device.link.epoch
        for number in range(count):
            throw()
            if number % 50 == 0:
                await asyncio.sleep(0.002)
        await asyncio.sleep(0.3)
        await until(lambda: device.link.up, f"{name} is up after junk")
        changed = [each for each, value in before.items() if device.get(each).value != value]
        epochs = device.link.epoch - epoch
        broken = running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return Row(
        f"{count} pieces of junk between {name} and its driver",
        "nothing changes, the link survives",
        f"{len(changed)} values changed{' ' + str(changed[:3]) if changed else ''}, {epochs} new connections",
        not changed and not epochs and not broken,
    )


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
