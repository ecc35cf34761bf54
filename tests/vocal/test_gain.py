"""The gain assistant with the twins of two desks on real sockets, in a room where singers sing as loud as they do."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING

import pytest
from tests.devices.hall import until

from studio.app import VocalDesk, vocal_desk
from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, OscDesk
from studio.errors import DeviceError
from studio.rehearsal import DeskTwin
from studio.units import Decibels
from studio.venue import DeviceSettings, Venue
from studio.vocal import Answer, GainAssistant, Heard, Kind, Preamp, monitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from studio.devices import Value
    from studio.vocal import Proposal, Settled


@contextlib.asynccontextmanager
async def hall(
    hardware: str, stands: Mapping[str, Value], channels: Mapping[int, int] | None = None
) -> AsyncIterator[tuple[DeskTwin, VocalDesk]]:
    model = Catalogue().load("hardware", hardware, Hardware).osc
    assert model is not None
    model = dataclasses.replace(model, pause=0.0)
    async with DeskTwin(model) as twin:
        twin.reboot(stands)
        desk = OscDesk("foh", model, Bus(), "127.0.0.1", twin.port)
        running = asyncio.create_task(desk.run())
        try:
            await until(lambda: desk.link.up, "the desk is there")
            yield twin, VocalDesk(desk, channels)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


class Room:
    """Who sings into which socket, and how loud that is at a gain of 0 dB."""

    def __init__(self, twin: DeskTwin, patch: Sequence[str], voices: Mapping[str, float]) -> None:
        """`patch`: the socket that each channel of the recording hears in truth."""
        self._twin = twin
        self._patch = patch
        self._voices = voices
        self.asked: list[str] = []
        self.passes = 0
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """What happens after the first listening."""

    async def listen(self, seconds: float) -> Sequence[Heard]:
        self.passes += 1
        if self.passes == 2 and self.meanwhile:
            await self.meanwhile()
        return [self._heard(socket, seconds) for socket in self._patch]

    def _heard(self, socket: str, seconds: float) -> Heard:
        if socket not in self._voices:
            return Heard(None, Decibels(-100), 0, None, 0, seconds)
        level = self._voices[socket] + float(self._twin.value(f"{socket}.gain"))
        peak = min(0.0, level + 11)
        return Heard(Decibels(level), Decibels(peak), 100 if peak == 0 else 0, None, seconds * 0.7, seconds)


async def assisted(
    room: Room, desk: VocalDesk, channels: Sequence[int]
) -> tuple[tuple[Proposal, ...], tuple[Settled, ...]]:
    assistant = GainAssistant(desk, channels, room.listen, room.asked.append)
    proposals = await assistant.propose()
    return proposals, await assistant.set(proposals)


X32 = {"ch1.headamp": 0, "ch2.headamp": 33, "ch3.headamp": 2, "ch4.headamp": -1}
"""Channel 2 hears the second socket of a stage box, and channel 4 a card."""


async def test_gains_are_set_by_the_desks_own_routing_in_steps() -> None:
    sockets = {"headamp1.gain": 20.0, "headamp34.gain": 40.0, "headamp3.gain": 30.0, "headamp2.gain": 30.0}
    async with hall("behringer-x32", {**X32, **sockets}) as (twin, desk):
        room = Room(twin, ["headamp1", "headamp34", "headamp3"], {"headamp1": -54, "headamp34": -42, "headamp3": -48})
        proposals, settled = await assisted(room, desk, [1, 2, 3])
        assert [each.verdict.kind for each in proposals] == [Kind.LOW, Kind.CLIPPED, Kind.GOOD]
        assert [(each.socket, each.to) for each in proposals] == [
            ("headamp1", 36),
            ("headamp34", 24),
            ("headamp3", None),
        ]
        assert [each.verdict.kind for each in settled] == [Kind.GOOD] * 3
        assert twin.value("headamp1.gain") == pytest.approx(36, abs=3)
        assert twin.value("headamp34.gain") == pytest.approx(24, abs=3)
        assert twin.value("headamp3.gain") == 30
        assert twin.value("headamp2.gain") == 30, "the socket that only has the number of the channel"
        steps = [message for message in twin.heard if message.arguments and message.address == "/headamp/000/gain"]
        assert len(steps) >= 3
        assert room.passes == len(room.asked) >= 4


async def test_the_air_mixers_routing_is_another() -> None:
    stands: dict[str, Value] = {
        "ch1.source": 5,
        "ch2.source": 2,
        "ch3.source": 17,
        "headamp5.gain": 10.0,
        "headamp2.gain": 30.0,
    }
    async with hall("behringer-xr18", stands) as (twin, desk):
        room = Room(twin, ["headamp5", "headamp2", "headamp2"], {"headamp5": -46, "headamp2": -48})
        proposals, settled = await assisted(room, desk, [1, 2])
        assert [each.socket for each in proposals] == ["headamp5", "headamp2"]
        assert settled[0].verdict.kind is Kind.GOOD
        assert settled[0].began == Decibels(10)
        assert settled[0].ended == pytest.approx(float(twin.value("headamp5.gain")))
        line = await desk.preamp(3)
        assert (line.gain, line.reason) == (
            None,
            "ch3 hears no head amplifier of foh; set its gain where it comes from.",
        )


async def test_what_the_desk_does_not_do_is_not_called_done() -> None:
    stands = {**X32, "headamp1.gain": 20.0, "headamp3.gain": 20.0}
    async with hall("behringer-x32", stands) as (twin, desk):
        twin.refuse("headamp1.gain")
        room = Room(twin, ["headamp1", "headamp3", "headamp3"], {"headamp1": -54, "headamp3": -48})
        _proposals, settled = await assisted(room, desk, [1, 3])
        assert settled[0].ended == Decibels(20)
        assert settled[0].verdict.kind is Kind.LOW
        assert settled[0].words == "foh was asked for headamp1.gain and did not report it."
        assert settled[1].verdict.kind is Kind.GOOD


async def test_without_a_report_nothing_is_set() -> None:
    async with hall("behringer-x32", {**X32, "headamp1.gain": 20.0}) as (twin, desk):
        twin.mute_questions = {"ch1.headamp"}
        room = Room(twin, ["headamp1", "headamp1"], {"headamp1": -54})
        (proposal,), (settled,) = await assisted(room, desk, [1])
        assert proposal.to is None
        assert proposal.words.startswith("foh did not say which head amplifier ch1 hears; nothing is set. Too quiet.")
        assert settled.ended is None
        assert twin.value("headamp1.gain") == 20
        assert (await desk.preamp(4)).reason == "ch4 hears no head amplifier of foh; set its gain where it comes from."


async def test_a_microphone_that_does_not_follow_gets_its_gain_back() -> None:
    async with hall("behringer-x32", {**X32, "headamp1.gain": 20.0, "headamp7.gain": 20.0}) as (twin, desk):
        room = Room(twin, ["headamp7"], {"headamp7": -54})
        _proposals, (settled,) = await assisted(room, desk, [1])
        assert (
            settled.words == "The desk changed the gain by +6 dB, and the channel did not follow. Look at its routing."
        )
        assert settled.ended == Decibels(20)
        assert twin.value("headamp1.gain") == 20


async def test_a_hand_on_the_desk_wins() -> None:
    async with hall("behringer-x32", {**X32, "headamp1.gain": 20.0}) as (twin, desk):
        room = Room(twin, ["headamp1"], {"headamp1": -54})

        async def hand() -> None:
            twin.hand("headamp1.gain", 24.0)
            await until(lambda: desk._desk.get("headamp1.gain").value == 24, "the hand is seen")

        room.meanwhile = hand
        _proposals, (settled,) = await assisted(room, desk, [1])
        assert settled.words.startswith("Somebody moved this gain")
        assert settled.ended == Decibels(24)
        assert twin.value("headamp1.gain") == 24


async def test_two_channels_of_one_head_amplifier_move_it_once() -> None:
    async with hall("behringer-x32", {"ch1.headamp": 0, "ch2.headamp": 0, "headamp1.gain": 20.0}) as (twin, desk):
        room = Room(twin, ["headamp1", "headamp1"], {"headamp1": -50})
        proposals, settled = await assisted(room, desk, [1, 2])
        assert [each.to for each in proposals] == [Decibels(32), None]
        assert [each.verdict.kind for each in settled] == [Kind.GOOD] * 2


async def test_without_a_desk_the_words_are_for_a_hand() -> None:
    async def listen(seconds: float) -> list[Heard]:
        return [Heard(Decibels(-30), Decibels(-18), 0, None, seconds, seconds)]

    (proposal,) = await GainAssistant(None, [1], listen, lambda _words: None).propose()
    assert (proposal.to, proposal.words) == (
        None,
        "Too quiet. Turn the gain up by 12 dB, or have the singer come closer.",
    )


async def test_each_singer_has_a_mix_on_the_desk() -> None:
    stands: dict[str, Value] = {"ch1.send3.mute": True, "ch2.send3.level": -5.0, "bus3.name": "Ona"}
    async with hall("behringer-x32", stands) as (twin, desk):
        mix: dict[int | str, Decibels | None] = {1: Decibels(-3), 2: None, "aux1": Decibels(-10)}
        assert set((await monitor(desk, 3, mix)).values()) == {Answer(done=True)}
        assert twin.value("ch1.send3.level") == pytest.approx(-3, abs=0.3)
        assert (twin.value("ch1.send3.mute"), twin.value("ch2.send3.mute")) == (False, True)
        shown = await desk.sends(3)
        assert shown["ch1"] == pytest.approx(-3, abs=0.3)
        assert shown["ch2"] is None
        assert (await desk.buses())[3] == "Ona"
        twin.refuse("ch1.send3.level")
        answers = await monitor(desk, 3, {1: Decibels(0), 40: Decibels(0)})
        assert [answer.done for answer in answers.values()] == [False, False]


async def test_the_air_mixer_has_no_switches_on_its_sends() -> None:
    async with hall("behringer-xr18", {"ch1.send2.level": 0.0}) as (twin, desk):
        answers = await monitor(desk, 2, {1: None, 2: Decibels(-6)})
        assert all(answer.done for answer in answers.values())
        assert twin.value("ch1.send2.level") == -90
        assert twin.value("ch2.send2.level") == pytest.approx(-6, abs=0.3)


async def test_a_recording_that_is_patched_otherwise_has_its_own_channels() -> None:
    async with hall("behringer-x32", {"ch17.headamp": 5, "headamp6.gain": 33.0}, {1: 17}) as (_twin, desk):
        assert await desk.preamp(1) == Preamp("headamp6", Decibels(33), Decibels(-12), Decibels(60))
        assert (await desk.preamp(2)).gain is None


async def test_a_surface_is_no_desk() -> None:
    venue = Venue(devices=(DeviceSettings("pads", "akai-apc-mini", midi="APC"),))
    with pytest.raises(DeviceError, match='"pads" is no sound desk'):
        async with vocal_desk(venue, "pads"):
            pass
