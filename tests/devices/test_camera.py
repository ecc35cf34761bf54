"""The driver of VISCA cameras against its twin, on real UDP and TCP sockets, with trouble as a parameter."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import socket
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.devices.hall import free_port, until

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, PropertyChanged, ViscaCamera, ViscaModel
from studio.errors import NotSupported
from studio.events import LinkChanged
from studio.rehearsal import CameraTwin
from studio.wire import visca as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

FILES = ("sony-brc-x400", "sony-srg-300h", "sony-brc-x1000", "ptzoptics-g2", "generic-visca", "marshall-cv620")


def model(name: str) -> ViscaModel:
    """A camera as the drawer describes it; of those that share a port, one that is free here."""
    found = Catalogue().load("hardware", name, Hardware).visca
    assert found is not None
    return dataclasses.replace(found, reply_port=free_port(socket.SOCK_DGRAM)) if found.reply_port else found


@pytest.fixture(scope="module", name="sony")
def sony_model() -> ViscaModel:
    return model("sony-brc-x400")


@pytest.fixture(scope="module", name="raw")
def raw_model() -> ViscaModel:
    return model("generic-visca")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """All by the same rules, only sooner: the twin is quicker than any camera."""
    for constant, seconds in {
        "session.PATIENCE": 0.15,
        "driver.POLL": 0.03,
        "driver.RETRY": 0.1,
        "driver.AGAIN": 0.03,
        "talk.AGAIN": 0.03,
        "moves.AGAIN": 0.03,
    }.items():
        monkeypatch.setattr(f"studio.devices._visca.{constant}", seconds)


@contextlib.asynccontextmanager
async def running(camera: ViscaCamera) -> AsyncIterator[ViscaCamera]:
    task = asyncio.create_task(camera.run())
    try:
        yield camera
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert camera.link.state == "off"


@contextlib.asynccontextmanager
async def connected(twin: CameraTwin, bus: Bus | None = None, folder: Path | None = None) -> AsyncIterator[ViscaCamera]:
    camera = ViscaCamera("stage", twin.model, bus or Bus(), twin.host, twin.port, folder=folder)
    async with running(camera):
        await until(lambda: camera.link.up, "the camera is there")
        yield camera


def told(twin: CameraTwin, name: str) -> list[wire.Order]:
    return [order for order in twin.heard if order.name == name and order.kind == "command"]


def stops(twin: CameraTwin) -> Iterator[wire.Order]:
    return (order for order in told(twin, "pan_tilt.drive") if order.values["pan"] == order.values["tilt"] == 3)


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", FILES)
async def test_every_model_is_known_whole_and_does_as_asked(name: str) -> None:
    async with CameraTwin(model(name)) as twin:
        twin.reboot({"pan": 30.0, "zoom": 25.0})
        async with connected(twin) as camera:
            assert camera.link.state == "online"
            assert camera.get("pan").value == pytest.approx(30, abs=0.1)
            assert camera.get("zoom").value == pytest.approx(25, abs=0.1)
            assert {camera.get(each).source for each in camera.controls() if each != "tally"} == {"reported"}
            assert (await camera.call("position", {"pan": -20, "tilt": 10, "zoom": 40})).kind == "confirmed"
            assert twin.value("pan") == pytest.approx(-20, abs=0.7)
            assert twin.value("tilt") == pytest.approx(10, abs=0.7)
            assert twin.value("zoom") == pytest.approx(40, abs=0.3)
            assert (await camera.call("move", {"pan": 1, "tilt": 0})).kind == "confirmed"
            assert (await camera.call("stop")).kind == "confirmed"
            assert not twin.moves
            assert cast("float", twin.value("pan")) > -20, "right is the picture's right, however positions count"


async def test_a_set_is_confirmed_by_the_camera(sony: ViscaModel) -> None:
    values: dict[str, float | str | bool] = {
        "focus.auto": False,
        "white_balance.mode": "indoor",
        "white_balance.red": -12.0,
        "exposure.mode": "manual",
        "exposure.iris": 20.0,
        "exposure.gain": 9.0,
        "exposure.compensation": 3.0,
        "zoom": 60.0,
        "tally": True,
        "tilt": 15.0,
    }
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        for control, value in values.items():
            assert (await camera.set(control, value)).kind == "confirmed", control
            assert camera.controls()[control].same(twin.value(control), value)
            assert camera.get(control).source == "reported"
            assert camera.get(control).origin == "us"


async def test_a_hand_on_its_remote_is_seen(sony: ViscaModel) -> None:
    bus = Bus()
    async with CameraTwin(sony) as twin, connected(twin, bus) as camera, bus.listen(PropertyChanged) as changes:
        twin.hand("white_balance.mode", "outdoor")
        seen = await anext(changes)
        while seen.control != "white_balance.mode":
            seen = await anext(changes)
        assert (seen.property.value, seen.property.origin) == ("outdoor", "device")
        twin.hand("pan", -60.0)
        await until(lambda: camera.get("pan").value == pytest.approx(-60, abs=0.1), "the turn is seen")


async def test_two_sets_at_once_end_with_the_later(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        modes = ("indoor", "outdoor", "manual")
        outcomes = await asyncio.gather(*(camera.set("white_balance.mode", mode) for mode in modes))
        assert [outcome.kind for outcome in outcomes[1:]] == ["superseded", "confirmed"]
        assert twin.value("white_balance.mode") == "manual"


async def test_pan_and_tilt_set_at_once_both_come_true(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        outcomes = await asyncio.gather(camera.set("pan", 20.0), camera.set("tilt", 40.0))
        assert [outcome.kind for outcome in outcomes] == ["confirmed", "confirmed"]
        assert twin.value("pan") == pytest.approx(20, abs=0.6)


async def test_a_camera_of_another_model_is_asked_only_what_it_knows(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin:
        twin.unknown = {"focus", "exposure.mode"}
        async with connected(twin) as camera:
            assert camera.link.state == "online"
            assert "exposure.mode" not in camera.controls()
            assert "zoom" in camera.controls()


async def test_what_cannot_be_is_said(raw: ViscaModel) -> None:
    camera = ViscaCamera("stage", raw, Bus(), "127.0.0.1", 9)
    with pytest.raises(ValueError, match=r"-170\.0 to 170"):
        await camera.set("pan", 171)
    with pytest.raises(ValueError, match="red"):
        await camera.set("white_balance.red", 1)
    with pytest.raises(ValueError, match="takes no sideways"):
        await camera.call("move", {"pan": 0, "tilt": 0, "sideways": 1})
    with pytest.raises(ValueError, match="needs tilt"):
        await camera.call("move", {"pan": 0})
    with pytest.raises(ValueError, match="presets 1 to 90"):
        await camera.call("preset.recall", {"preset": 91})
    with pytest.raises(NotSupported):
        await ViscaCamera("box", dataclasses.replace(raw, pan=None, tilt=None), Bus(), "::").call("move", {})
    assert (await camera.set("pan", 0)).kind == "refused"
    assert (await camera.call("stop")).kind == "refused"


# ── moves ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_move_that_nobody_holds_ends_by_itself(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        assert (await camera.call("move", {"pan": 0.2, "tilt": -0.1})).kind == "confirmed"
        assert (await camera.call("zoom", {"speed": 0.5})).kind == "confirmed"
        assert twin.moves
        await until(lambda: not twin.moves, "the dead man's timer stops it")
        assert list(stops(twin))
        assert told(twin, "zoom.drive")[-1].values["way"] == wire.STOP


@pytest.mark.parametrize("instead", ["preset.recall", "home", "position"])
async def test_a_move_ends_though_what_was_asked_in_its_place_is_refused(sony: ViscaModel, instead: str) -> None:
    told: dict[str, dict[str, Any]] = {"preset.recall": {"preset": 1}, "home": {}, "position": {"pan": 5.0}}
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        assert (await camera.call("move", {"pan": 0.02, "tilt": 0})).kind == "confirmed"
        twin.refuse("preset", "home", "pan")
        outcome = asyncio.create_task(camera.call(instead, told[instead]))
        await asyncio.sleep(0.05)
        outcome.cancel()  # whoever asked is gone, too
        twin.refuse()
        await until(lambda: not twin.moves, "nobody holds it any more")


async def test_it_ends_in_the_middle_of_a_stop(raw: ViscaModel) -> None:
    """A stop that ends with the link took the timer's own end for the end of the stop, and never ended."""
    async with CameraTwin(raw) as twin, asyncio.timeout(30):
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
        moves = []
        for step in range(40):
            moves.append(asyncio.create_task(camera.call("move", {"pan": step / 40, "tilt": 0.1})))
            await asyncio.sleep(0.02)
        kinds = [(await move).kind for move in moves]
        assert kinds[-1] == "confirmed"
        assert kinds.count("superseded") > 20
        assert len(told(twin, "pan_tilt.drive")) < 20
        assert twin.moves
        assert not list(stops(twin)), "it was held longer than the timer, and never let go"


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        *(("sony-brc-x400", trouble) for trouble in ("lost", "buffer full", "slow", "deaf for a while", "under way")),
        *(("generic-visca", trouble) for trouble in ("lost", "slow", "under way")),
        *(("ptzoptics-g2", trouble) for trouble in ("buffer full", "under way")),
    ],
)
async def test_stop_is_repeated_until_the_camera_stands(name: str, trouble: str) -> None:
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


