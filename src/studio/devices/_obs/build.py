"""Bringing OBS to hold a collection: looking what it holds, planning, doing; what a hand changed there is kept."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from studio.devices._obs.errors import NO_SUCH_THING, ObsDeniedError
from studio.errors import DeviceError
from studio.language import _
from studio.wire.obs_plan import Applied, Change, Input, Item, Plan, Reported, path, plan

if TYPE_CHECKING:
    from collections.abc import Collection as Some
    from collections.abc import Mapping

    from studio.wire.obs import Collection

logger = logging.getLogger(__name__)

VANISHING = (0.1, 0.2, 0.4, 0.8)
"""Seconds before looking anew: a source that somebody deleted is listed until OBS has let go of it."""
_GONE_MEANWHILE = (NO_SUCH_THING, 700)  # 700: RequestProcessingFailed, of an item for a source that is going
_REALM = "OBS_WEBSOCKET_DATA_REALM_GLOBAL"


class Ask(Protocol):
    """`Session.request`."""

    async def __call__(self, kind: str, /, **data: object) -> dict[str, Any]:
        """Ask OBS and return its answer's data."""
        ...


class Memory:
    """What was applied to an OBS: it keeps that itself, for each of its scene collections, or else we do."""

    def __init__(self) -> None:
        self._own: dict[str, Applied] = {}

    async def read(self, ask: Ask) -> Applied:
        """Return what was applied to the scene collection that OBS has open."""
        slot = await self._slot(ask)
        try:
            said = (await ask("GetPersistentData", realm=_REALM, slotName=slot))["slotValue"]
        except ObsDeniedError:
            return self._own.get(slot, Applied())
        self._own[slot] = Applied.from_json(_unpacked(said))
        return self._own[slot]

    async def write(self, ask: Ask, applied: Applied) -> None:
        """Keep it, where it is news."""
        slot = await self._slot(ask)
        if self._own.get(slot) == applied:
            return
        self._own[slot] = applied
        try:
            await ask("SetPersistentData", realm=_REALM, slotName=slot, slotValue=json.dumps(applied.to_json()))
        except ObsDeniedError as no:
            logger.debug("OBS keeps nothing for us: %s", no)

    @staticmethod
    async def _slot(ask: Ask) -> str:
        name: str = (await ask("GetSceneCollectionList"))["currentSceneCollectionName"]
        return f"studio.applied.{quote(name)}"


def _unpacked(said: object) -> object:
    """Read what is kept as one text of ASCII: OBS 29 reads its file of such values in another coding than it writes."""
    try:
        return json.loads(said) if isinstance(said, str) else None
    except ValueError:
        return None


async def look(ask: Ask, collection: Collection, applied: Applied) -> Reported:
    """Return what OBS holds of `collection`, and of what its file made before."""
    listed = await ask("GetSceneList")
    before = applied.files.get(collection.file, {})
    scenes: dict[str, tuple[Item, ...]] = {}
    for each in reversed(listed["scenes"]):
        name = each["sceneName"]
        ours = name in collection.scene_names() or path("scene", name) in before
        scenes[name] = await _items(ask, name) if ours else ()
    wanted = {source.name for source in collection.sources()}
    inputs: dict[str, Input] = {}
    defaults: dict[str, Mapping[str, Any]] = {}
    for each in (await ask("GetInputList"))["inputs"]:
        name, kind = each["inputName"], each["inputKind"]
        if name not in wanted and path("source", name) not in before:
            continue
        # OBS reports only what differs from its defaults; and setting a film anew starts it from its beginning.
        if kind not in defaults:
            defaults[kind] = (await ask("GetInputDefaultSettings", inputKind=kind))["defaultInputSettings"]
        settings = (await ask("GetInputSettings", inputName=name))["inputSettings"]
        inputs[name] = Input(kind, {**defaults[kind], **settings})
    return Reported(scenes, inputs, listed["currentProgramSceneName"])


async def prepare(
    ask: Ask,
    collection: Collection,
    memory: Memory,
    *,
    lost: bool = False,
    take_back: Some[str] = (),
    ours: Some[tuple[str, str]] = (),
) -> Plan:
    """Return what would be done; nothing is."""
    applied = await memory.read(ask)
    return plan(collection, await look(ask, collection, applied), applied, lost=lost, take_back=take_back, ours=ours)


