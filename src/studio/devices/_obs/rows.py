"""What OBS tells of itself and can be set: one row a value, with the requests and the event it travels in.

Source of all names: obs-websocket's protocol.md, version 5.1 (OBS 29), sections *Requests* and *Events*. What that
version does not report by an event (settings, media times, the T-bar) is looked up again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from typing import TYPE_CHECKING, Any, TypeAlias

from studio.devices._ground.values import Control, Kind, Value
from studio.wire.obs import hides

if TYPE_CHECKING:
    from collections.abc import Iterable

Group: TypeAlias = tuple[str, tuple[tuple[str, object], ...]]
"""A request that reads several values at once, and of what."""

MONITORS = {
    "OBS_MONITORING_TYPE_NONE": "off",
    "OBS_MONITORING_TYPE_MONITOR_ONLY": "monitor only",
    "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT": "monitor and output",
}
MEDIA = {
    "OBS_MEDIA_STATE_NONE": "none",
    "OBS_MEDIA_STATE_PLAYING": "playing",
    "OBS_MEDIA_STATE_OPENING": "opening",
    "OBS_MEDIA_STATE_BUFFERING": "buffering",
    "OBS_MEDIA_STATE_PAUSED": "paused",
    "OBS_MEDIA_STATE_STOPPED": "stopped",
    "OBS_MEDIA_STATE_ENDED": "ended",
    "OBS_MEDIA_STATE_ERROR": "error",
}
OUTPUTS = ("stopped", "starting", "on", "paused", "stopping", "reconnecting")
OUTPUT_EVENTS = {
    "OBS_WEBSOCKET_OUTPUT_STARTING": "starting",
    "OBS_WEBSOCKET_OUTPUT_STARTED": "on",
    "OBS_WEBSOCKET_OUTPUT_STOPPING": "stopping",
    "OBS_WEBSOCKET_OUTPUT_STOPPED": "stopped",
    "OBS_WEBSOCKET_OUTPUT_RECONNECTING": "reconnecting",
    "OBS_WEBSOCKET_OUTPUT_RECONNECTED": "on",
    "OBS_WEBSOCKET_OUTPUT_PAUSED": "paused",
    "OBS_WEBSOCKET_OUTPUT_RESUMED": "on",
}
PASSING = {"starting": "stopped", "stopping": "on"}
"""What only an event tells → what answers say meanwhile: an output is active from its start until it has ended."""

QUIET = -100.0
"""Decibels of a meter that hears nothing, and of OBS's fader at its end."""
SECRET = ("password", "passwd", "secret", "token", "key", "auth")
"""In the name of a setting: such a value is neither shown nor told."""


