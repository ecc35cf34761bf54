"""What a desk has besides its faders: what is asked late, what changes without a word, actions and meters."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING

import pytest
from tests.devices.hall import until
from tests.ports import free_port

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Control, Hardware, Metered, OscControl, OscDesk, OscModel, PropertyChanged
from studio.events import LinkChanged
from studio.rehearsal import DeskTwin
from studio.wire.osc import Law

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from studio.devices import Value


@pytest.fixture(scope="module")
def x32() -> OscModel:
    return model_of("behringer-x32")


def model_of(name: str) -> OscModel:
    model = Catalogue().load("hardware", name, Hardware).osc
    assert model is not None
    return dataclasses.replace(model, pause=0.0, listens=model.listens and free_port())


@contextlib.asynccontextmanager
async def running(desk: OscDesk) -> AsyncIterator[OscDesk]:
    task = asyncio.create_task(desk.run())
    try:
        await until(lambda: desk.link.state in ("online", "degraded", "refused"), "the desk is there, or another is")
        yield desk
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def driver(twin: DeskTwin, model: OscModel, bus: Bus | None = None) -> contextlib.AbstractAsyncContextManager[OscDesk]:
    return running(OscDesk("foh", model, bus or Bus(), "127.0.0.1", twin.port))


async def test_what_is_lazy_is_asked_for_when_it_is_read(x32: OscModel) -> None:
    bus = Bus()
    async with DeskTwin(x32) as twin:
        twin.reboot({"ch7.send3.level": -12.5, "ch2.colour": "green", "headamp1.gain": 30.0})
        async with driver(twin, x32, bus) as desk:
            assert len(twin.heard) < 300
            async with bus.listen(PropertyChanged) as changes:
                assert desk.get("ch7.send3.level").source == "unknown"
                assert (await anext(changes)).control == "ch7.send3.level"
            assert desk.get("ch7.send3.level").value == pytest.approx(-12.5, abs=0.15)
            await desk.ask(["ch2.colour", "headamp1.gain", "ch1.meter", "main.mute"])
            assert desk.get("ch2.colour").value == "green"
            assert desk.get("headamp1.gain").value == pytest.approx(30, abs=0.25)
            twin.quietly("ch2.colour", "red")  # what was read once is kept fresh
            await until(lambda: desk.get("ch2.colour").value == "red", "the quiet change is found")


KINDS: tuple[tuple[str, Value, float], ...] = (
    ("ch1.send16.level", -33.3, 0.3),
    ("ch1.send16.mute", True, 0),
    ("ch32.pan", -50.0, 1),
    ("ch1.lowcut.frequency", 100.0, 2),
    ("ch1.colour", "cyan inverted", 0),
    ("ch1.icon", 17.0, 0),
    ("mutegroup6", True, 0),
    ("bus16.matrix6.level", -6.0, 0.1),
    ("headamp128.phantom", True, 0),
)
"""A control of each kind, a value for it, and how near to that a desk comes."""


async def test_every_kind_of_control_is_set_and_confirmed(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, driver(twin, x32) as desk:
        for control, value, near in KINDS:
            assert (await desk.set(control, value)).kind == "confirmed", control
            assert twin.value(control) == (pytest.approx(value, abs=near) if near else value), control
            assert desk.get(control).origin == "us"


@pytest.mark.parametrize(
    ("control", "value", "says"),
    [
        ("scene", 3.0, "only be read"),
        ("ch1.colour", "mauve", "one of"),
        ("ch1.name", "Kalbėtoja Ona", "12 letters"),
        ("ch1.pan", 101.0, "-100"),
        ("ch1.icon", "drum", "number"),
        ("ch1.meter", 0.0, "only be read"),
    ],
)
async def test_what_cannot_be_is_said(x32: OscModel, control: str, value: Value, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        await OscDesk("foh", x32, Bus(), "127.0.0.1", 9).set(control, value)


async def test_a_fader_moved_slowly_is_seen_at_every_step(x32: OscModel) -> None:
    bus = Bus()
    async with DeskTwin(x32) as twin, driver(twin, x32, bus) as desk, bus.listen(PropertyChanged) as changes:
        law = x32.law
        assert law is not None
        for position in range(512, 520):
            twin.hand("ch1.fader", law.value(position / 1023))
            assert (await anext(changes)).property.value == pytest.approx(law.value(position / 1023), abs=0.001)
        assert desk.get("ch1.fader").source == "reported"


async def test_a_mute_group_changes_channels_without_a_word(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, driver(twin, x32) as desk:
        twin.mute_groups = {"mutegroup2": "ch*.mute"}
        twin.hand("mutegroup2", value=True)
        await until(lambda: desk.get("ch32.mute").value is True, "the muted channels are known")
        assert (await desk.set("mutegroup2", value=False)).kind == "confirmed"
        await until(lambda: desk.get("ch32.mute").value is False, "they are open again")


async def test_a_scene_is_recalled_when_the_desk_shows_it(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, driver(twin, x32) as desk:
        twin.scenes = {7: {"ch1.fader": -20.0, "ch1.mute": True}}
        assert (await desk.call("scene.recall", {"number": 7.0})).kind == "confirmed"
        assert desk.get("scene").value == 7
        await until(lambda: desk.get("ch1.mute").value is True, "what the scene changed is known")
        again = await desk.call("scene.recall", {"number": 7.0})
        assert (again.kind, "before" in again.reason) == ("unconfirmed", True)
        twin.refuse("scene.recall")
        model = dataclasses.replace(x32.actions[0], seconds=0.3)
        desk._actions["scene.recall"] = model
        assert (await desk.call("scene.recall", {"number": 8.0})).kind == "unconfirmed"
        assert (await desk.call("solo.clear")).kind == "unconfirmed"  # the desk has no word for it


@pytest.mark.parametrize(
    ("action", "arguments", "says"),
    [
        ("scene.recall", {}, "number"),
        ("scene.recall", {"number": 100.0}, "0 to 99"),
        ("scene.recall", {"number": 1.0, "fast": True}, "fast"),
        ("scene.burn", {}, r"scene\.burn"),
    ],
)
async def test_what_cannot_be_called_is_said(
    x32: OscModel, action: str, arguments: dict[str, Value], says: str
) -> None:
    desk = OscDesk("foh", x32, Bus(), "127.0.0.1", 9)
    with pytest.raises(ValueError, match=says):
        await desk.call(action, arguments)
    assert desk.actions()["scene.recall"].arguments[0].name == "number"
    assert (await desk.call("scene.recall", {"number": 1.0})).kind == "refused"


async def test_a_scene_that_nobody_knew_to_stand_already_is_not_confirmed(x32: OscModel) -> None:
    controls = tuple(dataclasses.replace(each, lazy=True) if each.name == "scene" else each for each in x32.controls)
    lazy = dataclasses.replace(x32, controls=controls)
    async with DeskTwin(lazy) as twin:
        twin.reboot({"scene": 7.0})
        async with driver(twin, lazy) as desk:
            assert desk.peek("scene").source == "unknown"
            twin.refuse("scene.recall")
            assert (await desk.call("scene.recall", {"number": 7.0})).kind == "unconfirmed"


async def test_a_desk_that_told_the_rest_later_is_online(x32: OscModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.devices._osc.questions.ROUNDS", 1)
    monkeypatch.setattr("studio.devices._osc.questions.PATIENCE", 0.1)
    monkeypatch.setattr("studio.devices._osc.questions.REFRESH", 0.001)  # it asks 250 controls, one after the other
    monkeypatch.setattr("studio.devices._osc.driver.PROBE", 0.1)
    monkeypatch.setattr("studio.devices._osc.driver.RETRY", 0.1)
    async with DeskTwin(x32) as twin:
        twin.lose([True, *[False] * 20])
        async with driver(twin, x32) as desk:
            assert desk.link.state == "degraded"
            twin.lose([False])
            await until(lambda: desk.link.state == "online", "all of it is told")


@pytest.mark.parametrize(("name", "count"), [("behringer-x32", 161), ("behringer-xr18", 38)])
async def test_meters_come_together(name: str, count: int) -> None:
    model = model_of(name)
    bus = Bus()
    async with DeskTwin(model) as twin, driver(twin, model, bus) as desk:
        twin.loudness = {"ch3.meter": -18.0, "main.meter.right": -6.0}
        seen: dict[str, float] = {}
        async with bus.listen(Metered) as metered, bus.listen(PropertyChanged) as changes:
            while not (seen.get("ch3.meter", -99) > -20 and seen.get("main.meter.right", -99) > -20):
                seen |= (await anext(metered)).values
            assert seen["ch3.meter"] == pytest.approx(-18, abs=0.01)
            assert seen["ch4.meter"] <= -120
            meters = [each for each in desk.controls().values() if each.kind == "meter"]
            assert len(meters) == count
            assert desk.get("ch3.meter").value == pytest.approx(-18, abs=0.01)
            twin.hand("main.mute", value=True)
            assert (await anext(changes)).control == "main.mute"  # no meter among the changes


async def test_meters_come_while_somebody_wants_them(x32: OscModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """And then they are no news any more."""
    monkeypatch.setattr("studio.devices._ground.known.METER_AGE", 0.3)
    monkeypatch.setattr("studio.devices._ground.known.ATTENDED", 0.3)
    short = dataclasses.replace(
        x32,
        meters=tuple(
            dataclasses.replace(each, subscription=dataclasses.replace(each.subscription, every=0.5))
            for each in x32.meters
            if each.subscription
        ),
    )
    monkeypatch.setattr("studio.rehearsal._desk.REMEMBERS", 1.0)
    async with DeskTwin(short) as twin, driver(twin, short) as desk:
        assert "/meters" not in {each.address for each in twin.heard}, "nobody wants them"
        assert desk.peek("ch1.meter").source == "unknown"
        await until(lambda: desk.get("ch1.meter").source == "reported", "somebody reads one")
        await until(lambda: desk.peek("ch1.meter").source == "assumed", "nobody reads them any more")


async def test_another_model_is_refused_by_its_name(x32: OscModel) -> None:
    async with DeskTwin(x32, "XR18") as twin, driver(twin, x32) as desk:
        assert desk.link.state == "refused"
        assert "XR18" in desk.link.detail
        assert (await desk.set("ch1.mute", value=True)).kind == "refused"


async def test_two_who_move_one_desk_see_each_other(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, driver(twin, x32) as one, driver(twin, x32) as other:
        assert (await one.set("ch1.fader", -3.0)).kind == "confirmed"
        await until(lambda: other.get("ch1.fader").value == one.get("ch1.fader").value, "the other sees it")
        assert other.get("ch1.fader").origin == "device"


async def test_a_desk_that_does_things_late_still_confirms(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, driver(twin, x32) as desk:
        twin.slow_orders = 0.3
        assert (await desk.set("ch1.mute", value=True)).kind == "confirmed"
        twin.slow_orders = 0.0
        twin.full(0.3)
        assert (await desk.set("ch2.mute", value=True)).kind == "confirmed"


async def test_a_desk_slower_than_its_file_says_is_not_drowned(x32: OscModel) -> None:
    """Thousands of questions before a probe would let it look dead."""
    slow = dataclasses.replace(x32, meters=())
    async with DeskTwin(slow) as twin, driver(twin, slow) as desk:
        twin.busy = 0.004
        epoch = desk.link.epoch
        wanted = [name for name in desk.controls() if ".send" in name][:600]
        asking = asyncio.create_task(desk.ask(wanted))
        while not asking.done():
            assert desk.link.state == "online"
            await asyncio.sleep(0.05)
        assert desk.link.epoch == epoch
        assert {desk.get(name).source for name in wanted} == {"reported"}


async def test_orders_keep_the_pause_that_a_firmware_needs(x32: OscModel) -> None:
    slow = dataclasses.replace(x32, order_pause=0.05)
    async with DeskTwin(slow) as twin, driver(twin, slow) as desk:
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcomes = await asyncio.gather(*(desk.set(f"ch{n}.mute", value=True) for n in range(1, 6)))
        assert [each.kind for each in outcomes] == ["confirmed"] * 5
        assert loop.time() - began >= 4 * 0.05


def quiet(**more: object) -> OscModel:
    """A desk of two controls that answers no questions."""
    controls = (
        OscControl("ch{n}.fader", "/gain", "level", channels=2, before=("{n}",)),
        OscControl("main.mute", "/mute", "switch"),
    )
    law = Law(((-90, -90), (6, 6)), steps=0)
    return dataclasses.replace(OscModel(9000, controls, law=law, asks=False, reports=False), **more)  # type: ignore[arg-type]


async def test_what_never_reports_is_never_confirmed() -> None:
    model = quiet()
    async with DeskTwin(model) as twin, driver(twin, model) as desk:
        assert desk.link.state == "degraded"
        assert "no way to say" in desk.link.detail
        outcome = await desk.set("ch2.fader", -12.0)
        assert (outcome.kind, bool(outcome.reason)) == ("unconfirmed", True)
        await until(lambda: twin.value("ch2.fader") == pytest.approx(-12), "it did it all the same")
        assert desk.get("ch2.fader").source == "unknown"


async def test_what_only_tells_is_there_while_its_heart_beats() -> None:
    ardour = model_of("ardour")
    bus = Bus()
    async with DeskTwin(ardour) as twin:
        twin.reboot({"ch3.fader": -20.0, "ch3.name": "Ona"})
        async with driver(twin, dataclasses.replace(ardour, silence=1.0), bus) as desk:
            assert desk.link.state == "online"
            await until(lambda: desk.get("ch3.name").value == "Ona", "it told everything")
            assert (await desk.set("ch3.fader", -6.5)).kind == "confirmed"
            assert twin.value("ch3.fader") == pytest.approx(-6.5)
            assert (await desk.set("ch3.fader", -6.5)).kind == "confirmed"  # it does not tell what stays
            twin.hand("ch4.mute", value=True)
            await until(lambda: desk.get("ch4.mute").value is True, "the hand is seen")
            async with bus.listen(LinkChanged) as changes:
                twin.deaf = True
                assert (await anext(changes)).state == "connecting"
                assert desk.get("ch3.fader").source == "assumed"


@pytest.mark.parametrize(
    "name", [name for name in Catalogue().names("hardware") if Catalogue().load("hardware", name, Hardware).osc]
)
async def test_every_shipped_desk_is_moved(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One control of each kind that its file gives, set by the driver and done by the twin."""
    model = model_of(name)
    kinds = {
        (control.value, control.law): control for control in reversed(model.expanded().values()) if control.writable
    }
    monkeypatch.setattr("studio.devices._osc.driver.SET_DEADLINE", 20.0 if model.asks or model.echoes else 0.1)
    async with DeskTwin(model) as twin, driver(twin, model) as desk:
        assert desk.link.state == ("online" if model.probe or model.answer else "degraded")
        for control in kinds.values():
            described = desk.controls()[control.name]
            value = something(described)
            outcome = await desk.set(control.name, value)
            told = model.asks or model.echoes
            assert outcome.kind == ("confirmed" if told else "unconfirmed"), (control.name, outcome.reason)
            done = functools.partial(is_at, twin, described, value)
            await until(done, f"{control.name} at {value}")


def something(control: Control) -> Value:
    """Return a value that `control` takes and that it does not start with."""
    if control.kind in ("level", "number"):
        assert control.lowest is not None
        assert control.highest is not None
        return float(round(control.lowest + (control.highest - control.lowest) * 0.7))
    if control.kind == "choice":
        return control.choices[-1]
    return True if control.kind == "switch" else "Ona"


def is_at(twin: DeskTwin, control: Control, value: Value) -> bool:
    return control.same(twin.value(control.name), value)
