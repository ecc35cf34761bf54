"""All values of one OBS: found out anew at each connection, kept by its events, looked up where it has none."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, Any

from studio.devices._ground.device import Outcome
from studio.devices._ground.known import Known, Metered
from studio.devices._obs import rows
from studio.devices._obs.deeds import DEEDS, Deed, fitted, hint
from studio.devices._obs.errors import NO_SUCH_THING, NOT_READY, ObsDeniedError, ObsLostError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from studio.bus import Bus
    from studio.devices._ground.device import Link
    from studio.devices._ground.values import Action, Value
    from studio.devices._obs.build import Ask
    from studio.devices._obs.rows import Group, Row, Wired

SET_DEADLINE = 2.0
"""Seconds in which OBS has to report what was set; it takes 1 ms, and 200 while a transition runs."""
LOOK_AGAIN = 0.05
"""Seconds after which it is asked again whether something is so, where no event came before."""
EACH = 0.9
"""Seconds between two rounds of looking up what has no event; a little less than the driver's own round."""
SLOW = 25
"""Requests a second for values without an event, one after the other: settings of sources and filters, crops."""
TOO_NEW = {"SplitRecordFile": "30.2"}
"""Request → the OBS that brought it."""

_STRUCTURE = frozenset(
    {
        *("SceneCreated", "SceneRemoved", "SceneNameChanged", "SceneListChanged", "StudioModeStateChanged"),
        *("InputCreated", "InputRemoved", "InputNameChanged", "SceneItemCreated", "SceneItemRemoved"),
        *("SourceFilterCreated", "SourceFilterRemoved", "SourceFilterNameChanged", "CurrentProfileChanged"),
    }
)
"""Events after which there are other controls than before."""
_LOOK_UP = {
    "CurrentSceneTransitionChanged": "GetCurrentSceneTransition",
    "SceneItemTransformChanged": "GetSceneItemTransform",  # the event carries the crop of before
    "SceneTransitionEnded": "GetCurrentSceneTransitionCursor",
    "SourceFilterListReindexed": "GetSourceFilter",
    "MediaInputPlaybackStarted": "GetMediaInputStatus",
    "MediaInputPlaybackEnded": "GetMediaInputStatus",
    "MediaInputActionTriggered": "GetMediaInputStatus",
}
"""Event → what has to be looked up after it."""
_OFTEN = frozenset(
    {"GetStats", "GetStreamStatus", "GetRecordStatus", "GetMediaInputStatus", "GetCurrentSceneTransitionCursor"}
)
_SELDOM = frozenset({"GetInputSettings", "GetSourceFilter", "GetSceneItemTransform"})
_LISTED = ("GetSceneItemEnabled", "GetSceneItemLocked", "GetSceneItemIndex", "GetSceneItemTransform")
"""What `GetSceneItemList` tells of all items of a scene at once."""
_TOLD = frozenset(
    row.event
    for table in (rows.OBS_ROWS, rows.STUDIO_ROWS, rows.PATH_ROWS, rows.REPLAY_ROWS, rows.CAMERA_ROWS, rows.AUDIO_ROWS)
    for row in table
) | {row.event for row in (*rows.ITEM_ROWS, *rows.FILTER_ROWS)}
WAITING = 2000
"""Events that may come while everything is listed; with more of them it is listed again."""


