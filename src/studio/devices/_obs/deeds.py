"""What OBS can be asked to do: one row an action, with its requests and what has to be reported before it is done.

Source of all names: obs-websocket's protocol.md, version 5.1 (OBS 29) and, for `record.split` and `record.chapter`,
5.5 (OBS 30.2).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from studio.devices._ground.values import Action, Argument
from studio.devices._obs.rows import output_state
from studio.language import _
from studio.wire.obs import differs

if TYPE_CHECKING:
    from studio.devices._ground.values import Value

Arguments: TypeAlias = dict[str, Any]
"""As they were given, settings already taken apart; under `before` what `Deed.first` answered, and what a row notes."""
Order: TypeAlias = tuple[str, dict[str, object]]
"""A request and its data."""

_ACTION = "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_"
STILL = 0.3
"""Seconds that a recording has to stand before it counts as paused: OBS says so at once, and one that is resumed within
a frame of that never goes on."""
NEAR = 0.7
"""Seconds between where a film was asked to stand and where OBS says it does: it can only go to a key frame, and then
plays on."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An action of OBS."""

    action: Action
    orders: Callable[[Arguments], list[Order]]
    """What OBS is asked, one after the other; the first also says whether this OBS is new enough."""
    look: Callable[[Arguments], Order] | None = None
    """The question whose answer has to be `so`."""
    so: Callable[[Mapping[str, Any], Arguments], bool] | None = None
    hear: tuple[str, Callable[[Mapping[str, Any], Arguments], bool]] | None = None
    """The event that has to come, and whether it is the one."""
    fails: tuple[str, Callable[[Mapping[str, Any], Arguments], bool]] | None = None
    """The event that says that it will not come to that."""
    first: Callable[[Arguments], Order] | None = None
    """Asked before all else; its answer is `before` in the arguments."""
    deadline: float = 2.0
    """Seconds for all of it."""
    changes: bool = False
    """Controls appear or vanish by it."""
    each: float = 0.0
    """Seconds between two looks, where an event that comes before is as good: an OBS that starts or stops an output is
    busy with it, and may stand for ever where it is asked too much meanwhile."""
    patient: bool = False
    """OBS may not be ready for it yet, and is asked again."""
    hint: Literal["", "pause", "key frame", "audio filter"] = ""
    """Why OBS may say yes and do nothing: see `hint`."""


def hint(deed: Deed) -> str:
    """One more sentence where OBS says yes and does nothing; else empty."""
    return {
        "": "",
        "pause": _("It cannot pause a recording whose quality is the same as the stream's."),
        "key frame": _("It can only go to a key frame of the file."),
        "audio filter": _("Perhaps this filter does not fit this source."),
    }[deed.hint]


def _names(key: str, field_: str, *, there: bool, name: str) -> Callable[[Mapping[str, Any], Arguments], bool]:
    """Whether the list `key` of an answer holds what the argument `name` says, or not."""
    return lambda answer, said: (said[name] in [each[field_] for each in answer[key]]) is there


def _simple(request: str, **data: str) -> Callable[[Arguments], list[Order]]:
    """One request; `data` is its field → our argument."""
    return lambda said: [(request, {word: said[name] for word, name in data.items() if name in said})]


def _ask(request: str, **data: str) -> Callable[[Arguments], Order]:
    return lambda said: (request, {word: said[name] for word, name in data.items()})


def _media(name: str, word: str, **settled: Any) -> Deed:  # noqa: ANN401 - what `Deed` takes
    return Deed(
        Action(f"media.{name}", (_INPUT,)),
        lambda said: [("TriggerMediaInputAction", {"inputName": said["input"], "mediaAction": _ACTION + word})],
        **settled,
    )


def _state(*states: str) -> Callable[[Mapping[str, Any], Arguments], bool]:
    return lambda answer, _said: answer["mediaState"] in {f"OBS_MEDIA_STATE_{state}" for state in states}


def _acted(word: str) -> tuple[str, Callable[[Mapping[str, Any], Arguments], bool]]:
    return (
        "MediaInputActionTriggered",
        lambda data, said: data["inputName"] == said["input"] and data["mediaAction"] == _ACTION + word,
    )


def _stands(answer: Mapping[str, Any], said: Arguments) -> bool:
    now = answer["mediaCursor"]
    return now is not None and abs(now / 1000 - said.get("time", 0.0)) <= NEAR


def _without(said: Arguments) -> list[Order]:
    """Take an input out of every scene first: OBS lists a removed one until each scene that holds it was drawn."""
    return [
        *(
            ("RemoveSceneItem", {"sceneName": scene, "sceneItemId": item})
            for scene, items in said["items"].items()
            for source, item in items
            if source == said["input"]
        ),
        ("RemoveInput", {"inputName": said["input"]}),
    ]


