"""`studio check`: reads every drawer and `studio.toml`, and follows every name, without touching a device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from studio.catalogue import Catalogue, Place, instead, nearest
from studio.errors import DrawerError, SecretError, ShowError
from studio.language import _
from studio.show import _destinations, _scenes
from studio.show._actions import meaning
from studio.venue import LOOPBACK, Venue

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

TURN = ("visca", "obsbot")
"""Drivers of what can turn a camera."""

LINKS = ("obs", "relay", "recogniser", "source")
"""Names that the page gives to parts of the house; a device may not have one of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `studio check` has to say; printed, it is a sentence with file and line."""

    sentence: str
    serious: bool = True
    """The show cannot go as the files say; else somebody should know, and may have meant it so."""

    def __str__(self) -> str:
        return self.sentence


@runtime_checkable
class _Model(Protocol):
    """What a file of `hardware/` says, as far as it matters here."""

    def controls(self) -> tuple[str, ...]:
        """What `bind` may name."""


def check(venue: Venue, catalogue: Catalogue, kinds: Mapping[str, type[Any]]) -> list[Finding]:
    """Return all that is wrong with the files of the house, each thing once, in the order of the files.

    `kinds` says what a file of each drawer holds: `{"presets/encode": EncodePreset, …}`; `scenes` is known here. Of
    drawers in the house's folder that are not among them, it is said that nobody reads them.
    """
    checker = _Checker(venue, catalogue, kinds)
    findings = [*checker.files(), *checker.strays(), *checker.names(), *checker.settings(), *checker.devices()]
    findings += checker.destinations()
    return list(dict.fromkeys(findings))


class _Checker:
    """Gathers findings; each method yields those of one kind of question."""

    def __init__(self, venue: Venue, catalogue: Catalogue, kinds: Mapping[str, type[Any]]) -> None:
        self._venue = venue
        self._catalogue = catalogue
        self._kinds = {**kinds, _scenes.DRAWER: _scenes.Scenes, _destinations.DRAWER: _destinations.Service}

    def files(self) -> Iterator[Finding]:
        """Every file of every drawer can be read; those of the house also find all that they name."""
        for drawer, kind in self._kinds.items():
            for place in self._catalogue.files(drawer):
                try:
                    self._catalogue.load_file(drawer, place, kind)
                    if drawer == _scenes.DRAWER and place.folder == self._venue.folder:
                        said = self._catalogue.said(drawer, place.file.stem)
                        for problem in _scenes.build(said, self._venue, None, any_talk=True)[1]:
                            yield from _all(problem)
                except DrawerError as problem:
                    yield from _all(problem)

    def strays(self) -> Iterator[Finding]:
        """Files and folders of the house that look like drawers but are never read."""
        folder = self._venue.folder
        if folder is None:
            return
        tops = {drawer.split("/")[0] for drawer in self._kinds}
        for top in sorted(tops):
            for file in sorted((folder / top).glob("**/*.yml")):
                place = Place(file, None, folder)
                name = file.with_suffix(".yaml").name
                yield _serious(place, _("files of a drawer end in .yaml; rename it to {name}").format(name=name))
            inner = {drawer.partition("/")[2] for drawer in self._kinds if drawer.startswith(f"{top}/")}
            for inside in sorted((folder / top).iterdir()) if inner and (folder / top).is_dir() else ():
                if inside.is_dir() and inside.name not in inner and nearest(inside.name, inner):
                    message = _("nobody reads this folder") + instead(inside.name, inner)
                    yield _serious(Place(inside, None, folder), message)

    def names(self) -> Iterator[Finding]:
        """Every file that `studio.toml` names is there and can be read."""
        venue = self._venue
        asked: list[tuple[str, str, Place]] = [
            ("subtitles/styles", venue.show.style, venue.place("show", "style")),
            ("presets/encode", venue.show.encode, venue.place("show", "encode")),
            ("presets/captions", venue.captions.preset, venue.place("captions", "preset")),
        ]
        asked += [
            ("subtitles/glossaries", name, venue.place("captions", "glossaries", number))
            for number, name in enumerate(venue.captions.glossaries)
        ]
        asked += [
            ("hardware", device.hardware, venue.place("devices", number, "hardware"))
            for number, device in enumerate(venue.devices)
        ]
        for drawer, name, place in asked:
            if drawer in self._kinds:
                try:
                    self._catalogue.load(drawer, name, self._kinds[drawer], place)
                except DrawerError as problem:
                    yield from _all(problem)

    def settings(self) -> Iterator[Finding]:
        """What `studio.toml` says of files, addresses and ports can be so."""
        venue = self._venue
        source = venue.show.input
        if source != "listen" and source.partition(":")[0] != "mic" and not Path(source).is_file():
            message = _('there is no file {file}; name one, or say "listen" or "mic"').format(file=source)
            yield _serious(venue.place("show", "input"), message)
        yield from self._ports()
        try:
            _scenes.load_slate(self._catalogue, venue.show.slate, venue)
        except DrawerError as problem:
            yield from _all(problem)
        yield from self._doubles("cameras", [camera.name for camera in venue.cameras])
        yield from self._turning()
        if venue.web.host not in LOOPBACK:
            message = _("the page will be open to everyone on the network, who may then run the show")
            yield Finding(str(venue.place("web", "host").error(message)), serious=False)
        host = urlsplit(venue.show.listen).hostname
        if source == "listen" and host not in LOOPBACK:
            message = _("anyone on the network may stream to {host} and so be on the air").format(host=host)
            yield Finding(str(venue.place("show", "listen").error(message)), serious=False)

    def _ports(self) -> Iterator[Finding]:
        venue = self._venue
        listen = urlsplit(venue.show.listen)
        used: dict[int, str] = {venue.web.port: "web"}
        wanted: list[tuple[str, int | None, str]] = []
        if venue.obs.use != "off" and venue.obs.host in LOOPBACK:
            wanted.append(("obs", venue.obs.port, "port"))
        if listen.scheme == "rtmp" and venue.show.input == "listen":
            wanted.append(("show", listen.port, "listen"))
        for section, port, key in wanted:
            if port in used:
                message = _("port {port} is also that of [{other}]; choose another for one of them")
                yield _serious(venue.place(section, key), message.format(port=port, other=used[port]))
            elif port is not None:
                used[port] = section

    def _doubles(self, section: str, names: list[str]) -> Iterator[Finding]:
        for number, name in enumerate(names):
            place = self._venue.place(section, number, "name")
            first = names.index(name)
            if not name.strip():
                yield _serious(place, _('"name" is empty'))
            elif first < number:
                line = self._venue.place(section, first, "name").line
                message = _('the name "{name}" is taken already, on line {line}').format(name=name, line=line)
                yield _serious(place, message)

    def devices(self) -> Iterator[Finding]:
        """Devices have names and addresses of their own, and what their controls are bound to can be done."""
        venue = self._venue
        yield from self._doubles("devices", [device.name for device in venue.devices])
        addresses: dict[tuple[str, int], str] = {}
        scenes = yield from self._scenes()
        for number, device in enumerate(venue.devices):
            if device.name in LINKS:
                message = _('a device cannot be called "{name}"; the house itself has a part of that name')
                yield _serious(venue.place("devices", number, "name"), message.format(name=device.name))
            address = (device.host, device.port) if device.port else None
            if address and addresses.setdefault(address, device.name) != device.name:
                message = _('"{name}" has the same host and port').format(name=addresses[address])
                yield _serious(venue.place("devices", number, "port"), message)
            controls = self._controls(device.hardware)
            for control, text in device.bind.items():
                place = venue.place("devices", number, "bind", control)
                if controls is not None and control not in controls:
                    message = _('{hardware} has no control "{control}"')
                    message = message.format(hardware=device.hardware, control=control)
                    yield _serious(place, message + instead(control, controls))
                yield from self._action(text, place, scenes)

    def destinations(self) -> Iterator[Finding]:
        """Destinations can be sent to, each has a key of its own, and the programme is encoded as they like it."""
        outlets, wrong = _destinations.build(self._venue, self._catalogue)
        for problem in wrong:
            yield from _all(problem)
        numbers = {settings.name: number for number, settings in reversed([*enumerate(self._venue.destinations)])}
        taken: dict[object, str] = {}
        for outlet in outlets:
            number = numbers[outlet.name]
            place = self._venue.place("destinations", number, "name")
            first = taken.setdefault((outlet.address, outlet.key), outlet.name)
            if first != outlet.name:
                message = _('"{name}" goes to the same place with the same key; leave out one of them')
                yield _serious(place, message.format(name=first))
            yield from self._key(outlet, number)
            if outlet.preset:
                service = self._catalogue.load(_destinations.DRAWER, outlet.preset, _destinations.Service)
                for sentence in self._advice(service):
                    yield Finding(str(place.error(sentence)), serious=False)

    def _key(self, outlet: _destinations.Outlet, number: int) -> Iterator[Finding]:
        """Whether its key can be had. The keyring is not asked: it may want a person to unlock it."""
        if outlet.key.keyring:
            return
        said = "key_env" if outlet.key.env else "key_file"
        try:
            outlet.destination()
        except SecretError as problem:
            place = self._venue.place("destinations", number, said)
            # A variable may well be filled only before the show.
            yield Finding(str(place.error(str(problem))), serious=outlet.key.env is None)

    def _advice(self, service: _destinations.Service) -> Iterator[str]:
        kind = self._kinds.get("presets/encode")
        if kind is None:
            return
        try:
            encoding: object = self._catalogue.load("presets/encode", self._venue.show.encode, kind)
        except DrawerError:  # which has been said already
            return
        if isinstance(encoding, _destinations.Encoding):
            yield from _destinations.advice(service, encoding)

    def _turning(self) -> Iterator[Finding]:
        """What turns a camera is a device, one that can, and turns no other."""
        venue = self._venue
        hardware = {device.name: device.hardware for device in venue.devices}
        turned: dict[str, str] = {}
        for number, camera in enumerate(venue.cameras):
            if camera.ptz is None:
                continue
            place = venue.place("cameras", number, "ptz")
            model = self._model(hardware[camera.ptz]) if camera.ptz in hardware else None
            if camera.ptz not in hardware:
                message = _('there is no device "{device}"').format(device=camera.ptz)
                yield _serious(place, message + instead(camera.ptz, hardware))
            elif model and getattr(model, "driver", None) not in TURN:
                message = _('"{device}" turns no camera; its hardware file must say "visca" or "obsbot"')
                yield _serious(place, message.format(device=camera.ptz))
            elif turned.setdefault(camera.ptz, camera.name) != camera.name:
                message = _('"{camera}" is turned by "{device}", too')
                yield _serious(place, message.format(camera=turned[camera.ptz], device=camera.ptz))

    def _controls(self, hardware: str) -> tuple[str, ...] | None:
        model = self._model(hardware)
        return model.controls() if model else None

    def _model(self, hardware: str) -> _Model | None:
        """A model; `None` where its file cannot be read, which has been said already."""
        kind = self._kinds.get("hardware")
        if kind is None:
            return None
        try:
            model: object = self._catalogue.load("hardware", hardware, kind)
        except DrawerError:
            return None
        return model if isinstance(model, _Model) else None

    def _scenes(self) -> Generator[Finding, None, tuple[str, ...] | None]:
        """Yield what is wrong with the scenes of the show; return their names, or `None` where OBS keeps its own."""
        name = self._venue.show.scenes
        if name is None:
            return None
        place = self._venue.place("show", "scenes")
        try:
            said = self._catalogue.said(_scenes.DRAWER, name, place)
        except DrawerError as problem:
            yield from _all(problem)
            return None
        collection, wrong = _scenes.build(said, self._venue, None, any_talk=True)
        for mistake in wrong:
            yield from _all(mistake)
        return collection.scene_names() if collection else None

    def _action(self, text: str, place: Place, scenes: tuple[str, ...] | None) -> Iterator[Finding]:
        try:
            action = meaning(text)
        except ShowError as problem:
            yield _serious(place, str(problem))
            return
        if action.scene and scenes is not None and action.scene not in scenes:
            message = _('the scene "{scene}" is not in scenes/{file}.yaml')
            message = message.format(scene=action.scene, file=self._venue.show.scenes)
            yield _serious(place, message + instead(action.scene, scenes))


def _all(problem: DrawerError) -> Iterator[Finding]:
    return (Finding(str(one)) for one in problem.all())


def _serious(place: Place, message: str) -> Finding:
    return Finding(str(place.error(message)))