def at(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Look up `a.b` in an answer; `None` where it is not there."""
    steps = path.split(".")

    def look(answer: Any) -> Any:  # noqa: ANN401 - off the wire
        for step in steps:
            answer = answer.get(step) if isinstance(answer, dict) else None
        return answer

    return look


def output_state(answer: Mapping[str, Any]) -> str:
    """What the status or the event of an output says."""
    if (state := OUTPUT_EVENTS.get(str(answer.get("outputState")))) is not None:
        return state
    if answer.get("outputReconnecting"):
        return "reconnecting"
    if answer.get("outputPaused"):
        return "paused"
    return "on" if answer.get("outputActive") else "stopped"


@dataclass(frozen=True, slots=True)
class Row:
    """One value of OBS. Of which scene, item, input or filter it is, `Wired` says."""

    name: str
    kind: Kind
    get: str
    """The request whose answer holds it."""
    field: str
    """Where in that answer, `a.b`; also in the event and in what it is set with, where `word` says nothing else."""
    set: str = ""
    """The request that sets it; empty: it is only told."""
    event: str = ""
    """Tells a change; empty: nothing does."""
    word: str = ""
    """Of the event and of `set`."""
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    step: float = 0.0
    words: Mapping[str, str] = made(default_factory=dict)
    """OBS's own word → ours, of a choice."""
    scale: float = 1.0
    """OBS's number times this is ours."""
    read: Callable[[Mapping[str, Any]], Value | None] | None = None
    """In place of `field`, where a value has to be made."""
    more: Mapping[str, object] = made(default_factory=dict)
    """What `set` needs besides."""
    whole: bool = False
    """OBS takes whole numbers only."""
    default: object = None
    """What OBS means where it says nothing: of a setting."""

    def value(self, said: object) -> Value | None:
        """Return OBS's value as ours; `None` for one that means nothing."""
        if self.words:
            return self.words.get(str(said))
        if self.kind == "switch":
            return said if isinstance(said, bool) else None
        if self.kind in ("text", "choice"):
            return said if isinstance(said, str) else None
        if isinstance(said, bool) or not isinstance(said, int | float):
            return None
        return round(float(said) * self.scale, 4)

    def answered(self, answer: Mapping[str, Any]) -> Value | None:
        """Return what the answer of `get` says."""
        if self.read:
            return self.read(answer)
        said = at(self.field)(answer)
        return self.value(self.default if said is None else said)

    def told(self, data: Mapping[str, Any]) -> Value | None:
        """Return what the event says; `None` where it has to be looked up."""
        return self.read(data) if self.read else self.value(at(self.word or self.field)(data))

    def ordered(self, value: Value) -> dict[str, object]:
        """Return what `set` is told beside its subject."""
        said: object = value
        if self.words:
            said = next(obs for obs, ours in self.words.items() if ours == value)
        elif isinstance(value, float):
            said = value / self.scale
            if self.whole:
                said = round(value / self.scale)
        first, *rest = (self.word or self.field).split(".")
        for step in reversed(rest):
            said = {step: said}
        return {first: said, **self.more}


@dataclass(frozen=True, slots=True)
class Wired:
    """A row of one scene, item, input or filter: a control."""

    control: Control
    row: Row
    subject: tuple[tuple[str, object], ...] = ()
    """What every request and event names: (("inputName", "Mic"),)."""

    @property
    def group(self) -> Group:
        return self.row.get, self.subject

    def order(self, value: Value) -> tuple[str, dict[str, object]]:
        """Return the request that sets it."""
        return self.row.set, {**dict(self.subject), **self.row.ordered(value)}


def wire(
    prefix: str,
    rows: Iterable[Row],
    subject: Mapping[str, object] | None = None,
    choices: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Wired]:
    """Return the controls of one thing: their names begin with `prefix`, and `subject` names it to OBS."""
    return [
        Wired(
            Control(
                f"{prefix}.{row.name}" if prefix else row.name,
                row.kind,
                row.unit,
                row.lowest,
                row.highest,
                tuple(row.words.values()) or (choices or {}).get(row.name, ()),
                row.step,
                bool(row.set),
            ),
            row,
            tuple((subject or {}).items()),
        )
        for row in rows
    ]


_SCENE = "GetCurrentProgramScene"
_TRANSITION = "GetCurrentSceneTransition"
_STREAM, _RECORD, _REPLAY = "GetStreamStatus", "GetRecordStatus", "GetReplayBufferStatus"

OBS_ROWS = (
    Row(
        *("scene", "choice", _SCENE, "currentProgramSceneName", "SetCurrentProgramScene", "CurrentProgramSceneChanged"),
        word="sceneName",
    ),
    Row(
        *("studio_mode", "switch", "GetStudioModeEnabled", "studioModeEnabled", "SetStudioModeEnabled"),
        event="StudioModeStateChanged",
    ),
    Row(
        *("transition", "choice", _TRANSITION, "transitionName", "SetCurrentSceneTransition"),
        event="CurrentSceneTransitionChanged",
    ),
    Row(
        *("transition.duration", "number", _TRANSITION, "transitionDuration", "SetCurrentSceneTransitionDuration"),
        event="CurrentSceneTransitionDurationChanged",
        unit="ms",
        lowest=50,
        highest=20000,
        step=1,
        whole=True,
    ),
    Row("stream.state", "choice", _STREAM, "", event="StreamStateChanged", read=output_state),
    Row("stream.time", "meter", _STREAM, "outputDuration", unit="s", scale=0.001),
    Row("stream.bytes", "meter", _STREAM, "outputBytes", unit="B"),
    Row("stream.dropped", "meter", _STREAM, "outputSkippedFrames"),
    Row("stream.congestion", "meter", _STREAM, "outputCongestion", unit="%", scale=100),
    Row("record.state", "choice", _RECORD, "", event="RecordStateChanged", read=output_state),
    Row("record.time", "meter", _RECORD, "outputDuration", unit="s", scale=0.001),
    Row("record.bytes", "meter", _RECORD, "outputBytes", unit="B"),
    Row("stats.fps", "meter", "GetStats", "activeFps"),
    Row("stats.cpu", "meter", "GetStats", "cpuUsage", unit="%"),
    Row("stats.memory", "meter", "GetStats", "memoryUsage", unit="MB"),
    Row("stats.disk", "meter", "GetStats", "availableDiskSpace", unit="MB"),
    Row("stats.render", "meter", "GetStats", "averageFrameRenderTime", unit="ms"),
    Row("stats.missed", "meter", "GetStats", "renderSkippedFrames"),
    Row("stats.skipped", "meter", "GetStats", "outputSkippedFrames"),
)
"""Of OBS as a whole. `stats.missed`: frames drawn too late; `stats.skipped`: frames that an encoder had no time for."""

STUDIO_ROWS = (
    Row(
        *("preview", "choice", "GetCurrentPreviewScene", "currentPreviewSceneName", "SetCurrentPreviewScene"),
        event="CurrentPreviewSceneChanged",
        word="sceneName",
    ),
    Row(
        *("tbar", "number", "GetCurrentSceneTransitionCursor", "transitionCursor", "SetTBarPosition"),
        word="position",
        lowest=0,
        highest=1,
        step=0.06,  # OBS eases it: 0.7 is reported as 0.66
        more={"release": False},
    ),
)
"""Only while studio mode is on. `tbar` is 1 where a transition is over or none is on."""

RECORD_PATH = "record.path"
REPLAY_PATH = "replay.path"
PATH_ROWS = (
    Row(RECORD_PATH, "text", "", "outputPath", event="RecordStateChanged"),
    Row(REPLAY_PATH, "text", "", "savedReplayPath", event="ReplayBufferSaved"),
)
"""The file that was written last; no request of 5.1 tells them straight."""

REPLAY_ROWS = (Row("replay.state", "choice", _REPLAY, "", event="ReplayBufferStateChanged", read=output_state),)
CAMERA_ROWS = (
    Row("virtualcam.state", "choice", "GetVirtualCamStatus", "", event="VirtualcamStateChanged", read=output_state),
)

INPUT = "inputName"
AUDIO_ROWS = (
    Row("mute", "switch", "GetInputMute", "inputMuted", "SetInputMute", "InputMuteStateChanged"),
    Row(
        *("volume", "level", "GetInputVolume", "inputVolumeDb", "SetInputVolume", "InputVolumeChanged"),
        unit="dB",
        lowest=QUIET,
        highest=26,
        step=0.01,
    ),
    Row(
        *("balance", "number", "GetInputAudioBalance", "inputAudioBalance", "SetInputAudioBalance"),
        event="InputAudioBalanceChanged",
        lowest=0,
        highest=1,
        step=0.001,
    ),
    Row(
        *("sync", "number", "GetInputAudioSyncOffset", "inputAudioSyncOffset", "SetInputAudioSyncOffset"),
        event="InputAudioSyncOffsetChanged",
        unit="ms",
        lowest=-950,
        highest=20000,
        step=1,
        whole=True,
    ),
    Row(
        *("monitor", "choice", "GetInputAudioMonitorType", "monitorType", "SetInputAudioMonitorType"),
        event="InputAudioMonitorTypeChanged",
        words=MONITORS,
    ),
    *(
        Row(
            *(f"track{number}", "switch", "GetInputAudioTracks", f"inputAudioTracks.{number}", "SetInputAudioTracks"),
            event="InputAudioTracksChanged",
        )
        for number in range(1, 7)
    ),
)
"""Of an input that makes sound. `balance`: 0 left, 0.5 both, 1 right."""
PEAK = "peak"
PEAK_ROWS = (Row(PEAK, "meter", "", "", unit="dB", lowest=QUIET),)

_STATUS = "GetMediaInputStatus"


def _remaining(answer: Mapping[str, Any]) -> float | None:
    length, now = answer.get("mediaDuration"), answer.get("mediaCursor")
    return round((length - now) / 1000, 3) if isinstance(length, int) and isinstance(now, int) else None


MEDIA_ROWS = (
    Row("media.state", "choice", _STATUS, "mediaState", words=MEDIA),
    Row("media.time", "meter", _STATUS, "mediaCursor", unit="s", scale=0.001),
    Row("media.length", "meter", _STATUS, "mediaDuration", unit="s", scale=0.001),
    Row("media.remaining", "meter", _STATUS, "mediaDuration", unit="s", read=_remaining),
)
"""Of an input that plays something; it is moved by `media.seek` and `media.cue`."""

ITEM = ("sceneName", "sceneItemId")
_PLACE = "GetSceneItemTransform"


def _place(name: str, word: str, unit: str = "px", step: float = 0.01) -> Row:
    return Row(
        *(name, "number", _PLACE, f"sceneItemTransform.{word}", "SetSceneItemTransform", "SceneItemTransformChanged"),
        unit=unit,
        step=step,
    )


def _crop(side: str) -> Row:
    # OBS 29 tells of a crop with the values of before: it has to be asked for them.
    where = f"sceneItemTransform.crop{side.capitalize()}"
    return Row(f"crop.{side}", "number", _PLACE, where, "SetSceneItemTransform", unit="px", lowest=0, whole=True)


ITEM_ROWS = (
    Row(
        *("visible", "switch", "GetSceneItemEnabled", "sceneItemEnabled", "SetSceneItemEnabled"),
        event="SceneItemEnableStateChanged",
    ),
    Row(
        *("locked", "switch", "GetSceneItemLocked", "sceneItemLocked", "SetSceneItemLocked"),
        event="SceneItemLockStateChanged",
    ),
    Row(
        *("order", "number", "GetSceneItemIndex", "sceneItemIndex", "SetSceneItemIndex", "SceneItemListReindexed"),
        lowest=0,
        whole=True,
    ),
    _place("x", "positionX"),
    _place("y", "positionY"),
    _place("scale.x", "scaleX", "", 0.0001),
    _place("scale.y", "scaleY", "", 0.0001),
    _place("rotation", "rotation", "°"),
    *(_crop(side) for side in ("left", "right", "top", "bottom")),
)
"""Of a source in a scene. `order`: 0 is the back."""

FILTER = ("sourceName", "filterName")
FILTER_ROWS = (
    Row(
        *("enabled", "switch", "GetSourceFilter", "filterEnabled", "SetSourceFilterEnabled"),
        event="SourceFilterEnableStateChanged",
    ),
    Row(
        *("order", "number", "GetSourceFilter", "filterIndex", "SetSourceFilterIndex", "SourceFilterListReindexed"),
        lowest=0,
        whole=True,
    ),
)


def setting_rows(
    get: str, set_: str, field: str, settings: Mapping[str, object], defaults: Mapping[str, object]
) -> list[Row]:
    """Return a row for each setting that is a number, a word or a switch; none for what must stay secret."""
    rows = []
    for key, value in {**defaults, **settings}.items():
        if "." in key or any(word in key.lower() for word in SECRET) or (isinstance(value, str) and hides(value)):
            continue
        kind = _KINDS.get(type(value))
        if kind:
            rows.append(
                Row(
                    *(f"settings.{key}", kind, get, f"{field}.{key}", set_),
                    step=1e-4 if kind == "number" else 0.0,
                    more={"overlay": True},
                    whole=isinstance(value, int),
                    default=defaults.get(key),
                )
            )
    return rows


_KINDS: dict[type, Kind] = {bool: "switch", int: "number", float: "number", str: "text"}
