"""Pads, faders and knobs against the twin of a desk on a real socket: what hands do, and what is shown of it."""

from __future__ import annotations

import asyncio
import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from tests.app.desk import house_with, small_desk

from studio.app._device_commands import DeviceCommands
from studio.app._devices import HouseDevices, journal
from studio.app._orders import Orders
from studio.app._surfaces import Surfaces
from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Device, Light, Outcome, PropertyChanged, open_devices
from studio.events import EncoderTurned, FaderMoved, LinkChanged, PadPressed, PadReleased
from studio.show import load_bindings
from studio.venue import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from studio.rehearsal import DeskTwin

BINDINGS = """
    surfaces:
      pads:
        pad1: {do: {toggle: {desk: ch1.mute}}}
        pad2: {do: [take:Talk, {set: {desk: {ch2.mute: true, ch2.fader: -90}}}]}
        pad3: {do: {set: {desk: {ch1.mute: true}}}, hold: 0.3, held: {set: {desk: {ch2.mute: true}}}}
        pad4: {do: 'recall:evening'}
        pad5: {do: undo}
        pad63: {shift: two}
        track1: {moves: {desk: ch1.fader}, highest: 0}
        track2: {turns: {desk: ch2.fader}, step: 1}
"""
"""The twin of a surface has whatever an APC mini has; here some of it are faders and knobs."""
PATIENCE = 30.0


class Panel(Device):
    """A surface in the hand of a test: it is pressed by calls, and remembers what it shows."""

    def __init__(self, bus: Bus) -> None:
        super().__init__("pads", bus)
        self.lights: dict[str, Light] = {}
        self.stands: dict[str, float | None] = {}

    async def _serve(self) -> None:
        await asyncio.Event().wait()

    def light(self, control: str, state: Light) -> None:
        self.lights[control] = state

    def show(self, control: str, position: float | None, text: str = "") -> None:  # noqa: ARG002 - it has no letters
        self.stands[control] = position

    def press(self, control: str) -> None:
        self.bus.publish(PadPressed("pads", control))

    def release(self, control: str, seconds: float) -> None:
        self.bus.publish(PadReleased("pads", control, seconds))


