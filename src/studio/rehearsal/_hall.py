"""A pretend hall: every device of a house as a twin on this machine, and a `studio.toml` that leads there."""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from studio.catalogue import Catalogue, Place, instead
from studio.devices import Hardware
from studio.errors import DeviceError, NotSupported
from studio.language import _
from studio.rehearsal._cable import Cable
from studio.rehearsal._camera import CameraTwin
from studio.rehearsal._desk import DeskTwin
from studio.rehearsal._faults import Gate
from studio.rehearsal._obs.twin import ObsTwin
from studio.rehearsal._obsbot import ObsbotTwin
from studio.rehearsal._script import Put, Rehearsal
from studio.rehearsal._surface import GearTwin, SurfaceTwin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from studio.catalogue import Said
    from studio.venue import DeviceSettings, Venue

DRAWER = "presets/rehearsal"
OBS = "obs"
"""What OBS is called in a fault script."""
_NEVER = ("destinations",)
"""Of a studio.toml: a rehearsal is sent nowhere."""


def read_rehearsal(name: str, catalogue: Catalogue) -> Rehearsal:
    """Return a file of `presets/rehearsal/`, or one by its path; DrawerError with file and line where it is wrong."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return catalogue.load_file(DRAWER, Place(Path(name)), Rehearsal)
    return catalogue.load(DRAWER, name, Rehearsal)


def pretended(venue: Venue, hall: Rehearsal) -> Venue:
    """A house without a studio.toml has what `hall` says."""
    obs = dataclasses.replace(venue.obs, use="find" if hall.obs else "off")
    evening = dataclasses.replace(venue.show, scenes=hall.scenes or None)
    return dataclasses.replace(
        venue, name="rehearsal", devices=hall.devices, cameras=hall.cameras, show=evening, obs=obs, said=None
    )


class PretendHall:
    """`async with PretendHall(venue, catalogue).open() as hall`: all of its devices are up."""

    def __init__(self, venue: Venue, catalogue: Catalogue) -> None:
        """Open nothing yet."""
        self._venue = venue
        self._catalogue = catalogue
        self.puts: dict[str, Put] = {}
        """By name."""
        self.left_out: dict[str, str] = {}
        """Name → why there is no twin of it: one sentence."""
        self._settings: dict[str, DeviceSettings] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PretendHall]:
        """Put all up; down again when the block ends. DrawerError where a file of `hardware/` is wrong."""
        async with AsyncExitStack() as stack:
            for each in self._venue.devices:
                hardware = self._catalogue.load("hardware", each.hardware, Hardware)
                try:
                    await self._put(each, hardware, stack)
                except NotSupported as no:
                    self.left_out[each.name] = str(no)
                    if hardware.midi:  # bindings may name it, so it stays, and leads to a port that there is not
                        self._settings[each.name] = dataclasses.replace(each, midi=NOWHERE)
            if self._venue.obs.use != "off":
                obs = await stack.enter_async_context(ObsTwin())
                gate = await stack.enter_async_context(Gate("tcp", obs.port))
                self.puts[OBS] = Put(OBS, "OBS Studio", f"127.0.0.1:{gate.port}", obs, gate)
            yield self

    async def _put(self, settings: DeviceSettings, hardware: Hardware, stack: AsyncExitStack) -> None:
        make = TWINS.get(hardware.driver)
        if make is None:
            raise NotSupported(
                _("There is no twin of {maker} {model} yet.").format(maker=hardware.maker, model=hardware.model)
            )
        what = f"{hardware.maker} {hardware.model}"
        twin, kind = make(hardware)
        if kind == "cable":
            try:
                await stack.enter_async_context(twin)
            except _NO_MIDI as problem:
                raise NotSupported(
                    _("There is no MIDI to pretend it on ({problem}).").format(problem=problem)
                ) from problem
            port = settings.midi or twin.model.port
            self.puts[settings.name] = Put(settings.name, what, port, twin, Cable(twin))
            self._settings[settings.name] = dataclasses.replace(settings, midi=port)
            return
        await stack.enter_async_context(twin)
        gate = await stack.enter_async_context(Gate(kind, twin.port)) if kind else None
        port = gate.port if gate else twin.port
        self.puts[settings.name] = Put(settings.name, what, f"127.0.0.1:{port}", twin, gate)
        self._settings[settings.name] = dataclasses.replace(settings, host="127.0.0.1", port=port)

    def check(self, script: Rehearsal) -> None:
        """DeviceError with the nearest right word where `script` names a device that is not here."""
        for step in script.faults:
            if step.device and step.device not in self.puts:
                no = _('There is no device "{name}" in this rehearsal').format(name=step.device)
                raise DeviceError(no + (instead(step.device, self.puts) or "."))

    def toml(self) -> str:
        """A `studio.toml` that leads to the twins; what it leaves out is as in the house's own, but sent nowhere."""
        said: dict[str, Any] = _plain(self._venue.said) if self._venue.said else _pretended(self._venue)
        for never in _NEVER:
            said.pop(never, None)
        if isinstance(captions := said.get("captions"), dict):
            captions.pop("youtube", None)
        if put := self.puts.get(OBS):
            port = int(put.where.rpartition(":")[2])
            said["obs"] = {**said.get("obs", {}), "use": "find", "host": "127.0.0.1", "port": port}
        else:
            said["obs"] = {"use": "off"}
        devices = [
            _device(self._settings[each.name], each) for each in self._venue.devices if each.name in self._settings
        ]
        return _toml({**said, "devices": devices})


