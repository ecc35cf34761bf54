"""The devices of the house for one command: only those it needs, for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio import devices, show
from studio.app._cameras import OnAir
from studio.app._orders import Orders
from studio.app._own_obs import own_obs
from studio.bus import Bus
from studio.catalogue import Catalogue, instead, user_folder
from studio.errors import DeviceError, DrawerError, StudioError
from studio.events import LinkChanged
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from pathlib import Path

    from studio.devices import Device
    from studio.show import Desired
    from studio.venue import Venue
    from studio.wire.obs import Collection

OBS = "obs"
"""What OBS is called among the devices; no other may be."""


OBS_PATIENCE = 1.5
"""Seconds that a command to a camera waits for an OBS that may show it; one that runs answers within half a second."""


@dataclass(frozen=True, slots=True)
class Named:
    """A device as the files say it, not looked at yet."""

    name: str
    what: str
    """Maker and model."""
    where: str
    """`10.0.0.5:10023`, or the name of a MIDI port."""
    driver: str
    checked: str
    """How its file of `hardware/` was tried."""
    surface: bool
    """It has lights, and these belong to one program at a time."""


class HouseDevices:
    """What the house has. `async with house.open(names) as opened`."""

    def __init__(self, venue: Venue, catalogue: Catalogue | None = None) -> None:
        """Open nothing yet."""
        self._venue = venue
        self._catalogue = catalogue or Catalogue(venue.folder)
        self.folder: Path = venue.folder or user_folder()
        """Where its snapshots are kept."""

    def names(self) -> tuple[str, ...]:
        """Every device, OBS last."""
        own = tuple(device.name for device in self._venue.devices)
        return own if self._venue.obs.use == "off" else (*own, OBS)

    def known(self) -> list[Named]:
        """What the files say of each; DrawerError where one of `hardware/` is missing or wrong."""
        found = []
        made = {one.name: one for one in devices.open_devices(self._venue.devices, self._catalogue, Bus())}
        for each in self._venue.devices:
            hardware = self._catalogue.load("hardware", each.hardware, devices.Hardware)
            spoken = getattr(hardware, hardware.driver, None)
            port = each.port or getattr(spoken, "port", None)
            where = f"{each.host}:{port}" if isinstance(port, int) else each.midi or port or each.host
            lights = type(made[each.name]).light is not devices.Device.light
            what = f"{hardware.maker} {hardware.model}"
            found.append(Named(each.name, what, where, hardware.driver, hardware.checked, lights))
        if self._venue.obs.use != "off":
            settings = self._venue.obs
            found.append(
                Named(OBS, "OBS Studio", f"{settings.host}:{settings.port}", OBS, "real device", surface=False)
            )
        return found

    def chosen(self, names: Iterable[str]) -> list[str]:
        """`names`, each of which must be a device: DeviceError with the nearest right word else.

        Without any: all but surfaces, whose lights a second program would put out.
        """
        wanted = list(dict.fromkeys(names))
        for name in wanted:
            if name not in self.names():
                no = _('There is no device "{name}" in studio.toml').format(name=name)
                raise DeviceError(no + (instead(name, self.names()) or "."))
        return wanted or [one.name for one in self.known() if not one.surface]

    def snapshot(self, name: str) -> Desired:
        """The desired state of a file of `presets/snapshots/`; DrawerError where it is none."""
        return self._catalogue.load(show.SNAPSHOTS, name, show.Snapshot).set

    def journal(self) -> show.Journal:
        """What was changed here and can be undone."""
        return journal(self._venue)

    @asynccontextmanager
    async def open(self, names: Iterable[str]) -> AsyncIterator[Opened]:
        """Run the devices `names` until the block ends. Raises as `chosen` does, and DrawerError."""
        bus = Bus()
        chosen = self.chosen(names)
        own = [each for each in self._venue.devices if each.name in chosen]
        opened = devices.open_devices(own, self._catalogue, bus, self._venue.folder)
        made: dict[str, Device] = {one.name: one for one in opened}
        guarded = any(isinstance(one, devices.Camera) for one in opened) and self._venue.obs.use != "off"
        obs = await _running_obs(self._venue, bus) if guarded or OBS in chosen else None
        if obs and OBS in chosen:
            made[OBS] = obs
        guard = _Guard(self._venue, self._collection(), made, obs) if obs and guarded else None
        running = [asyncio.create_task(device.run()) for device in {*made.values(), *([obs] if obs else [])}]
        try:
            yield Opened(made, bus, Orders(lambda: made, self._catalogue, journal(self._venue)), guard)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            if guard:
                guard.on_air.close()

    def _collection(self) -> Collection | None:
        """What OBS holds where the scenes come from a file."""
        if self._venue.show.scenes:
            with contextlib.suppress(StudioError):
                return show.load_scenes(self._catalogue, self._venue.show.scenes, self._venue)
        return None


class _Guard:
    """What cameras on air are guarded by: the command line is no way around it."""

    def __init__(
        self, venue: Venue, collection: Collection | None, made: Mapping[str, Device], obs: devices.Obs
    ) -> None:
        self._venue = venue
        self._obs = obs
        self._may_run = True
        self.on_air = OnAir(venue, collection, made, lambda: self._may_run)

    async def look(self, seconds: float) -> None:
        """Have OBS say what is on air, where it answers within `seconds`; else any camera may be, unless there is none.

        There is none only where its machine says that nobody listens, and no show runs that may have started one.
        Silence says nothing.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._obs.link.wait_online()
        if self._obs.link.up:
            self.on_air.follow(LinkChanged(self._obs.name, self._obs.link.state, ""), self._obs)
        else:
            self._may_run = not await self._no_obs()

    async def _no_obs(self) -> bool:
        settings, web = self._venue.obs, self._venue.web
        own = own_obs(self._venue) if settings.use == "start" else None
        if own and own.running:  # it is just starting
            return False
        if settings.use == "start" and not await _nobody(web.host, web.port):
            return False  # a show runs, and how its OBS is called it could not keep, or is another user's
        return await _nobody(self._obs.host, self._obs.port)


