"""`studio check` of what is asked of devices: bindings and snapshots against what the devices say they can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.catalogue import instead
from studio.errors import DrawerError
from studio.language import _
from studio.show import _scenes, _snapshots
from studio.show._bindings import Call, Fader, Knob, Press, Recall, Set, Shift, Toggle, deeds, gather, written
from studio.show._check import Finding
from studio.show._plan import wrong_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studio.catalogue import Catalogue, Place
    from studio.devices import Device
    from studio.show._bindings import Binding, One
    from studio.show._plan import Desired
    from studio.venue import Venue

OBS = "obs"
"""What OBS has is known when it is there: its controls are looked at only as far as every OBS has them."""
FITTING = {"press": ("pad",), "shift": ("pad",), "fader": ("fader",), "knob": ("encoder",)}


def check_bindings(venue: Venue, catalogue: Catalogue, made: Mapping[str, Device]) -> list[Finding]:
    """Return what of bindings and of the house's snapshots cannot be done, each with file and line.

    `made` are the devices of the house as their drivers describe them, none of them opened.
    """
    checker = _Checker(venue, catalogue, made)
    return list(dict.fromkeys([*checker.bindings(), *checker.snapshots()]))


class _Checker:
    def __init__(self, venue: Venue, catalogue: Catalogue, made: Mapping[str, Device]) -> None:
        self._venue = venue
        self._catalogue = catalogue
        self._made = made
        self._scenes = self._scene_names()

    def bindings(self) -> Iterator[Finding]:
        """Every control is there, and what it does can be done."""
        bound, wrong = gather(self._venue, self._catalogue)
        for problem in wrong:
            yield from (Finding(str(one)) for one in problem.all())
        for binding in bound:
            yield from self._surface(binding)
            what = binding.meaning
            if isinstance(what, Press):
                yield from self._when(binding, what)
                for path, one in written(what):
                    yield from self._deed(binding, path, one)
            elif isinstance(what, Fader | Knob):
                yield from self._moved(binding, what)
        yield from self._pages(bound)

    def snapshots(self) -> Iterator[Finding]:
        """Every snapshot of the house can be recalled."""
        for place in self._catalogue.files(_snapshots.DRAWER):
            if place.folder != self._venue.folder:
                continue
            try:
                snapshot = self._catalogue.load_file(_snapshots.DRAWER, place, _snapshots.Snapshot)
                said = self._catalogue.said(_snapshots.DRAWER, place.file.stem)
            except DrawerError:  # which `check` has said
                continue
            for device, controls in snapshot.set.items():
                for control, value in controls.items():
                    yield from self._control(said.at("set", device, control).place, device, control, value)

    # ── surfaces ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _surface(self, binding: Binding) -> Iterator[Finding]:
        surface = self._made.get(binding.surface)
        if surface is None:
            yield from self._no_device(binding.place, binding.surface)
            return
        names = getattr(surface, "names", None)
        if not isinstance(names, Mapping):
            return
        if binding.control not in names:
            no = _('"{device}" has no control "{control}"').format(device=binding.surface, control=binding.control)
            yield _serious(binding.place, no + instead(binding.control, names))
        elif names[binding.control] not in FITTING[type(binding.meaning).__name__.lower()]:
            no = _('"{control}" of {device} is a {kind}, which cannot do this')
            no = no.format(control=binding.control, device=binding.surface, kind=names[binding.control])
            yield _serious(binding.place, no)

    def _pages(self, bound: Iterable[Binding]) -> Iterator[Finding]:
        shifts = {(one.surface, one.meaning.shift) for one in bound if isinstance(one.meaning, Shift)}
        for binding in bound:
            what = binding.meaning
            if not isinstance(what, Shift) and what.page and (binding.surface, what.page) not in shifts:
                no = _('no "shift" of {surface} leads to the page "{page}"')
                no = no.format(surface=binding.surface, page=what.page)
                pages = [page for surface, page in shifts if surface == binding.surface]
                yield _serious(binding.at("page"), no + (instead(what.page, pages) if pages else ""))

    # ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _deed(self, binding: Binding, path: tuple[str | int, ...], one: One) -> Iterator[Finding]:
        (deed,) = deeds(one)
        match deed:
            case Set(set=desired):
                yield from self._desired(binding, (*path, "set"), desired)
            case Toggle(toggle=switches):
                for device, control in switches.items():
                    here = binding.at(*path, "toggle", device)
                    yield from self._control(here, device, control, value=True)
            case Call():
                yield from self._call(binding.at(*path, "call"), deed)
            case Recall(recall=name):
                try:
                    here = binding.at(*path, "recall")
                    self._catalogue.load(_snapshots.DRAWER, name, _snapshots.Snapshot, here)
                except DrawerError as problem:
                    yield from (Finding(str(each)) for each in problem.all())
            case _:
                yield from self._scene(binding.at(*path), deed.scene)

    def _desired(
        self, binding: Binding, path: tuple[str | int, ...], desired: Desired, *, written: bool = True
    ) -> Iterator[Finding]:
        for device, controls in desired.items():
            for control, value in controls.items():
                here = binding.at(*path, device, control)
                yield from self._control(here, device, control, value, written=written)

    def _call(self, place: Place, deed: Call) -> Iterator[Finding]:
        there = self._made.get(deed.device)
        if there is None:
            yield from self._no_device(place, deed.device)
        elif deed.device != OBS or deed.action in there.actions():
            no = wrong_call(deed.device, there.actions(), deed.action, deed.arguments, up=True)
            if no:
                yield _serious(place, no)

    def _when(self, binding: Binding, what: Press) -> Iterator[Finding]:
        when = what.when
        yield from self._scene(binding.at("when", "scene"), when.scene)
        yield from self._scene(binding.at("when", "not_scene"), when.not_scene)
        if when.online is not None and when.online not in self._made:
            yield from self._no_device(binding.at("when", "online"), when.online)
        yield from self._desired(binding, ("when", "state"), when.state, written=False)

    def _moved(self, binding: Binding, what: Fader | Knob) -> Iterator[Finding]:
        key = "moves" if isinstance(what, Fader) else "turns"
        for device, name in what.targets.items():
            here = binding.at(key, device)
            there = self._made.get(device)
            if there is None:
                yield from self._no_device(here, device)
                continue
            control = there.controls().get(name)
            if control is None:
                yield from self._no_control(here, device, name)
            elif control.kind not in ("level", "number") or not control.writable:
                no = _("{control} of {device} is no number that can be set")
                yield _serious(here, no.format(control=name, device=device))
            else:
                for end in ("lowest", "highest"):
                    value = getattr(what, end)
                    if value is not None:
                        yield from self._control(binding.at(end), device, name, value)
                    elif isinstance(what, Fader) and getattr(control, end) is None:
                        no = _('{control} of {device} has no end of its own: say "{end}" beside it')
                        yield _serious(here, no.format(control=name, device=device, end=end))

    def _control(
        self, place: Place, device: str, name: str, value: object, *, written: bool = True
    ) -> Iterator[Finding]:
        there = self._made.get(device)
        if there is None:
            yield from self._no_device(place, device)
            return
        control = there.controls().get(name)
        if control is None:
            yield from self._no_control(place, device, name)
            return
        if not written and not control.writable:
            return
        try:
            control.fit(value)
        except ValueError as problem:
            yield _serious(place, str(problem))

    def _no_control(self, place: Place, device: str, name: str) -> Iterator[Finding]:
        if device == OBS:
            return
        controls = self._made[device].controls()
        no = _('{device} has no control "{control}"').format(device=device, control=name)
        yield _serious(place, no + instead(name, controls))

    def _no_device(self, place: Place, name: str) -> Iterator[Finding]:
        if name == OBS:
            yield _serious(place, _('there is no "obs" in this house: [obs] says use = "off"'))
            return
        no = _('There is no device "{name}" in studio.toml').format(name=name)
        yield _serious(place, no + instead(name, self._made))

    def _scene(self, place: Place, scene: str | None) -> Iterator[Finding]:
        if scene is not None and self._scenes is not None and scene not in self._scenes:
            message = _('the scene "{scene}" is not in scenes/{file}.yaml')
            message = message.format(scene=scene, file=self._venue.show.scenes)
            yield _serious(place, message + instead(scene, self._scenes))

    def _scene_names(self) -> tuple[str, ...] | None:
        """The scenes of the show; `None` where OBS keeps its own, or they cannot be read, which `check` says."""
        if self._venue.show.scenes is None:
            return None
        try:
            said = self._catalogue.said(_scenes.DRAWER, self._venue.show.scenes)
            collection, _wrong = _scenes.build(said, self._venue, None, any_talk=True)
        except DrawerError:
            return None
        return collection.scene_names() if collection else None


def _serious(place: Place, message: str) -> Finding:
    return Finding(str(place.error(message)))
