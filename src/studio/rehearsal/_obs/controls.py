"""The names that the driver gives OBS's values, as requests: for hands, reboots and looks at the twin in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.devices import Value
    from studio.rehearsal._obs.world import World

Question: TypeAlias = "tuple[str, dict[str, Any], Callable[[Mapping[str, Any]], Any]]"
"""A request, its data, and what to read from its answer."""

_WHOLE = {
    "scene": ("GetCurrentProgramScene", "currentProgramSceneName", "sceneName"),
    "preview": ("GetCurrentPreviewScene", "currentPreviewSceneName", "sceneName"),
    "studio_mode": ("GetStudioModeEnabled", "studioModeEnabled", "studioModeEnabled"),
    "transition": ("GetCurrentSceneTransition", "transitionName", "transitionName"),
}
"""Control → the question, the field of its answer, the field of the order."""
_INPUT = {
    "mute": ("GetInputMute", "inputMuted"),
    "volume": ("GetInputVolume", "inputVolumeDb"),
    "balance": ("GetInputAudioBalance", "inputAudioBalance"),
    "sync": ("GetInputAudioSyncOffset", "inputAudioSyncOffset"),
}
_DURATION = "transition.duration"

_ITEM = {"visible": "Enabled", "locked": "Locked"}


def question(world: World, control: str) -> Question:
    """Return how to ask for `control`. KeyError for one that a twin cannot look up."""
    if control in _WHOLE:
        request, field, _word = _WHOLE[control]
        return request, {}, lambda answer: answer[field]
    if control == _DURATION:
        return "GetCurrentSceneTransition", {}, lambda answer: float(answer["transitionDuration"])
    if control.startswith("item."):
        place, word = _item(world, control)
        return f"GetSceneItem{word}", place, lambda answer: answer[f"sceneItem{word}"]
    name, kind = _input(world, control)
    request, field = _INPUT[kind]
    return request, {"inputName": name}, lambda answer: answer[field]


def order(world: World, control: str, value: Value) -> tuple[str, dict[str, Any]]:
    """Return how to set it. KeyError as above."""
    if control in _WHOLE:
        request, _field, word = _WHOLE[control]
        return f"Set{request.removeprefix('Get')}", {word: value}
    if control == _DURATION:
        return "SetCurrentSceneTransitionDuration", {"transitionDuration": value}
    if control.startswith("item."):
        place, word = _item(world, control)
        return f"SetSceneItem{word}", {**place, f"sceneItem{word}": value}
    name, kind = _input(world, control)
    request, field = _INPUT[kind]
    return f"Set{request.removeprefix('Get')}", {"inputName": name, field: value}


def _input(world: World, control: str) -> tuple[str, str]:
    head, _dot, rest = control.partition(".")
    name, _dot, kind = rest.rpartition(".")
    if head != "input" or name not in world.inputs or kind not in _INPUT:
        raise KeyError(control)
    return name, kind


def _item(world: World, control: str) -> tuple[dict[str, Any], str]:
    """`item.SCENE.SOURCE.visible`; a name with a full stop in it is found, too."""
    for scene, items in world.scenes.items():
        for item in items:
            for kind, word in _ITEM.items():
                if control == f"item.{scene}.{item.source}.{kind}":
                    return {"sceneName": scene, "sceneItemId": item.id}, word
    raise KeyError(control)