async def build(
    ask: Ask,
    collection: Collection,
    memory: Memory | None = None,
    *,
    lost: bool = False,
    take_back: Some[str] = (),
    ours: Some[tuple[str, str]] = (),
) -> Plan:
    """Make OBS hold `collection`, and return what was done and kept.

    DeviceError, with nothing done, where OBS has a source of another kind under one of our names.
    """
    memory = memory or Memory()
    done: list[Change] = []
    pauses = iter(VANISHING)
    while True:
        try:
            planned = await prepare(ask, collection, memory, lost=lost, take_back=take_back, ours=ours)
            for name, kind in planned.clashes:
                raise DeviceError(
                    _(
                        'OBS already has a source "{name}" of another kind ({kind}); rename it there or in the scenes.'
                    ).format(name=name, kind=kind)
                )
            await _do(ask, planned, done)
        except ObsDeniedError as no:
            pause = next(pauses, None)
            if no.code not in _GONE_MEANWHILE or pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            await memory.write(ask, planned.applied)
            return Plan((*done, *planned.kept), applied=planned.applied)


async def _do(ask: Ask, planned: Plan, done: list[Change]) -> None:
    made: dict[tuple[str, str], int] = {}
    for change in planned.todo:
        scene, source = change.scene, change.source
        match change.kind, change.what:
            case "make", "source":
                data: dict[str, object] = {"inputName": source, "inputKind": change.input_kind}
                data |= {"sceneName": scene, "inputSettings": change.values}
                made[scene, source] = (await ask("CreateInput", **data))["sceneItemId"]
            case "make", "item":
                item = made.get((scene, source))
                if item is None:
                    item = (await ask("CreateSceneItem", sceneName=scene, sourceName=source))["sceneItemId"]
                await ask("SetSceneItemTransform", sceneName=scene, sceneItemId=item, sceneItemTransform=change.values)
            case "set", "order":
                await _put_in_order(ask, scene, change.values["order"])
            case _:
                request, data = _asked(change)
                await ask(request, **data)
        done.append(change)


def _asked(change: Change) -> tuple[str, dict[str, object]]:
    """Return the one request that makes a change."""
    scene: dict[str, object] = {"sceneName": change.scene}
    item = {**scene, "sceneItemId": change.id}
    settings = {"inputName": change.source, "inputSettings": change.values, "overlay": True}
    return {
        ("make", "scene"): ("CreateScene", scene),
        ("set", "source"): ("SetInputSettings", settings),
        ("set", "item"): ("SetSceneItemTransform", {**item, "sceneItemTransform": change.values}),
        ("remove", "item"): ("RemoveSceneItem", item),
        ("remove", "scene"): ("RemoveScene", scene),
    }[change.kind, change.what]


async def _items(ask: Ask, scene: str) -> tuple[Item, ...]:
    answer = await ask("GetSceneItemList", sceneName=scene)
    return tuple(
        Item(each["sourceName"], each["sceneItemId"], each["sceneItemIndex"], each["sceneItemTransform"])
        for each in answer["sceneItems"]
    )


async def _put_in_order(ask: Ask, scene: str, order: list[str]) -> None:
    """Put our sources into our order, on the places that they hold among those of others."""
    first: dict[str, Item] = {}
    for item in sorted(await _items(ask, scene), key=lambda item: item.index):
        if item.source in order:
            first.setdefault(item.source, item)
    for place, source in zip(sorted(item.index for item in first.values()), order, strict=True):
        await ask("SetSceneItemIndex", sceneName=scene, sceneItemId=first[source].id, sceneItemIndex=place)


def said(change: Change) -> str:
    """Return what was kept as a sentence for the user."""
    sentences = {
        ("scene", "gone"): _('The scene "{scene}" was removed by hand from OBS; it stays away.'),
        ("source", "gone"): _('"{source}" was taken out of the scene "{scene}" by hand in OBS; it stays out.'),
        ("item", "gone"): _('"{source}" was taken out of the scene "{scene}" by hand in OBS; it stays out.'),
        ("source", "changed"): _('"{source}" was changed by hand in OBS ({keys}); it stays so.'),
        ("item", "changed"): _('"{source}" was moved by hand in the scene "{scene}" of OBS ({keys}); it stays so.'),
        ("order", "changed"): _(
            'The order of the sources in the scene "{scene}" was changed by hand in OBS; it stays.'
        ),
        ("item", "left"): _('"{source}" is not in the file any more, but a hand was at it in "{scene}"; it stays.'),
        ("scene", "left"): _('The scene "{scene}" is not in the file any more, but a hand was at it; it stays.'),
        ("scene", "on air"): _('The scene "{scene}" is not in the file any more, but is on the programme; it stays.'),
    }
    keys = ", ".join(change.values)
    return sentences[change.what, change.why].format(scene=change.scene, source=change.source, keys=keys)
