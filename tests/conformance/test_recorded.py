"""What was recorded at a device is a test: the driver, told the same again, knows the same at the end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.devices.hall import until

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, open_devices
from studio.errors import DeviceError, DrawerError
from studio.rehearsal import DeskTwin, StandIn, read_recording, recorded
from studio.venue import DeviceSettings

RECORDINGS = sorted((Path(__file__).parent / "recorded").glob("*.jsonl"))


async def replayed(file: Path) -> None:
    """Play the recording to its driver, which must come to know what it knew."""
    recording = read_recording(file)
    async with StandIn(recording) as stand_in:
        settings = DeviceSettings("again", recording.hardware, port=stand_in.port)
        (device,) = open_devices([settings], Catalogue(), Bus())
        running = asyncio.create_task(device.run())
        try:
            await until(lambda: device.link.up, f"{file.name} is online")
            controls = device.controls()

            def wrong() -> list[str]:
                found = []
                for name, value in recording.values.items():
                    known = device.get(name)
                    if known.source != "reported" or not controls[name].same(known.value, value):
                        found.append(f"{name}: {known.value!r} ({known.source}), not {value!r}")
                return found

            try:
                await until(lambda: not wrong(), "the same values")
            except BaseException:
                print(wrong()[:5])  # noqa: T201 - shown with the failure
                raise
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
async def test_a_recording_is_a_test(file: Path) -> None:
    await replayed(file)


async def test_what_is_recorded_now_can_be_replayed(tmp_path: Path) -> None:
    file = tmp_path / "desk.jsonl"
    model = Catalogue().load("hardware", "behringer-x32", Hardware).osc
    assert model is not None
    async with DeskTwin(model) as twin:
        twin.reboot({"main.fader": -10.0, "dca2.mute": True})
        settings = DeviceSettings("foh", "behringer-x32", port=twin.port)
        with file.open("w", encoding="utf-8") as lines:
            async with recorded(settings, Catalogue(), lines) as (device, _gate):
                await until(lambda: device.link.up, "online")
                twin.hand("main.mute", value=True)
                await until(lambda: device.get("main.mute").value is True, "a hand on the desk")
    recording = read_recording(file)
    assert recording.values["main.mute"] is True
    assert {piece.side for piece in recording.pieces} == {"house", "device"}
    await replayed(file)


async def test_a_device_over_midi_is_not_recorded(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as lines, pytest.raises(DeviceError, match="MIDI"):
        async with recorded(DeviceSettings("pads", "akai-apc-mini"), Catalogue(), lines):
            pass


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("[]\n", 1),
        ('{"recording": 2, "hardware": "x", "kind": "udp"}\n', 1),
        ('{"recording": 1, "hardware": "x", "kind": "udp"}\n{"at": 0}\n{"values": {}}\n', 2),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DrawerError, match=f"line {line}"):
        read_recording(file)


def test_a_torn_end_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    whole = [
        {"recording": 1, "hardware": "x", "kind": "udp"},
        {"at": 0.1, "from": "house", "socket": 0, "bytes": "2f 78"},
    ]
    file.write_text("\n".join(json.dumps(line) for line in whole) + '\n{"at": 0.', encoding="utf-8")
    assert [piece.data for piece in read_recording(file).pieces] == [b"/x"]
