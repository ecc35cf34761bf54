"""The driver of a desk against its twin, on real UDP sockets, with trouble as a parameter."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from typing import TYPE_CHECKING

import pytest
from tests.devices.hall import played, until
from tests.ports import free_port

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, OscDesk, OscModel, PropertyChanged
from studio.events import LinkChanged
from studio.rehearsal import DeskTwin
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="module")
def x32() -> OscModel:
    """A desk as the drawer describes it."""
    model = Catalogue().load("hardware", "behringer-x32", Hardware).osc
    assert model is not None
    return dataclasses.replace(model, pause=0.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """All by the same rules, only sooner: for what has to be waited for until its end."""
    for constant, seconds in {
        "driver.PROBE": 0.2,
        "driver.PATIENCE": 0.4,
        "driver.RETRY": 0.1,
        "driver.SET_DEADLINE": 0.5,
        "questions.PATIENCE": 0.4,
        "questions.REFRESH": 0.02,
    }.items():
        monkeypatch.setattr(f"studio.devices._osc.{constant}", seconds)


@contextlib.asynccontextmanager
async def connected(twin: DeskTwin, model: OscModel, bus: Bus | None = None) -> AsyncIterator[OscDesk]:
    desk = OscDesk("foh", model, bus or Bus(), "127.0.0.1", twin.port)
    task = asyncio.create_task(desk.run())
    try:
        await until(lambda: desk.link.up, "the desk is there")
        yield desk
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert desk.link.state == "off"


def first(desk: OscDesk, model: OscModel) -> list[str]:
    """What is asked for at each connection."""
    return [name for name, control in model.expanded().items() if not control.lazy and name in desk.controls()]


async def test_everything_is_known_before_the_desk_counts_as_online(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin:
        twin.reboot({"ch1.fader": -10.0, "ch1.mute": True, "ch1.name": "Kalbėtojas"})
        async with connected(twin, x32) as desk:
            assert desk.link.state == "online"
            assert desk.get("ch1.fader").value == pytest.approx(-10, abs=0.05)
            assert desk.get("ch1.mute").value is True
            assert desk.get("ch1.name").value == "Kalbėtojas"
            assert {desk.get(name).source for name in first(desk, x32)} == {"reported"}


async def test_a_set_is_confirmed_by_the_desk(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, connected(twin, x32) as desk:
        for control, value in (("ch3.fader", -7.3), ("main.mute", True), ("ch32.name", "Ona")):
            assert (await desk.set(control, value)).kind == "confirmed"
        assert twin.value("ch3.fader") == pytest.approx(-7.3, abs=0.05)
        assert twin.value("main.mute") is True
        assert desk.get("ch32.name").value == "Ona"
        assert desk.get("ch32.name").origin == "us"


async def test_a_hand_on_the_desk_is_seen(x32: OscModel) -> None:
    bus = Bus()
    async with DeskTwin(x32) as twin, connected(twin, x32, bus) as desk, bus.listen(PropertyChanged) as changes:
        twin.hand("ch5.fader", -10.0)
        seen = await anext(changes)
        assert (seen.control, seen.property.origin) == ("ch5.fader", "device")
        assert seen.property.value == pytest.approx(-10, abs=0.1)
        assert desk.get("ch5.fader").source == "reported"


async def test_what_the_desk_changes_without_saying_is_found(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, connected(twin, x32) as desk:
        twin.quietly("ch2.fader", -20.0)
        await until(lambda: desk.get("ch2.fader").value == pytest.approx(-20, abs=0.1), "the quiet change is found")


@pytest.mark.usefixtures("quick")
async def test_what_the_desk_does_not_do_is_not_done(x32: OscModel) -> None:
    async def scene(trouble: str) -> None:
        async with DeskTwin(x32) as twin, connected(twin, x32) as desk:
            twin.stubborn = {"ch1.mute"} if trouble == "stubborn" else set()
            twin.deaf = trouble == "deaf"
            outcome = await desk.set("ch1.mute", value=True)
            assert outcome.kind == "unconfirmed"
            assert "ch1.mute" in outcome.reason
            assert desk.get("ch1.mute").value is False

    await played(scene, ("stubborn",), ("deaf",))


async def test_two_sets_at_once_end_with_the_later(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, connected(twin, x32) as desk:
        twin.late = 0.05
        outcomes = await asyncio.gather(desk.set("ch1.fader", -5.0), desk.set("ch1.fader", -25.0))
        assert [outcome.kind for outcome in outcomes] == ["superseded", "confirmed"]
        assert twin.value("ch1.fader") == pytest.approx(-25, abs=0.1)


@pytest.mark.usefixtures("quick")
async def test_lost_packets_are_made_up_for(x32: OscModel) -> None:
    few = dataclasses.replace(x32, controls=x32.controls[18:24], actions=(), meters=())

    async def scene(*pattern: bool) -> None:
        async with DeskTwin(few) as twin:
            twin.lose(pattern)
            async with connected(twin, few) as desk:
                outcome = await desk.set("main.fader", -3.0)
                assert outcome.kind in ("confirmed", "unconfirmed")
                if outcome.kind == "confirmed":
                    assert twin.value("main.fader") == pytest.approx(-3, abs=0.1)

    await played(scene, (True, False, False, False), (False, False, True))


async def test_a_desk_that_answers_late_still_confirms(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin:
        twin.late = 0.3
        async with connected(twin, x32) as desk:
            assert (await desk.set("ch7.fader", -12.0)).kind == "confirmed"


@pytest.mark.usefixtures("quick")
async def test_a_dead_desk_is_lost_once_and_what_was_known_is_only_assumed(x32: OscModel) -> None:
    bus = Bus()
    async with DeskTwin(x32) as twin, connected(twin, x32, bus) as desk, bus.listen(LinkChanged) as changes:
        await desk.set("ch1.fader", -5.0)
        epoch = desk.link.epoch
        twin.deaf = True
        lost = await anext(changes)
        assert lost.state == "connecting"
        assert "switched on" in lost.detail
        known = desk.get("ch1.fader")
        assert known.source == "assumed"
        assert known.value == pytest.approx(-5, abs=0.1)
        assert (await desk.set("ch1.fader", 0.0)).kind == "refused"
        twin.reboot({"ch1.fader": -40.0})
        twin.deaf = False
        assert (await anext(changes)).state == "online"
        assert desk.link.epoch > epoch
        assert desk.get("ch1.fader").value == pytest.approx(-40, abs=0.1)
        assert desk.get("ch1.fader").source == "reported"


async def test_a_quick_reboot_with_other_values_is_noticed(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, connected(twin, x32) as desk:
        twin.hand("main.mute", value=True)
        await until(lambda: desk.get("main.mute").value is True, "the hand is seen")
        twin.reboot({"ch4.fader": 0.0})
        await until(lambda: desk.get("ch4.fader").value == twin.value("ch4.fader"), "the new value is known")
        assert (await desk.set("ch4.mute", value=True)).kind == "confirmed"


@pytest.mark.usefixtures("quick")
async def test_a_half_deaf_desk_is_degraded_and_says_which_control(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin:
        twin.mute_questions = {"ch9.name"}
        async with connected(twin, x32) as desk:
            assert desk.link.state == "degraded"
            assert "ch9.name" in desk.link.detail
            assert desk.get("ch9.name").source == "unknown"


async def test_junk_changes_nothing(x32: OscModel) -> None:
    async with DeskTwin(x32) as twin, connected(twin, x32) as desk:
        before = {name: desk.get(name).value for name in first(desk, x32)}
        assert twin._transport is not None
        listener = next(iter(twin._listeners))
        nonsense = ["/ch/01/mix/fader", "/ch/01/config/name", "/ch/01/mix/on"]
        for junk in (*(os.urandom(64) for _ in range(200)), *(name.encode() for name in nonsense)):
            twin._transport.sendto(junk, listener)
        for address in nonsense:
            for argument in (float("nan"), None, b"blob"):
                twin._transport.sendto(wire.encode(wire.Message(address, (argument,))), listener)
        twin.hand("main.fader", -1.0)
        await until(lambda: desk.get("main.fader").value == pytest.approx(-1, abs=0.1), "sense after the nonsense")
        before["main.fader"] = desk.get("main.fader").value
        assert {name: desk.get(name).value for name in first(desk, x32)} == before


async def test_what_a_control_cannot_take_is_said(x32: OscModel) -> None:
    desk = OscDesk("foh", x32, Bus(), "127.0.0.1", free_port())
    with pytest.raises(ValueError, match=r"-90 to 10 dB"):
        await desk.set("ch1.fader", 11.0)
    with pytest.raises(ValueError, match="switch"):
        await desk.set("ch1.mute", "yes")
    with pytest.raises(ValueError, match="ch99"):
        desk.get("ch99.fader")
    assert (await desk.set("ch1.fader", 0.0)).kind == "refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-desk.invalid"])
async def test_no_desk_at_all_is_said_once(x32: OscModel, host: str) -> None:
    bus = Bus()
    async with bus.listen(LinkChanged) as changes:
        desk = OscDesk("foh", x32, bus, host, 9)
        task = asyncio.create_task(desk.run())
        assert (await anext(changes)).state == "connecting"
        assert "foh" in (await anext(changes)).detail
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
