"""How high somebody sings, while it is sung: one value for each 16 ms, some 50 ms after the sound of it.

swift-f0 was chosen by figures (docs/evidence/vocal.md): it alone follows a voice that is not alone in its microphone.
Its own stream waits 160 ms for what follows; we give it 32, which costs it nothing that can be heard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_RATE = 16_000
"""Hertz that the model listens at."""
HOP = 256
"""Samples of that from one value to the next."""
LOWEST, HIGHEST = 60.0, 1200.0
"""Hertz: B1 of a bass to D6 of a soprano or child."""
VOICES = {
    "bass": (60.0, 400.0),
    "tenor": (110.0, 600.0),
    "alto": (130.0, 800.0),
    "soprano": (180.0, HIGHEST),
    "child": (160.0, HIGHEST),
}
"""What kinds of voices sing, in hertz. Whoever names the voice has fewer octaves mistaken where a band plays along."""
AHEAD = 2
"""Hops of sound after the middle of a value that it is reckoned with: 32 ms."""
MIRRORED = 3
"""Hops more that the model looks ahead to; they are given what came before them, backwards. Measured, that is as good
as waiting for them; without, high notes drop out."""
BEFORE = 6
"""Hops before it; with 11, all that the model could use, no figure is better."""
SURE = 0.5
"""Confidence, calibrated by the model's makers, from which somebody sings."""

# A voice does not leap within 16 ms; where the model does, it mistook an octave, or something else for the voice.
_LEAP = 3.0
"""Semitones from one value to the next that a voice does not slide."""
_SETTLED = 3
"""Values in a row within `_LEAP` that are believed after silence and leaps; those before them are not told."""
_HELD = 6
"""Values missing after which what was told last is no reason to believe the next."""


@dataclass(frozen=True, slots=True)
class Pitch:
    """How high somebody sang at one moment."""

    frame: int
    """Of the input: the middle of what was heard."""
    hertz: float | None
    """`None`: nobody sang, or it could not be told."""
    sure: float
    """The model's confidence in [0..1]."""


class PitchEar:
    """Follows one microphone. `take` costs 3 to 5 ms for each 16 ms of sound: call it in a thread of its own."""

    def __init__(self, rate: int, lowest: float = LOWEST, highest: float = HIGHEST) -> None:
        """`rate` in hertz, 44100 to 96000; voices sing from `lowest` to `highest` hertz."""
        self._rate = rate
        self._model = _Model(rate, lowest, highest)
        self._begin(0)

    def _begin(self, frame: int) -> None:
        self._next = self._origin = frame
        self._slower = _Slower(self._rate)
        self._heard = np.zeros(BEFORE * HOP, np.float32)
        self._hops = 0
        self._settling = _Settling()

    def take(self, samples: NDArray[np.float32], first_frame: int) -> list[Pitch]:
        """Follow `samples`, shape (n,), full scale [-1..1]; where frames are missing it begins anew."""
        if first_frame != self._next:
            self._begin(first_frame)
        self._next = first_frame + len(samples)
        self._heard = np.concatenate([self._heard, self._slower.take(samples)])
        told = []
        while len(self._heard) >= (BEFORE + AHEAD) * HOP:
            window = self._heard[: (BEFORE + AHEAD) * HOP]
            hertz, sure = self._model.hear(np.concatenate([window, window[-2 : -2 - MIRRORED * HOP : -1]]))
            believed = self._settling.believed(float(hertz[BEFORE]))
            told.append(Pitch(self._origin + self._hops * HOP * self._slower.share, believed, float(sure[BEFORE])))
            self._heard = self._heard[HOP:]
            self._hops += 1
        return told


def curve(sound: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return seconds and hertz of a whole recording, shape (n,), heard with all that follows; NaN: nobody sings."""
    slower = _Slower(rate)
    hertz, _sure = _Model(rate, LOWEST, HIGHEST).hear(np.append(slower.take(sound), np.zeros(HOP, np.float32)))
    return np.arange(len(hertz)) * HOP * slower.share / rate, hertz


class _Model:
    """Swift-f0, told that its rate is right; where it is only near, the hertz are made good."""

    def __init__(self, rate: int, lowest: float, highest: float) -> None:
        from swift_f0 import SwiftF0  # noqa: PLC0415 - loads onnxruntime

        self._stretch = rate / _share(rate) / MODEL_RATE
        self._range = lowest / self._stretch, highest / self._stretch
        self._model = SwiftF0(threads=1, spin=False)

    def hear(self, sound: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Hertz, NaN where nobody sings, and confidence at each `HOP`, from the first sample on."""
        found = self._model.detect(sound, MODEL_RATE, *self._range)
        return np.where(found.confidence >= SURE, found.pitch_hz * self._stretch, np.nan), found.confidence


def _share(rate: int) -> int:
    """One of so many samples is taken."""
    return max(1, round(rate / MODEL_RATE))


class _Slower:
    """Brings sound near the model's rate; it comes 0.8 ms later, and its first sample stays the first."""

    def __init__(self, rate: int) -> None:
        self.share = _share(rate)
        reach = 12 * self.share
        at = np.arange(-reach, reach + 1)
        taps = np.sinc(0.9 * at / self.share) * np.hanning(len(at) + 2)[1:-1]
        self._taps = np.asarray(taps / taps.sum(), np.float32)
        self._rest = np.zeros(reach, np.float32)

    def take(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        sound = np.concatenate([self._rest, samples])
        whole = max(0, (len(sound) - len(self._taps)) // self.share + 1)
        self._rest = sound[whole * self.share :]
        if not whole:
            return sound[:0]
        windows = np.lib.stride_tricks.sliding_window_view(sound, len(self._taps))[:: self.share][:whole]
        return np.asarray(windows @ self._taps)


class _Settling:
    """Tells a leap of the voice from one of the model: the voice stays where it leapt to."""

    def __init__(self) -> None:
        self._told: float | None = None
        self._missing = 0
        self._new = math.nan
        self._count = 0

    def believed(self, hertz: float) -> float | None:
        """`hertz` where it goes on from those before, else `None`; NaN is silence."""
        if self._told is not None and abs(semitones(hertz, self._told)) < _LEAP:
            self._told, self._missing, self._count = hertz, 0, 0
            return hertz
        self._missing += 1
        if self._missing > _HELD:
            self._told = None
        goes_on = abs(semitones(hertz, self._new)) < _LEAP
        self._new, self._count = hertz, self._count + 1 if goes_on else 1
        if self._count < _SETTLED:
            return None
        self._told, self._missing, self._count = hertz, 0, 0
        return hertz


def semitones(hertz: float, beside: float) -> float:
    """How much higher `hertz` is than `beside`; NaN where one of them is."""
    return 12 * math.log2(hertz / beside)