def _item(said: Arguments) -> list[Order]:
    return [
        (
            "RemoveSceneItem",
            {"sceneName": said["scene"], "sceneItemId": said["before"]["sceneItemId"]},
        )
    ]


def _output(name: str, request: str, status: str, event: str = "", *, on: bool, deadline: float = 5.0) -> Deed:
    return Deed(
        Action(name),
        lambda _said: [(request, {})],
        _ask(status),
        lambda answer, _said: answer["outputActive"] is on,
        fails=(event, lambda data, _said: output_state(data) == "stopped") if event else None,
        deadline=deadline,
        each=0.4,
    )


def _standing(answer: Mapping[str, Any], said: dict[str, Any]) -> bool:
    """Whether a recording is paused and its length has stood still for `STILL`."""
    length, now = answer["outputDuration"], time.monotonic()
    if said.get("length") != length:
        said["length"], said["since"] = length, now
    return bool(answer["outputPaused"]) and now - said["since"] >= STILL


def _growing(answer: Mapping[str, Any], said: dict[str, Any]) -> bool:
    """Whether a recording is not paused and has grown."""
    return not answer["outputPaused"] and answer["outputDuration"] > said.setdefault("length", answer["outputDuration"])


_SCENE, _INPUT, _SOURCE, _FILTER = Argument("scene"), Argument("input"), Argument("source"), Argument("filter")
_KIND = Argument("kind")
SETTINGS = Argument("settings", needed=False)
"""Of OBS's own names, as JSON: `{"brightness": 0.2}`."""
_TIME = Argument("time", "number", lowest=0)

