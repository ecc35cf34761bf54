"""Requests about inputs, their sound, and the films that they play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.rehearsal._obs import world
from studio.rehearsal._obs.world import QUIET, REQUESTS, RefusedError, Source, World, answers, does, drop

if TYPE_CHECKING:
    from studio.rehearsal._obs.world import Data

answers(
    "GetInputList",
    lambda w, d: {
        "inputs": [
            {"inputName": name, "inputKind": each.kind, "unversionedInputKind": each.kind.partition("_v")[0]}
            for name, each in w.inputs.items()
            if d.get("inputKind") in (None, each.kind)
        ]
    },
)
answers("GetInputKindList", lambda _w, _d: {"inputKinds": list(world.KINDS)})
answers("GetSpecialInputs", lambda _w, _d: dict.fromkeys(("desktop1", "desktop2", "mic1", "mic2", "mic3", "mic4")))
answers("GetInputSettings", lambda w, d: {"inputSettings": dict(w.input(d).settings), "inputKind": w.input(d).kind})
answers("GetInputDefaultSettings", lambda _w, d: {"defaultInputSettings": dict(world.DEFAULTS.get(d["inputKind"], {}))})


@does("CreateInput")
def _create(w: World, d: Data) -> dict[str, Any]:
    items, name, kind = w.items(d), d["inputName"], d["inputKind"]
    if name in w.inputs or name in w.scenes:
        raise RefusedError(world.ALREADY_EXISTS, "A source already exists by that input name.")
    if kind not in world.KINDS:
        raise RefusedError(world.INVALID_KIND, "Your specified input kind is not supported by OBS.")
    w.inputs[name] = Source(kind, dict(d.get("inputSettings") or {}))
    w.tell("InputCreated", {"inputName": name, "inputKind": kind, "inputSettings": w.inputs[name].settings})
    items.append(item := w.item(name))
    place = {"sceneItemId": item.id, "sceneItemIndex": len(items) - 1}
    w.tell("SceneItemCreated", {"sceneName": d["sceneName"], "sourceName": name, **place})
    return {"sceneItemId": item.id}


@does("RemoveInput")
def _remove(w: World, d: Data) -> None:
    w.input(d)
    name = d["inputName"]
    for scene, items in w.scenes.items():
        for item in [item for item in items if item.source == name]:
            drop(w, scene, item.id)
    del w.inputs[name]
    w.tell("InputRemoved", {"inputName": name})


@does("SetInputSettings")
def _set_settings(w: World, d: Data) -> None:
    source = w.input(d)
    source.settings = {**(source.settings if d.get("overlay", True) else {}), **d["inputSettings"]}


# ── sound ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _audible(w: World, d: Data) -> Source:
    source = w.input(d)
    if not source.sounds:
        raise RefusedError(world.INVALID_STATE, "The specified input does not support audio.")
    return source


_AUDIO: dict[str, tuple[str, str, str, type]] = {
    "Mute": ("inputMuted", "muted", "InputMuteStateChanged", bool),
    "AudioBalance": ("inputAudioBalance", "balance", "InputAudioBalanceChanged", float),
    "AudioSyncOffset": ("inputAudioSyncOffset", "sync", "InputAudioSyncOffsetChanged", int),
    "AudioMonitorType": ("monitorType", "monitor", "InputAudioMonitorTypeChanged", str),
}
"""Request's name → field, where it is kept, event, type."""


def _audio(name: str) -> None:
    word, where, event, kind = _AUDIO[name]

    def read(w: World, d: Data) -> dict[str, Any]:
        return {word: getattr(_audible(w, d), where)}

    def write(w: World, d: Data) -> None:
        source, value = _audible(w, d), kind(d[word])
        if getattr(source, where) != value:
            setattr(source, where, value)
            w.tell(event, {"inputName": d["inputName"], word: value})

    REQUESTS[f"GetInput{name}"], REQUESTS[f"SetInput{name}"] = read, write


for _name in _AUDIO:
    _audio(_name)


@does("ToggleInputMute")
def _toggle_mute(w: World, d: Data) -> dict[str, Any]:
    muted = not _audible(w, d).muted
    w.ask("SetInputMute", {**d, "inputMuted": muted})
    return {"inputMuted": muted}


def _loud(decibels: float) -> dict[str, float]:
    return {"inputVolumeMul": 0.0 if decibels <= QUIET else 10 ** (decibels / 20), "inputVolumeDb": decibels}


answers("GetInputVolume", lambda w, d: _loud(_audible(w, d).volume))


@does("SetInputVolume")
def _set_volume(w: World, d: Data) -> None:
    source, decibels = _audible(w, d), max(QUIET, min(26.0, float(d["inputVolumeDb"])))
    if source.volume != decibels:
        source.volume = decibels
        w.tell("InputVolumeChanged", {"inputName": d["inputName"], **_loud(decibels)})


answers("GetInputAudioTracks", lambda w, d: {"inputAudioTracks": dict(_audible(w, d).tracks)})


@does("SetInputAudioTracks")
def _set_tracks(w: World, d: Data) -> None:
    source = _audible(w, d)
    source.tracks |= {str(number): bool(on) for number, on in d["inputAudioTracks"].items()}
    w.tell("InputAudioTracksChanged", {"inputName": d["inputName"], "inputAudioTracks": dict(source.tracks)})


# ── films ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _player(w: World, d: Data) -> Source:
    source = w.input(d)
    if not source.plays:
        raise RefusedError(world.INVALID_STATE, "The specified input is not a media input.")
    return source


@does("GetMediaInputStatus")
def _media_status(w: World, d: Data) -> dict[str, Any]:
    source = w.input(d)  # of one that plays nothing OBS says so, and no more
    on = source.state not in ("OBS_MEDIA_STATE_NONE", "OBS_MEDIA_STATE_STOPPED", "OBS_MEDIA_STATE_ENDED")
    return {
        "mediaState": source.state,
        "mediaDuration": world.FILM if on else None,
        "mediaCursor": source.now() if on else None,
    }


@does("TriggerMediaInputAction")
def _media_action(w: World, d: Data) -> None:
    source, action = _player(w, d), d["mediaAction"].removeprefix("OBS_WEBSOCKET_MEDIA_INPUT_ACTION_")
    match action:
        case "PLAY":
            source.go("PLAYING")
        case "PAUSE":
            source.go("PAUSED")
        case "STOP":
            source.go("STOPPED", 0)
        case "RESTART" | "NEXT" | "PREVIOUS":
            source.go("PLAYING", 0)
        case _:
            raise RefusedError(world.INVALID_FIELD, "You have specified an invalid media input action.")
    w.tell("MediaInputActionTriggered", {"inputName": d["inputName"], "mediaAction": d["mediaAction"]})
    if action in ("PLAY", "RESTART"):
        w.tell("MediaInputPlaybackStarted", {"inputName": d["inputName"]})


@does("SetMediaInputCursor")
def _seek(w: World, d: Data) -> None:
    source = _player(w, d)
    source.go(source.state.removeprefix("OBS_MEDIA_STATE_"), float(d["mediaCursor"]))