NOWHERE = "no twin of this one"


def _pretended(venue: Venue) -> dict[str, Any]:
    """What a `studio.toml` would say of a hall that has none."""
    cameras = [
        {key: str(value) for key, value in dataclasses.asdict(camera).items() if value is not None}
        for camera in venue.cameras
    ]
    said: dict[str, Any] = {"name": venue.name, "cameras": cameras}
    return {**said, "show": {"scenes": venue.show.scenes}} if venue.show.scenes else said


def _device(now: DeviceSettings, was: DeviceSettings) -> dict[str, Any]:
    said: dict[str, Any] = {"name": now.name, "hardware": now.hardware, "host": now.host, "port": now.port}
    if now.midi:
        said = {"name": now.name, "hardware": now.hardware, "midi": now.midi}
    return {**said, **({"bind": dict(was.bind)} if was.bind else {})}


def _plain(said: Said) -> Any:  # noqa: ANN401 - as it was written
    if isinstance(said.value, dict):
        return {str(key): _plain(value) for key, value in said.value.items()}
    if isinstance(said.value, tuple):
        return [_plain(value) for value in said.value]
    return said.value


def _toml(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Write a table: its values first, then the tables in it, as TOML wants it."""
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in table.items() if not _is_table(value)]
    for key, value in table.items():
        name = ".".join(_key(each) for each in (*path, key))
        if isinstance(value, dict):
            lines.append(f"\n[{name}]\n{_toml(value, (*path, key))}")
        elif _is_table(value):
            lines += [f"\n[[{name}]]\n{_toml(each, (*path, key))}" for each in value]
    return "".join(lines)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: object) -> str:
    """A string of JSON is one of TOML, too; numbers and truth are written alike."""
    return json.dumps(value, ensure_ascii=False)


Kind: TypeAlias = 'Literal["udp", "tcp", "cable"] | None'
"""How a twin is called; `None`: by its own port, for it answers to one of ours past every gate."""


def _desk(hardware: Hardware) -> tuple[Any, Kind]:
    assert hardware.osc is not None  # noqa: S101 - Hardware.driver says so
    return DeskTwin(hardware.osc), None if hardware.osc.listens else "udp"


def _camera(hardware: Hardware) -> tuple[Any, Kind]:
    assert hardware.visca is not None  # noqa: S101 - Hardware.driver says so
    # Behind a gate it answers to that, so that all faults are on both ways.
    return CameraTwin(dataclasses.replace(hardware.visca, reply_port=None)), hardware.visca.transport


def _obsbot(hardware: Hardware) -> tuple[Any, Kind]:
    assert hardware.obsbot is not None  # noqa: S101 - Hardware.driver says so
    return ObsbotTwin(dataclasses.replace(hardware.obsbot, reply_port=None)), "udp"


def _midi(hardware: Hardware) -> tuple[Any, Kind]:
    assert hardware.midi is not None  # noqa: S101 - Hardware.driver says so
    backend = os.environ.get("MIDO_BACKEND") or (_ALSA if Path("/dev/snd/seq").exists() else "")
    if not backend:
        raise NotSupported(_("There is no MIDI to pretend it on ({problem}).").format(problem="/dev/snd/seq"))
    return (GearTwin if hardware.midi.gear else SurfaceTwin)(hardware.midi, backend), "cable"


_ALSA = "mido.backends.rtmidi/LINUX_ALSA"
_NO_MIDI = (OSError, RuntimeError, ValueError, ImportError)
"""What mido and rtmidi raise where no port can be made."""
TWINS: dict[str, Callable[[Hardware], tuple[Any, Kind]]] = {
    "osc": _desk,
    "visca": _camera,
    "obsbot": _obsbot,
    "midi": _midi,
}
"""By `Hardware.driver`: what puts one up, and how it is called."""
