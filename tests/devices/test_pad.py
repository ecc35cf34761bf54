"""The driver of pads over real MIDI ports: a jackd without a sound card, and mido at both ends."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import mido
import pytest
import pytest_asyncio
from tests.devices.hall import until
from tests.devices.jack import BACKEND, jack_server, running

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, MidiModel, MidiSurface, close_ports
from studio.events import LinkChanged, PadPressed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRESSES = 250
"""As quick as eight hands; a jackd that misses its cycle under load drops what is quicker, whoever listens."""


@pytest.fixture(scope="module")
def apc() -> MidiModel:
    model = Catalogue().load("hardware", "akai-apc-mini", Hardware).midi
    assert model is not None
    return model


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    async with jack_server(tmp_path_factory.mktemp("jack")) as log:
        yield log


class Surface:
    """The other end of the cable: what an APC mini is to the computer."""

    def __init__(self) -> None:
        backend = mido.Backend(BACKEND, load=True)
        self.lit: list[Any] = []
        self.pads = backend.open_output("APC MINI pads", virtual=True)
        self.lights = backend.open_input("APC MINI lights", virtual=True, callback=self.lit.append)

    def hit(self, note: int) -> None:
        self.pads.send(mido.Message("note_on", note=note, velocity=127))
        self.pads.send(mido.Message("note_off", note=note, velocity=127))

    def light(self, note: int) -> int | None:
        """The velocity last sent to the light of `note`."""
        return next((message.velocity for message in reversed(self.lit) if message.note == note), None)

    def unplug(self) -> None:
        close_ports([self.pads, self.lights])


async def test_pads_come_up_lights_go_down_and_survive_a_replug(jack: Path, apc: MidiModel) -> None:
    assert jack.exists()
    bus = Bus()
    pad = MidiSurface("pads", apc, bus, backend=BACKEND)
    pad.light("pad1", "ready")  # before it is plugged in
    surface = Surface()
    async with bus.listen(PadPressed) as presses, bus.listen(LinkChanged) as changes, running(pad):
        await until(lambda: pad.link.state == "online", "the surface is plugged in")
        await until(lambda: surface.light(56) == 1, "what is remembered is shown")
        await until(lambda: surface.light(57) == 0, "all others are dark")
        surface.hit(56)
        assert await anext(presses) == PadPressed("pads", "pad1")
        surface.hit(98)
        assert await anext(presses) == PadPressed("pads", "shift")
        pad.light("pad1", "on")
        pad.light("shift", "on")  # which has no light
        await until(lambda: surface.light(56) == 3, "red")
        while changes._waiting:
            await anext(changes)
        surface.unplug()
        assert (await anext(changes)).state == "connecting"
        pad.light("pad2", "asked")
        surface = Surface()
        assert (await anext(changes)).state == "online"
        await until(lambda: (surface.light(56), surface.light(57)) == (3, 6), "the lights are back")
    surface.unplug()


async def test_presses_and_releases_arrive_in_order_and_none_is_lost(jack: Path, apc: MidiModel) -> None:
    assert jack.exists()
    bus = Bus()
    pad = MidiSurface("pads", apc, bus, backend=BACKEND)
    surface = Surface()
    async with bus.listen(PadPressed, limit=2 * PRESSES) as presses, running(pad):
        # A jackd that is still taking in new ports may run a cycle twice, and deliver its notes twice.
        await until(lambda: len(surface.lit) >= 64, "the surface is plugged in and dark")
        for note in range(PRESSES):
            surface.hit(note % 64)
            await asyncio.sleep(0.004)
        async with asyncio.timeout(90):
            names = [(await anext(presses)).control for _each in range(PRESSES)]
    surface.unplug()
    rows = [f"pad{(7 - note // 8) * 8 + note % 8 + 1}" for note in range(64)]
    assert names == [rows[note % 64] for note in range(PRESSES)]


async def test_without_midi_it_says_what_to_do(apc: MidiModel) -> None:
    pad = MidiSurface("pads", apc, Bus(), backend="mido.backends.no_such")
    async with running(pad):
        await until(lambda: "MIDI cannot be used" in pad.link.detail, "said")


async def test_a_control_that_is_not_there_is_an_error(apc: MidiModel) -> None:
    with pytest.raises(ValueError, match="pad65"):
        MidiSurface("pads", apc, Bus()).light("pad65", "on")


async def test_ports_are_left_at_a_flood_of_messages(jack: Path) -> None:
    """Before it was known whom the library still calls, it took the interpreter along by the third time or so."""
    assert jack.exists()
    backend = mido.Backend(BACKEND, load=True)
    word = mido.Message("control_change", value=1)

    def leave(name: str) -> int:
        heard: list[Any] = []
        enough, over = threading.Event(), threading.Event()

        def take(message: object) -> None:
            heard.append(message)
            enough.set()

        def flood() -> None:
            while not over.wait(0.00005):
                out.send(word)

        with backend.open_output(name, virtual=True) as out:
            sending = threading.Thread(target=flood)
            sending.start()
            try:
                source = next(listed for listed in backend.get_input_names() if name in listed)
                ears = backend.open_input(source, callback=take)
                assert enough.wait(60)
                close_ports([ears])
            finally:
                over.set()
                sending.join()
        return len(heard)

    for turn in range(8):
        assert await asyncio.to_thread(leave, f"flood {turn}")