class Stage:
    """A desk, a surface and what binds them, running."""

    def __init__(self, folder: Path, twin: DeskTwin) -> None:
        self.twin = twin
        self.folder = folder
        self.commands: list[tuple[str, Mapping[str, object]]] = []
        self.told: list[str] = []
        self.changes = 0
        venue = read(
            house_with(
                folder, twin, '[[devices]]\nname = "pads"\nhardware = "akai-apc-mini"\n[show]\nbindings = "own"\n'
            )
        )
        catalogue = Catalogue(folder)
        file = folder / "presets/bindings/own.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(BINDINGS), "utf-8")
        self.bus = Bus()
        self.panel = Panel(self.bus)
        (self.desk,) = open_devices(venue.devices[:1], catalogue, self.bus)
        there: dict[str, Device] = {"desk": self.desk, "pads": self.panel}
        self.orders = Orders(lambda: there, catalogue, journal(venue))
        self.surfaces = Surfaces(
            load_bindings(venue, catalogue), lambda: there, self.orders, self.command, self.told.append
        )

    async def command(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        self.commands.append((name, arguments))
        return Outcome("confirmed")

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks, self.bus.listen(object) as facts:
            tasks.create_task(self.surfaces.run())
            tasks.create_task(self.desk.run())
            async for fact in facts:
                self.changes += isinstance(fact, PropertyChanged)
                self.surfaces.follow(fact)

    async def until(self, so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not so():  # noqa: ASYNC110 - a light tells nobody
                await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("STUDIO_STATE", str(tmp_path / "state"))
    async with small_desk(tmp_path) as twin:
        stage = Stage(tmp_path, twin)
        running = asyncio.create_task(stage.run())
        await stage.until(lambda: stage.panel.lights.get("pad1") == "ready")
        yield stage
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_pad_shows_what_the_desk_reports(stage: Stage) -> None:
    panel, twin = stage.panel, stage.twin
    twin.late = 0.2
    panel.press("pad1")
    await stage.until(lambda: panel.lights["pad1"] == "asked")
    await stage.until(lambda: panel.lights["pad1"] == "on")
    assert twin.value("ch1.mute") is True
    twin.late = 0.0
    twin.hand("ch1.mute", value=False)  # somebody at the desk takes it back
    await stage.until(lambda: panel.lights["pad1"] == "ready")
    twin.stubborn = {"ch1.mute"}
    panel.press("pad1")
    await stage.until(lambda: panel.lights["pad1"] == "failed")
    assert "ch1.mute" in stage.told[-1]
    assert twin.value("ch1.mute") is False
    twin.stubborn = set()
    twin.hand("ch1.mute", value=True)
    await stage.until(lambda: panel.lights["pad1"] == "on")


async def test_several_at_once_and_each_is_told(stage: Stage) -> None:
    stage.twin.stubborn = {"ch2.mute"}
    stage.twin.hand("ch2.fader", -3.0)
    await stage.until(lambda: stage.desk.get("ch2.fader").value == pytest.approx(-3, abs=0.1))
    stage.panel.press("pad2")
    await stage.until(lambda: stage.told)
    assert stage.commands == [("take", {"scene": "Talk"})]
    assert stage.twin.value("ch2.fader") == -90
    assert "ch2.mute" in stage.told[0]


async def test_long_and_short(stage: Stage) -> None:
    stage.panel.press("pad3")
    await stage.until(lambda: stage.twin.value("ch2.mute") is True)
    stage.panel.release("pad3", 0.4)
    assert stage.twin.value("ch1.mute") is False
    stage.panel.press("pad3")
    stage.panel.release("pad3", 0.1)
    await stage.until(lambda: stage.twin.value("ch1.mute") is True)


async def test_a_fader_moves_the_desk_and_the_desk_its_motor(stage: Stage) -> None:
    for position in (0.1, 0.2, 0.9, 1.0):
        stage.bus.publish(FaderMoved("pads", "track1", position))
    await stage.until(lambda: stage.twin.value("ch1.fader") == pytest.approx(0, abs=0.1))
    await stage.until(lambda: stage.panel.stands["track1"] == pytest.approx(1, abs=0.01))
    stage.twin.hand("ch1.fader", -90.0)
    await stage.until(lambda: stage.panel.stands["track1"] == pytest.approx(0, abs=0.01))
    stage.twin.hand("ch2.fader", -20.0)
    await stage.until(lambda: stage.desk.get("ch2.fader").value == pytest.approx(-20, abs=0.1))
    for _ in range(5):
        stage.bus.publish(EncoderTurned("pads", "track2", 2))
    await stage.until(lambda: stage.twin.value("ch2.fader") == pytest.approx(-10, abs=0.1))


async def test_faders_on_a_slow_desk_take_no_room_from_presses(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.app._surfaces.PRESSES_OPEN", 4)
    monkeypatch.setattr("studio.app._surfaces.MOVE", 0.001)
    stage.twin.late = 0.3
    for step in range(20):
        stage.bus.publish(FaderMoved("pads", "track1", step / 40))
        await asyncio.sleep(0.005)
    assert len(stage.surfaces._moves) > 4
    stage.panel.press("pad2")
    await stage.until(lambda: stage.commands)
    assert stage.commands == [("take", {"scene": "Talk"})]


async def test_what_the_desk_reports_never_makes_anything_happen(stage: Stage) -> None:
    """Feedback shows and asks for nothing: a loop between two devices cannot be bound."""
    heard = sum(bool(message.arguments) for message in stage.twin.heard)
    for step in range(50):
        stage.twin.hand("ch1.fader", -step)
        stage.twin.hand("ch1.mute", value=step % 2 == 0)
    await stage.until(lambda: stage.desk.get("ch1.fader").value == pytest.approx(-49, abs=0.3))
    await stage.until(lambda: stage.panel.lights["pad1"] == "ready")
    assert sum(bool(message.arguments) for message in stage.twin.heard) == heard
    assert stage.commands == []


async def test_a_desk_that_is_gone_is_dark_and_a_press_says_why(stage: Stage) -> None:
    stage.twin.deaf = True
    await stage.until(lambda: stage.panel.lights["pad1"] == "off")
    assert stage.panel.stands["track1"] is None
    stage.panel.press("pad1")
    await stage.until(lambda: stage.told)
    assert "switched on" in stage.told[0]
    await stage.until(lambda: stage.panel.lights["pad1"] == "failed")


async def test_a_snapshot_on_a_pad(stage: Stage) -> None:
    file = stage.folder / "presets/snapshots/evening.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("set: {desk: {ch1.fader: -12, ch1.mute: true}}\n", "utf-8")
    stage.panel.press("pad4")
    await stage.until(lambda: stage.panel.lights["pad4"] == "on")
    assert stage.twin.value("ch1.fader") == pytest.approx(-12, abs=0.1)
    lines = (stage.folder / "state/undo.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["by"] == "pads pad4: recall evening"
    stage.twin.hand("ch1.mute", value=False)
    await stage.until(lambda: stage.panel.lights["pad4"] == "ready")


async def test_pages_and_a_surface_that_is_lost(stage: Stage) -> None:
    stage.panel.press("pad63")
    await stage.until(lambda: stage.panel.lights["pad63"] == "on" and stage.panel.lights["pad1"] == "off")
    stage.bus.publish(LinkChanged("pads", "connecting", "It is not plugged in."))
    await stage.until(lambda: stage.panel.lights["pad1"] == "ready")
    stage.panel.press("pad63")
    stage.panel.release("pad63", 1.0)
    await stage.until(lambda: stage.panel.lights["pad63"] == "ready")


async def test_what_pages_may_ask_of_devices(stage: Stage) -> None:
    commands = DeviceCommands(stage.orders)
    mute = {"device": "desk", "control": "ch1.mute", "value": True}
    dry = await commands.command("device.set", {**mute, "dry_run": True})
    assert (dry.kind, dry.reason) == ("simulated", "1 would change, 0 are so already.")
    assert (await commands.command("device.set", mute)).kind == "confirmed"
    assert stage.twin.value("ch1.mute") is True
    assert (await commands.command("device.undo", {})).kind == "confirmed"
    assert stage.twin.value("ch1.mute") is False
    wrong: dict[str, dict[str, Any]] = {
        "device.set": {"device": "desk", "control": "ch1.mute", "value": {"a": 1}},
        "device.call": {"device": "desk", "action": "fly"},
        "device.recall": {"snapshot": "x" * 300},
        "device.undo": {"everything": True},
    }
    for name, arguments in wrong.items():
        outcome = await commands.command(name, arguments)
        assert outcome.kind == "refused"
        assert outcome.reason
    assert (await commands.command("device.undo", {})).reason == "There is nothing to undo."


async def test_undo_leaves_what_a_hand_moves_after_it_was_planned(stage: Stage) -> None:
    steps = await stage.orders.planned({"desk": {"ch1.fader": -12.0}})
    assert (await stage.orders.do(steps, by="set"))[0].outcome.kind == "confirmed"
    entry = await stage.orders.last()
    assert entry is not None
    backs = await stage.orders.plan_back(entry)
    assert [back.kind for back in backs] == ["back"]
    stage.twin.hand("ch1.fader", -40.0)
    await stage.until(lambda: stage.desk.get("ch1.fader").value == pytest.approx(-40, abs=0.3))
    (done,) = await stage.orders.undo(entry, backs)
    assert done.outcome.kind == "refused"
    assert "Somebody else" in done.outcome.reason
    assert stage.twin.value("ch1.fader") == pytest.approx(-40, abs=0.3)


def test_surfaces_are_not_opened_unless_they_are_named(tmp_path: Path) -> None:
    pads: Any = '[[devices]]\nname = "pads"\nhardware = "akai-apc-mini"\n'
    twin = small_desk(tmp_path)
    twin.port = 9
    venue = read(house_with(tmp_path, twin, pads))
    house = HouseDevices(venue)
    assert house.chosen([]) == ["desk"]
    assert house.chosen(["pads"]) == ["pads"]