class Board:
    """The values and actions of one OBS. All methods belong to the loop's thread."""

    def __init__(self, name: str, link: Link, bus: Bus) -> None:
        self.known = Known(link, bus)
        self.stale = False
        """There may be other controls than those that are known: `relist`."""
        self.doubt = asyncio.Event()
        """Set when something has to be looked up at once: `refresh`."""
        self.items: dict[str, list[tuple[str, int]]] = {}
        """Scene or group → its sources and their numbers, from the back to the front."""
        self._name = name
        self._bus = bus
        self._link = link
        self._version = ""
        self._requests: frozenset[str] = frozenset()
        self._wired: dict[str, Wired] = {}
        self._groups: dict[Group, list[Wired]] = {}
        self._told: dict[tuple[str, tuple[object, ...]], list[Wired]] = {}
        self._subjects: dict[str, tuple[str, ...]] = {}
        self._heard: dict[str, int] = {}
        self._due: set[Group] = set()
        self._next_round = 0.0
        self._next_seldom: Iterator[Group] = iter(())
        self._defaults: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._tickets = itertools.count(1)
        self._latest: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._ears: list[tuple[Deed, dict[str, Any]]] = []
        self._listing = asyncio.Lock()
        self._answers: dict[Group, Mapping[str, Any]] = {}
        self._meanwhile: deque[tuple[str, Mapping[str, Any]]] | None = None

    def actions(self) -> dict[str, Action]:
        """What this OBS knows; all there is while none was met."""
        return {
            name: deed.action
            for name, deed in DEEDS.items()
            if not self._requests or _asks(deed) is None or _asks(deed) in self._requests
        }

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def learn(self, ask: Ask) -> None:
        """Find out everything, in a new epoch."""
        version = await ask("GetVersion")
        self._version, self._requests = version["obsVersion"], frozenset(version["availableRequests"])
        await self.relist(ask)

    async def relist(self, ask: Ask) -> None:
        """Find out which controls there are, and the values of those that are not known in this epoch."""
        async with self._listing:
            self.stale = False
            self._meanwhile, self._answers = deque(maxlen=WAITING), {}
            try:
                await self._relist(ask)
            finally:
                self._meanwhile = None

    async def _relist(self, ask: Ask) -> None:
        wired: dict[str, Wired] = {}
        for each in await self._find(ask):
            wired.setdefault(each.control.name, each)  # where two have one name the first has it
        self._wired = wired
        self._groups, self._told, self._subjects = {}, {}, {}
        for each in wired.values():
            if each.row.get:
                self._groups.setdefault(each.group, []).append(each)
            if each.row.event:
                self._subjects[each.row.event] = tuple(field for field, _value in each.subject)
                key = each.row.event, tuple(value for _field, value in each.subject)
                self._told.setdefault(key, []).append(each)
        self.known.describe(each.control for each in wired.values())
        missing = dict.fromkeys(wired[name].group for name in self.known.missing() if wired[name].row.get)
        for group in missing.keys() & self._answers.keys():
            self._answered(group, self._answers[group])
        # What was told while all was listed was told to controls that were not known yet.
        meanwhile, self._meanwhile = self._meanwhile or (), None
        self.stale = self.stale or len(meanwhile) == WAITING
        for event, data in meanwhile:
            self._event(event, data)
        for group in [each for each in missing if each not in self._answers]:
            await self._look(ask, group)
        await self._paths(ask)
        await self.known.told()

    async def _find(self, ask: Ask) -> list[Wired]:
        """Return all controls, the most important first."""
        scenes = [scene["sceneName"] for scene in reversed((await ask("GetSceneList"))["scenes"])]
        transitions = [each["transitionName"] for each in (await ask("GetSceneTransitionList"))["transitions"]]
        choices = {"scene": tuple(scenes), "preview": tuple(scenes), "transition": tuple(transitions)}
        found = rows.wire("", (*rows.OBS_ROWS, *rows.PATH_ROWS), choices=choices)
        if (await ask("GetStudioModeEnabled"))["studioModeEnabled"]:
            found += rows.wire("", rows.STUDIO_ROWS, choices=choices)
        for extra in (rows.REPLAY_ROWS, rows.CAMERA_ROWS):
            if await self._can(ask, extra[0].get):
                found += rows.wire("", extra)
        inputs = (await ask("GetInputList"))["inputs"]
        for each in inputs:
            found += await self._input(ask, each["inputName"], each["inputKind"])
        groups = (await ask("GetGroupList"))["groups"]
        self.items = {}
        for scene in (*scenes, *groups):
            found += await self._items(ask, scene, "GetGroupSceneItemList" if scene in groups else "GetSceneItemList")
        for source in dict.fromkeys((*scenes, *groups, *(each["inputName"] for each in inputs))):
            found += await self._filters(ask, source)
        return found

    async def _input(self, ask: Ask, name: str, kind: str) -> list[Wired]:
        """Return the controls of an input; none where it is just vanishing."""
        subject = {rows.INPUT: name}
        found: list[Row] = []
        if await self._can(ask, "GetInputMute", **subject):
            found += (*rows.AUDIO_ROWS, *rows.PEAK_ROWS)
        try:
            status = await ask("GetMediaInputStatus", **subject)
            answer = self._answers["GetInputSettings", tuple(subject.items())] = await ask(
                "GetInputSettings", **subject
            )
            defaults = await self._default(ask, "GetInputDefaultSettings", "inputKind", kind, "defaultInputSettings")
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

    async def _items(self, ask: Ask, scene: str, request: str) -> list[Wired]:
        try:
            items = (await ask(request, sceneName=scene))["sceneItems"]
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
            self._answers |= {(get, tuple(subject.items())): item for get in _LISTED}
            found += rows.wire(f"item.{scene}.{name}", rows.ITEM_ROWS, subject)
        return found

    async def _filters(self, ask: Ask, source: str) -> list[Wired]:
        try:
            filters = (await ask("GetSourceFilterList", sourceName=source))["filters"]
        except ObsDeniedError:
            return []
        found: list[Wired] = []
        for each in filters:
            defaults = await self._default(
                ask, "GetSourceFilterDefaultSettings", "filterKind", each["filterKind"], "defaultFilterSettings"
            )
            subject = dict(zip(rows.FILTER, (source, each["filterName"]), strict=True))
            self._answers["GetSourceFilter", tuple(subject.items())] = each
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

    async def _default(self, ask: Ask, request: str, word: str, kind: str, answer: str) -> Mapping[str, Any]:
        """Return what OBS means by default; it never tells it twice otherwise."""
        if (request, kind) not in self._defaults:
            self._defaults[request, kind] = (await ask(request, **{word: kind}))[answer]
        return self._defaults[request, kind]

    async def _can(self, ask: Ask, request: str, **subject: object) -> bool:
        try:
            await ask(request, **subject)
        except ObsDeniedError:
            return False
        return True

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _look(self, ask: Ask, group: Group) -> None:
        """Ask for `group` and take in what OBS answers, where no event was faster."""
        wired = self._groups.get(group, ())
        before = [self._heard.get(each.control.name, 0) for each in wired]
        try:
            answer = await ask(group[0], **dict(group[1]))
        except ObsDeniedError:  # gone meanwhile, which an event tells, too
            return
        heard = {
            each.control.name
            for each, count in zip(wired, before, strict=True)
            if self._heard.get(each.control.name, 0) != count
        }
        self._answered(group, answer, heard)

    def _answered(self, group: Group, answer: Mapping[str, Any], heard: Container[str] = ()) -> None:
        """Take in an answer, apart from what was `heard` by an event meanwhile: that is newer, or another will come."""
        metered: dict[str, float] = {}
        for each in self._groups.get(group, ()):
            if each.control.name not in heard:
                self._take_in(each.control.name, each.row.answered(answer), metered, passing=True)
        if metered:
            self._bus.publish(Metered(self._name, metered))

    def _take_in(
        self, name: str, value: Value | None, metered: dict[str, float] | None = None, *, passing: bool = False
    ) -> None:
        if value is None:
            self.known.forget(name)
            return
        if passing and name.endswith(".state"):
            known = self.known.get(name)
            recent = asyncio.get_running_loop().time() - known.time < SET_DEADLINE
            if known.source == "reported" and known.value in rows.PASSING and recent:
                return
        self.known.learn(name, value)
        if metered is not None and self.known.control(name).kind == "meter" and isinstance(value, float):
            metered[name] = value

    async def _paths(self, ask: Ask) -> None:
        """Of a recording that runs already, the path stands in the settings of its output."""
        if self.known.get(rows.RECORD_PATH).source == "reported":
            return
        for output in ("simple_file_output", "adv_file_output"):
            try:
                path = (await ask("GetOutputSettings", outputName=output))["outputSettings"].get("path")
            except ObsDeniedError:
                continue
            if isinstance(path, str) and path:
                self.known.learn(rows.RECORD_PATH, path)

    def ours(self, name: str, value: Value) -> None:
        """OBS reported `value` of a control after we had asked for it."""
        if name in self._wired:
            self.known.learn(name, value, "us")
            self.known.ours(name)

    async def on_event(self, event: str, data: Mapping[str, Any]) -> None:
        """Take in what OBS tells by itself."""
        if event in _STRUCTURE:
            self.stale = True
            self.doubt.set()
        if event == "SceneItemListReindexed":
            for item in data["sceneItems"]:
                self._event(event, {"sceneName": data["sceneName"], **item})
        else:
            self._event(event, data)
        if request := _LOOK_UP.get(event):
            self._due |= {
                group
                for group in self._groups
                if group[0] == request and all(data.get(field, value) == value for field, value in group[1])
            }
            self.doubt.set()
        for deed, said in self._ears:
            for word, ear in (("heard", deed.hear), ("failed", deed.fails)):
                if ear and ear[0] == event and ear[1](data, said):
                    said[word] = True
        await self.known.told()

    def _event(self, event: str, data: Mapping[str, Any]) -> None:
        if self._meanwhile is not None and event in _TOLD:
            self._meanwhile.append((event, data))
        fields = self._subjects.get(event)
        if fields is None:
            return
        for each in self._told.get((event, tuple(data.get(field) for field in fields)), ()):
            name = each.control.name
            value = each.row.told(data)
            if value is not None:
                self._heard[name] = self._heard.get(name, 0) + 1
                self._take_in(name, value)

    def meters(self, data: Mapping[str, Any]) -> None:
        """Take in OBS's `InputVolumeMeters`: the loudest channel of each input, behind its fader."""
        values: dict[str, float] = {}
        for each in data.get("inputs", ()):
            name = f"input.{each.get('inputName')}.{rows.PEAK}"
            if name not in self._wired:
                continue
            loudest = max((channel[1] for channel in each["inputLevelsMul"]), default=0.0)
            peak = max(rows.QUIET, round(20 * math.log10(loudest), 1)) if loudest > 0 else rows.QUIET
            self.known.learn(name, peak)
            values[name] = peak
        if values:
            self._bus.publish(Metered(self._name, values))

    async def refresh(self, ask: Ask) -> None:
        """Look up what events made doubtful and, once a second, what has none; call it then and in `doubt`."""
        self.doubt.clear()
        if self.stale:
            await self.relist(ask)
        due, self._due = self._due, set()
        now = asyncio.get_running_loop().time()
        if now >= self._next_round:
            self._next_round = now + EACH
            due |= {group for group in self._groups if group[0] in _OFTEN}
            for _number in range(SLOW):
                group = next(self._next_seldom, None)
                if group is None:
                    self._next_seldom = iter([each for each in self._groups if each[0] in _SELDOM])
                    break
                due.add(group)
        for group in due:
            await self._look(ask, group)
        await self.known.told()

    # ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def set(self, ask: Ask, name: str, value: Value) -> Outcome:
        """Set a control; confirmed by what OBS then says of it."""
        wired = self._wired[name]
        mine = self._latest[name] = next(self._tickets)
        try:
            async with asyncio.timeout(SET_DEADLINE), self._turns.setdefault(name, asyncio.Lock()):
                if self._latest[name] == mine:
                    if trouble := self._cannot(wired):
                        return Outcome("refused", trouble)
                    request, data = wired.order(value)
                    await ask(request, **data)
                    released = False
                    while self._latest[name] == mine and self._wired.get(name) is wired:
                        await self._look(ask, wired.group)
                        if self.known.get(name).source == "reported" and wired.control.same(
                            self.known.get(name).value, value
                        ):
                            if name == "tbar" and value in (0, 1) and not released:
                                released = True
                                await ask(request, **{**data, "release": True})
                                continue
                            self.known.ours(name)
                            return Outcome("confirmed")
                        await self.known.news(LOOK_AGAIN)
                if self._latest[name] != mine:
                    return Outcome("superseded", _("{control} was set again meanwhile.").format(control=name))
                return Outcome("unconfirmed", _("OBS has no {control} any more.").format(control=name))
        except ObsDeniedError as no:
            return Outcome("refused", str(no))
        except (ObsLostError, TimeoutError):
            return Outcome("unconfirmed", _("OBS was asked for {control} and did not report it.").format(control=name))

    def _cannot(self, wired: Wired) -> str:
        if wired.control.name == "tbar" and self.known.get("transition.duration").source != "reported":
            return _("This transition has no length, so the T-bar does not move it; choose another.")
        return ""

    def check(self, name: str, given: Mapping[str, Value] | None) -> None:
        """ValueError for no such action and for arguments that do not fit."""
        if name not in DEEDS:
            raise ValueError(name)
        fitted(DEEDS[name], given)

    async def call(self, ask: Ask, name: str, given: Mapping[str, Value] | None) -> Outcome:
        """Do an action; confirmed when OBS reports that all of it is so. ValueError for arguments that do not fit."""
        self.check(name, given)
        deed = DEEDS[name]
        said = fitted(deed, given)
        said["items"] = self.items
        request = _asks(deed)
        if self._requests and request and request not in self._requests:
            return Outcome(
                "refused",
                _("OBS {version} cannot do {action}; OBS {newer} and later can.").format(
                    version=self._version, action=name, newer=TOO_NEW.get(request, "…")
                ),
            )
        self._ears.append((deed, said))
        try:
            async with asyncio.timeout(deed.deadline), self._turn(name):
                if not await self._do(ask, deed, said):
                    return Outcome("refused", _("OBS began {action} and gave it up at once.").format(action=name))
                if deed.changes:
                    await self.relist(ask)
        except ObsDeniedError as no:
            return Outcome("refused", str(no))
        except (ObsLostError, TimeoutError):
            asked = _("OBS was asked for {action} and did not report that it is done.").format(action=name)
            return Outcome("unconfirmed", f"{asked} {hint(deed)}".strip())
        finally:
            self._ears = [ear for ear in self._ears if ear[1] is not said]
        return Outcome("confirmed")

    def _turn(self, action: str) -> contextlib.AbstractAsyncContextManager[None]:
        """A recording gets one word at a time: see `deeds.STILL`."""
        if action.startswith("record."):
            return self._turns.setdefault("record.", asyncio.Lock())
        return contextlib.nullcontext()

    async def _do(self, ask: Ask, deed: Deed, said: dict[str, Any]) -> bool:
        """Whether it came about; False where OBS said that it will not."""
        if deed.first:
            request, data = deed.first(said)
            said["before"] = await ask(request, **data)
        orders = deed.orders(said)
        for request, data in orders:
            try:
                await self._order(ask, deed, request, data)
            except ObsDeniedError as no:
                if no.code != NO_SUCH_THING or len(orders) == 1:
                    raise  # else it went with the last scene that it stood in
        while not await self._is_so(ask, deed, said):
            if said.get("failed"):
                return False
            await self.known.news(LOOK_AGAIN)
        return True

    async def _order(self, ask: Ask, deed: Deed, request: str, data: Mapping[str, object]) -> None:
        while True:
            try:
                await ask(request, **data)
            except ObsDeniedError as no:
                if no.code != NOT_READY or not deed.patient:
                    raise
                await asyncio.sleep(LOOK_AGAIN)
            else:
                return

    async def _is_so(self, ask: Ask, deed: Deed, said: dict[str, Any]) -> bool:
        if deed.hear and not said.get("heard"):
            return False
        if deed.look is None or deed.so is None:
            return True
        request, data = deed.look(said)
        if not deed.so(await ask(request, **data), said):
            return False
        for group in [each for each in self._groups if each == (request, tuple(data.items()))]:
            await self._look(ask, group)
        return True


def _asks(deed: Deed) -> str | None:
    """The request that an OBS may be too old for."""
    return {"record.split": "SplitRecordFile"}.get(deed.action.name)
