"""What a pretend OBS holds, and how it answers: obs-websocket 5.1's requests on plain data, no socket in sight.

Names, fields and codes by obs-websocket's protocol.md (5.1, OBS 29), sections *Requests*, *Events*, *RequestStatus*.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Data: TypeAlias = Mapping[str, Any]

MISSING_FIELD, INVALID_FIELD = 300, 400
OUTPUT_RUNNING, OUTPUT_NOT_RUNNING, OUTPUT_PAUSED, OUTPUT_NOT_PAUSED = 500, 501, 502, 503
STUDIO_MODE_NOT_ACTIVE = 506
NOT_FOUND, ALREADY_EXISTS, NOT_ENOUGH, INVALID_STATE, INVALID_KIND = 600, 601, 603, 604, 605
UNKNOWN_REQUEST, NOT_READY, FAILED = 204, 207, 702

QUIET = -100.0
"""Decibels of a fader that is shut."""
FILM = 60_000
"""Milliseconds of whatever a media input plays."""
_SOUND = ("ffmpeg_source", "vlc_source", "pulse_input_capture", "pulse_output_capture", "alsa_input_capture")
_MEDIA = ("ffmpeg_source", "vlc_source")
KINDS = (*_SOUND, "v4l2_input", "text_ft2_source_v2", "color_source_v3", "image_source", "browser_source")
DEFAULTS: dict[str, dict[str, Any]] = {
    "ffmpeg_source": {"is_local_file": True, "looping": False, "restart_on_activate": True, "speed_percent": 100},
    "color_source_v3": {"color": 0xFFD1D1D1, "width": 1920, "height": 1080},
    "text_ft2_source_v2": {"color1": 0xFFFFFFFF, "color2": 0xFFFFFFFF, "drop_shadow": False, "outline": False},
    "image_source": {"unload": False},
}
_TRANSFORM: dict[str, Any] = {
    "alignment": 5,
    "boundsAlignment": 0,
    "boundsHeight": 1.0,
    "boundsType": "OBS_BOUNDS_NONE",
    "boundsWidth": 1.0,
    "cropBottom": 0,
    "cropLeft": 0,
    "cropRight": 0,
    "cropTop": 0,
    "positionX": 0.0,
    "positionY": 0.0,
    "rotation": 0.0,
    "scaleX": 1.0,
    "scaleY": 1.0,
    "sourceWidth": 1280.0,
    "sourceHeight": 720.0,
}


class RefusedError(Exception):
    """OBS's no: a code of RequestStatus and its own words."""

    def __init__(self, code: int, comment: str) -> None:
        super().__init__(comment)
        self.code = code
        self.comment = comment


@dataclass
class Filter:
    """One on a source."""

    name: str
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True


