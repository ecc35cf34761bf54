"""What is in the files of a show: pictures and their captions, flashes and beeps, and whether they are whole."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
from benchmarks.relay_stage import BEEP

from studio.media._air.burn import Burner, is_hd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.spoken import Cue
    from studio.subtitles import Style

LETTER, BOX = 180, 120
"""Luma above which a pixel is a letter's, and below which it is its box's."""
ALIKE = 0.85
"""Share of the pixels of a caption that must be as they were drawn."""
LOUD = 0.05
"""Of a beep, where 0.4 was made."""
RATE = 48_000


@dataclass
class Seen:
    """A recording, decoded."""

    times: list[float] = field(default_factory=list)
    """Of each picture, seconds."""
    lit: list[bool] = field(default_factory=list)
    """Whether it flashes."""
    programme: list[bool] = field(default_factory=list)
    """Whether it has the green mark: no slate has."""
    shows: list[frozenset[int]] = field(default_factory=list)
    """Number of the cue whose drawing is on it, of those that were asked for around its time; empty for none."""
    beeps: list[float] = field(default_factory=list)
    errors: int = 0
    """Packets that could not be decoded."""

    @property
    def flashes(self) -> list[float]:
        """When each flash begins."""
        return [at for at, now, before in zip(self.times[1:], self.lit[1:], self.lit, strict=False) if now > before]

    def apart(self) -> list[tuple[float, float]]:
        """Return when each flash begins, and by how many seconds its beep is later; without a beep near it, none."""
        found = []
        for flash in self.flashes:
            at = bisect.bisect(self.beeps, flash - 0.5)
            if at < len(self.beeps) and self.beeps[at] < flash + 0.5:
                found.append((flash, self.beeps[at] - flash))
        return found


def see(path: Path, *, cues: Sequence[Cue] = (), style: Style | None = None, sound: bool = True) -> Seen:
    """Decode all of `path`, and look on each picture for those of `cues` (in the file's own time) that are near."""
    seen = Seen()
    drawn: _Drawn | None = None
    with av.open(str(path)) as container:
        for frame in _pictures(container, seen):
            at = float(frame.time or 0)
            light: NDArray[np.uint8] = frame.to_ndarray().astype(np.uint8)  # yuv420p: the planes below each other
            height, width = frame.height, frame.width
            luma = light[:height]
            seen.times.append(at)
            seen.lit.append(bool(luma[: height // 8, width * 7 // 8 :].mean() > 128))  # noqa: PLR2004 - half
            blue = light[height : height + height // 4].reshape(height // 2, width // 2)
            seen.programme.append(bool(blue[: height // 16, : width // 16].mean() < 80))  # noqa: PLR2004 - green
            if style is not None:
                drawn = drawn or _Drawn(cues, style, width, height, hd=is_hd(frame))
                seen.shows.append(drawn.on(luma, at * 1000))
    if sound:
        seen.beeps = beeps(path)
    return seen


def _pictures(container: av.container.InputContainer, seen: Seen) -> Iterator[av.VideoFrame]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            seen.errors += 1


class _Drawn:
    """Cues as the relay draws them, to be found on pictures."""

    NEAR = 1500
    """Milliseconds around its time in which a cue is looked for."""

    def __init__(self, cues: Sequence[Cue], style: Style, width: int, height: int, *, hd: bool) -> None:
        self._burner = Burner(style, width, height)
        self._cues = sorted(cues, key=lambda cue: cue.start)
        self._hd = hd
        self._kept: dict[tuple[str, ...], tuple[int, int, NDArray[np.bool_], NDArray[np.bool_]]] = {}

    def on(self, luma: NDArray[np.uint8], at: float) -> frozenset[int]:
        near = (cue for cue in self._cues if cue.start - self.NEAR < at < cue.end + self.NEAR)
        alike, number = max(((self._alike(cue, luma), cue.number) for cue in near), default=(0.0, 0))
        return frozenset({number}) if alike > ALIKE else frozenset()

    def _alike(self, cue: Cue, luma: NDArray[np.uint8]) -> float:
        """How much of `cue` is on the picture, of its letters or of its box, whichever is less; 0 to 1."""
        if cue.lines not in self._kept:
            plane = self._burner.prepare(cue.lines, hd=self._hd)[0]
            opaque = plane.keep == 0
            value = plane.colour >> 8
            self._kept[cue.lines] = plane.top, plane.left, opaque & (value > 220), (plane.keep > 32) & (value < 64)  # noqa: PLR2004
        top, left, letters, box = self._kept[cue.lines]
        rows, columns = letters.shape
        region = luma[top : top + rows, left : left + columns]
        if region.shape != letters.shape or not letters.any():
            return 0.0
        return float(min((region[letters] > LETTER).mean(), (region[box] < BOX).mean()))


def beeps(path: Path) -> list[float]:
    """When each beep begins, to the millisecond."""
    found: list[float] = []
    last = -1.0
    window = RATE // 1000
    wave = np.exp(-2j * np.pi * BEEP * np.arange(window) / RATE).astype(np.complex64)
    with av.open(str(path)) as container:
        rest: NDArray[np.float32] = np.zeros(0, np.float32)
        at = 0.0
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()[0].astype(np.float32)
            begin = float(frame.time or 0)
            if not len(rest) or abs(at + len(rest) / RATE - begin) > 0.002:  # noqa: PLR2004 - a break in the sound
                rest, at = np.zeros(0, np.float32), begin
            whole = np.concatenate([rest, samples])
            count = len(whole) // window
            loud = np.abs(whole[: count * window].reshape(count, window) @ wave) * (2 / window) > LOUD
            for number in np.flatnonzero(loud):
                now = at + float(number) * window / RATE
                if now - last > 0.5:  # noqa: PLR2004 - they are two seconds apart
                    found.append(now)
                last = now
            rest, at = whole[count * window :], at + count * window / RATE
    return found


def stamps(path: Path) -> dict[str, list[float]]:
    """When each packet is due, in the order of the file, by kind of stream; seconds."""
    found: dict[str, list[float]] = {"video": [], "audio": []}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.pts is not None and packet.time_base and packet.stream.type in found:
                found[packet.stream.type].append(float(packet.pts * packet.time_base))
    return found


def ends(folder: Path, name: str) -> dict[str, float]:
    """Where the last picture and the last sound of the parts called `name` end, seconds."""
    last: dict[str, float] = {}
    for part in sorted(folder.glob(f"{name}.part-*.ts")):
        with av.open(str(part)) as container:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base:
                    at = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    last[packet.stream.type] = max(at, last.get(packet.stream.type, 0.0))
    return last


def steps(times: Sequence[float]) -> tuple[float, float]:
    """The smallest and the largest step from one to the next."""
    found = [later - earlier for earlier, later in pairwise(times)] or [0.0]
    return min(found), max(found)
