"""Surfaces and other gear over real MIDI ports: jackd's: the driver at one end, a twin at the other."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from tests.devices.hall import until
from tests.devices.jack import BACKEND, jack_server, running

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, MidiGear, MidiModel, MidiSurface, MidiTimecode, PropertyChanged
from studio.devices._midi import gear, session
from studio.devices._midi.orders import Deed, Dial, Gear
from studio.errors import NotSupported
from studio.events import EncoderTurned, FaderMoved, FaderTouched, LinkChanged, PadPressed, PadReleased
from studio.rehearsal import GearTwin, MidiTwin, SurfaceTwin
from studio.wire.midi import MACHINE, Message
from studio.wire.timecode import Timecode, full_frame, quarter_frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    async with jack_server(tmp_path_factory.mktemp("jack")) as log:
        yield log


@pytest.fixture(autouse=True)
def quick(jack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look and ask more often than a show does."""
    assert jack.exists()
    monkeypatch.setattr(session, "LOOK", 0.1)
    monkeypatch.setattr(session, "PROBE", 0.1)
    monkeypatch.setattr(gear, "DEADLINE", 0.4)


def shipped(name: str) -> MidiModel:
    model = Catalogue().load("hardware", name, Hardware).midi
    assert model
    return model


X_TOUCH = shipped("behringer-x-touch")


async def test_an_x_touch_from_end_to_end() -> None:
    bus = Bus()
    desk = MidiSurface("desk", X_TOUCH, bus, backend=BACKEND)
    desk.light("play", "on")
    desk.show("fader1", 0.5, "Łódź")
    desk.show("vpot8", 1.0, "Pan")
    async with SurfaceTwin(X_TOUCH) as twin, bus.listen(object) as events, running(desk):
        await until(lambda: desk.link.state == "online", "it answers the Mackie query")
        # All that it shall show was there before anybody heard that it is.
        assert (twin.lamp("play"), twin.lamp("mute1")) == ((1, 127), (1, 0))
        assert twin.value("fader1") == pytest.approx(0.5, abs=0.001)
        assert twin.ring("vpot8") == 0x0B
        assert (twin.letters(0)[:7], twin.letters(1)[-7:]) == ("Lodz   ", "Pan    ")

        twin.touch("fader1")
        for step in range(51, 61):
            twin.move("fader1", step / 100)
            desk.show("fader1", step / 100 - 0.05, "Łódź")  # the desk's report lags behind the hand
        twin.hit("select8")
        twin.turn("jog", -2)
        twin.let_go("fader1")
        await until(
            lambda: any(isinstance(event, FaderTouched) and not event.touched for event in events._waiting), "all came"
        )
        told = [event for event in events._waiting if not isinstance(event, LinkChanged)]
        assert told[0] == FaderTouched("desk", "fader1", touched=True)
        moves = [event.position for event in told if isinstance(event, FaderMoved)]
        assert moves == pytest.approx([step / 100 for step in range(51, 61)], abs=0.001)
        assert [type(event) for event in told[11:14]] == [PadPressed, PadReleased, EncoderTurned]
        assert told[13] == EncoderTurned("desk", "jog", -2)
        desk.show("fader1", 0.6, "Łódź")
        await asyncio.sleep(0.4)  # the motor could pull now
        assert twin.value("fader1") == pytest.approx(0.6, abs=0.001)
        assert twin.fought == []


async def test_after_a_replug_all_is_shown_again_and_junk_changes_nothing() -> None:
    bus = Bus()
    desk = MidiSurface("desk", X_TOUCH, bus, backend=BACKEND)
    async with SurfaceTwin(X_TOUCH) as twin, running(desk), bus.listen(PadReleased) as released:
        await until(lambda: desk.link.state == "online", "online")
        for junk in (b"\x90", b"\xf0\x00\x00\x66\x14\xf7", b"\xf5\x00\x01", b"\xe0\x7f", b"\xff\xff", b"\x12\x13\x14"):
            twin.junk(junk)
        twin.press("f1")
        desk.light("play", "asked")
        desk.show("main", 1.0, "")
        await until(lambda: twin.value("main") == 1.0, "it goes on listening")
        twin.unplug()
        assert (await anext(released)).control == "f1"  # a cable out is a hand off
        await until(lambda: "not plugged in" in desk.link.detail, "said")
        desk.light("play", "on")
        twin.reboot()
        await until(lambda: desk.link.state == "online", "it is back")
        assert (twin.lamp("play"), twin.value("main")) == ((1, 127), 1.0)


