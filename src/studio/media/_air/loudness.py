"""How loud the programme is, by EBU R128; and, where the house asks for it, the same loudness all evening."""

from __future__ import annotations

import logging
import math
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph

from studio.events import Loudness
from studio.language import _
from studio.media._ground.tape import AIR_RATE
from studio.units import Decibels, Lufs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

STEP = AIR_RATE // 10
"""Samples between two measurements: R128 asks for at least ten a second (EBU Tech 3341, 2.2)."""
SILENCE = -70.0
"""LUFS: what is quieter is not programme (ITU-R BS.1770-4, absolute gate)."""
FULL = 32768

# ── levelling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

WINDOW = 80
"""Momentary values that the loudness to be corrected is made of: 8 s of programme. Pauses do not count."""
PAUSE = 12.0
"""LU below the last seconds' loudness: quieter than that is a pause, and no reason to turn up. Speech swings by less
between its syllables, as a momentary value spans 400 ms."""
FLOOR = -45.0
"""LUFS: a hall's noise. It must never be taken for a quiet speaker and be turned up."""
FORGET = 3
"""One of so many quiet values pushes an older one out: what stays quieter for 24 s is no pause, but what there is."""
MOST_UP, MOST_DOWN = 15.0, -30.0
"""Decibels that levelling adds at most: more up would be noise."""
UP, DOWN = 1.5, 3.0
"""Decibels a second: nobody hears the desk being moved."""
FAST_DOWN = 12.0
"""Decibels a second where it is `TOO_LOUD` LU too loud: a band begins after a quiet speaker."""
TOO_LOUD = 6.0
CLOSE = 0.5
"""LU beside the target that are right: the desk rests."""
CEILING = -1.0
"""dBTP, EBU R128's most; the rest to 0 is for what AAC adds."""
_HEADROOM = 0.3
"""Decibels kept below `CEILING`: meters interpolate otherwise than we do, and differ by so much where a tone begins at
once (FFmpeg's and ours: 0.25 dB)."""
AHEAD = AIR_RATE // 200
"""Samples of 5 ms: the gain goes down so long before a peak, without a click."""
RELEASE = 40.0 / AIR_RATE
"""Decibels a sample: 40 dB a second, slow enough not to follow the waves of a bass."""
_TAPS = 12
"""Samples on each side that a value between two samples is reckoned from."""
_SAFE = 0.4
"""Loudest sample, as a share of full scale, beside which nothing between samples can reach the ceiling in practice."""


def _between() -> NDArray[np.float32]:
    """Return three filters that give the values ¼, ½ and ¾ after a sample (windowed sinc)."""
    rows = []
    for part in (0.25, 0.5, 0.75):
        at = np.arange(-_TAPS + 1, _TAPS + 1) - part
        row = np.sinc(at) * np.cos(np.pi * at / (2 * _TAPS + 1)) ** 2
        rows.append(row / row.sum())
    return np.asarray(rows, np.float32)


_BETWEEN = _between()


class Meter:
    """Measures 48 kHz stereo: 0.2 % of a core, with the true peak."""

    def __init__(self) -> None:
        self._waiting: list[NDArray[np.int16]] = []
        self._count = 0
        self._at = 0
        graph = Graph()
        source = graph.add_abuffer(sample_rate=AIR_RATE, format="s16", layout="stereo", time_base=Fraction(1, AIR_RATE))
        meter = graph.add("ebur128", "metadata=1:peak=true:framelog=quiet")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        self._graph = graph
        self.read = Loudness()
        """The last measurement; any thread may look."""

    def take(self, samples: NDArray[np.int16]) -> int:
        """Measure `samples`, shape (n, 2), that follow those before; return how many new measurements there are."""
        self._waiting.append(samples)
        self._count += len(samples)
        fresh = 0
        if self._count >= STEP:
            whole = np.concatenate(self._waiting)
            while len(whole) >= STEP:
                self._measure(whole[:STEP])
                whole = whole[STEP:]
                fresh += 1
            self._waiting, self._count = [whole], len(whole)
        return fresh

    def _measure(self, samples: NDArray[np.int16]) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "s16", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = AIR_RATE, Fraction(1, AIR_RATE), self._at
        self._at += len(samples)
        self._graph.push(frame)
        told = dict(self._graph.pull().metadata)
        self.read = Loudness(
            momentary=_lufs(told, "M"),
            short_term=_lufs(told, "S"),
            integrated=_lufs(told, "I"),
            true_peak=_peak(told),
        )