async def _nobody(host: str, port: int) -> bool:
    """Whether the machine itself says that nobody listens there."""
    try:
        async with asyncio.timeout(OBS_PATIENCE):
            _reader, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False
    writer.close()
    return False


class Opened:
    """Devices that run."""

    def __init__(self, made: Mapping[str, Device], bus: Bus, orders: Orders, guard: _Guard | None = None) -> None:
        self._guard = guard
        self.devices = made
        self.bus = bus
        self.orders = orders

    async def there(self, seconds: float) -> dict[str, str]:
        """Wait until each is online, `seconds` at most; return of those that are not why: one sentence each."""
        waiting = {asyncio.create_task(device.link.wait_online()): name for name, device in self.devices.items()}
        if not waiting:
            return {}
        _done, late = await asyncio.wait(waiting, timeout=seconds)
        for task in late:
            task.cancel()
        if self._guard:
            await self._guard.look(min(seconds, OBS_PATIENCE))
        return {waiting[task]: self._why(waiting[task], seconds) for task in late}

    def _why(self, name: str, seconds: float) -> str:
        return self.devices[name].link.detail or _('"{name}" did not answer within {seconds} s.').format(
            name=name, seconds=f"{seconds:g}"
        )


def check_devices(venue: Venue, catalogue: Catalogue) -> list[show.Finding]:
    """Return what bindings and snapshots ask for that the devices cannot do; nothing is opened."""
    made: dict[str, Device] = {}
    for each in venue.devices:
        try:
            (made[each.name],) = devices.open_devices([each], catalogue, Bus())
        except DrawerError:  # which `show.check` says
            return []
    if venue.obs.use != "off":
        made[OBS] = _obs(venue, Bus())
    return show.check_bindings(venue, catalogue, made)


def journal(venue: Venue) -> show.Journal:
    """The undo journal of this house."""
    return show.Journal(str(venue.file.resolve()) if venue.file else "")


def _obs(venue: Venue, bus: Bus) -> devices.Obs:
    settings = venue.obs
    return devices.Obs(settings.host, settings.port, os.environ.get(settings.password_env, ""), bus, OBS)


async def _running_obs(venue: Venue, bus: Bus) -> devices.Obs:
    """The OBS of this house: that of the show that runs, where it started one for itself."""
    own = own_obs(venue) if venue.obs.use == "start" else None
    if own and (own.running or await devices.obs_answers(own.host, own.port)):
        return devices.Obs(own.host, own.port, own.password, bus, OBS)
    return _obs(venue, bus)