async def test_a_surface_that_hangs_is_lost_and_one_in_another_mode_is_half_there() -> None:
    desk = MidiSurface("desk", X_TOUCH, Bus(), backend=BACKEND)
    async with SurfaceTwin(X_TOUCH) as twin, running(desk):
        await until(lambda: desk.link.state == "online", "online")
        twin.deaf = True
        await until(lambda: desk.link.state == "connecting", "no answer: lost, though its port is listed")
        assert "does not answer any more" in desk.link.detail
        twin.deaf, twin.mute = False, True
        await until(lambda: desk.link.state == "degraded", "plugged in, but it does not answer")
        assert "MC mode" in desk.link.detail
        desk.light("play", "on")
        await until(lambda: twin.lamp("play") == (1, 127), "its lights work all the same")
        twin.mute = False
        await until(lambda: desk.link.state == "online", "now it answers")


async def test_who_it_is_proves_that_it_is_there() -> None:
    nano = shipped("korg-nanokontrol2")
    bus = Bus()
    desk = MidiSurface("nano", nano, bus, backend=BACKEND)
    desk.show("fader1", 0.5)
    async with SurfaceTwin(nano) as twin, bus.listen(FaderMoved) as moves, running(desk):
        await until(lambda: desk.link.state == "online", "it says who it is")
        for place in (0.0, 0.2, 0.4, 0.6, 0.8):
            twin.move("fader1", place)
        assert (await anext(moves)).position == pytest.approx(0.6, abs=0.005)
        desk.light("rec1", "on")
        await until(lambda: twin.lamp("rec1") == (1, 127), "lit")


async def test_what_comes_too_quickly_is_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WAITING", 8)
    bus = Bus()
    desk = MidiSurface("desk", X_TOUCH, bus, backend=BACKEND)
    async with SurfaceTwin(X_TOUCH) as twin, bus.listen(PadReleased) as released, running(desk):
        await until(lambda: desk.link.state == "online", "online")
        twin.press("f1")
        await until(lambda: desk._panel._held, "held")
        before = len(twin.heard)
        for _round in range(50):
            twin.hit(*["f2"] * 40)
            time.sleep(0.1)  # noqa: ASYNC251 - the loop is busy with something else
            await asyncio.sleep(0.01)
            if desk.lost:
                break
        await until(lambda: "are lost" in desk.link.detail, "it is said")
        assert (await anext(released)).control == "f1"  # whether it was let go is among what nobody heard
        await until(lambda: len(twin.heard) > before + 40, "all is shown again")


GEAR = MidiModel(
    "Deck",
    gear=Gear(
        deeds=(Deed("blackout", note=60), Deed("song", program=3), Deed("open", controller=20, value=9)),
        dials=(Dial("volume", 7), Dial("filter", 74, answers=True)),
        machine=5,
        machine_answers=True,
    ),
)


