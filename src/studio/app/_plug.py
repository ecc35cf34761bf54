"""Things with a plug, on this evening: OBS, pads and desks, and what their buttons mean."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from studio import devices
from studio.app import _device_commands
from studio.app._cameras import OnAir
from studio.app._device_commands import DeviceCommands
from studio.app._devices import OBS, journal
from studio.app._orders import Orders, known, look
from studio.app._own_obs import kept
from studio.app._surfaces import Surfaces
from studio.bus import Bus
from studio.catalogue import instead
from studio.devices import Hardware, Kept, Outcome, PropertyChanged
from studio.errors import DeviceError
from studio.events import LinkChanged, SceneTaken, SinkReport
from studio.language import _, plural
from studio.show import load_bindings
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from studio.app._evening import Evening
    from studio.app._report import Report
    from studio.bus import Listening
    from studio.catalogue import Catalogue
    from studio.show import Binding
    from studio.venue import Venue

logger = logging.getLogger(__name__)

KEPT_SHOWN = 3
"""How much of what a hand changed in OBS is told one by one: a page shows few notices."""

COMMANDS = _device_commands.COMMANDS | {"take"}
REPORTS = 8192
"""Reports of values that may wait: two desks that load a scene at once."""
LOOK = 1.0
"""Seconds between two looks at how far a device is known, where it reported anything meanwhile."""


class Plugs:
    """The devices of an evening, introduced to the state and to the house's commands."""

    def __init__(
        self,
        venue: Venue,
        catalogue: Catalogue,
        evening: Evening,
        report: Report,
        command: Callable[[str, Mapping[str, object]], Awaitable[Outcome]],
    ) -> None:
        """Connect to nothing yet. Raises DrawerError where a binding means nothing."""
        self._venue = venue
        self._evening = evening
        self._report = report
        self._bus = Bus()
        bound = load_bindings(venue, catalogue)
        opened = devices.open_devices(venue.devices, catalogue, self._bus, venue.folder)
        self._devices = {device.name: device for device in opened}
        self._on_air = OnAir(venue, evening.collection, self._devices, self._obs_may_run)
        _check_surfaces(venue, catalogue, bound)
        self._orders = Orders(lambda: self._devices, catalogue, journal(venue))
        self._commands = DeviceCommands(self._orders)
        self._surfaces = Surfaces(bound, lambda: self._devices, self._orders, command, report.notice)
        self._unlooked = set(self._devices)
        listens = evening.relay.input.startswith("listen:")
        self._needs_obs = venue.obs.use != "off" and bool(listens or evening.collection or venue.captions.obs_text)
        self._obs: devices.Obs | None = None
        self._process: devices.ObsProcess | None = None
        self._spoken: Ms | None = None
        self._text_late: Ms | None = None
        self._text_problem = ""
        if venue.captions.obs_text and evening.captions:
            self._report.captions.sinks("core", [SinkReport("obs", "connecting", "", None)])

    async def run(self) -> None:
        """Keep every link until cancelled. Raises DeviceError where an OBS of our own cannot be started."""
        async with (
            asyncio.TaskGroup() as tasks,
            self._bus.listen(msgspec.Struct) as facts,  # hands and links: no flood of reports may push them out
            self._bus.listen(PropertyChanged, REPORTS) as reports,
        ):
            for device in list(self._devices.values()):
                tasks.create_task(device.run())
            tasks.create_task(self._run_obs(tasks))
            tasks.create_task(self._surfaces.run())
            tasks.create_task(self._look())
            tasks.create_task(self._follow_reports(reports))
            async for fact in facts:
                with self._no_driver_ends_the_show():
                    self._follow(fact)

    async def _follow_reports(self, reports: Listening[PropertyChanged]) -> None:
        missed = 0
        async for fact in reports:
            with self._no_driver_ends_the_show():
                self._follow(fact)
                if missed != reports.missed:
                    missed = reports.missed
                    self._unlooked |= self._devices.keys()
                    self._surfaces.refresh()

    def _follow(self, fact: object) -> None:
        self._surfaces.follow(fact)
        self._on_air.follow(fact, self._obs)
        match fact:
            case LinkChanged(name=name, state=state, detail=detail):
                self._report.link(name, state, detail)
                self._unlooked.add(name)
                starting = name == "obs" and self._process is not None  # ours: the supervisor sees to it
                if detail and (state == "refused" or (state == "connecting" and not starting)):
                    self._report.notice(detail, about=name)
                if name == "obs" and self._venue.captions.obs_text and self._evening.captions:
                    self._report.captions.sinks("core", [SinkReport("obs", state, detail, self._text_late)])
                self._show_scenes()
            case SceneTaken():
                self._show_scenes()
            case Kept(sentences=sentences):
                self._report_kept(sentences)
            case PropertyChanged(name=name):
                self._unlooked.add(name)

    async def _look(self) -> None:
        """Say how far each device is known, for the page: a few numbers, once a second at most."""
        while True:
            for name in self._unlooked & self._devices.keys():
                with self._no_driver_ends_the_show():
                    self._report.device(name, known(look(self._devices[name])))
            self._unlooked.clear()
            await asyncio.sleep(LOOK)

    async def command(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Do one of COMMANDS."""
        if name == "take":
            return await self.take(arguments.get("scene"))
        return await self._commands.command(name, arguments)

    def _report_kept(self, sentences: tuple[str, ...]) -> None:
        for sentence in sentences[:KEPT_SHOWN]:
            self._report.notice(sentence)
        if len(sentences) > KEPT_SHOWN:
            more = len(sentences) - KEPT_SHOWN
            sentence = plural(
                "{n} more thing was changed by hand in OBS and stays so: studio obs plan shows it.",
                "{n} more things were changed by hand in OBS and stay so: studio obs plan shows them.",
                more,
            )
            self._report.notice(sentence.format(n=more))

    async def wind_down(self) -> None:
        """The programme is over: OBS need not stream to us any more."""
        with self._no_driver_ends_the_show():
            if self._obs:
                await self._obs.stop_streaming()

    async def close(self) -> None:
        """End what was begun for this evening: OBS's stream to us, and an OBS of our own."""
        self._on_air.close()
        await self.wind_down()
        if self._process:
            await self._process.stop()

    async def take(self, scene: object) -> Outcome:
        """Put `scene` on the programme."""
        if not isinstance(scene, str):
            return Outcome("refused", _("A take needs the name of a scene."))
        if self._obs is None:
            return Outcome("refused", _("This show runs without OBS, so there are no scenes to take."))
        return await self._obs.take(scene)

    def show_text(self, text: str, spoken: Ms | None) -> None:
        """Have OBS show `text`, where `studio.toml` names a source for it; a slow or absent OBS holds up nobody.

        `spoken` is when the last settled word of it ended, on the machine's monotonic clock, or `None` without news.
        """
        source = self._venue.captions.obs_text
        if source is None:
            return
        if spoken is not None:
            self._spoken = spoken
        if self._obs:
            self._obs.set_text(source, text, self._text_shown)
        elif self._venue.obs.use == "off":
            detail = _("This show runs without OBS, so no source of it shows captions.")
            self._report.captions.sinks("core", [SinkReport("obs", "off", detail, None)])

    def _text_shown(self, problem: str) -> None:
        if self._spoken is not None and not problem:
            self._text_late = Ms(max(0, time.monotonic_ns() // 1_000_000 - self._spoken))
            self._spoken = None
        self._report.captions.sinks(
            "core", [SinkReport("obs", "refused" if problem else "online", problem, self._text_late)]
        )
        if problem not in ("", self._text_problem):
            self._report.notice(problem)
        self._text_problem = problem

    async def _run_obs(self, tasks: asyncio.TaskGroup) -> None:
        settings, collection = self._venue.obs, self._evening.collection
        listen = self._evening.relay.input.partition("listen:")[2]
        if not self._needs_obs:
            return
        host, port, password = settings.host, settings.port, os.environ.get(settings.password_env, "")
        if settings.use == "start" and collection and not await devices.obs_answers(host, port):
            self._process = devices.ObsProcess(
                self._evening.run / "obs", collection, video_kbps=self._evening.relay.encode.video_bitrate
            )
            host, port, password = self._process.host, self._process.port, self._process.password
            tasks.create_task(self._run_process(self._process))
        self._obs = self._devices[OBS] = devices.Obs(host, port, password, self._bus)
        with self._no_driver_ends_the_show():
            if collection:
                await self._obs.apply(collection)
            if listen:
                await self._obs.stream_to(*_server_and_key(listen))
        tasks.create_task(self._obs.run())

    def _obs_may_run(self) -> bool:
        """Whether OBS may show a camera: this show has to do with it, and it was not found missing."""
        starts = self._process is not None and self._process.pid is not None  # ours, which answers nobody yet
        return self._needs_obs and (self._obs is None or starts or not self._obs.missing)

    async def _run_process(self, process: devices.ObsProcess) -> None:
        with self._no_driver_ends_the_show(), contextlib.ExitStack() as stack:
            try:
                stack.enter_context(kept(self._venue, process.host, process.port, process.password))
            except OSError as problem:  # then the command line guards the cameras as if they were on air
                logger.warning("how the show's OBS is called cannot be kept: %s", problem)
            await process.run()

    @contextmanager
    def _no_driver_ends_the_show(self) -> Iterator[None]:
        """What a device will not do is said, and the evening goes on."""
        try:
            yield
        except DeviceError as problem:
            self._report.notice(str(problem))
        except Exception as fault:
            logger.exception("a device's driver broke")
            self._report.notice(
                _("Something broke in a device's driver ({fault}); the show goes on without it.").format(fault=fault)
            )

    def _show_scenes(self) -> None:
        if self._obs is None:
            return
        self._report.scenes(self._obs.scenes, self._obs.scene if self._obs.link.up else None)


def _check_surfaces(venue: Venue, catalogue: Catalogue, bound: Iterable[Binding]) -> None:
    """Raise DrawerError where a control is bound that its surface does not have."""
    hardware = {each.name: each.hardware for each in venue.devices}
    for binding in bound:
        if binding.surface not in hardware:
            message = _('There is no device "{name}" in studio.toml').format(name=binding.surface)
            raise binding.place.error(message + instead(binding.surface, hardware))
        controls = catalogue.load("hardware", hardware[binding.surface], Hardware).controls()
        if binding.control not in controls:
            message = _('"{device}" has no control "{control}"')
            message = message.format(device=binding.surface, control=binding.control)
            raise binding.place.error(message + instead(binding.control, controls))


def _server_and_key(address: str) -> tuple[str, str]:
    """Where OBS is told to stream to: over RTMP the last part of the path is the key; SRT has none."""
    if address.startswith("rtmp://"):
        server, _slash, key = address.rpartition("/")
        return server, key
    return address, ""
