"""What OBS is asked to hold, and the words it understands it in: pure descriptions, requests and configuration files.

`Collection` says what an evening needs of OBS in our own words (shares of the picture, `#RRGGBB`). `input_of` and
`transform_of` say the same in the words of obs-websocket 5; `global_ini`, `basic_ini`, `websocket_json` and
`scenes_json` write the files an OBS of our own is started with.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["media", "camera", "text", "colour", "image"]
"""What stands in a picture: a film or a stream, a video device, letters, one colour, a still picture."""

INPUT_KINDS: dict[Kind, str] = {
    "media": "ffmpeg_source",
    "camera": "v4l2_input",
    "text": "text_ft2_source_v2",
    "colour": "color_source_v3",
    "image": "image_source",
}
"""OBS's own names for the kinds, as Debian's build of OBS 29 has them."""

NAME = "Studio"
"""Profile and scene collection of an OBS of our own."""

_COLOUR = re.compile(r"#([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")
_VERSION = re.compile(r"_v\d+$")
_ALIGN = {"left": 1, "centre": 0, "right": 2}
_ALIGN_TOP = 4
_LAST_VERSION = 486539266  # OBS 29.0.2: an older number makes OBS migrate the file, a newer one is overwritten
_BOUNDS = {"inside": "OBS_BOUNDS_SCALE_INNER", "cover": "OBS_BOUNDS_SCALE_OUTER", "stretch": "OBS_BOUNDS_STRETCH"}


@dataclass(frozen=True, slots=True)
class Box:
    """A place in the picture, in shares of its width and height."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError("a box needs a width and a height above 0")


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that stands in a scene."""

    name: str
    """Unique in all of OBS: the same name in two scenes is the same source."""
    kind: Kind
    box: Box = field(default_factory=Box)
    fit: Literal["inside", "cover", "stretch"] = "inside"
    """How it fills its box; text is never stretched."""
    align: Literal["left", "centre", "right"] = "centre"
    """Where it stands in a box that it does not fill."""
    file: Path | None = None
    """Of `media` and `image`: what to show. Of `camera`: the video device, such as /dev/video0."""
    address: str = ""
    """Of `media`: a network camera or stream, in place of a file."""
    loop: bool = True
    """Of `media`: from the beginning again at its end."""
    restart: bool = False
    """Of `media`: from the beginning whenever a scene with it is taken; else it plays on unseen."""
    text: str = ""
    """Of `text`: what to write."""
    font: str = "DejaVu Sans"
    """Of `text`: a font family of the machine OBS runs on."""
    bold: bool = False
    """Of `text`."""
    size: float = 0.08
    """Of `text`: height of a line as a share of the picture's height."""
    colour: str = "#FFFFFF"
    """Of `text` and `colour`: `#RRGGBB` or `#RRGGBBAA`."""
    shadow: bool = False
    """Of `text`: a drop shadow, for letters on a moving picture."""

    def __post_init__(self) -> None:
        if self.kind in ("media", "camera", "image") and self.file is None and not self.address:
            raise ValueError(f'source "{self.name}" of kind {self.kind} needs a file')
        colour_number(self.colour)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture that can be taken as a whole."""

    name: str
    sources: tuple[Source, ...] = ()
    """From the back to the front."""

    def __post_init__(self) -> None:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError(f'scene "{self.name}" holds one source twice')


@dataclass(frozen=True, slots=True)
class Collection:
    """All that OBS shall hold for an evening; whatever else it holds is somebody else's and stays."""

    scenes: tuple[Scene, ...]
    """At least one, in the order they are shown."""
    width: int = 1280
    """Pixels of the picture, even."""
    height: int = 720
    fps: int = 25
    name: str = NAME
    file: str = ""
    """Which file of `scenes/` says so."""

    def __post_init__(self) -> None:
        if not self.scenes:
            raise ValueError("a collection needs at least one scene")
        names = [scene.name for scene in self.scenes]
        if len(set(names)) != len(names):
            raise ValueError("two scenes have one name")
        kinds: dict[str, Source] = {}
        for source in self.sources():
            if kinds.setdefault(source.name, source).kind != source.kind:
                raise ValueError(f'source "{source.name}" is of two kinds')
            if source.name in names:
                raise ValueError(f'"{source.name}" is a scene and a source: OBS needs two names')

    def sources(self) -> tuple[Source, ...]:
        """Every source of every scene, in order; one that stands in two scenes comes twice."""
        return tuple(source for scene in self.scenes for source in scene.sources)

    def scene_names(self) -> tuple[str, ...]:
        """The names of the scenes, in order."""
        return tuple(scene.name for scene in self.scenes)


