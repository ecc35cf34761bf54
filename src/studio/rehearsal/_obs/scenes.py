"""Requests about OBS as a whole, its scenes, studio mode and transitions."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from studio.rehearsal._obs import world
from studio.rehearsal._obs.world import REQUESTS, RefusedError, World, answers, does

if TYPE_CHECKING:
    from studio.rehearsal._obs.world import Data

_PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
        "789c636060600000000400010ff4b5b20000000049454e44ae426082"
    )
).decode()
"""A PNG of one pixel."""
_TRANSITIONS = ("Cut", "Fade")

answers(
    "GetVersion",
    lambda _w, _d: {
        "obsVersion": "29.0.2",
        "obsWebSocketVersion": "5.1.0",
        "rpcVersion": 1,
        "availableRequests": sorted(REQUESTS),
        "supportedImageFormats": ["png"],
        "platform": "rehearsal",
        "platformDescription": "a pretend OBS",
    },
)
answers("GetStats", lambda w, _d: w.stats())
answers(
    "GetSceneCollectionList", lambda _w, _d: {"currentSceneCollectionName": "Studio", "sceneCollections": ["Studio"]}
)
answers("GetProfileList", lambda _w, _d: {"currentProfileName": "Studio", "profiles": ["Studio"]})
answers("GetRecordDirectory", lambda _w, _d: {"recordDirectory": "/rehearsal"})
answers("GetHotkeyList", lambda _w, _d: {"hotkeys": []})
answers(
    "GetVideoSettings",
    lambda _w, _d: {
        "fpsNumerator": 25,
        "fpsDenominator": 1,
        "baseWidth": 1280,
        "baseHeight": 720,
        "outputWidth": 1280,
        "outputHeight": 720,
    },
)
answers("GetStreamServiceSettings", lambda w, _d: w.service)
answers("GetSourceActive", lambda w, d: {"videoActive": w.program == d["sourceName"], "videoShowing": True})
answers("GetSourceScreenshot", lambda _w, d: {"imageData": d["sourceName"] and "data:image/png;base64," + _PIXEL})


@does("BroadcastCustomEvent")
def _broadcast(w: World, d: Data) -> None:
    w.tell("CustomEvent", dict(d["eventData"]))


@does("SetStreamServiceSettings")
def _set_service(w: World, d: Data) -> None:
    w.service = {
        "streamServiceType": d["streamServiceType"],
        "streamServiceSettings": dict(d["streamServiceSettings"]),
    }


answers(
    "GetSceneList",
    lambda w, _d: {
        "currentProgramSceneName": w.program,
        "currentPreviewSceneName": w.preview if w.studio_mode else None,
        "scenes": w.scene_list(),
    },
)
answers("GetGroupList", lambda _w, _d: {"groups": []})
answers("GetCurrentProgramScene", lambda w, _d: {"currentProgramSceneName": w.program})
answers("GetStudioModeEnabled", lambda w, _d: {"studioModeEnabled": w.studio_mode})
answers(
    "GetSceneTransitionList",
    lambda w, _d: {
        "currentSceneTransitionName": w.transition,
        "currentSceneTransitionKind": f"{w.transition.lower()}_transition",
        "transitions": [{"transitionName": name, "transitionFixed": name == "Cut"} for name in _TRANSITIONS],
    },
)
answers(
    "GetCurrentSceneTransition",
    lambda w, _d: {
        "transitionName": w.transition,
        "transitionKind": f"{w.transition.lower()}_transition",
        "transitionFixed": w.transition == "Cut",
        "transitionDuration": w.duration,
        "transitionConfigurable": False,
        "transitionSettings": None,
    },
)
answers("GetCurrentSceneTransitionCursor", lambda w, _d: {"transitionCursor": w.tbar})


@does("SetCurrentProgramScene")
def _take(w: World, d: Data) -> None:
    w.take(d["sceneName"])


def _in_studio_mode(w: World) -> None:
    if not w.studio_mode:
        raise RefusedError(world.STUDIO_MODE_NOT_ACTIVE, "")


@does("GetCurrentPreviewScene")
def _get_preview(w: World, _d: Data) -> dict[str, Any]:
    _in_studio_mode(w)
    return {"currentPreviewSceneName": w.preview}


@does("SetCurrentPreviewScene")
def _set_preview(w: World, d: Data) -> None:
    _in_studio_mode(w)
    w.items(d)
    if w.preview != d["sceneName"]:
        w.preview = d["sceneName"]
        w.tell("CurrentPreviewSceneChanged", {"sceneName": w.preview})


@does("TriggerStudioModeTransition")
def _transit(w: World, _d: Data) -> None:
    _in_studio_mode(w)
    before, wanted = w.program, w.preview
    w.take(wanted)
    if before != wanted:
        w.preview = before
        w.tell("CurrentPreviewSceneChanged", {"sceneName": before})


@does("SetTBarPosition")
def _set_tbar(w: World, d: Data) -> None:
    _in_studio_mode(w)
    w.tbar = float(d["position"])


@does("SetStudioModeEnabled")
def _studio_mode(w: World, d: Data) -> None:
    wanted = bool(d["studioModeEnabled"])
    if wanted != w.studio_mode:
        w.studio_mode, w.preview = wanted, w.program
        w.tell("StudioModeStateChanged", {"studioModeEnabled": wanted})


@does("SetCurrentSceneTransition")
def _set_transition(w: World, d: Data) -> None:
    if d["transitionName"] not in _TRANSITIONS:
        raise RefusedError(world.NOT_FOUND, "No scene transition was found by that name.")
    w.transition = d["transitionName"]
    w.tell("CurrentSceneTransitionChanged", {"transitionName": w.transition})


@does("SetCurrentSceneTransitionDuration")
def _set_duration(w: World, d: Data) -> None:
    w.duration = int(d["transitionDuration"])
    w.tell("CurrentSceneTransitionDurationChanged", {"transitionDuration": w.duration})


@does("CreateScene")
def _create_scene(w: World, d: Data) -> None:
    name = d["sceneName"]
    if name in w.scenes or name in w.inputs:
        raise RefusedError(world.ALREADY_EXISTS, "A source already exists by that scene name.")
    w.scenes[name] = []
    w.tell("SceneCreated", {"sceneName": name, "isGroup": False})
    w.tell("SceneListChanged", {"scenes": w.scene_list()})


@does("RemoveScene")
def _remove_scene(w: World, d: Data) -> None:
    w.items(d)
    if len(w.scenes) == 1:
        raise RefusedError(world.NOT_ENOUGH, "You cannot remove the last scene in the collection.")
    del w.scenes[d["sceneName"]]
    w.tell("SceneRemoved", {"sceneName": d["sceneName"], "isGroup": False})
    w.tell("SceneListChanged", {"scenes": w.scene_list()})
    if w.program == d["sceneName"]:
        w.take(next(iter(w.scenes)))
