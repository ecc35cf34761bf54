"""The link to VISCA cameras: lost, back, rebooted, noisy, or never there."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
from typing import Any, cast

import pytest
from tests.devices.cameras import QUICK, VISCA, connected, model, running
from tests.devices.hall import played, until
from tests.ports import free_port

from studio.bus import Bus
from studio.devices import ViscaCamera, ViscaModel
from studio.events import LinkChanged
from studio.rehearsal import CameraTwin


@pytest.fixture(scope="module", name="sony")
def sony_model() -> ViscaModel:
    return model("sony-brc-x400")


@pytest.fixture(scope="module", name="raw")
def raw_model() -> ViscaModel:
    return model("generic-visca")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for constant, seconds in QUICK.items():
        monkeypatch.setattr(constant, seconds)
    monkeypatch.setattr(f"{VISCA}.session.PATIENCE", 0.06)  # nobody answers late here who is not said to


async def test_what_moved_when_the_link_was_lost_is_stopped_first_when_it_is_back(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        await camera.call("move", {"pan": 0.05, "tilt": 0})
        twin.deaf = True
        await until(lambda: not camera.link.up, "the camera is lost")
        assert twin.moves
        twin.deaf = False
        await until(lambda: camera.link.up, "the camera is back")
        assert not twin.moves


async def test_a_stop_for_a_camera_that_is_lost_is_done_first_when_it_is_back(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        going = asyncio.create_task(camera.call("position", {"pan": 170, "speed": 0}))
        await until(lambda: twin.moves, "it is on its way")
        twin.deaf = True
        await until(lambda: not camera.link.up, "the camera is lost")
        assert (await going).kind == "unconfirmed"
        outcome = await camera.call("stop")
        assert outcome.kind == "refused"
        assert "stopped as soon as it does" in outcome.reason
        twin.deaf = False
        await until(lambda: camera.link.up, "the camera is back")
        assert not twin.moves


async def test_a_camera_that_cannot_say_where_it_is_is_stopped_when_it_is_back(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin:
        twin.unknown = {"pan_tilt"}
        async with connected(twin) as camera:
            await camera.call("move", {"pan": 0.05, "tilt": 0})
            twin.deaf = True
            await until(lambda: not camera.link.up, "the camera is lost")
            twin.deaf = False
            await until(lambda: camera.link.up, "the camera is back")
            assert not twin.moves
            assert camera.link.state == "online"


async def test_a_dead_camera_is_lost_once_and_what_was_known_is_only_assumed() -> None:
    async def scene(name: str) -> None:
        bus = Bus()
        async with CameraTwin(model(name)) as twin, connected(twin, bus) as camera, bus.listen(LinkChanged) as changes:
            epoch = camera.link.epoch
            twin.deaf = True
            lost = await anext(changes)
            assert lost.state == "connecting"
            assert "switched on" in lost.detail
            assert camera.get("pan").source == "assumed"
            assert (await camera.set("zoom", 1)).kind == "refused"
            twin.reboot({"pan": 90.0})
            twin.deaf = False
            assert (await anext(changes)).state == "online"
            assert camera.link.epoch > epoch
            assert camera.get("pan").value == pytest.approx(90, abs=0.1)

    await played(scene, ("sony-brc-x400",), ("ptzoptics-g2",))


async def test_a_quick_reboot_with_other_values_is_noticed() -> None:
    async def scene(name: str, *, strict: bool = False) -> None:
        async with CameraTwin(model(name)) as twin:
            twin.strict = strict
            async with connected(twin) as camera:
                twin.reboot({"tilt": -5.0, "white_balance.mode": "manual"})
                await until(lambda: camera.get("white_balance.mode").value == "manual", "the new mode is known")
                await until(lambda: camera.link.up, "the camera is there")
                assert (await camera.set("zoom", 5)).kind == "confirmed"

    await asyncio.gather(
        scene("sony-brc-x400", strict=True), played(scene, ("sony-brc-x400",), ("generic-visca",), ("ptzoptics-g2",))
    )


async def test_lost_packets_are_made_up_for(sony: ViscaModel) -> None:
    async def scene(*pattern: bool) -> None:
        bare: dict[str, Any] = {"white_balance": {}, "exposure": {}, "tally": "none"}
        bare |= dict.fromkeys(("focus", "red", "blue", "shutter", "iris", "gain", "compensation"))
        async with CameraTwin(dataclasses.replace(sony, **bare)) as twin:
            twin.lose(pattern)
            async with connected(twin) as camera:
                assert (await camera.call("move", {"pan": 0.3, "tilt": 0})).kind == "confirmed"
                assert (await camera.call("stop")).kind == "confirmed"
                assert not twin.moves
                outcome = await camera.set("zoom", 70)
                assert outcome.kind in ("confirmed", "unconfirmed")
                if outcome.kind == "confirmed":
                    assert twin.value("zoom") == pytest.approx(70, abs=0.2)

    await played(scene, (True, False, False, False), (False, False, True))


async def test_answers_that_come_late_are_not_taken_for_others(raw: ViscaModel) -> None:
    """Bare VISCA does not say what an answer is to, and those of zoom and focus look alike."""
    async with CameraTwin(raw) as twin:
        twin.reboot({"zoom": 10.0, "focus": 90.0})
        async with connected(twin) as camera:
            seen: set[object] = set()
            twin.late = 0.17
            for _look in range(40):
                await asyncio.sleep(0.02)
                seen |= {camera.get("zoom").value, camera.get("focus").value}
            twin.late = 0.0
            assert len(seen) == 2, seen


async def test_junk_changes_nothing(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        before = {name: camera.get(name).value for name in camera.controls()}
        for size in range(1, 200):
            twin.junk(os.urandom(size % 40))
        await asyncio.sleep(0.3)
        assert (await camera.set("exposure.mode", "manual")).kind == "confirmed"
        before["exposure.mode"] = "manual"
        await until(lambda: {name: camera.get(name).value for name in camera.controls()} == before, "all as before")
        assert camera.link.state == "online"


async def test_two_cameras_that_answer_to_one_port(sony: ViscaModel) -> None:
    shared = dataclasses.replace(sony, reply_port=free_port(socket.SOCK_DGRAM))
    bus = Bus()
    async with CameraTwin(shared, "127.0.0.2") as left, CameraTwin(shared, "127.0.0.3", left.port) as right:
        left.reboot({"pan": -50.0})
        right.reboot({"pan": 50.0})
        cameras = [ViscaCamera(twin.host, shared, bus, twin.host, twin.port) for twin in (left, right)]
        async with running(cameras[0]), running(cameras[1]):
            await until(lambda: all(camera.link.state == "online" for camera in cameras), "both are there")
            assert [round(cast("float", camera.get("pan").value)) for camera in cameras] == [-50, 50]
            outcomes = await asyncio.gather(*(camera.set("zoom", 30 + each) for each, camera in enumerate(cameras)))
            assert {outcome.kind for outcome in outcomes} == {"confirmed"}
            assert right.value("zoom") == pytest.approx(31, abs=0.2)
            left.deaf = True
            await until(lambda: not cameras[0].link.up, "one is lost")
            assert cameras[1].link.up


async def test_a_reply_port_that_is_taken_is_said(sony: ViscaModel) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 - as another program would
        shared = dataclasses.replace(sony, reply_port=taken.getsockname()[1])
        async with running(ViscaCamera("stage", shared, Bus(), "127.0.0.1", 9)) as camera:
            await until(lambda: "another program" in camera.link.detail, "it is said")


async def test_no_camera_at_all_is_said() -> None:
    async def scene(name: str, host: str, words: str) -> None:
        async with running(ViscaCamera("stage", model(name), Bus(), host, free_port())) as camera:
            await until(lambda: words in camera.link.detail, "it is said")

    said = (("127.0.0.1", "switched on"), ("no-such-camera.invalid", "written right"))
    await played(scene, *((name, *each) for name in ("sony-brc-x400", "ptzoptics-g2") for each in said))
