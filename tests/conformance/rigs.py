"""The kinds of devices that the kit is played on."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, ClassVar

from tests.conformance.kit import Rig
from tests.conformance.surfaces import CANNOT, SCENES
from tests.devices.jack import BACKEND

from studio.catalogue import Catalogue
from studio.devices import Hardware, MidiSurface, Obs, ObsbotCamera, OscDesk, ViscaCamera
from studio.rehearsal import Cable, CameraTwin, DeskTwin, Gate, ObsbotTwin, ObsTwin, SurfaceTwin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from studio.bus import Bus
    from studio.devices import Device
    from studio.rehearsal import Twin, Way

MIDI = "studio.devices._midi.session"
OBS = "studio.devices._obs"
OBSBOT = "studio.devices._obsbot.driver"
VISCA = "studio.devices._visca"
OSC = "studio.devices._osc"


class X32(Rig):
    """A desk over OSC."""

    name = "x32"
    datagrams = True
    control = "main.fader"
    values = (-90.0, -10.0, -20.0, 0.0)
    tolerance = 0.5  # a step of its faders at the bottom
    other = "dca1.mute"
    other_values = (False, True)
    shortened: ClassVar = {
        f"{OSC}.driver.PROBE": 0.15,
        f"{OSC}.driver.PATIENCE": 0.4,
        f"{OSC}.questions.PATIENCE": 0.4,
        f"{OSC}.driver.RETRY": 0.1,
        f"{OSC}.questions.REFRESH": 0.02,
        f"{OSC}.driver.SET_DEADLINE": 0.6,
        f"{OSC}.driver.ASK_AGAIN": 0.05,
    }

    def __init__(self) -> None:
        self._lazy: set[str] = set()

    def lazy(self, control: str) -> bool:
        return control in self._lazy

    @contextlib.asynccontextmanager
    async def open(self, bus: Bus) -> AsyncIterator[tuple[Device, Twin, Way]]:
        model = Catalogue().load("hardware", "behringer-x32", Hardware).osc
        assert model is not None
        some = tuple(each for each in model.controls if each.name.startswith(("main.", "dca{n}.", "bus{n}.mute")))
        few = dataclasses.replace(model, controls=some, actions=(), pause=0.0)
        self._lazy = {name for name, each in few.expanded().items() if each.lazy}
        async with DeskTwin(few) as twin, Gate("udp", twin.port) as gate:
            yield OscDesk(self.name, few, bus, "127.0.0.1", gate.port), twin, gate


class ObsStudio(Rig):
    """OBS over its WebSocket."""

    name = "obs"
    datagrams = False
    control = "input.Mic.volume"
    values = (0.0, -10.0, -20.0, -30.0)
    other = "input.Film.mute"
    other_values = (False, True)
    shortened: ClassVar = {
        f"{OBS}.session.PATIENCE": 3.0,  # longer than its own: for a busy machine
        f"{OBS}.driver.RETRY": 0.1,
        f"{OBS}.driver.PROBE": 0.2,
        f"{OBS}.board.SET_DEADLINE": 0.8,
        f"{OBS}.board.EACH": 0.2,
    }

    @contextlib.asynccontextmanager
    async def open(self, bus: Bus) -> AsyncIterator[tuple[Device, Twin, Way]]:
        async with ObsTwin("pod lipami") as twin, Gate("tcp", twin.port) as gate:
            yield Obs("127.0.0.1", gate.port, twin.password, bus, self.name), twin, gate


class SonyCamera(Rig):
    """A camera over VISCA in Sony's frame."""

    name = "brc-x400"
    datagrams = True
    file = "sony-brc-x400"
    control = "white_balance.red"
    values = (-1.0, -40.0, 20.0, 90.0)
    tolerance = 0.5
    other = "focus.auto"
    other_values = (True, False)
    shortened: ClassVar = {
        f"{VISCA}.session.PATIENCE": 0.15,
        f"{VISCA}.driver.POLL": 0.02,
        "studio.devices._camera.camera.RETRY": 0.1,
        f"{VISCA}.driver.SET_DEADLINE": 1.2,
        f"{VISCA}.talk.AGAIN": 0.03,
        f"{VISCA}.driver.AGAIN": 0.03,
    }

    @contextlib.asynccontextmanager
    async def open(self, bus: Bus) -> AsyncIterator[tuple[Device, Twin, Way]]:
        model = Catalogue().load("hardware", self.file, Hardware).visca
        assert model is not None
        few = dataclasses.replace(model, exposure={}, shutter=None, iris=None, gain=None, compensation=None)
        async with CameraTwin(few) as twin, Gate(few.transport, twin.port) as gate:
            camera = ViscaCamera(self.name, few, bus, "127.0.0.1", gate.port)
            camera.on_air = False  # so that the lamp is ours
            yield camera, twin, gate


class PtzOptics(SonyCamera):
    """A camera over VISCA as on a serial line, by TCP."""

    name = "ptzoptics"
    datagrams = False
    file = "ptzoptics-g2"
    values = (127.0, 40.0, 20.0, 90.0)


class Obsbot(Rig):
    """A camera over OSC, by OBSBOT Center."""

    name = "obsbot"
    datagrams = True
    control = "zoom"
    values = (0.0, 30.0, 60.0, 90.0)
    tolerance = 1.0
    other = "pan"
    other_values = (0.0, 40.0)
    shortened: ClassVar = {f"{OBSBOT}.POLL": 0.05, f"{OBSBOT}.AGAIN": 0.05, f"{OBSBOT}.MOVE_DEADLINE": 3.0}
    cannot: ClassVar = {
        "NAK": "OBSBOT Center has no word for no, and does what it can",
        "buffer full": "OBSBOT Center has no buffer that could be full, and no word for it",
    }

    @contextlib.asynccontextmanager
    async def open(self, bus: Bus) -> AsyncIterator[tuple[Device, Twin, Way]]:
        model = Catalogue().load("hardware", "obsbot-center", Hardware).obsbot
        assert model is not None
        model = dataclasses.replace(model, reply_port=None)  # through a gate it answers to that
        async with ObsbotTwin(model) as twin, Gate("udp", twin.port) as gate:
            yield ObsbotCamera(self.name, model, bus, "127.0.0.1", gate.port), twin, gate


class Surface(Rig):
    """A surface with motor faders over MIDI, at ports of JACK."""

    name = "surface"
    datagrams = False
    control = other = ""
    values = (0.0, 0.0, 0.0, 0.0)
    other_values = (0.0, 0.0)
    needs = "jackd"
    tries = 3  # a jackd that misses its cycle drops what is on its way, whoever listens
    shortened: ClassVar = {f"{MIDI}.LOOK": 0.1, f"{MIDI}.PROBE": 0.2, f"{MIDI}.PATIENCE": 0.5}
    scenes = SCENES
    cannot = CANNOT

    @contextlib.asynccontextmanager
    async def open(self, bus: Bus) -> AsyncIterator[tuple[Device, Twin, Way]]:
        model = Catalogue().load("hardware", "behringer-x-touch", Hardware).midi
        assert model is not None
        async with SurfaceTwin(model) as twin:
            yield MidiSurface(self.name, model, bus, backend=BACKEND), twin, Cable(twin)


RIGS: tuple[type[Rig], ...] = (X32, ObsStudio, SonyCamera, PtzOptics, Obsbot, Surface)
