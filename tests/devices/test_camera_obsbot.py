"""The driver of OBSBOT cameras against its twin: its table has no word for done, so all is looked up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from typing import TYPE_CHECKING

import pytest
from tests.devices.hall import played, until
from tests.ports import free_port

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, ObsbotCamera, ObsbotModel
from studio.devices._obsbot.driver import NEAR
from studio.devices._obsbot.looks import Looks
from studio.errors import NotSupported
from studio.events import LinkChanged
from studio.rehearsal import Gate, ObsbotTwin
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def model(name: str) -> ObsbotModel:
    found = Catalogue().load("hardware", name, Hardware).obsbot
    assert found is not None
    return dataclasses.replace(found, reply_port=free_port(socket.SOCK_DGRAM))


@pytest.fixture(scope="module", name="center")
def center_model() -> ObsbotModel:
    return model("obsbot-center")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.devices._obsbot.driver.PATIENCE", 0.15)
    monkeypatch.setattr("studio.devices._obsbot.driver.POLL", 0.1)


@pytest.fixture(name="held")
def _held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dead man's timer, which says STOP at once, is not first: it is the STOP of a person that is tried."""
    monkeypatch.setattr("studio.devices._camera.camera.HOLD", 600.0)


@contextlib.asynccontextmanager
async def connected(twin: ObsbotTwin, bus: Bus | None = None, port: int = 0) -> AsyncIterator[ObsbotCamera]:
    camera = ObsbotCamera("tiny", twin.model, bus or Bus(), "127.0.0.1", port or twin.port)
    task = asyncio.create_task(camera.run())
    try:
        await until(lambda: camera.link.up, "the camera is there")
        yield camera
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def at_the_desk(twin: ObsbotTwin, name: str, *numbers: int) -> None:
    """Somebody moves it in OBSBOT Center."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(wire.encode(wire.Message(f"/OBSBOT/WebCam/General/{name}", numbers)), ("127.0.0.1", twin.port))


@pytest.mark.parametrize("name", ["obsbot-center", "obsbot-tail-2"])
async def test_all_is_known_and_done_as_asked(name: str) -> None:
    async with ObsbotTwin(model(name)) as twin, connected(twin) as camera:
        assert camera.link.state == "online"
        assert (await camera.call("position", {"pan": 20, "tilt": -10, "zoom": 30})).kind == "confirmed"
        for axis, at in {"pan": 20, "tilt": -10, "zoom": 30}.items():
            assert twin.value(axis) == pytest.approx(at, abs=NEAR[axis]), "as near as it may count as there"
        assert (await camera.set("zoom", 0)).kind == "confirmed"
        assert (await camera.call("preset.recall", {"preset": 3})).kind == "confirmed"
        assert twin.value("pan") == 40
        assert (await camera.call("preset.recall", {"preset": 3})).kind == "unconfirmed", "it did not move"
        assert (await camera.call("home")).kind == "confirmed"
        with pytest.raises(NotSupported):
            await camera.call("preset.save", {"preset": 1})


async def test_a_move_ends_by_itself_and_stop_is_repeated(center: ObsbotModel) -> None:
    async with ObsbotTwin(center) as twin, connected(twin) as camera:
        assert (await camera.call("move", {"pan": 0.2, "tilt": 0.1})).kind == "confirmed"
        await until(lambda: not twin.moves, "the dead man's timer stops it")
        await camera.call("move", {"pan": -0.3, "tilt": 0})
        await camera.call("zoom", {"speed": 0.2})
        twin.lost_stops = 6
        assert (await camera.call("stop")).kind == "confirmed"
        assert not twin.moves


@pytest.mark.usefixtures("held")
async def test_answers_that_come_late_or_twice_are_no_second_look(center: ObsbotModel) -> None:
    center = dataclasses.replace(center, reply_port=None)  # through a gate it answers to that
    async with ObsbotTwin(center) as twin, Gate("udp", twin.port) as gate, connected(twin, port=gate.port) as camera:
        for late in (0.0, 0.2):  # by 0.2 s every question is asked twice
            gate.slow(late)
            gate.duplicate([True])
            await camera.call("move", {"pan": -0.3, "tilt": 0})
            await until(lambda: twin.moves, "it moves")
            twin.lost_stops = 6
            outcome = await camera.call("stop")
            assert outcome.kind == "unconfirmed" or not twin.moves
            gate.well()
            assert (await camera.call("stop")).kind == "confirmed"
            assert not twin.moves


@pytest.mark.usefixtures("held")
async def test_a_camera_that_creeps_on_is_never_said_to_stand(center: ObsbotModel) -> None:
    center = dataclasses.replace(center, reply_port=None)  # several at once, each heard by itself

    async def scene(how: str) -> None:
        async with ObsbotTwin(center) as twin, connected(twin) as camera:
            match how:
                case "as asked":
                    await camera.call("move", {"pan": 0.02, "tilt": 0})
                case "one axis only":
                    await camera.call("move", {"pan": 0.3, "tilt": -0.01})
                case "a quicker order was lost":
                    await camera.call("move", {"pan": 0.02, "tilt": 0})
                    twin.deaf = True
                    faster = asyncio.create_task(camera.call("move", {"pan": 0.5, "tilt": 0}))
                    await asyncio.sleep(0.05)
                    twin.deaf = False
                    await faster
                case "nobody here asked":
                    at_the_desk(twin, "SetGimbalLeft", 0, 1)
            await until(lambda: twin.moves, "it moves")
            twin.lost_stops = 10_000
            for _time in range(3):
                assert (await camera.call("stop")).kind == "unconfirmed"
            assert twin.moves
            assert twin.lost_stops < 10_000
            twin.lost_stops = 0
            assert (await camera.call("stop")).kind == "confirmed"
            assert not twin.moves

    await played(scene, ("as asked",), ("one axis only",), ("a quicker order was lost",), ("nobody here asked",))


@pytest.mark.usefixtures("held")
async def test_a_stop_waits_for_no_answer(center: ObsbotModel) -> None:
    center = dataclasses.replace(center, reply_port=None)
    async with ObsbotTwin(center) as twin, Gate("udp", twin.port) as gate, connected(twin, port=gate.port) as camera:
        await camera.call("move", {"pan": -0.1, "tilt": 0.1})
        await camera.call("zoom", {"speed": 0.2})
        gate.half_open()  # it hears us, and is not heard
        stop = asyncio.create_task(camera.call("stop"))
        await until(lambda: not twin.moves, "it stands")
        assert (await stop).kind == "unconfirmed"
        await until(lambda: camera.link.state == "connecting", "it is lost")
        at_the_desk(twin, "SetGimbalUp", 0, 1)
        assert (await camera.call("stop")).kind == "refused"
        await until(lambda: not twin.moves, "it was told all the same")
        gate.well()
        await until(lambda: camera.link.up, "it is back")
        assert (await camera.call("stop")).kind == "confirmed"


@pytest.mark.usefixtures("held")
async def test_a_stop_ends_what_a_preset_began(center: ObsbotModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.rehearsal._obsbot.FULL", 10.0)
    async with ObsbotTwin(center) as twin, connected(twin) as camera:
        recall = asyncio.create_task(camera.call("preset.recall", {"preset": 2}))  # a zoom
        await until(lambda: camera.get("zoom").value != 0, "it is on its way")
        assert (await camera.call("stop")).kind == "confirmed"
        assert (await recall).kind == "superseded"
        assert not twin.moves
        assert 0 < float(twin.value("zoom")) < 50


@pytest.mark.usefixtures("held")
async def test_what_is_asked_of_the_zoom_ends_no_stop_of_the_gimbal(center: ObsbotModel) -> None:
    async with ObsbotTwin(center) as twin, connected(twin) as camera:
        await camera.call("move", {"pan": -0.02, "tilt": 0})
        twin.lost_stops = 30
        stop = asyncio.create_task(camera.call("stop"))
        await until(lambda: twin.lost_stops < 30, "it is told")
        assert (await camera.call("zoom", {"speed": 0.1})).kind == "confirmed"
        assert (await stop).kind == "superseded"
        assert not twin.lost_stops
        assert twin._speed == {"pan": 0, "tilt": 0}


@pytest.mark.usefixtures("held")
async def test_a_position_ends_a_stop_and_nothing_is_said_after_a_stop(center: ObsbotModel) -> None:
    center = dataclasses.replace(center, reply_port=None)
    async with ObsbotTwin(center) as twin, Gate("udp", twin.port) as gate, connected(twin, port=gate.port) as camera:
        stop = asyncio.create_task(camera.call("stop"))
        await asyncio.sleep(0)
        assert (await camera.call("position", {"pan": 30})).kind == "confirmed"
        assert (await stop).kind == "superseded"
        await until(lambda: not twin.moves, "it is there")
        gate.slow(0.1)  # where it is, is still being asked
        position = asyncio.create_task(camera.call("position", {"pan": -30}))
        preset = asyncio.create_task(camera.call("preset.recall", {"preset": 1}))
        await asyncio.sleep(0)
        assert (await camera.call("stop")).kind == "confirmed"
        assert {(await each).kind for each in (position, preset)} == {"superseded"}
        assert twin.value("pan") == 30


async def test_a_look_waits_for_an_answer_of_its_own(center: ObsbotModel) -> None:
    async with ObsbotTwin(center) as twin, connected(twin) as camera:
        twin.slow(0.05)
        given_up, other = (asyncio.create_task(camera._look("GetZoomInfo")) for _look in range(2))
        await asyncio.sleep(0)
        given_up.cancel()
        await other
        assert given_up.cancelled()


async def test_looks_that_come_to_nothing_end_no_other() -> None:
    looks = Looks()
    asked: list[None] = []

    def look(tries: int, patience: float) -> asyncio.Task[bool]:
        return asyncio.create_task(looks.look(lambda: asked.append(None), tries, patience))

    first, hasty, last = look(1, 60), look(1, 0.5), look(1, 60)
    await asyncio.sleep(0)
    assert len(asked) == 3
    looks.answered()  # the first's; the hasty one's is lost
    assert await first
    assert not await hasty
    assert not last.done()
    looks.answered()
    assert await last

    assert not await look(1, 0.01), "nobody answers"
    late = look(1, 60)
    await asyncio.sleep(0)
    looks.answered()  # to the one before
    await asyncio.sleep(0)
    assert not late.done()
    looks.answered()
    assert await late

    assert not await look(1, 0.01), "its answer is lost"
    again = look(2, 0.5)
    await asyncio.sleep(0)
    looks.answered()
    await until(lambda: len(asked) == 8, "it cannot tell whose that was, and asks again")
    looks.answered()
    assert await again
    looks.answered()  # a second copy of the last one
    assert not await look(1, 0.01)


async def heard(twin: ObsbotTwin, says: str) -> None:
    await until(lambda: any(says in f"{each.address} {each.arguments}" for each in twin.heard), says)


async def test_its_picture_can_be_told_and_not_asked(center: ObsbotModel) -> None:
    async with ObsbotTwin(center) as twin, connected(twin) as camera:
        assert camera.get("focus").source == "unknown"
        for control, value, says in (
            ("focus.auto", False, "SetAutoFocus (0, 0)"),
            ("focus", 40.4, "SetManualFocus (0, 40)"),
            ("white_balance.mode", "auto", "SetAutoWhiteBalance (0, 1)"),
            ("white_balance.temperature", 5600, "SetColorTemperature (0, 5600)"),
            ("exposure.mode", "manual", "SetAutoExposure (0, 0)"),
            ("exposure.compensation", -1.7, "SetExposureCompensate (0, -17)"),
            ("exposure.compensation", 0.3, "SetExposureCompensate (0, 3)"),
            ("exposure.shutter", "1/50", "SetShutterSpeed (0, 50)"),
            ("exposure.iso", 400, "SetISO (0, 400)"),
        ):
            assert (await camera.set(control, value)).kind == "unconfirmed"
            await heard(twin, says)
            assert (camera.get(control).value, camera.get(control).source) == (value, "assumed")
        assert camera.link.state == "online"


async def test_the_guard_stands_before_this_camera_too(center: ObsbotModel) -> None:
    async with ObsbotTwin(center) as twin, connected(twin) as camera:
        camera.on_air = True
        assert (await camera.call("preset.recall", {"preset": 1})).kind == "refused"
        assert (await camera.call("preset.recall", {"preset": 1})).kind == "confirmed"


async def test_asleep_lost_and_back_with_other_values(center: ObsbotModel) -> None:
    bus = Bus()
    async with ObsbotTwin(center) as twin, connected(twin, bus) as camera:
        twin.hand("power", value=False)
        await until(lambda: camera.link.state == "degraded", "its sleep is told")
        assert (await camera.call("home")).kind == "refused"
        assert (await camera.set("power", value=True)).kind == "confirmed"
        await until(lambda: camera.link.state == "online", "it is awake")
        async with bus.listen(LinkChanged) as changes:
            epoch = camera.link.epoch
            twin.deaf = True
            assert (await anext(changes)).state == "connecting"
            assert camera.get("pan").source == "assumed"
            twin.reboot({"pan": 12.0})
            twin.deaf = False
            assert (await anext(changes)).state == "online"
            assert camera.link.epoch > epoch
            assert camera.get("pan").value == 12


async def test_no_obsbot_center_is_said(center: ObsbotModel) -> None:
    camera = ObsbotCamera("tiny", center, Bus(), "127.0.0.1", free_port(socket.SOCK_DGRAM))
    task = asyncio.create_task(camera.run())
    await until(lambda: "OBSBOT Center" in camera.link.detail, "it is said")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
