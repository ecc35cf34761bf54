"""Which remote camera viewers see: by what OBS reports of its programme scene, and what stands in that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.devices import Camera, PropertyChanged
from studio.events import LinkChanged, SceneTaken
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from studio.devices import Device, Obs
    from studio.venue import CameraSettings, Venue
    from studio.wire.obs import Collection

LEAVES = 1.0
"""Seconds after OBS took another scene in which viewers may still see the one before, at least: reports of OBS come
in no certain order. A transition that takes longer is waited for."""
AGAIN = 0.1
"""Seconds between two looks whether a transition is over."""
DEEPEST = 8
"""Scenes within scenes that are looked into."""


class OnAir:
    """Keeps `on_air` of the remote cameras true, and lends them OBS's eye for pictures of their presets.

    A picture in `[[cameras]]` says with `ptz` which device turns it. It is on air where a source that shows it stands,
    visible, in OBS's programme scene: the one that was built for it, or one that somebody called as the picture.
    While OBS is not there, what was on air last stays so, and where it may run unheard, any of them may be on air.
    """

    def __init__(
        self,
        venue: Venue,
        collection: Collection | None,
        devices: Mapping[str, Device],
        may_run: Callable[[], bool] = lambda: False,
    ) -> None:
        """Say nothing yet but that nobody can tell. `collection` is what OBS was asked to hold, if anything.

        `may_run` is asked, while OBS reports nothing, whether one may run.
        """
        self._may_run = may_run
        self._told: tuple[Obs, int] | None = None
        """Which OBS said last what it shows, and in which epoch."""
        self._sources: dict[str, tuple[Camera, set[str]]] = {}
        """Device → it, and the sources of OBS that show what it sees."""
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        for camera in venue.cameras:
            device = devices.get(camera.ptz or "")
            if isinstance(device, Camera):
                names = {camera.name, _("camera {name}").format(name=camera.name), *_built(camera, collection)}
                self._sources[device.name] = device, names
                device.doubt = self._in_doubt

    def follow(self, fact: object, obs: Obs | None) -> None:
        """A fact of the devices' bus: where it is OBS's, say to every camera whether it is on air."""
        match fact:
            case SceneTaken() | LinkChanged(name="obs"):
                self._look(obs)
            case PropertyChanged(name="obs", control=control) if control.endswith(".visible"):
                self._look(obs)

    def _look(self, obs: Obs | None) -> None:
        if not self._sources or obs is None or not obs.link.up or obs.scene is None:
            return
        self._told = obs, obs.link.epoch
        seen = set(_seen(obs, obs.scene))
        for name, (device, sources) in self._sources.items():
            if device.picture is None and (shown := next((each for each in sources if _holds(obs, each)), None)):
                device.picture = lambda source=shown: obs.screenshot(source)
            if sources & seen:
                if leaving := self._leaving.pop(name, None):
                    leaving.cancel()
                device.on_air = True
            elif not device.on_air:
                device.on_air = False  # said for the first time, it puts out a lamp that was left on
            elif name not in self._leaving:
                self._leaving[name] = asyncio.get_running_loop().call_later(LEAVES, self._left, name, obs)

    def _in_doubt(self) -> bool:
        """Whether OBS may show something else than what it said last: it was not heard since, or never."""
        obs, epoch = self._told or (None, 0)
        return not (obs and obs.link.up and obs.link.epoch == epoch) and self._may_run()

    def close(self) -> None:
        """The evening is over."""
        for leaving in self._leaving.values():
            leaving.cancel()
        self._leaving.clear()

    def _left(self, name: str, obs: Obs) -> None:
        if obs.fading:
            self._leaving[name] = asyncio.get_running_loop().call_later(AGAIN, self._left, name, obs)
            return
        del self._leaving[name]
        self._sources[name][0].on_air = False


def _built(camera: CameraSettings, collection: Collection | None) -> Iterator[str]:
    """The sources that OBS was asked to make of a camera."""
    for scene in collection.scenes if collection else ():
        for source in scene.sources:
            if (camera.url and source.address == camera.url) or (camera.device and source.file == camera.device):
                yield source.name


def _seen(obs: Obs, scene: str, depth: int = 0) -> Iterator[str]:
    """All that is visible in a scene, and in the scenes within it, as OBS reports."""
    start, end = f"item.{scene}.", ".visible"
    for control in obs.controls():
        if control.startswith(start) and control.endswith(end) and obs.get(control).value is True:
            source = control[len(start) : -len(end)]
            yield source
            if source in obs.scenes and depth < DEEPEST:
                yield from _seen(obs, source, depth + 1)


def _holds(obs: Obs, source: str) -> bool:
    return any(control.endswith(f".{source}.visible") for control in obs.controls())
