"""What pitch is measured against: a reference that hears a whole song at once, and other ears on the same sound."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from studio.vocal._pitch import SURE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


UNLIKE = 0.5
"""From which YIN hears no pitch."""


class Curve(NamedTuple):
    """Pitch over time."""

    seconds: Floats
    hertz: Floats
    """NaN where nobody sings, or it cannot be told."""


# ── the reference ─────────────────────────────────────────────────────────────────────────────────────────────────────

LOWEST, HIGHEST = 130.0, 800.0
"""Hertz of the singer of the song."""
CENTS = 10
"""From one candidate to the next."""
WINDOW = 2048
"""Samples at 22050 Hz: 93 ms."""
HARMONICS = 8
TOP = 7000
"""Hertz that they go up to."""
SALIENCE, MARGIN = 6.0, 2.0
"""How much a pitch must stand out, and how much more than any other beyond a semitone, to be a reference. Essentia's
Melodia, another method, named another octave in none of the frames that pass, and a pitch 50 cents away in 2 %."""
AT_ONCE = 10
"""Frames of 10 ms that must pass in a row."""


def reference(sound: NDArray[np.float32], rate: int) -> Curve:
    """Hear the singer of a whole song among its instruments.

    Harmonics are added up in a flattened spectrum, and the smoothest salient line through all of the song is taken
    (Viterbi): so what comes later decides, too. What does not stand out is NaN.
    """
    salience, seconds = _salience(sound, rate)
    line = _line(salience)
    rows = np.arange(len(line))
    best = salience[rows, line]
    others = salience.copy()
    for away in range(-100 // CENTS - 2, 100 // CENTS + 3):
        others[rows, np.clip(line + away, 0, salience.shape[1] - 1)] = -np.inf
    steady = np.abs(np.diff(line, prepend=line[0])) * CENTS <= 6 * CENTS
    passes = _in_a_row((best > SALIENCE) & (best - others.max(axis=1) > MARGIN) & steady)
    return Curve(seconds, np.where(passes, LOWEST * 2 ** ((line + _between(salience, line)) * CENTS / 1200), np.nan))


def _salience(sound: NDArray[np.float32], rate: int) -> tuple[Floats, Floats]:
    hop = round(0.01 * rate)
    frames = len(sound) // hop
    padded = np.pad(sound, WINDOW // 2)
    shape = np.hanning(WINDOW)
    spectra = np.stack(
        [np.abs(np.fft.rfft(padded[at * hop : at * hop + WINDOW] * shape, 4 * WINDOW)) for at in range(frames)]
    )
    loud = np.log(spectra + 1e-3 * spectra.max(axis=1, keepdims=True) + 1e-9)
    width = 161 * rate // 16000 | 1
    sums = np.cumsum(np.pad(loud, ((0, 0), (width // 2 + 1, width // 2)), mode="edge"), axis=1)
    flat = np.maximum(loud - (sums[:, width:] - sums[:, :-width]) / width, 0)
    grid = LOWEST * 2 ** (np.arange(0, 1200 * np.log2(HIGHEST / LOWEST), CENTS) / 1200)

    def at(hertz: Floats) -> Floats:
        place = hertz / (rate / (4 * WINDOW))
        whole = np.clip(place.astype(int), 0, flat.shape[1] - 2)
        part = place - whole
        return np.asarray((1 - part) * flat[:, whole] + part * flat[:, whole + 1])

    salience = np.zeros((frames, len(grid)))
    for harmonic in range(1, HARMONICS + 1):
        salience += 0.85 ** (harmonic - 1) * at(grid * harmonic) * (grid * harmonic < TOP)
    for between in (0.5, 1.5, 2.5):  # of an octave too high these would be harmonics
        salience -= 0.4 * at(grid * between)
    return salience, np.arange(frames) * hop / rate


def _line(salience: Floats) -> NDArray[np.int64]:
    reach, leap = 12, 6.0
    cost = -0.04 * np.abs(np.arange(-reach, reach + 1))
    places = np.arange(salience.shape[1])
    came = np.zeros(salience.shape, np.int64)
    value = salience[0].copy()
    for at in range(1, len(salience)):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(value, reach, constant_values=-np.inf), 2 * reach + 1)
        nearest = (windows + cost).argmax(axis=1)
        near = (windows + cost)[places, nearest]
        far = value.max() - leap
        came[at] = np.where(near >= far, places + nearest - reach, value.argmax())
        value = salience[at] + np.maximum(near, far)
    line = [int(value.argmax())]
    for at in range(len(salience) - 1, 0, -1):
        line.append(int(came[at][line[-1]]))
    return np.array(line[::-1])


def _between(salience: Floats, line: NDArray[np.int64]) -> Floats:
    """Where between two candidates the salience is highest."""
    rows, middle = np.arange(len(line)), np.clip(line, 1, salience.shape[1] - 2)
    before, there, after = (salience[rows, middle + by] for by in (-1, 0, 1))
    bend = before - 2 * there + after
    return np.clip(np.divide(0.5 * (before - after), bend, out=np.zeros(len(line)), where=bend < 0), -0.5, 0.5)


def _in_a_row(passes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], passes.astype(int), [0]])))
    kept = np.zeros(len(passes), bool)
    for begins, ends in zip(edges[::2], edges[1::2], strict=True):
        kept[begins:ends] = ends - begins >= AT_ONCE
    return kept


# ── other ears ────────────────────────────────────────────────────────────────────────────────────────────────────────


def yin(sound: NDArray[np.float32], rate: int) -> Curve:
    """Hear by YIN (de Cheveigné and Kawahara, 2002), a window of 25 ms and the longest period, each 16 ms."""
    window, longest, shortest = round(0.025 * rate), round(rate / 60), round(rate / 1200)
    size = 1 << (2 * window + longest).bit_length()
    starts = range(0, len(sound) - window - longest, round(0.016 * rate))
    told = [
        _period(sound[at : at + window + longest].astype(np.float64), window, longest, shortest, size) for at in starts
    ]
    hertz = np.array([rate / period if period else np.nan for period in told])
    middles = [(at + (window + (period or longest)) / 2) / rate for at, period in zip(starts, told, strict=True)]
    return Curve(np.array(middles), hertz)


def _period(sound: Floats, window: int, longest: int, shortest: int, size: int) -> float | None:
    alike = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(sound[:window], size)), size)[:longest]
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    differs = energy[window] + (energy[window : window + longest] - energy[:longest]) - 2 * alike
    relative = np.ones(longest)
    relative[1:] = differs[1:] * np.arange(1, longest) / np.maximum(np.cumsum(differs[1:]), 1e-12)
    inner = relative[shortest:-1]
    dips = np.flatnonzero((inner < relative[shortest - 1 : -2]) & (inner <= relative[shortest + 1 :])) + shortest
    if not len(dips) or relative[dips].min() > UNLIKE:
        return None
    dip = int(dips[np.argmax(relative[dips] <= relative[dips].min() + 0.08)])
    before, there, after = differs[dip - 1 : dip + 2]
    return float(dip + 0.5 * (before - after) / (before - 2 * there + after))


def swift_stream(sound: NDArray[np.float32], rate: int) -> Curve:
    """Hear by swift-f0's own stream, which waits 160 ms for what follows; `rate` 16000."""
    model = importlib.import_module("swift_f0")
    stream = model.SwiftF0(threads=1, spin=False).stream()
    parts = [stream.push(sound[at : at + rate], rate) for at in range(0, len(sound), rate)]
    found = model.concat([*parts, stream.flush()])
    return Curve(found.timestamps, np.where(found.confidence >= SURE, found.pitch_hz, np.nan))


def praat(sound: NDArray[np.float32], rate: int) -> Curve | None:
    """Hear by Praat's autocorrelation, a path through all of the sound; `None` where `praat-parselmouth` is missing."""
    if importlib.util.find_spec("parselmouth") is None:
        return None
    parselmouth: Any = importlib.import_module("parselmouth")
    found = parselmouth.Sound(sound.astype(float), rate).to_pitch_ac(0.016, 60, pitch_ceiling=1200)
    hertz = found.selected_array["frequency"]
    return Curve(found.xs(), np.where(hertz > 0, hertz, np.nan))
