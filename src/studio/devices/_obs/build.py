"""Bringing OBS to hold a collection: what is missing is made, what differs is set, nothing is deleted."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Protocol

from studio.devices._obs.errors import NO_SUCH_THING, ObsDeniedError
from studio.errors import DeviceError
from studio.language import _
from studio.wire.obs import Collection, Scene, Source, differs, input_of, transform_of

if TYPE_CHECKING:
    from collections.abc import Mapping

VANISHING = (0.1, 0.2, 0.4, 0.8)
"""Seconds before looking anew: a source that somebody deleted is listed until OBS has let go of it."""
_GONE_MEANWHILE = (NO_SUCH_THING, 700)  # 700: RequestProcessingFailed, of an item for a source that is going
_VERSION = re.compile(r"_v\d+$")


class Ask(Protocol):
    """`Session.request`."""

    async def __call__(self, kind: str, /, **data: object) -> dict[str, Any]:
        """Ask OBS and return its answer's data."""
        ...


async def build(ask: Ask, collection: Collection) -> int:
    """Make OBS hold `collection`; return how many things had to be made or set, 0 where all was so already.

    A source made by hand under one of our names is taken over if it is of the same kind; else DeviceError.
    """
    changes = 0
    pauses = iter(VANISHING)
    while True:
        builder = _Builder(ask, collection)
        try:
            await builder.look()
            for scene in collection.scenes:
                await builder.scene(scene)
        except ObsDeniedError as no:
            pause = next(pauses, None)
            if no.code not in _GONE_MEANWHILE or pause is None:
                raise
            changes += builder.changes
            await asyncio.sleep(pause)
        else:
            return changes + builder.changes


class _Builder:
    def __init__(self, ask: Ask, collection: Collection) -> None:
        self._ask = ask
        self._collection = collection
        self._scenes: set[str] = set()
        self._inputs: dict[str, str] = {}
        self._defaults: dict[str, Mapping[str, Any]] = {}
        self._settled: set[str] = set()
        self.changes = 0

    async def look(self) -> None:
        """Learn what OBS holds."""
        scenes = await self._ask("GetSceneList")
        self._scenes = {scene["sceneName"] for scene in scenes["scenes"]}
        inputs = await self._ask("GetInputList")
        self._inputs = {each["inputName"]: each["inputKind"] for each in inputs["inputs"]}

    async def scene(self, scene: Scene) -> None:
        """Make or complete one scene."""
        if scene.name not in self._scenes:
            await self._change("CreateScene", sceneName=scene.name)
        items = await self._items(scene)
        made = False
        for source in scene.sources:
            item = items.get(source.name)
            if source.name in self._inputs:
                await self._settle(source)
                if item is None:
                    answer = await self._change("CreateSceneItem", sceneName=scene.name, sourceName=source.name)
                    item, made = answer["sceneItemId"], True
            else:
                item, made = await self._create(scene, source), True
            await self._place(scene, source, item)
        if made:
            await self._order(scene)

    async def _items(self, scene: Scene) -> dict[str, int]:
        answer = await self._ask("GetSceneItemList", sceneName=scene.name)
        return {item["sourceName"]: item["sceneItemId"] for item in answer["sceneItems"]}

    async def _create(self, scene: Scene, source: Source) -> int:
        kind, settings = input_of(source, self._collection)
        answer = await self._change(
            "CreateInput", sceneName=scene.name, inputName=source.name, inputKind=kind, inputSettings=settings
        )
        self._inputs[source.name] = kind
        self._settled.add(source.name)
        item: int = answer["sceneItemId"]
        return item

    async def _settle(self, source: Source) -> None:
        if source.name in self._settled:
            return
        self._settled.add(source.name)
        kind, settings = input_of(source, self._collection)
        theirs = self._inputs[source.name]
        if _VERSION.sub("", theirs) != _VERSION.sub("", kind):
            raise DeviceError(
                _(
                    'OBS already has a source "{name}" of another kind ({kind}); rename it there or in the scenes.'
                ).format(name=source.name, kind=theirs)
            )
        # OBS reports only what differs from its defaults; and setting a film anew starts it from its beginning.
        if theirs not in self._defaults:
            answer = await self._ask("GetInputDefaultSettings", inputKind=theirs)
            self._defaults[theirs] = answer["defaultInputSettings"]
        reported = (await self._ask("GetInputSettings", inputName=source.name))["inputSettings"]
        wrong = differs(settings, {**self._defaults[theirs], **reported})
        if wrong:
            await self._change("SetInputSettings", inputName=source.name, inputSettings=wrong, overlay=True)

    async def _place(self, scene: Scene, source: Source, item: int) -> None:
        wanted = transform_of(source, self._collection)
        answer = await self._ask("GetSceneItemTransform", sceneName=scene.name, sceneItemId=item)
        if differs(wanted, answer["sceneItemTransform"]):
            await self._change(
                "SetSceneItemTransform", sceneName=scene.name, sceneItemId=item, sceneItemTransform=wanted
            )

    async def _order(self, scene: Scene) -> None:
        """Put our sources into our order, on the places that they hold among those of others."""
        answer = await self._ask("GetSceneItemList", sceneName=scene.name)
        index = {item["sourceName"]: item["sceneItemIndex"] for item in answer["sceneItems"]}
        now = [index[source.name] for source in scene.sources]
        if now == sorted(now):
            return
        items = await self._items(scene)
        for place, source in zip(sorted(now), scene.sources, strict=True):
            await self._change(
                "SetSceneItemIndex", sceneName=scene.name, sceneItemId=items[source.name], sceneItemIndex=place
            )

    async def _change(self, kind: str, /, **data: object) -> dict[str, Any]:
        self.changes += 1
        return await self._ask(kind, **data)
