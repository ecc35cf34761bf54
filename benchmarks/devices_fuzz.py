"""Junk: a million packets into each codec and into what hears OBS, and between each twin and its driver."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import TYPE_CHECKING, Any

from benchmarks.devices_stage import PASSWORD, Row, models, until

from studio.bus import Bus
from studio.devices import Obs, OscDesk, ViscaCamera
from studio.devices._obs import session
from studio.rehearsal import CameraTwin, DeskTwin, Gate, ObsTwin
from studio.wire import midi, osc, timecode, visca

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.devices import Device


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


async def intake(count: int, seed: int) -> list[Row]:
    """`count` texts into what hears OBS, without a socket between: right events that are torn, and nonsense.

    A driver that knows a twin takes them in, so that their fields meet what they are of. What comes over a socket
    (`live`) is held back by the connection: OBS's mailbox holds a thousand, and a link that missed an event is lost.
    """
    chance = random.Random(seed)  # noqa: S311 - the same junk each time
    seeds = [
        json.dumps({"op": 5, "d": {"eventType": name, "eventIntent": 1, "eventData": data}}) for name, data in _EVENTS
    ]
    raised, first, size = 0, "", 0
    patience, session.PATIENCE = session.PATIENCE, 600.0  # it is hearing that is tried, not how quick this machine is
    async with ObsTwin(PASSWORD) as twin:
        device = Obs("127.0.0.1", twin.port, PASSWORD, Bus())
        running = asyncio.create_task(device.run())
        try:
            await until(lambda: device.link.up, "OBS is online")
            epoch, began = device.link.epoch, time.monotonic()
            for number in range(count):
                text = _junk_event(chance) if number % 4 == 0 else _torn_text(chance, seeds)
                size += len(text)
                try:
                    await device.take_in(*session.read_event(text))
                except Exception as problem:  # noqa: BLE001 - that none comes is what is measured
                    raised += 1
                    first = first or f", such as {problem!r} for {text!r}"
                if number % 200 == 0:
                    await asyncio.sleep(0.001)  # probes have their turn
            took = time.monotonic() - began
            await until(lambda: device.link.up, "OBS is up after junk")
            epochs, broken = device.link.epoch - epoch, running.done()
        finally:
            session.PATIENCE = patience
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return [
        Row(
            f"{count:,} torn and nonsensical events into what hears OBS".replace(",", " "),
            "none raises, the link survives",
            f"{raised} raised{first}, {epochs} new connections; {size / 1e6:.0f} MB in {took:.0f} s",
            not raised and not epochs and not broken,
        )
    ]


def _torn_text(chance: random.Random, seeds: list[str]) -> str | bytes:
    """A right event with letters changed, cut off or doubled; as text, or as bytes that may be no UTF-8."""
    torn = _torn(chance, [each.encode() for each in (chance.choice(seeds),)])
    return torn if chance.random() < 0.1 else torn.decode("utf-8", "replace")  # noqa: PLR2004 - now and then


_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("CurrentProgramSceneChanged", {"sceneName": "Holding"}),
    ("SceneListChanged", {"scenes": [{"sceneName": "Talk", "sceneIndex": 0}]}),
    ("InputVolumeChanged", {"inputName": "Mic", "inputVolumeDb": -12.5, "inputVolumeMul": 0.2}),
    ("InputMuteStateChanged", {"inputName": "Mic", "inputMuted": True}),
    ("StreamStateChanged", {"outputActive": True, "outputState": "OBS_WEBSOCKET_OUTPUT_STARTED"}),
    ("RecordStateChanged", {"outputActive": False, "outputState": "OBS_WEBSOCKET_OUTPUT_STOPPED", "outputPath": "/a"}),
    ("SceneItemEnableStateChanged", {"sceneName": "Talk", "sceneItemId": 2, "sceneItemEnabled": False}),
    ("SceneItemListReindexed", {"sceneName": "Talk", "sceneItems": [{"sceneItemId": 2, "sceneItemIndex": 0}]}),
    ("SceneItemTransformChanged", {"sceneName": "Talk", "sceneItemId": 2, "sceneItemTransform": {"positionX": 4.0}}),
    ("SourceFilterEnableStateChanged", {"sourceName": "Mic", "filterName": "Gate", "filterEnabled": True}),
    ("SceneTransitionStarted", {"transitionName": "Fade"}),
    ("MediaInputPlaybackStarted", {"inputName": "Film"}),
    ("InputVolumeMeters", {"inputs": [{"inputName": "Mic", "inputLevelsMul": [[0.1, 0.2, 0.3]]}]}),
]
"""One of each form that OBS's events have."""


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