@dataclass
class Source:
    """An input; sound only where its kind makes it."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    filters: list[Filter] = field(default_factory=list)
    muted: bool = False
    volume: float = 0.0
    """Decibels."""
    balance: float = 0.5
    sync: int = 0
    monitor: str = "OBS_MONITORING_TYPE_NONE"
    tracks: dict[str, bool] = field(default_factory=lambda: {str(number): True for number in range(1, 7)})
    state: str = "OBS_MEDIA_STATE_NONE"
    cursor: float = 0.0
    """Milliseconds, at `since`."""
    since: float = 0.0

    @property
    def sounds(self) -> bool:
        return self.kind in _SOUND

    @property
    def plays(self) -> bool:
        return self.kind in _MEDIA

    def now(self) -> int:
        """Where it stands, in milliseconds."""
        moved = (time.monotonic() - self.since) * 1000 if self.state == "OBS_MEDIA_STATE_PLAYING" else 0.0
        return int((self.cursor + moved) % FILM)

    def go(self, state: str, cursor: float | None = None) -> None:
        """Play, pause or stop, where it stands or at `cursor`."""
        self.cursor = self.now() if cursor is None else cursor
        self.state, self.since = f"OBS_MEDIA_STATE_{state}", time.monotonic()


@dataclass
class Item:
    """A source in a scene."""

    id: int
    source: str
    enabled: bool = True
    locked: bool = False
    blend: str = "OBS_BLEND_NORMAL"
    transform: dict[str, Any] = field(default_factory=lambda: dict(_TRANSFORM))


@dataclass
class Output:
    """A stream, a recording, the replay buffer or the virtual camera."""

    active: bool = False
    paused: bool = False
    since: float = 0.0

    @property
    def milliseconds(self) -> int:
        return round((time.monotonic() - self.since) * 1000) if self.active else 0


class World:
    """All of it. `tell(event, data)` hears what OBS reports; `ask` raises RefusedError for a no."""

    def __init__(self, tell: Callable[[str, dict[str, Any]], None]) -> None:
        """Two scenes, a microphone, a film, a text and a colour."""
        self.tell = tell
        self._ids = 0
        self.inputs: dict[str, Source] = {
            "Mic": Source("pulse_input_capture"),
            "Film": Source("ffmpeg_source", {"local_file": "/talk.mp4"}),
            "Name": Source("text_ft2_source_v2", {"text": ""}),
            "Back": Source("color_source_v3", {"color": 0xFF302010}),
        }
        self.scenes: dict[str, list[Item]] = {
            "Talk": [self.item("Back"), self.item("Film"), self.item("Name"), self.item("Mic")],
            "Holding": [self.item("Back")],
        }
        self.scene_filters: dict[str, list[Filter]] = {}
        self.program, self.preview, self.studio_mode = "Talk", "Talk", False
        self.transition, self.duration = "Fade", 300
        self.tbar = 1.0
        self.outputs = {name: Output() for name in ("Stream", "Record", "ReplayBuffer", "Virtualcam")}
        self.service: dict[str, Any] = {
            "streamServiceType": "rtmp_custom",
            "streamServiceSettings": {"server": "", "key": "", "use_auth": False},
        }
        self.began = time.monotonic()
        self.inputs["Film"].go("PLAYING", 0)

    def item(self, source: str) -> Item:
        """A new one for `source`."""
        self._ids += 1
        return Item(self._ids, source)

    def ask(self, request: str, data: Data) -> dict[str, Any]:
        """Answer `request`; RefusedError for a no."""
        handler = REQUESTS.get(request)
        if handler is None:
            raise RefusedError(UNKNOWN_REQUEST, "Your request type is not valid.")
        try:
            return handler(self, data) or {}
        except KeyError as missing:
            raise RefusedError(MISSING_FIELD, f"Your request is missing the `{missing.args[0]}` field.") from None
        except (TypeError, ValueError, AttributeError) as wrong:
            raise RefusedError(INVALID_FIELD, f"A field of your request is of the wrong type: {wrong}") from None

    # ── finding ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def input(self, data: Data) -> Source:
        return _found(self.inputs, data["inputName"], "source")

    def items(self, data: Data) -> list[Item]:
        return _found(self.scenes, data["sceneName"], "source")

    def item_of(self, data: Data) -> Item:
        wanted = data["sceneItemId"]
        for item in self.items(data):
            if item.id == wanted:
                return item
        raise RefusedError(NOT_FOUND, "No scene items were found in the specified scene by that ID.")

    def filters(self, data: Data) -> list[Filter]:
        name = data["sourceName"]
        if name in self.scenes:
            return self.scene_filters.setdefault(name, [])
        return _found(self.inputs, name, "source").filters

    def filter(self, data: Data) -> Filter:
        wanted = data["filterName"]
        for each in self.filters(data):
            if each.name == wanted:
                return each
        raise RefusedError(NOT_FOUND, "No filter was found in the source by that name.")

    def output(self, name: str, *, active: bool) -> Output:
        found = self.outputs[name]
        if found.active is not active:
            raise RefusedError(OUTPUT_RUNNING if found.active else OUTPUT_NOT_RUNNING, "")
        return found

    # ── what more than one request does ───────────────────────────────────────────────────────────────────────────────

    def take(self, scene: str) -> None:
        """Put it on the programme."""
        _found(self.scenes, scene, "source")
        if scene == self.program:
            return
        self.tell("SceneTransitionStarted", {"transitionName": self.transition})
        self.program = scene
        self.tell("CurrentProgramSceneChanged", {"sceneName": scene})
        ended = {"transitionName": self.transition}
        if self.transition == "Cut":
            self.tell("SceneTransitionEnded", ended)
        else:
            asyncio.get_running_loop().call_later(
                self.duration / 1000, lambda: self.tell("SceneTransitionEnded", ended)
            )

    def scene_list(self) -> list[dict[str, Any]]:
        """As OBS lists them: the last one first."""
        return [{"sceneName": name, "sceneIndex": index} for index, name in enumerate(reversed(self.scenes))]

    def item_list(self, data: Data) -> list[dict[str, Any]]:
        return [
            {
                "sceneItemId": item.id,
                "sceneItemIndex": index,
                "sourceName": item.source,
                "sourceType": "OBS_SOURCE_TYPE_SCENE" if item.source in self.scenes else "OBS_SOURCE_TYPE_INPUT",
                "inputKind": self.inputs[item.source].kind if item.source in self.inputs else None,
                "isGroup": None,
                "sceneItemEnabled": item.enabled,
                "sceneItemLocked": item.locked,
                "sceneItemBlendMode": item.blend,
                "sceneItemTransform": dict(item.transform),
            }
            for index, item in enumerate(self.items(data))
        ]

    def switch(self, name: str, *, on: bool) -> dict[str, Any]:
        """Start or stop an output; the answer of a recording's end is its path."""
        output = self.output(name, active=not on)
        event = f"{name}StateChanged"
        path = {"outputPath": "/rehearsal/evening.mkv"} if name == "Record" else {}
        for word, active in (
            (("STARTING", False), ("STARTED", True)) if on else (("STOPPING", True), ("STOPPED", False))
        ):
            output.active = active
            state = {"outputActive": active, "outputState": f"OBS_WEBSOCKET_OUTPUT_{word}"}
            self.tell(event, {**state, **({} if word.endswith("ING") else path)})
        output.paused, output.since = False, time.monotonic()
        return path if not on else {}

    def status(self, name: str) -> dict[str, Any]:
        output = self.outputs[name]
        seconds = output.milliseconds / 1000
        said: dict[str, Any] = {"outputActive": output.active}
        if name in ("Stream", "Record"):
            said |= {
                "outputTimecode": "00:00:00.000",
                "outputDuration": output.milliseconds,
                "outputBytes": int(seconds * 300_000),
            }
        if name == "Record":
            said["outputPaused"] = output.paused
        if name == "Stream":
            said |= {"outputReconnecting": False, "outputCongestion": 0.0, "outputSkippedFrames": 0}
            said["outputTotalFrames"] = int(seconds * 25)
        return said

    def stats(self) -> dict[str, Any]:
        frames = int((time.monotonic() - self.began) * 25)
        return {
            "cpuUsage": 3.0,
            "memoryUsage": 180.0,
            "availableDiskSpace": 90_000.0,
            "activeFps": 25.0,
            "averageFrameRenderTime": 1.5,
            "renderSkippedFrames": 0,
            "renderTotalFrames": frames,
            "outputSkippedFrames": 0,
            "outputTotalFrames": frames,
            "webSocketSessionIncomingMessages": 0,
            "webSocketSessionOutgoingMessages": 0,
        }

    def meters(self) -> dict[str, Any]:
        """`InputVolumeMeters`, a tone that swells on all that sounds: [channel][magnitude, peak, input peak]."""
        swell = 0.25 + 0.2 * math.sin(time.monotonic() * 2)
        return {
            "inputs": [
                {"inputName": name, "inputLevelsMul": [[0.0 if each.muted else swell] * 3] * 2}
                for name, each in self.inputs.items()
                if each.sounds
            ]
        }


def _found(things: Mapping[str, T], name: object, what: str) -> T:
    if not isinstance(name, str):
        raise TypeError(name)
    if name not in things:
        raise RefusedError(NOT_FOUND, f"No {what} was found by the name of `{name}`.")
    return things[name]


Handler: TypeAlias = Callable[[World, Data], "dict[str, Any] | None"]
REQUESTS: dict[str, Handler] = {}
"""Request → what answers it; filled by the files beside this one."""


def does(request: str) -> Callable[[Handler], Handler]:
    """Let the function below it answer `request`."""

    def register(handler: Handler) -> Handler:
        REQUESTS[request] = handler
        return handler

    return register


def answers(request: str, answer: Callable[[World, Data], dict[str, Any]]) -> None:
    """Let `answer` answer `request`."""
    REQUESTS[request] = answer


def drop(w: World, scene: str, number: int) -> None:
    """Take an item out of a scene, and tell."""
    item = next(item for item in w.scenes[scene] if item.id == number)
    w.scenes[scene].remove(item)
    w.tell("SceneItemRemoved", {"sceneName": scene, "sourceName": item.source, "sceneItemId": number})
