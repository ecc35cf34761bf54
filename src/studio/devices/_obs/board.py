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
from studio.devices._obs.find import Finder
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from studio.bus import Bus
    from studio.devices._ground.device import Link
    from studio.devices._ground.values import Action, Value
    from studio.devices._obs.build import Ask
    from studio.devices._obs.rows import Group, Wired

SET_DEADLINE = 2.0
"""Seconds in which OBS has to report what was set; it takes 1 ms, and 200 while a transition runs."""
EVENT = 0.25
"""Seconds in which an event comes, after which it is asked whether something is so."""
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
_ANEW = {
    "InputCreated": ("input.{inputName}.", "filter.{inputName}."),
    "SceneItemCreated": ("item.{sceneName}.{sourceName}",),
    "SourceFilterCreated": ("filter.{sourceName}.{filterName}.",),
}
"""Event → how the names begin of what may have belonged to another thing of that name, that is gone."""
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
_TOLD = frozenset(
    row.event
    for table in (rows.OBS_ROWS, rows.STUDIO_ROWS, rows.PATH_ROWS, rows.REPLAY_ROWS, rows.CAMERA_ROWS, rows.AUDIO_ROWS)
    for row in table
) | {row.event for row in (*rows.ITEM_ROWS, *rows.FILTER_ROWS)}
AT_ONCE = 10
"""Groups of values that are taken in before others have their turn: a listener takes a thousand changes."""
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
        self._heard_at: dict[str, float] = {}
        self._due: set[Group] = set()
        self._next_round = 0.0
        self._next_seldom: Iterator[Group] = iter(())
        self._defaults: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._tickets = itertools.count(1)
        self._latest: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._ears: list[tuple[Deed, dict[str, Any]]] = []
        self._listing = asyncio.Lock()
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
            self._meanwhile = deque(maxlen=WAITING)
            try:
                await self._relist(ask)
            finally:
                self._meanwhile = None

    async def _relist(self, ask: Ask) -> None:
        wired: dict[str, Wired] = {}
        finder = Finder(ask, self._defaults)
        for each in await finder.controls():
            wired.setdefault(each.control.name, each)  # where two have one name the first has it
        self._wired, self.items = wired, finder.items
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
        await self._listed({group: finder.answers[group] for group in missing if group in finder.answers})
        for group in [each for each in missing if each not in finder.answers]:
            await self._look(ask, group)
        await self._paths(ask)
        await self.known.told()

    async def _listed(self, answers: Mapping[Group, Mapping[str, Any]]) -> None:
        """Take in what the lists said, unless it was overtaken by an event: while they came, or since."""
        meanwhile, self._meanwhile = self._meanwhile or (), None
        self.stale = self.stale or len(meanwhile) == WAITING
        newer = {name: value for event, data in meanwhile for name, value in self._values(event, data)}
        before = dict(self._heard)
        for number, (group, answer) in enumerate(answers.items()):
            since = {name for name, count in self._heard.items() if before.get(name, 0) != count}
            self._answered(group, answer, since | newer.keys())
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        for name, value in newer.items():
            if self._heard.get(name, 0) == before.get(name, 0):
                self._take_in(name, value)

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
            if known.source == "reported" and rows.PASSING.get(str(known.value)) == value and recent:
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

    def forget(self, beginning: str = "") -> None:
        """Nothing is known any more of controls whose names begin so, until `relist`: other things bear them now."""
        for name in self.known.controls:
            if name.startswith(beginning):
                self.known.forget(name)

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
        for beginning in _ANEW.get(event, ()):
            self.forget(beginning.format_map(data))
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
        now = asyncio.get_running_loop().time()
        for name, value in self._values(event, data):
            self._heard[name] = self._heard.get(name, 0) + 1
            self._take_in(name, value)
            if now - self._heard_at.get(name, -EVENT) < EVENT and self._wired[name].row.get:
                # Several threads of OBS send its events: of two that follow each other the first may come last.
                self._due.add(self._wired[name].group)
                self.doubt.set()
            self._heard_at[name] = now

    def _values(self, event: str, data: Mapping[str, Any]) -> list[tuple[str, Value]]:
        """Return which controls an event tells of, and what."""
        fields = self._subjects.get(event, ())
        try:
            told = self._told.get((event, tuple(data.get(field) for field in fields)), ())
            values = [(each.control.name, each.row.told(data)) for each in told]
        except (TypeError, AttributeError):  # nothing that OBS would say
            return []
        return [(name, value) for name, value in values if value is not None]

    def meters(self, data: Mapping[str, Any]) -> None:
        """Take in OBS's `InputVolumeMeters`: the loudest channel of each input, behind its fader."""
        values: dict[str, float] = {}
        for each in data.get("inputs", ()):
            name = f"input.{each.get('inputName')}.{rows.PEAK}"
            if name not in self._wired:
                continue
            loudest = max((channel[1] for channel in each["inputLevelsMul"]), default=0.0)
            peak = max(rows.QUIET, round(20 * math.log10(loudest), 1)) if loudest > 0 else rows.QUIET
            values[name] = peak
        if values:
            self.known.measured(values)

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
                    if await self._settle(ask, wired, value, mine):
                        return Outcome("confirmed")
                if self._latest[name] != mine:
                    return Outcome("superseded", _("{control} was set again meanwhile.").format(control=name))
                return Outcome("unconfirmed", _("OBS has no {control} any more.").format(control=name))
        except ObsDeniedError as no:
            return Outcome("refused", str(no))
        except (ObsLostError, TimeoutError):
            return Outcome("unconfirmed", _("OBS was asked for {control} and did not report it.").format(control=name))

    async def _settle(self, ask: Ask, wired: Wired, value: Value, mine: int) -> bool:
        """Ask for `value` and wait until OBS says it; False where it was set again meanwhile, or is gone."""
        name, clock = wired.control.name, asyncio.get_running_loop().time
        request, data = wired.order(value)
        # The event is waited for where one must come: an answer may overtake the event of a value before it.
        look_at = clock() + (EVENT if wired.row.event and not self._is(wired, value) else 0.0)
        await ask(request, **data)
        released = name != "tbar" or value not in (0, 1)
        while self._latest[name] == mine and name in self._wired:
            if clock() >= look_at:
                await self._look(ask, wired.group)
                look_at = clock() + LOOK_AGAIN
            if not self._is(wired, value):
                await self.known.news(max(0.001, look_at - clock()))
            elif released:
                self.known.ours(name)
                return True
            else:
                released = True
                await ask(request, **{**data, "release": True})
                await self._look(ask, wired.group)
        return False

    def _is(self, wired: Wired, value: Value) -> bool:
        known = self.known.get(wired.control.name)
        return known.source == "reported" and wired.control.same(known.value, value)

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
        if deed.each:
            await self.known.news(deed.each)
        while not await self._is_so(ask, deed, said):
            if said.get("failed"):
                return False
            await self.known.news(deed.each or LOOK_AGAIN)
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
            if any(self._passing(each) for each in self._groups[group]):
                return False  # what is told of it has to agree with what was done
        return True

    def _passing(self, wired: Wired) -> bool:
        known = self.known.get(wired.control.name)
        return wired.control.name.endswith(".state") and known.source == "reported" and known.value in rows.PASSING


def _asks(deed: Deed) -> str | None:
    """The request that an OBS may be too old for."""
    return {"record.split": "SplitRecordFile"}.get(deed.action.name)