_TABLE = (
    Deed(
        *(Action("scene.create", (_SCENE,)), _simple("CreateScene", sceneName="scene"), _ask("GetSceneList")),
        _names("scenes", "sceneName", there=True, name="scene"),
        changes=True,
    ),
    Deed(
        *(Action("scene.remove", (_SCENE,)), _simple("RemoveScene", sceneName="scene"), _ask("GetSceneList")),
        _names("scenes", "sceneName", there=False, name="scene"),
        changes=True,
    ),
    Deed(
        Action("input.create", (_SCENE, _INPUT, _KIND, SETTINGS)),
        _simple("CreateInput", sceneName="scene", inputName="input", inputKind="kind", inputSettings="settings"),
        _ask("GetInputList"),
        _names("inputs", "inputName", there=True, name="input"),
        changes=True,
    ),
    Deed(
        *(Action("input.remove", (_INPUT,)), _without, _ask("GetInputList")),
        _names("inputs", "inputName", there=False, name="input"),
        changes=True,
    ),
    Deed(
        Action("input.settings", (_INPUT, Argument("settings"))),
        _simple("SetInputSettings", inputName="input", inputSettings="settings"),
        _ask("GetInputSettings", inputName="input"),
        lambda answer, said: not differs(said["settings"], answer["inputSettings"]),
        changes=True,
    ),
    Deed(
        Action("item.create", (_SCENE, _INPUT)),
        _simple("CreateSceneItem", sceneName="scene", sourceName="input"),
        _ask("GetSceneItemList", sceneName="scene"),
        lambda answer, said: (
            sum(item["sourceName"] == said["input"] for item in answer["sceneItems"])
            > sum(item["sourceName"] == said["input"] for item in said["before"]["sceneItems"])
        ),
        first=_ask("GetSceneItemList", sceneName="scene"),
        changes=True,
    ),
    Deed(
        Action("item.remove", (_SCENE, _INPUT)),
        _item,
        _ask("GetSceneItemList", sceneName="scene"),
        lambda answer, said: (
            said["before"]["sceneItemId"] not in [item["sceneItemId"] for item in answer["sceneItems"]]
        ),
        first=_ask("GetSceneItemId", sceneName="scene", sourceName="input"),
        changes=True,
    ),
    Deed(
        Action("filter.create", (_SOURCE, _FILTER, _KIND, SETTINGS)),
        _simple(
            *("CreateSourceFilter",),
            sourceName="source",
            filterName="filter",
            filterKind="kind",
            filterSettings="settings",
        ),
        _ask("GetSourceFilterList", sourceName="source"),
        _names("filters", "filterName", there=True, name="filter"),
        changes=True,
        hint="audio filter",
    ),
    Deed(
        Action("filter.remove", (_SOURCE, _FILTER)),
        _simple("RemoveSourceFilter", sourceName="source", filterName="filter"),
        _ask("GetSourceFilterList", sourceName="source"),
        _names("filters", "filterName", there=False, name="filter"),
        changes=True,
    ),
    Deed(
        Action("filter.settings", (_SOURCE, _FILTER, Argument("settings"))),
        _simple("SetSourceFilterSettings", sourceName="source", filterName="filter", filterSettings="settings"),
        _ask("GetSourceFilter", sourceName="source", filterName="filter"),
        lambda answer, said: not differs(said["settings"], answer["filterSettings"]),
        changes=True,
    ),
    Deed(
        Action("transition.go"),
        _simple("TriggerStudioModeTransition"),
        _ask("GetCurrentProgramScene"),
        lambda answer, said: answer["currentProgramSceneName"] == said["before"]["currentPreviewSceneName"],
        ("SceneTransitionStarted", lambda _data, _said: True),
        first=_ask("GetCurrentPreviewScene"),
    ),
    _media("play", "PLAY", look=_ask("GetMediaInputStatus", inputName="input"), so=_state("PLAYING")),
    _media("pause", "PAUSE", look=_ask("GetMediaInputStatus", inputName="input"), so=_state("PAUSED")),
    _media("stop", "STOP", look=_ask("GetMediaInputStatus", inputName="input"), so=_state("STOPPED", "ENDED")),
    _media(
        "restart",
        "RESTART",
        look=_ask("GetMediaInputStatus", inputName="input"),
        so=_state("PLAYING", "BUFFERING"),
        hear=_acted("RESTART"),
    ),
    _media("next", "NEXT", hear=_acted("NEXT")),
    _media("previous", "PREVIOUS", hear=_acted("PREVIOUS")),
    Deed(
        Action("media.seek", (_INPUT, _TIME)),
        lambda said: [("SetMediaInputCursor", {"inputName": said["input"], "mediaCursor": round(said["time"] * 1000)})],
        _ask("GetMediaInputStatus", inputName="input"),
        _stands,
        hint="key frame",
    ),
    Deed(
        Action("media.cue", (_INPUT, Argument("time", "number", lowest=0, needed=False))),
        lambda said: [
            ("TriggerMediaInputAction", {"inputName": said["input"], "mediaAction": f"{_ACTION}PLAY"}),
            ("SetMediaInputCursor", {"inputName": said["input"], "mediaCursor": round(said.get("time", 0) * 1000)}),
            ("TriggerMediaInputAction", {"inputName": said["input"], "mediaAction": f"{_ACTION}PAUSE"}),
        ],
        _ask("GetMediaInputStatus", inputName="input"),
        lambda answer, said: answer["mediaState"] == "OBS_MEDIA_STATE_PAUSED" and _stands(answer, said),
        patient=True,
        hint="key frame",
    ),
    _output("stream.start", "StartStream", "GetStreamStatus", "StreamStateChanged", on=True, deadline=10.0),
    _output("stream.stop", "StopStream", "GetStreamStatus", on=False),
    _output("record.start", "StartRecord", "GetRecordStatus", "RecordStateChanged", on=True),
    _output("record.stop", "StopRecord", "GetRecordStatus", on=False),
    Deed(
        *(Action("record.pause"), _simple("PauseRecord"), _ask("GetRecordStatus"), _standing),
        deadline=3.0,
        hint="pause",
    ),
    Deed(*(Action("record.resume"), _simple("ResumeRecord"), _ask("GetRecordStatus"), _growing), deadline=3.0),
    Deed(
        Action("record.split"),
        _simple("SplitRecordFile"),
        hear=("RecordFileChanged", lambda _data, _said: True),
        deadline=5.0,
    ),
    _output("replay.start", "StartReplayBuffer", "GetReplayBufferStatus", on=True),
    _output("replay.stop", "StopReplayBuffer", "GetReplayBufferStatus", on=False),
    Deed(
        Action("replay.save"),
        _simple("SaveReplayBuffer"),
        hear=("ReplayBufferSaved", lambda data, _said: bool(data.get("savedReplayPath"))),
        deadline=10.0,
    ),
    _output("virtualcam.start", "StartVirtualCam", "GetVirtualCamStatus", on=True),
    _output("virtualcam.stop", "StopVirtualCam", "GetVirtualCamStatus", on=False),
)
DEEDS: Mapping[str, Deed] = {deed.action.name: deed for deed in _TABLE}


def fitted(deed: Deed, given: Mapping[str, Value] | None) -> dict[str, Any]:
    """Return the arguments as OBS is told them; ValueError with a sentence for what does not fit."""
    said: dict[str, Any] = {**deed.action.fit(given or {})}
    if "settings" in said:
        said["settings"] = _settings(said["settings"])
    return said


def _settings(text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):  # a sentence for the user, who typed it: no mistake of the program's
        raise ValueError(_('settings are JSON such as {example}, not "{text}".').format(example='{"a": 1}', text=text))  # noqa: TRY004 - see above
    return settings