def _lufs(told: dict[str, str], name: str) -> Lufs | None:
    value = float(told.get(f"lavfi.r128.{name}", "nan"))
    return Lufs(round(value, 1)) if math.isfinite(value) and value > SILENCE else None


def _peak(told: dict[str, str]) -> Decibels | None:
    highest = max(float(told.get(f"lavfi.r128.true_peaks_ch{channel}", "0")) for channel in (0, 1))
    return Decibels(round(20 * math.log10(highest), 1)) if highest > 0 else None


class _NoMeter(Meter):
    """Stands in for one that broke."""

    def __init__(self) -> None:
        self.read = Loudness()

    def take(self, samples: NDArray[np.int16]) -> int:  # noqa: ARG002
        return 0


class SoundDesk:
    """What the programme's sound goes through before it is encoded: levelling, if the house wants it, and the meter."""

    def __init__(self, level: float | None, say: Callable[[str], None]) -> None:
        """`level`: LUFS that the programme shall have; `None`: as it came, to the bit.

        `say` is told what a technician should know.
        """
        self._say = say
        self._leveller = None if level is None else Leveller(level)
        self._limiter = None if level is None else Limiter()
        self._meter: Meter = Meter()

    @property
    def loudness(self) -> Loudness:
        """As it goes out."""
        read = self._meter.read
        if self._leveller is None:
            return read
        return Loudness(read.momentary, read.short_term, read.integrated, read.true_peak, self._leveller.gain)

    def take(self, at: int, samples: NDArray[np.int16]) -> tuple[int, NDArray[np.int16]]:
        """Return what goes out when `samples`, the first of them number `at`, came; a levelled sound is 5 ms behind."""
        came = at, samples
        try:
            if self._leveller is not None and self._limiter is not None:
                at, samples = self._limiter.take(at, self._leveller.take(samples))
            self._meter.take(samples)
        except Exception:  # whatever it is, the sound goes on as it came
            logger.exception("the sound cannot be measured")
            self._say(
                _("The loudness cannot be measured or levelled any more, the sound airs as it comes; watch the mixer.")
            )
            self._leveller = self._limiter = None
            self._meter = _NoMeter()
            return came
        return at, samples

    def flush(self) -> tuple[NDArray[np.int16], int]:
        """Return what is still held back, and where it begins."""
        if self._limiter is None:
            return np.zeros((0, 2), np.int16), 0
        at, left = self._limiter.flush()
        self._meter.take(left)
        return left, at


