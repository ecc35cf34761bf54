"""The driver of VISCA cameras against its twin, on real UDP and TCP sockets, with trouble as a parameter."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, cast

import pytest
from tests.devices.cameras import QUICK, VISCA, connected, model, told
from tests.devices.hall import played, until

from studio.bus import Bus
from studio.devices import PropertyChanged, ViscaCamera, ViscaModel
from studio.errors import NotSupported
from studio.rehearsal import CameraTwin

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("sony-brc-x400", "sony-srg-300h", "sony-brc-x1000", "ptzoptics-g2", "generic-visca", "marshall-cv620")


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


async def test_every_model_is_known_whole_and_does_as_asked() -> None:
    async def scene(name: str) -> None:
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

    await played(scene, *((name,) for name in FILES))


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


async def test_a_camera_of_another_model_is_asked_only_what_it_knows(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin:
        twin.unknown = {"focus", "exposure.mode"}
        async with connected(twin) as camera:
            assert camera.link.state == "online"
            assert "exposure.mode" not in camera.controls()
            assert "zoom" in camera.controls()


async def test_what_cannot_be_is_said(raw: ViscaModel) -> None:
    camera = ViscaCamera("stage", raw, Bus(), "127.0.0.1", 9)
    with pytest.raises(ValueError, match=r"-170 to 170"):
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


async def test_a_camera_that_does_not_know_its_lamp_is_used_without(sony: ViscaModel) -> None:
    async with CameraTwin(sony) as twin:
        twin.unknown = {"tally.sony"}
        async with connected(twin) as camera:
            camera.on_air = True
            await asyncio.sleep(0.2)
            assert (camera.link.state, camera.link.epoch) == ("online", 1)
            assert (await camera.set("exposure.iris", 9)).kind == "confirmed"


async def test_a_busy_camera_is_asked_again(sony: ViscaModel) -> None:
    async def scene(problem: str) -> None:
        async with CameraTwin(sony) as twin, connected(twin) as camera:
            if problem == "buffer full":
                twin.full(0.3)
            else:
                twin.refuse("exposure.iris")
                asyncio.get_running_loop().call_later(0.3, twin.refuse)
            assert (await camera.set("exposure.iris", 9)).kind == "confirmed"

    await played(scene, ("not executable",), ("buffer full",))


async def test_a_no_is_an_answer(sony: ViscaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{VISCA}.talk.NOT_NOW", 0.2)
    async with CameraTwin(sony) as twin, connected(twin) as camera:
        twin.refuse("exposure.iris", "preset")
        outcome = await camera.set("exposure.iris", 9)
        assert outcome.kind == "refused"
        assert "another mode" in outcome.reason
        assert (await camera.call("preset.recall", {"preset": 1})).kind == "refused"


async def test_a_preset_is_there_when_the_camera_says_so_and_rests(tmp_path: Path) -> None:
    async def scene(name: str) -> None:
        async with CameraTwin(model(name)) as twin, connected(twin, folder=tmp_path / name) as camera:
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

    await played(scene, ("sony-brc-x400",), ("ptzoptics-g2",))


async def test_a_camera_that_does_not_acknowledge_confirms_only_what_can_be_asked(raw: ViscaModel) -> None:
    async with CameraTwin(dataclasses.replace(raw, acks=False)) as twin, connected(twin) as camera:
        assert (await camera.set("white_balance.mode", "indoor")).kind == "confirmed"
        assert (await camera.call("position", {"pan": 10})).kind == "confirmed"
        assert (await camera.call("preset.save", {"preset": 1})).kind == "unconfirmed"
        assert (await camera.call("stop")).kind == "unconfirmed"


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


async def test_the_lamp_shows_what_is_on_air() -> None:
    async def scene(name: str) -> None:
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

    await played(scene, ("sony-brc-x400",), ("ptzoptics-g2",))