def colour_number(text: str) -> int:
    """`#RRGGBB` or `#RRGGBBAA` as OBS counts colours, 0xAABBGGRR; ValueError for anything else."""
    found = _COLOUR.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no colour; write #RRGGBB or #RRGGBBAA')
    red, green, blue = bytes.fromhex(found[1])
    alpha = int(found[2] or "FF", 16)
    return alpha << 24 | blue << 16 | green << 8 | red


def input_of(source: Source, collection: Collection) -> tuple[str, dict[str, Any]]:
    """OBS's kind of input and the settings that matter to us; what is not named keeps OBS's own default."""
    settings: dict[str, Any]
    match source.kind:
        case "media" if source.address:
            settings = {
                "input": source.address,
                "is_local_file": False,
                "reconnect_delay_sec": 2,
                "restart_on_activate": False,  # a camera that is taken shows what it sees now
                "close_when_inactive": False,
                "hw_decode": False,
            }
        case "camera":
            settings = {"device_id": str(source.file)}
        case "media":
            settings = {
                "local_file": str(source.file),
                "is_local_file": True,
                "looping": source.loop,
                "restart_on_activate": source.restart,
                "close_when_inactive": False,
                "clear_on_media_end": not source.loop,
                "hw_decode": False,
            }
        case "image":
            settings = {"file": str(source.file), "unload": False}
        case "colour":
            settings = {
                "color": colour_number(source.colour),
                "width": round(source.box.width * collection.width),
                "height": round(source.box.height * collection.height),
            }
        case "text":
            colour = colour_number(source.colour)
            settings = {
                "text": source.text,
                "color1": colour,
                "color2": colour,
                "drop_shadow": source.shadow,
                "font": {
                    "face": source.font,
                    "style": "Bold" if source.bold else "Regular",
                    "flags": 1 if source.bold else 0,
                    "size": max(1, round(source.size * collection.height)),
                },
            }
    return INPUT_KINDS[source.kind], settings


def transform_of(source: Source, collection: Collection) -> dict[str, Any]:
    """Where the source stands, as a scene item transform of obs-websocket."""
    box = source.box
    transform: dict[str, Any] = {
        "positionX": round(box.left * collection.width, 2),
        "positionY": round(box.top * collection.height, 2),
        "alignment": _ALIGN["left"] | _ALIGN_TOP,
        "rotation": 0.0,
    }
    if source.kind in ("colour", "text") and source.align == "left":
        return {**transform, "boundsType": "OBS_BOUNDS_NONE", "scaleX": 1.0, "scaleY": 1.0}
    if source.kind == "text":
        # A box for letters only says where they stand: letters that grew with it would change size with every text.
        bounds = "OBS_BOUNDS_MAX_ONLY"
    elif source.kind == "colour":
        bounds = "OBS_BOUNDS_STRETCH"
    else:
        bounds = _BOUNDS[source.fit]
    return {
        **transform,
        "boundsType": bounds,
        "boundsAlignment": _ALIGN[source.align],
        "boundsWidth": round(box.width * collection.width, 2),
        "boundsHeight": round(box.height * collection.height, 2),
    }


def same_kind(one: str, other: str) -> bool:
    """Whether two kinds of input differ in their version only."""
    return _VERSION.sub("", one) == _VERSION.sub("", other)


def differs(wanted: dict[str, Any], reported: dict[str, Any]) -> dict[str, Any]:
    """Those of `wanted` that OBS reports otherwise, or not at all; numbers may differ by what a float loses."""
    return {key: value for key, value in wanted.items() if not alike(value, reported.get(key))}