class Leveller:
    """A hand at the fader: turns towards `target` by what the programme was like in its last seconds."""

    def __init__(self, target: float) -> None:
        self._target = target
        self._meter = Meter()
        self._powers: deque[float] = deque(maxlen=WINDOW)
        self._gain = 0.0
        self._aim = 0.0
        self._speed = UP
        self._quiet = 0

    @property
    def gain(self) -> Decibels:
        """What is added just now."""
        return Decibels(round(self._gain, 1))

    def take(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """Return `samples` as shares of full scale, turned up or down; peaks may lie above 1."""
        if self._meter.take(samples):
            self._decide(self._meter.read.momentary)
        before = self._gain
        most = self._speed * len(samples) / AIR_RATE
        self._gain = min(max(self._aim, before - most), before + most)
        turned = samples.astype(np.float32)
        if before == self._gain:
            turned *= np.float32(10 ** (before / 20) / FULL)
        else:
            ramp = np.linspace(before, self._gain, len(samples), dtype=np.float32)
            turned *= (10 ** (ramp / 20) / FULL)[:, None]
        return turned

    def _decide(self, momentary: float | None) -> None:
        if momentary is None or momentary < FLOOR:
            self._aim = self._gain  # a pause: hold still
            return
        mean = self._mean()
        if mean is not None and momentary < mean - PAUSE:
            self._aim = self._gain
            self._quiet += 1
            if self._quiet % FORGET == 0:
                self._powers.popleft()
            return
        self._powers.append(10 ** (momentary / 10))
        mean = self._mean()
        if mean is None:
            return
        wanted = min(max(self._target - mean, MOST_DOWN), MOST_UP)
        burst = momentary + self._gain - self._target > TOO_LOUD
        if burst:
            wanted = min(wanted, self._target + TOO_LOUD - momentary)
        if abs(wanted - self._gain) <= CLOSE:
            self._aim = self._gain
            return
        self._aim = wanted
        self._speed = UP if wanted > self._gain else FAST_DOWN if burst else DOWN

    def _mean(self) -> float | None:
        return 10 * math.log10(sum(self._powers) / len(self._powers)) if self._powers else None


class Limiter:
    """Keeps every true peak below a limit, looking `AHEAD`; what does not reach it passes untouched."""

    def __init__(self, limit: float = CEILING - _HEADROOM, release: float = RELEASE) -> None:
        """`limit` in dBTP, `release` in decibels a sample."""
        self._limit = limit
        self._release = release
        self._past = np.zeros((2 * _TAPS, 2), np.float32)
        """Samples before those whose peaks are looked for."""
        self._delayed = np.zeros((_TAPS + AHEAD - 1, 2), np.float32)
        self._needs = np.zeros(AHEAD - 1)
        """Decibels, 0 or less, that the last samples need."""
        self._held = np.zeros(AHEAD - 1)
        """The same after they were held and released."""
        self._first: int | None = None
        self._given = 0

    def take(self, at: int, samples: NDArray[np.float32]) -> tuple[int, NDArray[np.int16]]:
        """Return where the next samples begin, and the samples, as many as came but `AHEAD` and some behind."""
        if self._first is None:
            self._first = at
        limited = self.limited(samples)
        out = np.clip(np.rint(limited * FULL), -FULL, FULL - 1).astype(np.int16)
        behind = self.behind
        skipped = min(max(0, behind - self._given), len(out))  # before the first sample there was none
        begin = self._first + max(0, self._given - behind)
        self._given += len(out)
        return begin, out[skipped:]

    def flush(self) -> tuple[int, NDArray[np.int16]]:
        """Return the last samples, as `take` does."""
        if self._first is None:
            return 0, np.zeros((0, 2), np.int16)
        return self.take(0, np.zeros((self.behind, 2), np.float32))

    @property
    def behind(self) -> int:
        """Samples by which what comes out is later than what goes in."""
        return len(self._delayed)

    def limited(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return as many samples as shares of full scale, `behind` later; before the first there is silence."""
        count = len(samples)
        needs = self._need(samples)
        line = np.concatenate((self._delayed, samples))
        out, self._delayed = line[:count], line[count:]
        known = np.concatenate((self._needs, needs))
        self._needs = known[len(known) - AHEAD + 1 :]
        if known.any() or self._held.any():
            lowest = np.lib.stride_tricks.sliding_window_view(known, AHEAD).min(axis=1)
            slope = self._release * np.arange(1, count + 1)
            start = min(0.0, float(self._held[-1]))
            held = np.minimum.accumulate(np.minimum(lowest - slope, start)) + slope
            line_held = np.concatenate((self._held, np.minimum(held, 0.0)))
            sums = np.concatenate(([0.0], np.cumsum(line_held)))
            gains = (sums[AHEAD:] - sums[:-AHEAD]) / AHEAD
            self._held = line_held[len(line_held) - AHEAD + 1 :]
            out = out * (10 ** (gains / 20))[:, None].astype(np.float32)
        return out

    def _need(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return for each sample that now has `_TAPS` after it how many decibels it must go down."""
        count = len(samples)
        line = np.concatenate((self._past, samples))
        self._past = line[len(line) - 2 * _TAPS :]
        if not count or float(np.abs(line).max()) < _SAFE:
            return np.zeros(count)
        highest = np.zeros(count)
        for channel in (0, 1):
            track = line[:, channel]
            highest = np.maximum(highest, np.abs(track[_TAPS : _TAPS + count]))
            for row in _BETWEEN:
                # between[k] lies after sample k + _TAPS - 1 of the line
                between = np.abs(np.correlate(track, row, "valid"))
                highest = np.maximum(highest, np.maximum(between[1 : count + 1], between[:count]))
        return np.minimum(0.0, self._limit - 20 * np.log10(np.maximum(highest, 1e-9)))
