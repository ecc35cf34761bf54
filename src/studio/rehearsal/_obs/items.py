"""Requests about sources in scenes, filters and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.rehearsal._obs import world
from studio.rehearsal._obs.world import REQUESTS, Filter, RefusedError, World, answers, does, drop

if TYPE_CHECKING:
    from studio.rehearsal._obs.world import Data

answers("GetSceneItemList", lambda w, d: {"sceneItems": w.item_list(d)})
answers("GetGroupSceneItemList", lambda w, d: {"sceneItems": w.item_list(d)})


@does("GetSceneItemId")
def _item_id(w: World, d: Data) -> dict[str, Any]:
    for item in w.items(d):
        if item.source == d["sourceName"]:
            return {"sceneItemId": item.id}
    raise RefusedError(world.NOT_FOUND, "No scene items were found in the specified scene by that name or offset.")


@does("CreateSceneItem")
def _create_item(w: World, d: Data) -> dict[str, Any]:
    items, source = w.items(d), d["sourceName"]
    if source not in w.inputs and source not in w.scenes:
        raise RefusedError(world.NOT_FOUND, f"No source was found by the name of `{source}`.")
    items.append(item := w.item(source))
    item.enabled = d.get("sceneItemEnabled", True)
    place = {"sceneItemId": item.id, "sceneItemIndex": len(items) - 1}
    w.tell("SceneItemCreated", {"sceneName": d["sceneName"], "sourceName": source, **place})
    return {"sceneItemId": item.id}


@does("RemoveSceneItem")
def _remove_item(w: World, d: Data) -> None:
    drop(w, d["sceneName"], w.item_of(d).id)


answers("GetSceneItemTransform", lambda w, d: {"sceneItemTransform": dict(w.item_of(d).transform)})
answers("GetSceneItemIndex", lambda w, d: {"sceneItemIndex": w.items(d).index(w.item_of(d))})


def _place(d: Data) -> dict[str, Any]:
    return {"sceneName": d["sceneName"], "sceneItemId": d["sceneItemId"]}


@does("SetSceneItemTransform")
def _set_transform(w: World, d: Data) -> None:
    item = w.item_of(d)
    item.transform |= d["sceneItemTransform"]
    w.tell("SceneItemTransformChanged", {**_place(d), "sceneItemTransform": dict(item.transform)})


@does("SetSceneItemIndex")
def _set_index(w: World, d: Data) -> None:
    items, item = w.items(d), w.item_of(d)
    items.remove(item)
    items.insert(int(d["sceneItemIndex"]), item)
    order = [{"sceneItemId": each.id, "sceneItemIndex": index} for index, each in enumerate(items)]
    w.tell("SceneItemListReindexed", {"sceneName": d["sceneName"], "sceneItems": order})


_ITEM: dict[str, tuple[str, str, type]] = {
    "Enabled": ("enabled", "SceneItemEnableStateChanged", bool),
    "Locked": ("locked", "SceneItemLockStateChanged", bool),
    "BlendMode": ("blend", "", str),
}
"""Request's name → where it is kept, event, type."""


def _of_item(name: str) -> None:
    where, event, kind = _ITEM[name]
    word = f"sceneItem{name}"

    def read(w: World, d: Data) -> dict[str, Any]:
        return {word: getattr(w.item_of(d), where)}

    def write(w: World, d: Data) -> None:
        item, value = w.item_of(d), kind(d[word])
        if getattr(item, where) != value:
            setattr(item, where, value)
            if event:
                w.tell(event, {**_place(d), word: value})

    REQUESTS[f"GetSceneItem{name}"], REQUESTS[f"SetSceneItem{name}"] = read, write


for _name in _ITEM:
    _of_item(_name)

# ── filters ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(each: Filter, index: int) -> dict[str, Any]:
    return {
        "filterName": each.name,
        "filterKind": each.kind,
        "filterEnabled": each.enabled,
        "filterIndex": index,
        "filterSettings": dict(each.settings),
    }


def _on_filter(d: Data) -> dict[str, Any]:
    return {"sourceName": d["sourceName"], "filterName": d["filterName"]}


answers(
    "GetSourceFilterList", lambda w, d: {"filters": [_told(each, index) for index, each in enumerate(w.filters(d))]}
)
answers("GetSourceFilter", lambda w, d: _told(w.filter(d), w.filters(d).index(w.filter(d))))
answers("GetSourceFilterDefaultSettings", lambda _w, _d: {"defaultFilterSettings": {}})


@does("CreateSourceFilter")
def _create_filter(w: World, d: Data) -> None:
    filters = w.filters(d)
    if any(each.name == d["filterName"] for each in filters):
        raise RefusedError(world.ALREADY_EXISTS, "A filter already exists by that name.")
    filters.append(made := Filter(d["filterName"], d["filterKind"], dict(d.get("filterSettings") or {})))
    w.tell("SourceFilterCreated", {**_on_filter(d), **_told(made, len(filters) - 1)})


@does("RemoveSourceFilter")
def _remove_filter(w: World, d: Data) -> None:
    w.filters(d).remove(w.filter(d))
    w.tell("SourceFilterRemoved", _on_filter(d))


@does("SetSourceFilterEnabled")
def _enable_filter(w: World, d: Data) -> None:
    each, wanted = w.filter(d), bool(d["filterEnabled"])
    if each.enabled != wanted:
        each.enabled = wanted
        w.tell("SourceFilterEnableStateChanged", {**_on_filter(d), "filterEnabled": wanted})


@does("SetSourceFilterIndex")
def _order_filter(w: World, d: Data) -> None:
    filters, each = w.filters(d), w.filter(d)
    filters.remove(each)
    filters.insert(int(d["filterIndex"]), each)
    told = [_told(other, index) for index, other in enumerate(filters)]
    w.tell("SourceFilterListReindexed", {"sourceName": d["sourceName"], "filters": told})


@does("SetSourceFilterSettings")
def _set_filter(w: World, d: Data) -> None:
    each = w.filter(d)
    each.settings = {**(each.settings if d.get("overlay", True) else {}), **d["filterSettings"]}


# ── outputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _output(request: str, name: str) -> None:
    answers(f"Get{request}Status", lambda w, _d: w.status(name))
    answers(f"Start{request}", lambda w, _d: w.switch(name, on=True))
    answers(f"Stop{request}", lambda w, _d: w.switch(name, on=False))


for _request in ("Stream", "Record", "ReplayBuffer"):
    _output(_request, _request)
_output("VirtualCam", "Virtualcam")


def _pause(w: World, *, wanted: bool) -> dict[str, Any]:
    output = w.output("Record", active=True)
    if output.paused is wanted:
        raise RefusedError(world.OUTPUT_PAUSED if wanted else world.OUTPUT_NOT_PAUSED, "")
    output.paused = wanted
    state = f"OBS_WEBSOCKET_OUTPUT_{'PAUSED' if wanted else 'RESUMED'}"
    w.tell("RecordStateChanged", {"outputActive": not wanted, "outputState": state, "outputPath": None})
    return {}


answers("PauseRecord", lambda w, _d: _pause(w, wanted=True))
answers("ResumeRecord", lambda w, _d: _pause(w, wanted=False))
answers("GetLastReplayBufferReplay", lambda _w, _d: {"savedReplayPath": "/rehearsal/replay.mkv"})


@does("SaveReplayBuffer")
def _save_replay(w: World, _d: Data) -> None:
    w.output("ReplayBuffer", active=True)
    w.tell("ReplayBufferSaved", {"savedReplayPath": "/rehearsal/replay.mkv"})
