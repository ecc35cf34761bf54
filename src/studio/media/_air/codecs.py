"""The encoders of H.264 that we can work with, and how each is told to keep our contract.

The contract: pictures come out in the order in which they went in (no B-frames), soon (no lookahead), with a keyframe
exactly where one is asked for, an IDR picture that carries its parameter sets; the bitrate stays under its cap.
`studio encoders` tries whether one does (`trial`), for options are one thing and drivers another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.language import _

if TYPE_CHECKING:
    from studio.media._plan import EncodePreset


@dataclass(frozen=True, slots=True)
class Codec:
    """One encoder. Options are FFmpeg's, their values with the figures of `Figures` in them."""

    name: str
    """As a preset names it."""
    title: str
    """As its maker does."""
    codec: str
    """FFmpeg's name."""
    pixels: str
    """FFmpeg's name of the form in which it takes pictures."""
    options: Mapping[str, str]
    needs: Callable[[], str] = str
    """What it needs, in the user's language; empty where it needs nothing."""
    hardware: bool = True
    """A driver stands between us and it, which may hang: it works in a thread of its own."""


X264 = Codec(
    name="x264",
    title="x264",
    codec="libx264",
    pixels="yuv420p",
    hardware=False,
    # libavcodec/libx264.c; x264 --fullhelp. Without a global header x264 repeats the parameter sets at each IDR.
    options={
        "preset": "{preset}",
        "crf": "{quality}",
        "maxrate": "{most}",
        "bufsize": "{buffer}",
        "forced-idr": "1",
        "x264-params": "bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:scenecut=0:keyint=infinite",
    },
)

HARDWARE = (
    Codec(
        name="nvenc",
        title="NVIDIA NVENC",
        codec="h264_nvenc",
        pixels="yuv420p",
        needs=lambda: _("an NVIDIA graphics card with a video encoder, and NVIDIA's own driver"),
        # libavcodec/nvenc_h264.c has the names, nvenc.c what they do: `repeatSPSPPS` without a global header,
        # `forced-idr` gives forced I pictures NV_ENC_PIC_FLAG_FORCEIDR, `cq` with `rc=vbr` and `b=0` is bounded by
        # `maxrate` alone, `delay=0` gives each picture out before the next is taken.
        options={
            "preset": "p4",
            "tune": "ll",
            "rc": "vbr",
            "cq": "{quality}",
            "b": "0",
            "maxrate": "{most}",
            "bufsize": "{buffer}",
            "bf": "0",
            "g": "{never}",
            "rc-lookahead": "0",
            "no-scenecut": "1",
            "zerolatency": "1",
            "delay": "0",
            "forced-idr": "1",
            "profile": "high",
        },
    ),
    Codec(
        name="qsv",
        title="Intel Quick Sync",
        codec="h264_qsv",
        pixels="nv12",
        needs=lambda: _("an Intel graphics unit, and Intel's media driver with its runtime (libmfx-gen or libmfx)"),
        # libavcodec/qsvenc.h and qsvenc.c: `b` below `maxrate` is VBR; `async_depth=1` gives each picture out before
        # the next is taken; `forced_idr` makes forced I pictures IDR; `idr_interval=0` every I picture is one, and
        # Intel's runtime writes the parameter sets before each (`repeat_pps` would be before every picture).
        options={
            "preset": "veryfast",
            "b": "{usual}",
            "maxrate": "{most}",
            "bufsize": "{buffer}",
            "bf": "0",
            "g": "{never}",
            "idr_interval": "0",
            "forced_idr": "1",
            "async_depth": "1",
            "look_ahead": "0",
            "low_delay_brc": "1",
            "scenario": "livestreaming",
            "profile": "high",
        },
    ),
    Codec(
        name="videotoolbox",
        title="Apple VideoToolbox",
        codec="h264_videotoolbox",
        pixels="yuv420p",
        needs=lambda: _("a Mac"),
        # libavcodec/videotoolboxenc.c: I pictures that are asked for are forced keyframes, and without a global header
        # each keyframe carries the parameter sets; `allow_sw=0` refuses Apple's own software encoder.
        options={
            "b": "{usual}",
            "maxrate": "{most}",
            "bf": "0",
            "g": "{never}",
            "realtime": "1",
            "allow_sw": "0",
            "profile": "high",
        },
    ),
    Codec(
        name="vaapi",
        title="VAAPI",
        codec="h264_vaapi",
        pixels="nv12",
        needs=lambda: _("an FFmpeg that has it, which PyAV's own has not"),
        # libavcodec/vaapi_encode.c and vaapi_encode_h264.c. It takes pictures on the graphics unit only, and PyAV 18
        # cannot put them there; this line is for one that can.
        options={
            "rc_mode": "VBR",
            "b": "{usual}",
            "maxrate": "{most}",
            "bufsize": "{buffer}",
            "bf": "0",
            "g": "{never}",
            "idr_interval": "0",
            "async_depth": "1",
            "profile": "high",
        },
    ),
)
"""In the order in which `auto` tries them."""

CODECS = {codec.name: codec for codec in (X264, *HARDWARE)}
"""By their names in a preset."""

NEVER = 30_000
"""Pictures until an encoder makes a keyframe of its own accord, where it must have a number: QSV counts to 65535."""
USUAL = 0.8
"""Share of the cap that encoders without a quality of their own are told to keep on average."""


def options(codec: Codec, preset: EncodePreset) -> dict[str, str]:
    """Return what FFmpeg is told."""
    most = round(preset.video_bitrate * 1000)
    figures = {
        "preset": preset.preset,
        "quality": str(preset.quality),
        "most": str(most),
        "usual": str(round(most * USUAL)),
        "buffer": str(round(most * preset.buffer_seconds)),
        "never": str(NEVER),
    }
    return {name: value.format_map(figures) for name, value in codec.options.items()}
