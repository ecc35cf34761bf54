"""How loud something is, by EBU R128."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

SILENCE = -70.0
"""LUFS: what is quieter is no programme (ITU-R BS.1770-4, absolute gate)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What FFmpeg's ebur128 says of a sound."""

    integrated: float | None
    """LUFS; `None` where there is nothing to measure."""
    true_peak: float
    """dBTP; minus infinity for silence."""


def measured(blocks: Iterable[NDArray[np.float32]], rate: int) -> Measured:
    """Measure stereo, (frames, 2), by FFmpeg's ebur128."""
    graph = Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="stereo", time_base=Fraction(1, rate))
    meter = graph.add("ebur128", "metadata=1:peak=true:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    told: dict[str, str] = {}
    at = 0
    for block in _even(blocks, rate):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "flt", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), at
        at += len(block)
        graph.push(frame)
        while True:
            try:
                told |= graph.pull().metadata
            except (av.BlockingIOError, av.EOFError):
                break
    integrated = float(told.get("lavfi.r128.I", "nan"))
    highest = max(float(told.get(f"lavfi.r128.true_peaks_ch{channel}", "0")) for channel in (0, 1))
    heard = math.isfinite(integrated) and integrated > SILENCE
    return Measured(integrated if heard else None, 20 * math.log10(highest) if highest > 0 else -math.inf)


def _even(blocks: Iterable[NDArray[np.float32]], rate: int) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        for start in range(0, len(block), rate):
            yield block[start : start + rate]