async def test_gear_is_told_and_confirmed_only_by_its_own_word() -> None:
    deck = MidiGear("deck", GEAR, Bus(), backend=BACKEND)
    assert (await deck.call("blackout")).kind == "refused"
    async with GearTwin(GEAR) as twin, running(deck):
        await until(lambda: deck.link.state == "online", "online")
        told = [
            await deck.call("program", {"number": 12, "bank": 130}),
            await deck.call("control", {"controller": 1, "value": 64}),
            await deck.call("note", {"number": 40, "seconds": 0.01}),
            *[await deck.call(deed) for deed in ("blackout", "song", "open")],
        ]
        assert {outcome.kind for outcome in told} == {"unconfirmed"}
        await until(lambda: len(twin.heard) == 10, "all arrived")
        assert list(twin.heard) == [
            *(
                Message("control_change", 1, 0, 1),
                Message("control_change", 1, 32, 1),
                Message("program_change", 1, 0, 11),
            ),
            Message("control_change", 1, 1, 64),
            *(Message("note_on", 1, 40, 100), Message("note_off", 1, 40, 64)),
            *(Message("note_on", 1, 60, 127), Message("note_off", 1, 60, 64)),
            *(Message("program_change", 1, value=2), Message("control_change", 1, 20, 9)),
        ]
        assert (await deck.call("play")).kind == "confirmed"
        assert twin.does == MACHINE["play"]
        assert (await deck.call("locate", {"time": "01:02:03:04"})).kind == "confirmed"
        assert (await deck.set("volume", 90)).kind == "unconfirmed"
        assert (deck.get("volume").value, deck.get("volume").source) == (90, "assumed")
        assert (await deck.set("filter", 30)).kind == "confirmed"
        assert deck.get("filter").source == "reported"
        twin.hand("filter", 99)
        await until(lambda: deck.get("filter").value == 99, "a hand at the gear")
        assert deck.get("filter").origin == "device"
        two = await asyncio.gather(deck.set("filter", 40), deck.set("filter", 50))
        assert [outcome.kind for outcome in two] == ["superseded", "confirmed"], two
        twin.mute = True
        assert (await deck.call("stop")).kind == "unconfirmed"
        assert (await deck.set("filter", 31)).kind == "unconfirmed"
        assert twin.does == MACHINE["stop"]  # it did it, but who knows
    assert deck.get("filter").source == "assumed"


async def test_what_gear_cannot_be_told() -> None:
    deck = MidiGear("deck", GEAR, Bus(), backend=BACKEND)
    assert deck.actions()["stop"].urgent
    assert "play" not in MidiGear("x", replace(GEAR, gear=Gear()), Bus()).actions()
    for action, arguments, text in (
        ("no", {}, "no"),
        ("program", {}, "needs number"),
        ("program", {"number": 129}, "128"),
        ("program", {"number": 1, "tempo": 2}, "tempo"),
        ("locate", {"time": "soon"}, "00:01:30:00"),
    ):
        with pytest.raises(ValueError, match=text):
            await deck.call(action, arguments)
    with pytest.raises(ValueError, match="127"):
        await deck.set("volume", 128)
    with pytest.raises(ValueError, match="gain"):
        await deck.set("gain", 1)
    with pytest.raises(NotSupported):
        deck.light("volume", "on")


async def test_timecode_runs_stands_and_is_stale_half_a_second_later() -> None:
    model = shipped("midi-timecode")
    bus = Bus()
    clock = MidiTimecode("tape", replace(model, port="Tape"), bus, backend=BACKEND)
    async with MidiTwin(replace(model, port="Tape")) as twin, bus.listen(PropertyChanged) as changes, running(clock):
        await until(lambda: clock.link.state == "online", "online")
        assert clock.get("time").source == "unknown"
        twin.say(full_frame(Timecode(0, 59, 59, 0, "30")))
        await until(lambda: clock.get("time").value == "00:59:59:00", "where it stands")
        assert (clock.get("running").value, clock.get("rate").value) == (False, "30")
        code = Timecode(1, 2, 3, 4)
        for frame in range(0, 10, 2):
            for message in quarter_frames(code.later(frame)):
                twin.say(message)
                await asyncio.sleep(0.005)
        await until(lambda: clock.get("time").value == "01:02:03:14", "where it runs")
        assert clock.get("rate").value == "25"
        await until(lambda: clock.get("running").value is False, "no frames for half a second")
        assert clock.get("time").source == "assumed"
        with pytest.raises(NotSupported):
            await clock.set("time", "01:00:00:00")
        runs = [change.property.value for change in changes._waiting if change.control == "running"]
        times = [
            change.property.value
            for change in changes._waiting
            if (change.control, change.property.source) == ("time", "reported")
        ]
    assert runs[-2:] == [True, False]
    assert times == ["00:59:59:00", "01:02:03:06", "01:02:03:08", "01:02:03:10", "01:02:03:12", "01:02:03:14"]