async def test_a_camera_that_somebody_turns_is_not_said_to_stand(
    sony: ViscaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.devices._visca.moves.STOP_DEADLINE", 1.0)
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


async def test_a_camera_that_does_not_know_its_lamp_is_used_without(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin:
        twin.unknown = {"tally.sony"}
        async with connected(twin) as camera:
            camera.on_air = True
            await asyncio.sleep(0.2)
            assert (camera.link.state, camera.link.epoch) == ("online", 1)
            assert (await camera.set("exposure.iris", 9)).kind == "confirmed"


@pytest.mark.parametrize("problem", ["not executable", "buffer full"])
async def test_a_busy_camera_is_asked_again(sony: ViscaModel, problem: str) -> None:
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        if problem == "buffer full":
            twin.full(0.3)
        else:
            twin.refuse("exposure.iris")
            asyncio.get_running_loop().call_later(0.3, twin.refuse)
        assert (await camera.set("exposure.iris", 9)).kind == "confirmed"


async def test_a_no_is_an_answer(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        twin.refuse("exposure.iris", "preset")
        outcome = await camera.set("exposure.iris", 9)
        assert outcome.kind == "refused"
        assert "another mode" in outcome.reason
        assert (await camera.call("preset.recall", {"preset": 1})).kind == "refused"


# ── presets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["sony-brc-x400", "ptzoptics-g2"])
async def test_a_preset_is_there_when_the_camera_says_so_and_rests(name: str, tmp_path: Path) -> None:
    async with CameraTwin(model(name)) as twin, connected(twin, folder=tmp_path) as camera:
        await camera.call("position", {"pan": 40, "tilt": 20})
        assert (await camera.call("preset.save", {"preset": 2, "name": "Mównica"})).kind == "confirmed"
        await camera.set("white_balance.mode", "indoor")
        await camera.call("position", {"pan": -40, "tilt": 0})
        assert (await camera.call("preset.recall", {"preset": "mównica", "speed": 0.5})).kind == "confirmed"
        assert camera.get("pan").value == pytest.approx(40, abs=0.7)
        assert not twin.moves
        if twin.model.presets.keep_picture:
            assert camera.get("white_balance.mode").value == "auto"
            assert told(twin, "preset.speed")[-1].values == {"number": 1, "speed": 13}
        else:
            assert camera.get("white_balance.mode").value == "indoor"
            assert told(twin, "preset.speeds")[-1].values == {"speed": 13}
        assert camera.get("preset2.name").value == "Mównica"
        assert (await camera.call("preset.clear", {"preset": 2})).kind == "confirmed"
        assert "preset2.name" not in camera.controls()


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


async def test_a_camera_that_does_not_acknowledge_confirms_only_what_can_be_asked(raw: ViscaModel) -> None:
    async with CameraTwin(dataclasses.replace(raw, acks=False)) as twin, connected(twin) as camera:
        assert (await camera.set("white_balance.mode", "indoor")).kind == "confirmed"
        assert (await camera.call("position", {"pan": 10})).kind == "confirmed"
        assert (await camera.call("preset.save", {"preset": 1})).kind == "unconfirmed"
        assert (await camera.call("stop")).kind == "unconfirmed" or not twin.moves


# ── power and lamp ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_standby_is_told_and_ends_with_all_known(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin:
        twin.standby()
        async with connected(twin) as camera:
            assert camera.link.state == "degraded"
            assert "standby" in camera.link.detail
            assert (await camera.call("move", {"pan": 1, "tilt": 0})).kind == "refused"
            assert camera.get("pan").source == "unknown"
            assert (await camera.set("power", value=True)).kind == "confirmed"
            await until(lambda: camera.link.state == "online", "all is known")
            assert camera.get("pan").source == "reported"
            twin.standby()
            await until(lambda: camera.link.state == "degraded", "the remote's off is noticed")


@pytest.mark.parametrize("name", ["sony-brc-x400", "ptzoptics-g2"])
async def test_the_lamp_shows_what_is_on_air(name: str) -> None:
    async with CameraTwin(model(name)) as twin:
        twin.hand("tally", value=True)
        async with connected(twin) as camera:
            await camera.set("zoom", 20)
            assert twin.value("tally") is True, "nobody here said what is on air: the lamp is another's"
            camera.on_air = False
            await until(lambda: twin.value("tally") is False, "a lamp left on goes out")
            camera.on_air = True
            await until(lambda: twin.value("tally") is True, "the lamp is lit")
            twin.reboot()
            await until(lambda: twin.value("tally") is True, "the lamp is lit again")
            camera.on_air = False
            await until(lambda: camera.get("tally").value is False, "the lamp is out")


# ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["sony-brc-x400", "ptzoptics-g2"])
async def test_a_dead_camera_is_lost_once_and_what_was_known_is_only_assumed(name: str) -> None:
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


@pytest.mark.parametrize(
    ("name", "strict"),
    [("sony-brc-x400", False), ("sony-brc-x400", True), ("generic-visca", False), ("ptzoptics-g2", False)],
)
async def test_a_quick_reboot_with_other_values_is_noticed(name: str, strict: bool) -> None:  # noqa: FBT001 - a trouble
    async with CameraTwin(model(name)) as twin:
        twin.strict = strict
        async with connected(twin) as camera:
            twin.reboot({"tilt": -5.0, "white_balance.mode": "manual"})
            await until(lambda: camera.get("white_balance.mode").value == "manual", "the new mode is known")
            await until(lambda: camera.link.up, "the camera is there")
            assert (await camera.set("zoom", 5)).kind == "confirmed"


@pytest.mark.parametrize("pattern", [[True, False, False, False], [False, False, True]])
async def test_lost_packets_are_made_up_for(sony: ViscaModel, pattern: list[bool]) -> None:
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


async def test_answers_that_come_late_are_not_taken_for_others(raw: ViscaModel) -> None:
    """Bare VISCA does not say what an answer is to, and those of zoom and focus look alike."""
    async with CameraTwin(raw) as twin:
        twin.reboot({"zoom": 10.0, "focus": 90.0})
        async with connected(twin) as camera:
            seen: set[object] = set()
            twin.late = 0.5
            for _look in range(40):
                await asyncio.sleep(0.05)
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


@pytest.mark.parametrize(("host", "words"), [("127.0.0.1", "switched on"), ("no-such-camera.invalid", "written right")])
@pytest.mark.parametrize("name", ["sony-brc-x400", "ptzoptics-g2"])
async def test_no_camera_at_all_is_said(name: str, host: str, words: str) -> None:
    async with running(ViscaCamera("stage", model(name), Bus(), host, free_port())) as camera:
        await until(lambda: words in camera.link.detail, "it is said")
