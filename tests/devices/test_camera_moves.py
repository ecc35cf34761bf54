"""How VISCA cameras move, and how they are stopped, whatever is in the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.devices.cameras import QUICK, VISCA, connected, model, running, told
from tests.devices.hall import played, until

from studio.bus import Bus
from studio.devices import ViscaCamera, ViscaModel
from studio.rehearsal import CameraTwin
from studio.wire import visca as wire

if TYPE_CHECKING:
    from collections.abc import Iterator


TROUBLES = {
    "sony-brc-x400": ("lost", "buffer full", "slow", "deaf for a while", "under way"),
    "generic-visca": ("lost", "slow", "under way"),
    "ptzoptics-g2": ("buffer full", "under way"),
}
"""What comes between a camera and its STOP."""


def stops(twin: CameraTwin) -> Iterator[wire.Order]:
    return (order for order in told(twin, "pan_tilt.drive") if order.values["pan"] == order.values["tilt"] == 3)


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


async def test_a_move_that_nobody_holds_ends_by_itself(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        assert (await camera.call("move", {"pan": 0.2, "tilt": -0.1})).kind == "confirmed"
        assert (await camera.call("zoom", {"speed": 0.5})).kind == "confirmed"
        assert twin.moves
        await until(lambda: not twin.moves, "the dead man's timer stops it")
        assert list(stops(twin))
        assert told(twin, "zoom.drive")[-1].values["way"] == wire.STOP


async def test_a_move_ends_though_what_was_asked_in_its_place_is_refused(sony: ViscaModel) -> None:
    async def scene(instead: str, arguments: dict[str, Any]) -> None:
        async with CameraTwin(sony) as twin, connected(twin) as camera:
            assert (await camera.call("move", {"pan": 0.02, "tilt": 0})).kind == "confirmed"
            twin.refuse("preset", "home", "pan")
            outcome = asyncio.create_task(camera.call(instead, arguments))
            await asyncio.sleep(0.05)
            outcome.cancel()  # whoever asked is gone, too
            twin.refuse()
            await until(lambda: not twin.moves, "nobody holds it any more")

    await played(scene, ("preset.recall", {"preset": 1}), ("home", {}), ("position", {"pan": 5.0}))


async def test_it_ends_in_the_middle_of_a_stop(raw: ViscaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that ends with the link took the timer's own end for the end of the stop, and never ended."""
    monkeypatch.setattr("studio.devices._camera.camera.HOLD", 0.1)
    async with CameraTwin(raw) as twin, asyncio.timeout(90):
        for _time in range(3):
            async with connected(twin) as camera:
                await camera.call("move", {"pan": 0.1, "tilt": 0})
                twin.hold("pan", 0.02)
                await until(lambda: camera._halts, "the timer stops it")
                await asyncio.sleep(0.1)
            twin.hold("pan", 0.0)
            twin.hand("pan", 0.0)


async def test_a_held_stick_goes_on_and_only_its_newest_waits(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        twin.late = 0.1
        moves, loop = [], asyncio.get_running_loop()
        began = loop.time()
        for step in range(40):
            moves.append(asyncio.create_task(camera.call("move", {"pan": step / 40, "tilt": 0.1})))
            await asyncio.sleep(0.02)
        kinds = [(await move).kind for move in moves]
        assert kinds[-1] == "confirmed"
        drives = len(told(twin, "pan_tilt.drive"))
        assert drives < 2 * (loop.time() - began) / twin.late + 4, "one after the other"
        assert kinds.count("superseded") >= len(kinds) - drives, "what was not told was overtaken"
        assert twin.moves
        assert not list(stops(twin)), "it was held longer than the timer, and never let go"


async def test_stop_is_repeated_until_the_camera_stands() -> None:
    async def scene(name: str, trouble: str) -> None:
        async with CameraTwin(model(name)) as twin, connected(twin) as camera:
            travelling = None
            if trouble == "under way":
                travelling = asyncio.create_task(camera.call("position", {"pan": 160}))
                await until(lambda: twin.moves, "it is on its way")
            else:
                await camera.call("move", {"pan": 0.1, "tilt": 0.1})
            match trouble:
                case "lost":
                    twin.lost_stops = 3
                case "buffer full":
                    twin.full(0.4)
                case "slow":
                    twin.slow(1.0)
                    twin.late = 0.2
                case "deaf for a while":
                    twin.deaf = True
                    asyncio.get_running_loop().call_later(0.5, setattr, twin, "deaf", False)  # noqa: FBT003 - setattr's
            assert (await camera.call("stop")).kind == "confirmed"
            assert not twin.moves
            if travelling:
                assert (await travelling).kind == "superseded"

    await played(scene, *((name, trouble) for name, troubles in TROUBLES.items() for trouble in troubles))


async def test_a_camera_that_somebody_turns_is_not_said_to_stand(
    sony: ViscaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{VISCA}.moves.STOP_DEADLINE", 0.4)
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        twin.hold("pan", 0.05)
        outcome = await camera.call("stop")
        assert outcome.kind == "unconfirmed"
        assert "stand" in outcome.reason


async def test_stop_overtakes_what_waits(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        twin.late = 0.15
        moves = [asyncio.create_task(camera.call("move", {"pan": step / 9, "tilt": 0})) for step in range(1, 9)]
        await asyncio.sleep(0.05)
        assert (await camera.call("stop")).kind == "confirmed"
        await asyncio.gather(*moves)
        assert not twin.moves
        assert told(twin, "pan_tilt.drive")[-1].values["pan"] == wire.STAND


async def test_a_second_preset_overtakes_the_first(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        for preset, pan in ((1, -100.0), (2, 100.0)):
            twin.hand("pan", pan)
            await camera.call("preset.save", {"preset": preset})
        first = asyncio.create_task(camera.call("preset.recall", {"preset": 1}))
        await until(lambda: twin.moves, "on its way")
        assert (await camera.call("preset.recall", {"preset": 2})).kind == "confirmed"
        assert (await first).kind == "superseded"
        assert twin.value("pan") == pytest.approx(100, abs=0.5)


async def test_a_stop_waits_for_nothing_that_is_learnt(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin:
        async with connected(twin) as camera:
            going = asyncio.create_task(camera.call("position", {"pan": 170, "speed": 0}))
            await until(lambda: twin.moves, "it is on its way")
            going.cancel()
        twin.late = 0.04
        async with running(ViscaCamera("stage", twin.model, Bus(), twin.host, twin.port)) as camera:
            await until(lambda: camera.link.state == "syncing", "all is being asked")
            assert (await camera.call("stop")).kind == "confirmed"
            assert not twin.moves


async def test_pan_and_tilt_set_at_once_both_come_true(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        outcomes = await asyncio.gather(camera.set("pan", 20.0), camera.set("tilt", 40.0))
        assert [outcome.kind for outcome in outcomes] == ["confirmed", "confirmed"]
        assert twin.value("pan") == pytest.approx(20, abs=0.6)