def alike(wanted: object, reported: object) -> bool:
    """Whether OBS holds what is wanted: it adds to what stands in another, and keeps 32-bit floats."""
    if isinstance(wanted, dict) and isinstance(reported, dict):
        return all(alike(value, reported.get(key)) for key, value in wanted.items())
    if isinstance(wanted, float) and isinstance(reported, int | float):
        return abs(wanted - reported) < 0.01  # noqa: PLR2004 - a hundredth of a pixel: OBS keeps 32-bit floats
    return wanted == reported


def global_ini(port: int, password: str) -> str:
    """`global.ini` (OBS 29 and 30; `user.ini` of later ones): nothing asks, nothing updates, the WebSocket listens."""
    return f"""\
[General]
FirstRun=true
Pre19Defaults=false
Pre21Defaults=false
Pre23Defaults=false
Pre24.1Defaults=false
LastVersion={_LAST_VERSION}
EnableAutoUpdates=false
ConfirmOnExit=false
InfoIncrement=9999

[Basic]
Profile={NAME}
ProfileDir={NAME}
SceneCollection={NAME}
SceneCollectionFile={NAME}
ConfigOnNewProfile=false

[BasicWindow]
WarnBeforeStartingStream=false
WarnBeforeStoppingStream=false
WarnBeforeStoppingRecord=false
SysTrayEnabled=false
SysTrayWhenStarted=false
PreviewEnabled=false
PreviewProgramMode=false

[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort={port}
AlertsEnabled=false
AuthRequired=true
ServerPassword={password}
"""


def websocket_json(port: int, password: str) -> str:
    """`plugin_config/obs-websocket/config.json`: where OBS 30.1 and later keep what `global.ini` said before."""
    return json.dumps(
        {
            "first_load": False,
            "server_enabled": True,
            "server_port": port,
            "alerts_enabled": False,
            "auth_required": True,
            "server_password": password,
        }
    )


def basic_ini(width: int, height: int, fps: int, video_kbps: int, recordings: Path) -> str:
    """`basic.ini` of the profile: picture, sound and the encoder of the stream to our relay.

    The stream goes to the relay on this machine, which encodes anew: cheap to make counts more than small. A
    keyframe each second lets a relay that was started again see a picture within that second.
    """
    return f"""\
[General]
Name={NAME}

[Video]
BaseCX={width}
BaseCY={height}
OutputCX={width}
OutputCY={height}
FPSType=1
FPSInt={fps}
FPSCommon={fps}
ScaleType=bilinear
ColorFormat=NV12

[Audio]
SampleRate=48000
ChannelSetup=Stereo

[Output]
Mode=Simple
Reconnect=true
RetryDelay=1
MaxRetries=10000

[SimpleOutput]
VBitrate={video_kbps}
ABitrate=160
StreamEncoder=x264
Preset=ultrafast
UseAdvanced=true
x264Settings=keyint={fps} min-keyint={fps} scenecut=0 bframes=0
RecQuality=Stream
FilePath={recordings}
RecRB=true
RecRBTime=30
"""


def scenes_json(first: str) -> str:
    """A scene collection with one empty scene: without a file OBS makes a scene of its own that nobody asked for."""
    scene = {
        "id": "scene",
        "versioned_id": "scene",
        "name": first,
        "enabled": True,
        "flags": 0,
        "hotkeys": {},
        "settings": {"custom_size": False, "id_counter": 0, "items": []},
        "filters": [],
        "mixers": 0,
        "volume": 1.0,
        "sync": 0,
        "balance": 0.5,
        "muted": False,
        "monitoring_type": 0,
        "private_settings": {},
        "prev_ver": _LAST_VERSION,
    }
    return json.dumps(
        {
            "name": NAME,
            "current_scene": first,
            "current_program_scene": first,
            "scene_order": [{"name": first}],
            "sources": [scene],
            "groups": [],
            "transitions": [],
            "current_transition": "Cut",
            "transition_duration": 300,
            "quick_transitions": [],
            "saved_projectors": [],
            "modules": {},
            "preview_locked": False,
            "scaling_enabled": False,
        }
    )


def hides(text: str) -> bool:
    """Whether a setting may hold a password or a stream key: before an @, after a ?, or in a live address."""
    address = "://" in text
    return "@" in text or (address and ("?" in text or text.lower().startswith(("rtmp", "srt:", "rist:"))))
