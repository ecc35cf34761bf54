"""The drivers, and how `studio.toml` and `hardware/` choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from studio.catalogue import user_folder
from studio.devices._camera.camera import Camera
from studio.devices._hardware import Hardware
from studio.devices._midi.clock import MidiTimecode
from studio.devices._midi.gear import MidiGear
from studio.devices._midi.surface import MidiSurface
from studio.devices._obsbot.driver import ObsbotCamera
from studio.devices._osc.driver import OscDesk
from studio.devices._visca.driver import ViscaCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from studio.bus import Bus
    from studio.catalogue import Catalogue
    from studio.devices._ground.device import Device


class Settings(Protocol):
    """What `studio.toml` says of one device (`venue.DeviceSettings`)."""

    @property
    def name(self) -> str: ...
    @property
    def hardware(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def midi(self) -> str | None: ...


def _midi(settings: Settings, hardware: Hardware, bus: Bus) -> Device:
    assert hardware.midi is not None  # noqa: S101 - Hardware.driver says so
    kind = MidiGear if hardware.midi.gear else MidiTimecode if hardware.midi.timecode else MidiSurface
    return kind(settings.name, hardware.midi, bus, settings.midi)


def _osc(settings: Settings, hardware: Hardware, bus: Bus) -> Device:
    assert hardware.osc is not None  # noqa: S101 - Hardware.driver says so
    return OscDesk(settings.name, hardware.osc, bus, settings.host, settings.port)


def _visca(settings: Settings, hardware: Hardware, bus: Bus) -> Device:
    assert hardware.visca is not None  # noqa: S101 - Hardware.driver says so
    return ViscaCamera(settings.name, hardware.visca, bus, settings.host, settings.port)


def _obsbot(settings: Settings, hardware: Hardware, bus: Bus) -> Device:
    assert hardware.obsbot is not None  # noqa: S101 - Hardware.driver says so
    return ObsbotCamera(settings.name, hardware.obsbot, bus, settings.host, settings.port)


DRIVERS: dict[str, Callable[[Settings, Hardware, Bus], Device]] = {
    "midi": _midi,
    "osc": _osc,
    "visca": _visca,
    "obsbot": _obsbot,
}
"""By `Hardware.driver`. OBS is not here: it is no model in `hardware/` but a program with a section of its own."""


def open_devices(
    settings: Iterable[Settings], catalogue: Catalogue, bus: Bus, folder: Path | None = None
) -> list[Device]:
    """Make a driver for every device of the house; each connects when it is `run`.

    Cameras keep names and pictures of their presets below `folder`, that of the house; `None`: the user's. Raises
    DrawerError where a file of `hardware/` is missing or wrong.
    """
    devices = []
    for each in settings:
        hardware = catalogue.load("hardware", each.hardware, Hardware)
        device = DRIVERS[hardware.driver](each, hardware, bus)
        if isinstance(device, Camera):
            device.keep_in(folder or user_folder())
        devices.append(device)
    return devices
