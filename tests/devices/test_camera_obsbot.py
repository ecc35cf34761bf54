"""The driver of OBSBOT cameras against its twin: its table has no word for done, so all is looked up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from typing import TYPE_CHECKING

import pytest
from tests.devices.hall import until
from tests.ports import free_port

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, ObsbotCamera, ObsbotModel
from studio.errors import NotSupported
from studio.events import LinkChanged
from studio.rehearsal import Gate, ObsbotTwin

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


@pytest.mark.parametrize("name", ["obsbot-center", "obsbot-tail-2"])
async def test_all_is_known_and_done_as_asked(name: str) -> None:
    async with ObsbotTwin(model(name)) as twin, connected(twin) as camera:
        assert camera.link.state == "online"
        assert (await camera.call("position", {"pan": 20, "tilt": -10, "zoom": 30})).kind == "confirmed"
        assert {each: twin.value(each) for each in ("pan", "tilt", "zoom")} == {"pan": 20, "tilt": -10, "zoom": 30}
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
