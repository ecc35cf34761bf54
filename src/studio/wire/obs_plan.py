"""What has to be done to an OBS so that it holds a collection, and what stays because somebody changed it by hand.

A plan is pure: of the collection, of what OBS reports, and of what was applied to it last. Where OBS reports neither
what is wanted nor what was applied, a hand was there since: that is kept and said, until it is taken back on purpose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from studio.wire.obs import alike, input_of, same_kind, transform_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from studio.wire.obs import Collection, Scene, Source

Values: TypeAlias = Mapping[str, Any]
"""By OBS's own names."""
Path: TypeAlias = str
"""`scene/Talk`, `source/Film`, `item/Talk/Film`, `order/Talk`; a slash in a name is written as two."""

FILES = 8
"""How many files of `scenes/` are remembered; the one that was applied longest ago goes."""


@dataclass(frozen=True, slots=True)
class Input:
    """A source as OBS reports it."""

    kind: str
    settings: Values
    """With OBS's defaults for what it leaves out."""


@dataclass(frozen=True, slots=True)
class Item:
    """A source in a scene as OBS reports it."""

    source: str
    id: int
    index: int
    """0 is the back."""
    transform: Values


@dataclass(frozen=True, slots=True)
class Reported:
    """What OBS holds."""

    scenes: Mapping[str, tuple[Item, ...]]
    inputs: Mapping[str, Input]
    """Those that the collection, or what was applied before, names."""
    on_air: str = ""
    """The programme scene."""

    def item(self, scene: str, source: str) -> Item | None:
        """Return the item of `source` that is the furthest back, or `None`."""
        items = (item for item in self.scenes.get(scene, ()) if item.source == source)
        return min(items, key=lambda item: item.index, default=None)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was brought to an OBS before; it remembers it itself."""

    files: Mapping[str, Mapping[Path, Values]] = field(default_factory=dict)
    """File of `scenes/` → what it wanted then, the last one at the end. An address with a password is only a digest."""
    kept: Mapping[Path, Values] = field(default_factory=dict)
    """What a hand had changed then; `{"gone": true}`: taken away."""

    def last(self, path: Path) -> Values | None:
        """Return what was applied last at `path`, by whichever file; `None`: never anything."""
        for values in reversed(list(self.files.values())):
            if path in values:
                return values[path]
        return None

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads. Files are listed, because JSON keeps no order of names."""
        return {"version": 1, "files": [[name, dict(values)] for name, values in self.files.items()], "kept": self.kept}

    @classmethod
    def from_json(cls, said: object) -> Applied:
        """Read what `to_json` wrote; anything else is nothing that was applied."""
        if not isinstance(said, dict) or said.get("version") != 1:
            return cls()
        files, kept = said.get("files"), said.get("kept")
        if not isinstance(files, list) or not isinstance(kept, dict):
            return cls()
        return cls({name: _values(values) for name, values in files if isinstance(name, str)}, _values(kept))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do, or to leave."""

    kind: Literal["make", "set", "remove", "kept"]
    what: Literal["scene", "source", "item", "order"]
    scene: str = ""
    source: str = ""
    values: Values = field(default_factory=dict)
    """What is set; of `kept`, what the file wants."""
    now: Values = field(default_factory=dict)
    """The same as OBS reports it."""
    why: Literal["", "changed", "gone", "left", "on air"] = ""
    """Of `kept`: changed or taken away by hand; or what the file does not name any more, and a hand was at it, or it is
    on the programme."""
    id: int = 0
    """Of an item that is there."""
    input_kind: str = ""
    """Of a source that is made."""

    @property
    def path(self) -> Path:
        """Return its name in `Applied`."""
        names = (self.source,) if self.what == "source" else (self.scene, self.source)
        return path(self.what, *(name for name in names if name))


@dataclass(frozen=True, slots=True)
class Plan:
    """In the order in which it is done."""

    changes: tuple[Change, ...] = ()
    clashes: tuple[tuple[str, str], ...] = ()
    """Sources that OBS has already of another kind, and that kind: nothing can be done before they are renamed."""
    applied: Applied = field(default_factory=Applied)
    """What is to be remembered once it is done."""

    @property
    def todo(self) -> tuple[Change, ...]:
        """Return what is done."""
        return tuple(change for change in self.changes if change.kind != "kept")

    @property
    def kept(self) -> tuple[Change, ...]:
        """Return what a hand changed, and stays."""
        return tuple(change for change in self.changes if change.kind == "kept")


def path(what: str, *names: str) -> Path:
    """Return the name of a thing in `Applied`."""
    return "/".join((what, *(name.replace("/", "//") for name in names)))


def plan(
    collection: Collection,
    reported: Reported,
    applied: Applied | None = None,
    *,
    lost: bool = False,
    take_back: Container[str] = (),
    ours: Container[tuple[Path, str]] = (),
) -> Plan:
    """Return what makes OBS hold `collection`.

    `lost`: OBS died and came back with what it had saved, so what differs is no hand's work, but for what was kept
    before. `take_back`: scenes and sources whose changes by hand are undone. `ours`: values that we change ourselves
    while the show runs; they are set when the thing is made, and then left alone.
    """
    planner = _Planner(collection, reported, applied or Applied(), take_back, ours, lost=lost)
    return planner.plan()


class _Planner:
    def __init__(
        self,
        collection: Collection,
        reported: Reported,
        applied: Applied,
        take_back: Container[str],
        ours: Container[tuple[Path, str]],
        *,
        lost: bool,
    ) -> None:
        self._collection = collection
        self._reported = reported
        self._applied = applied
        self._take_back = take_back
        self._ours = ours
        self._lost = lost
        self._changes: list[Change] = []
        self._noted: dict[Path, Values] = {}
        self._kept: dict[Path, Values] = {}
        self._settled: set[str] = set()

    def plan(self) -> Plan:
        clashes = dict(self._clashes())
        if clashes:
            return Plan(clashes=tuple(clashes.items()), applied=self._applied)
        for scene in self._collection.scenes:
            self._scene(scene)
        self._leftovers()
        files = {name: values for name, values in self._applied.files.items() if name != self._collection.file}
        files[self._collection.file] = self._noted
        newest = dict(list(files.items())[-FILES:])
        return Plan(tuple(self._changes), applied=Applied(newest, self._kept))

    def _clashes(self) -> Iterator[tuple[str, str]]:
        for source in self._collection.sources():
            there = self._reported.inputs.get(source.name)
            if there and not same_kind(there.kind, input_of(source, self._collection)[0]):
                yield source.name, there.kind

    def _scene(self, scene: Scene) -> None:
        where = path("scene", scene.name)
        self._noted[where] = {}
        if scene.name not in self._reported.scenes:
            if self._taken_away(where, scene.name):
                self._keep(Change("kept", "scene", scene.name, why="gone"), {"gone": True})
                self._remember([path("item", scene.name, source.name) for source in scene.sources])
                return
            self._changes.append(Change("make", "scene", scene.name))
        made, there = False, []
        for source in scene.sources:
            made_now = self._source(scene, source)
            if made_now is not None:
                there.append(source.name)
            made = made or bool(made_now)
        self._order(scene, there, made=made)

    def _source(self, scene: Scene, source: Source) -> bool | None:
        """Plan one source in one scene: whether it is made, or `None` where it stays away."""
        where, place = path("source", source.name), path("item", scene.name, source.name)
        kind, settings = input_of(source, self._collection)
        wanted = transform_of(source, self._collection)
        item = self._reported.item(scene.name, source.name)
        there = self._reported.inputs.get(source.name)
        if there is None and source.name not in self._settled:
            if self._taken_away(where, source.name, scene.name):
                self._keep(Change("kept", "source", scene.name, source.name, why="gone"), {"gone": True})
                self._remember([where, place])
                return None
            self._settled.add(source.name)
            self._noted[where] = _noted(settings)
            self._changes.append(Change("make", "source", scene.name, source.name, settings, input_kind=kind))
        elif there is not None and source.name not in self._settled:
            self._settled.add(source.name)
            change = Change("set", "source", "", source.name)
            self._merge(change, settings, there.settings, (source.name,))
        if item is not None:
            change = Change("set", "item", scene.name, source.name, id=item.id)
            self._merge(change, wanted, item.transform, (source.name, scene.name))
            return False
        if there is not None and self._taken_away(place, source.name, scene.name):
            self._keep(Change("kept", "item", scene.name, source.name, why="gone"), {"gone": True})
            self._remember([place])
            return None
        self._noted[place] = wanted
        self._changes.append(Change("make", "item", scene.name, source.name, wanted))
        return True

    def _merge(self, change: Change, wanted: Values, now: Values, names: tuple[str, ...]) -> None:
        """Set what the file changed, keep what a hand changed, and remember which is which."""
        where = change.path
        last = self._applied.last(where)
        before = self._applied.kept.get(where, {})
        setting, keeping, noted = {}, {}, {}
        for key, value in wanted.items():
            noted[key] = _note(value)
            if alike(value, now.get(key)) or ((where, key) in self._ours and last is not None):
                continue
            by_hand = last is not None and key in last and not alike(last[key], _note(now.get(key)))
            if self._lost:
                by_hand = key in before
            if by_hand and not any(name in self._take_back for name in names):
                keeping[key] = value
                if last is not None and key in last:
                    noted[key] = last[key]
            else:
                setting[key] = value
        self._noted[where] = noted
        if setting:
            self._changes.append(
                Change("set", change.what, change.scene, change.source, setting, _those(now, setting), id=change.id)
            )
        if keeping:
            held = _those(now, keeping)
            self._keep(Change("kept", change.what, change.scene, change.source, keeping, held, "changed"), held)

    def _order(self, scene: Scene, there: list[str], *, made: bool) -> None:
        where = path("order", scene.name)
        wanted = [source.name for source in scene.sources if source.name in there]
        self._noted[where] = {"order": wanted}
        items = {name: self._reported.item(scene.name, name) for name in wanted}
        now = [item.source for item in sorted(filter(None, items.values()), key=lambda item: item.index)]
        if made and len(now) == 0:  # they are made in their order
            return
        last = (self._applied.last(where) or {}).get("order")
        was = [name for name in last if name in now] if isinstance(last, list) else now
        by_hand = was != now and [name for name in wanted if name in now] != now
        if self._lost:
            by_hand = where in self._applied.kept
        if by_hand and scene.name not in self._take_back:
            self._noted[where] = {"order": last or []}
            held = {"order": now}
            self._keep(Change("kept", "order", scene.name, values={"order": wanted}, now=held, why="changed"), held)
        elif made or now != wanted:
            self._changes.append(Change("set", "order", scene.name, values={"order": wanted}, now={"order": now}))

    def _leftovers(self) -> None:
        """What this file made before and does not name any more goes, where no hand was at it."""
        mine = self._applied.files.get(self._collection.file, {})
        named = {scene.name: {source.name for source in scene.sources} for scene in self._collection.scenes}
        for scene, items in self._reported.scenes.items():
            if scene not in named:
                if path("scene", scene) in mine:
                    self._leave_scene(scene, items)
                continue
            for item in items:
                where = path("item", scene, item.source)
                if where not in mine or item.source in named[scene]:
                    continue
                if self._untouched(scene, item):
                    self._changes.append(Change("remove", "item", scene, item.source, id=item.id))
                else:
                    self._keep(Change("kept", "item", scene, item.source, why="left"), {})
                    self._remember([where, path("source", item.source)])

    def _leave_scene(self, scene: str, items: tuple[Item, ...]) -> None:
        if scene != self._reported.on_air and all(self._untouched(scene, item) for item in items):
            self._changes.append(Change("remove", "scene", scene))
            return
        self._keep(Change("kept", "scene", scene, why="on air" if scene == self._reported.on_air else "left"), {})
        self._remember([path("scene", scene), path("order", scene)])
        for item in items:
            self._remember([path("item", scene, item.source), path("source", item.source)])

    def _untouched(self, scene: str, item: Item) -> bool:
        """Whether an item, and what it shows, is as it was applied."""
        if item.source in self._take_back or scene in self._take_back:
            return True
        place = self._applied.last(path("item", scene, item.source))
        if place is None:
            return False
        source = self._applied.last(path("source", item.source)) or {}
        there = self._reported.inputs.get(item.source)
        settings: Values = there.settings if there else {}
        return all(alike(value, item.transform.get(key)) for key, value in place.items()) and all(
            alike(value, _note(settings.get(key))) for key, value in source.items()
        )

    def _taken_away(self, where: Path, *names: str) -> bool:
        """Whether it was there and somebody took it away."""
        if any(name in self._take_back for name in names) or self._applied.last(where) is None:
            return False
        return not self._lost or self._applied.kept.get(where, {}).get("gone") is True

    def _keep(self, change: Change, values: Values) -> None:
        self._changes.append(change)
        self._kept[change.path] = values

    def _remember(self, paths: Iterable[Path]) -> None:
        """Go on knowing what was applied there: else what is away would be taken for new."""
        for each in paths:
            if (last := self._applied.last(each)) is not None:
                self._noted[each] = last


def _those(now: Values, keys: Iterable[str]) -> dict[str, Any]:
    return {key: now.get(key) for key in keys}


def _note(value: object) -> object:
    """Return `value` as it is remembered: an address may hold a password."""
    if isinstance(value, str) and "@" in value:
        return "#" + hashlib.sha256(value.encode()).hexdigest()
    return value


def _noted(values: Values) -> dict[str, Any]:
    return {key: _note(value) for key, value in values.items()}


def _values(said: object) -> dict[Path, Values]:
    if not isinstance(said, dict):
        return {}
    return {key: value for key, value in said.items() if isinstance(value, dict)}
