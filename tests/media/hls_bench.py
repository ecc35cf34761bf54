"""A programme that is encoded for real, without a relay around it, and what is in an HLS folder."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import av
import numpy as np

from studio.media._air.encode import PictureEncoder
from studio.media._air.picture import black
from studio.media._ground.aac import SoundEncoder
from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.planes import pixels
from studio.media._leave.row import Look
from studio.media._plan import EncodePreset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.media._ground.coded import Coded

TS = EncodePreset(preset="ultrafast", threads=1, keyframe_seconds=1, segment_seconds=1, playlist_segments=4)
FMP4 = EncodePreset(
    preset="ultrafast", threads=1, keyframe_seconds=1, segment_seconds=1, playlist_segments=4, segment_type="fmp4"
)
LOOK = Look(320, 180, 25.0, 500_000)


def programme(
    preset: EncodePreset,
    seconds: float,
    begin: float = 0,
    fps: float = 25.0,
    *,
    lit: Callable[[float], bool] | None = None,
    size: tuple[int, int] = (320, 180),
) -> Iterator[Coded]:
    """Yield what the air would write, `begin` seconds into a show: black, and white while it is `lit`."""
    pictures, sounds = PictureEncoder(preset, black(*size), fps), SoundEncoder(preset)
    step = round(48_000 / fps)
    first = round(begin * 48_000)
    for number in range(round(seconds * fps)):
        at = first + number * step
        yield from sounds.encode(np.zeros((step, 2), np.int16), at)
        frame = black(*size)
        if lit is not None and lit(at / 48_000):
            pixels(frame)[0][:] = 235
        yield from pictures.encode(frame, Ticks(round(at * RATE / 48_000)))
    yield from pictures.flush()
    yield from sounds.flush()


def listed(playlist: Path) -> list[str]:
    """Return the names of the segments in `playlist`."""
    return re.findall(r"^[^#\n]+$", playlist.read_text(encoding="utf-8"), re.MULTILINE)


def files(folder: Path) -> set[str]:
    """Return the names of all files in `folder`."""
    return {file.name for file in folder.iterdir()}


def stamps(data: bytes) -> list[float]:
    """Return the seconds at which the pictures of a segment stand."""
    with av.open(io.BytesIO(data), "r") as container:
        return [float(frame.time) for frame in container.decode(video=0)]
