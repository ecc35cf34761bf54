"""Two encoders that can be told apart, and what is seen and heard of them in what a relay wrote."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

GOP = 50
"""Two seconds: a takeover seldom meets a key frame."""


def make_encoded(path: Path, colour: str, tone: int, size: str = "320x180") -> Path:
    """Write one colour under a bar that moves with every frame, and a tone that never stops."""
    width, height = map(int, size.split("x"))
    bar = f"color=white:s={width // 40}x{height // 4}:r=25"
    picture = f"color={colour}:s={size}:r=25[ground];{bar}[bar];[ground][bar]overlay=x=mod(n\\,40)*w"
    subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture),
            *("-f", "lavfi", "-i", f"sine={tone}:r=48000", "-t", "32", "-pix_fmt", "yuv420p"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", str(GOP), "-keyint_min", str(GOP)),
            *("-sc_threshold", "0", "-c:a", "aac", str(path)),
        ],
        check=True,
    )
    return path


@dataclass
class Aired:
    """A recording, decoded."""

    times: list[float]
    who: list[str]
    """Of each picture: `main` (green), `backup` (blue) or neither."""
    bars: list[int]
    """Of each picture, where its moving bar stands, in steps of a frame."""
    silences: list[tuple[float, float]]
    """Where no tone sounds, from the first sound to the last: seconds and length."""

    @property
    def longest_step(self) -> float:
        """Between two pictures; without the last ones, for in the end encoders are cut off amid their B-frames."""
        return max(later - earlier for earlier, later in itertools.pairwise(self.times[:-5]))

    @property
    def turns(self) -> list[int]:
        """Numbers of the pictures at which another encoder airs."""
        return [number for number in range(1, len(self.who)) if self.who[number] != self.who[number - 1]]


def look(path: Path) -> Aired:
    times, who, bars = [], [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24").astype(int)
            _red, green, blue = picture[frame.height // 2 :].reshape(-1, 3).mean(axis=0)
            times.append(float(frame.time))
            who.append("main" if green > blue + 8 else "backup" if blue > green + 8 else "")
            bars.append(int(picture[: frame.height // 8].mean(axis=(0, 2)).argmax()) * 320 // frame.width // 8)
    with av.open(str(path)) as container:
        pieces = [
            (round(float(sound.time or 0) * sound.sample_rate), sound.to_ndarray()[0], sound.sample_rate)
            for sound in container.decode(audio=0)
        ]
    rate, begin = pieces[0][2], pieces[0][0]
    track = np.zeros(max(at - begin + len(samples) for at, samples, _rate in pieces), np.float32)
    for at, samples, _rate in pieces:
        track[at - begin : at - begin + len(samples)] = samples
    step = rate // 200
    loud = np.abs(track[: len(track) // step * step]).reshape(-1, step).max(axis=1) > 0.02
    heard = np.flatnonzero(loud)
    gaps = [(a, b) for a, b in itertools.pairwise(heard) if b - a > 1]
    return Aired(times, who, bars, [((begin + a * step) / rate, (b - a - 1) / 200) for a, b in gaps])


def repeats(aired: Aired) -> int:
    """Pictures that show what the one before them did."""
    return sum(a == b and x == y for (a, x), (b, y) in itertools.pairwise(zip(aired.bars, aired.who, strict=True)))
