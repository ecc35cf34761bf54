"""Finding out what an OBS holds: which scenes, items, inputs and filters there are, and so which controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.devices._obs import rows
from studio.devices._obs.errors import ObsDeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.devices._obs.build import Ask
    from studio.devices._obs.rows import Group, Row, Wired

_LISTED = ("GetSceneItemEnabled", "GetSceneItemLocked", "GetSceneItemIndex", "GetSceneItemTransform")
"""What `GetSceneItemList` tells of all items of a scene at once."""


class Finder:
    """One look at all of OBS."""

    def __init__(self, ask: Ask, defaults: dict[tuple[str, str], Mapping[str, Any]]) -> None:
        """Remember in `defaults` what OBS means by default: it never tells it twice otherwise."""
        self._ask = ask
        self._defaults = defaults
        self.answers: dict[Group, Mapping[str, Any]] = {}
        """What was told on the way, so that it need not be asked again."""
        self.items: dict[str, list[tuple[str, int]]] = {}
        """Scene or group → its sources and their numbers, from the back to the front."""

    async def controls(self) -> list[Wired]:
        """Return all controls, the most important first."""
        scenes = [scene["sceneName"] for scene in reversed((await self._ask("GetSceneList"))["scenes"])]
        transitions = [each["transitionName"] for each in (await self._ask("GetSceneTransitionList"))["transitions"]]
        choices = {"scene": tuple(scenes), "preview": tuple(scenes), "transition": tuple(transitions)}
        found = rows.wire("", (*rows.OBS_ROWS, *rows.PATH_ROWS), choices=choices)
        if (await self._ask("GetStudioModeEnabled"))["studioModeEnabled"]:
            found += rows.wire("", rows.STUDIO_ROWS, choices=choices)
        for extra in (rows.REPLAY_ROWS, rows.CAMERA_ROWS):
            if await self._can(extra[0].get):
                found += rows.wire("", extra)
        inputs = (await self._ask("GetInputList"))["inputs"]
        for each in inputs:
            found += await self._input(each["inputName"], each["inputKind"])
        groups = (await self._ask("GetGroupList"))["groups"]
        for scene in (*scenes, *groups):
            found += await self._items(scene, "GetGroupSceneItemList" if scene in groups else "GetSceneItemList")
        for source in dict.fromkeys((*scenes, *groups, *(each["inputName"] for each in inputs))):
            found += await self._filters(source)
        return found

    async def _input(self, name: str, kind: str) -> list[Wired]:
        """Return the controls of an input; none where it is just vanishing."""
        subject = {rows.INPUT: name}
        found: list[Row] = []
        if await self._can("GetInputMute", **subject):
            found += (*rows.AUDIO_ROWS, *rows.PEAK_ROWS)
        try:
            status = await self._ask("GetMediaInputStatus", **subject)
            answer = self.answers["GetInputSettings", tuple(subject.items())] = await self._ask(
                "GetInputSettings", **subject
            )
            defaults = await self._default("GetInputDefaultSettings", "inputKind", kind, "defaultInputSettings")
        except ObsDeniedError:
            return []
        if status["mediaState"] != "OBS_MEDIA_STATE_NONE" or kind in ("ffmpeg_source", "vlc_source"):
            found += rows.MEDIA_ROWS
        get, set_ = "GetInputSettings", "SetInputSettings"
        if kind.startswith("text_"):
            defaults = {"text": "", **defaults}
            more = {"overlay": True}
            found.append(rows.Row("text", "text", get, "inputSettings.text", set_, more=more, default=""))
        found += rows.setting_rows(get, set_, "inputSettings", answer["inputSettings"], defaults)
        return rows.wire(f"input.{name}", found, subject)

    async def _items(self, scene: str, request: str) -> list[Wired]:
        try:
            items = (await self._ask(request, sceneName=scene))["sceneItems"]
        except ObsDeniedError:
            return []
        found: list[Wired] = []
        self.items[scene] = [(item["sourceName"], item["sceneItemId"]) for item in items]
        seen: dict[str, int] = {}
        for item in items:
            source = item["sourceName"]
            seen[source] = seen.get(source, 0) + 1
            name = source if seen[source] == 1 else f"{source} {seen[source]}"
            subject = dict(zip(rows.ITEM, (scene, item["sceneItemId"]), strict=True))
            self.answers |= {(get, tuple(subject.items())): item for get in _LISTED}
            found += rows.wire(f"item.{scene}.{name}", rows.ITEM_ROWS, subject)
        return found

    async def _filters(self, source: str) -> list[Wired]:
        try:
            filters = (await self._ask("GetSourceFilterList", sourceName=source))["filters"]
        except ObsDeniedError:
            return []
        found: list[Wired] = []
        for each in filters:
            defaults = await self._default(
                "GetSourceFilterDefaultSettings", "filterKind", each["filterKind"], "defaultFilterSettings"
            )
            subject = dict(zip(rows.FILTER, (source, each["filterName"]), strict=True))
            self.answers["GetSourceFilter", tuple(subject.items())] = each
            found += rows.wire(
                f"filter.{source}.{each['filterName']}",
                (
                    *rows.FILTER_ROWS,
                    *rows.setting_rows(
                        *("GetSourceFilter", "SetSourceFilterSettings", "filterSettings"),
                        each["filterSettings"],
                        defaults,
                    ),
                ),
                subject,
            )
        return found

    async def _default(self, request: str, word: str, kind: str, answer: str) -> Mapping[str, Any]:
        if (request, kind) not in self._defaults:
            self._defaults[request, kind] = (await self._ask(request, **{word: kind}))[answer]
        return self._defaults[request, kind]

    async def _can(self, request: str, **subject: object) -> bool:
        try:
            await self._ask(request, **subject)
        except ObsDeniedError:
            return False
        return True
