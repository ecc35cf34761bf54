"""How loud each microphone is, 25 times a second, and what that means: good, too low, too hot, clipped, dead, hum."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from studio.events import Levels
from studio.language import _
from studio.units import Decibels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

METERS = 25
"""Readings a second."""
SILENCE = Decibels(-150.0)
"""dBFS: as quiet as is told; 24 bits end at -144."""

# ── what is asked of a voice ──────────────────────────────────────────────────────────────────────────────────────────

AVERAGE = -18.0
"""dBFS that the sung seconds should average: the usual working level of 24-bit recording, 0 VU of most desks."""
HEADROOM = 6.0
"""Decibels that the highest peak should leave to full scale: a child comes closer without a word."""
NEAR = 4.0
"""Decibels beside `AVERAGE` that need no hand: singing the same thing twice differs by two or three."""
SUNG = -50.0
"""dBFS of a 40 ms reading above which somebody may be singing; a hall's noise at a sound gain lies below."""
GATE = 12.0
"""Decibels below the mean of what is sung: quieter readings are its pauses and consonants, not its level."""
ENOUGH = 3.0
"""Seconds of singing before a level is judged."""

# ── what is wrong with a microphone ───────────────────────────────────────────────────────────────────────────────────

DEAD_PEAK = -84.0
"""dBFS: a live microphone's own noise and a very quiet room peak at -75 at a singer's gain; an open input below -90."""
DEAF = 40.0
"""Decibels below the middle of the group: in one room a singer is heard by the neighbour's microphone at 20 to 30."""
DEAD_AFTER = 2.0
"""Seconds of such silence before a microphone is called dead."""
REMEMBERED = 12.0
"""Seconds that a verdict is made of."""

MAINS = 50.0
"""Hertz, all over Europe; its harmonics are looked at up to `_HARMONICS` times that."""
HUM = -66.0
"""dBFS of mains lines together that is worth a word: 48 dB below a voice, which a quick mix brings up by 15 or more."""
_HARMONICS = 10
_STANDS_OUT = 15.0
"""Decibels by which a mains line stands above its neighbours within 15 Hz."""
_PIECE = 12
"""Readings that hum is looked for in at once: 0.48 s, short enough for a breath, and 24 whole waves of 50 Hz."""
_SLOW = 2000
"""Hertz at least that hum is looked for at; the sound is averaged down to it, which is filter enough below 500 Hz."""
_ABOVE_HUM = 10.0
"""Decibels that singing lies above a hum; what lies nearer is the hum itself."""
_QUIETEST = 2
"""Pieces, the quietest there are, that must all hum: between phrases nobody sings at 100 Hz."""


class Meters:
    """Reads all channels of one input: `take(block)` gives a row of levels for each 1/25 s that is full."""

    def __init__(self, rate: int, channels: int) -> None:
        """`rate` in hertz."""
        self._window = round(rate / METERS)
        self._waiting = np.zeros((0, channels), np.float32)
        self._frame = 0
        self._hum = _HumEar(rate, channels)

    def take(self, block: NDArray[np.float32], first_frame: int) -> list[Levels]:
        """Measure `block`, shape (frames, channels), full scale [-1..1]; it begins anew where frames are missing."""
        if first_frame != self._frame + len(self._waiting):
            self._waiting, self._frame = block[:0], first_frame
        self._waiting = np.concatenate([self._waiting, block]) if len(self._waiting) else block
        rows = []
        while len(self._waiting) >= self._window:
            rows.append(self._measure(self._waiting[: self._window]))
            self._waiting = self._waiting[self._window :]
            self._frame += self._window
        return rows

    def _measure(self, window: NDArray[np.float32]) -> Levels:
        peaks = np.maximum(window.max(axis=0), -window.min(axis=0))
        clipped = [0] * len(peaks)
        for channel in np.flatnonzero(peaks >= FULL).tolist():
            clipped[channel] = int((np.abs(window[:, channel]) >= FULL).sum())
        means = np.sqrt(np.einsum("ij,ij->j", window, window) / len(window))
        return Levels(
            self._frame, len(window), decibels(peaks), decibels(means), tuple(clipped), self._hum.take(window)
        )


FULL = 1.0 - 2.0**-15
"""Share of full scale from which a sample counts as clipped: the last step of 16 bits, in which some inputs deliver."""


def decibels(share: NDArray[np.float32]) -> tuple[Decibels, ...]:
    """Shares of full scale as dBFS in [-150..0], to a tenth; what lies above full scale is 0."""
    told = 20 * np.log10(np.clip(share.astype(np.float64), 10 ** (SILENCE / 20), 1.0))
    return tuple(Decibels(level) for level in np.round(told, 1).tolist())


class _HumEar:
    """Looks for mains lines in each `_PIECE`."""

    def __init__(self, rate: int, channels: int) -> None:
        self._share = max(1, rate // _SLOW)
        self._rate = rate / self._share
        self._rest = np.zeros((0, channels), np.float32)
        self._piece: list[NDArray[np.float32]] = []

    def take(self, window: NDArray[np.float32]) -> tuple[Decibels | None, ...]:
        """What the piece hummed that ends here, dBFS, `None` where nothing stands out; empty while none ends."""
        sound = np.concatenate([self._rest, window])
        whole = len(sound) // self._share
        self._piece.append(sound[: whole * self._share].reshape(whole, self._share, -1).mean(axis=1))
        self._rest = sound[whole * self._share :]
        if len(self._piece) < _PIECE:
            return ()
        slow, self._piece = np.concatenate(self._piece), []
        return tuple(mains(channel, self._rate) for channel in slow.T)


def mains(piece: NDArray[np.float32], rate: float) -> Decibels | None:
    """Level (dBFS) of the lines at 50 Hz and its harmonics in half a second of sound; `None` where none stands out.

    `rate` in hertz, 1000 or more. Only lines that stand out are counted, and they must not all be one that could be a
    note: two of them, or 50 Hz itself.
    """
    shape = np.hanning(len(piece))
    power = np.abs(np.fft.rfft(piece * shape)) ** 2 / (shape.sum() / 2) ** 2 / 2  # a sine's mean square at its line
    step = rate / len(piece)
    near, around = round(4 / step), round(15 / step)
    found: dict[int, float] = {}
    for harmonic in range(1, _HARMONICS + 1):
        at = round(harmonic * MAINS / step)
        line = power[at - near : at + near + 1].sum() / 1.5  # the window spreads a line so much
        beside = np.concatenate([power[max(1, at - around) : at - near], power[at + near + 1 : at + around]])
        if line > 10 ** (_STANDS_OUT / 10) * np.median(beside) * 2 * near and line > 0:
            found[harmonic] = float(line)
    if not found or (len(found) == 1 and 1 not in found):
        return None
    return max(SILENCE, Decibels(round(10 * math.log10(sum(found.values())), 1)))


# ── what it means ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Heard:
    """What one microphone gave within the last seconds."""

    average: Decibels | None
    """dBFS of what was sung, pauses left out; `None` before there is anything."""
    peak: Decibels
    """dBFS."""
    clipped: int
    """Samples at full scale."""
    hum: Decibels | None
    """dBFS in the quietest seconds; `None` where it does not stand out."""
    sung: float
    """Seconds of singing."""
    seconds: float
    """Seconds listened in all."""


class Ear:
    """Remembers the last seconds of every channel."""

    def __init__(self, channels: int, seconds: float = REMEMBERED) -> None:
        self._channels = channels
        self._rows: deque[Levels] = deque(maxlen=round(seconds * METERS))

    def take(self, levels: Levels) -> None:
        """What the meters say, in its order."""
        self._rows.append(levels)

    def forget(self) -> None:
        """Begin anew: a gain was changed."""
        self._rows.clear()

    def heard(self) -> tuple[Heard, ...]:
        """Of each channel."""
        rows = list(self._rows)
        return tuple(_heard(rows, channel) for channel in range(self._channels))


def _heard(rows: Sequence[Levels], channel: int) -> Heard:
    hum = _hum(rows, channel)
    floor = SUNG if hum is None else max(SUNG, hum + _ABOVE_HUM)
    sung = [10 ** (row.rms[channel] / 10) for row in rows if row.rms[channel] > floor]
    least = sum(sung) / max(1, len(sung)) / 10 ** (GATE / 10)
    loud = [power for power in sung if power >= least]
    return Heard(
        average=Decibels(round(10 * math.log10(sum(loud) / len(loud)), 1)) if loud else None,
        peak=max((row.peak[channel] for row in rows), default=SILENCE),
        clipped=sum(row.clipped[channel] for row in rows),
        hum=hum,
        sung=round(len(loud) / METERS, 2),
        seconds=round(len(rows) / METERS, 2),
    )


def _hum(rows: Sequence[Levels], channel: int) -> Decibels | None:
    """The least of what the quietest pieces hummed; `None` where one of them did not."""
    ends = [at for at, row in enumerate(rows) if row.hum and at >= _PIECE - 1]
    told = [(max(row.rms[channel] for row in rows[at - _PIECE + 1 : at + 1]), rows[at].hum[channel]) for at in ends]
    quietest = [hum for _loudest, hum in sorted(told, key=lambda each: each[0])[:_QUIETEST]]
    known = [hum for hum in quietest if hum is not None]
    return min(known) if len(known) == _QUIETEST else None


class Kind(StrEnum):
    """What is to be said of a microphone; the first that is so."""

    DEAD = "dead"
    CLIPPED = "clipped"
    HUM = "hum"
    HOT = "too hot"
    LOW = "too low"
    GOOD = "good"
    WAITING = "waiting"
    """It lives, and nobody has sung long enough to judge."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One microphone judged."""

    kind: Kind
    words: str
    """What to do, one or two sentences in the user's language."""
    gain: Decibels
    """What to add at the head amplifier for `AVERAGE` and `HEADROOM`; below 0: take away; 0: leave it."""


def verdicts(heard: Sequence[Heard]) -> tuple[Verdict, ...]:
    """Judge all channels together: one that hears nothing while the others are sung into is dead."""
    averages = sorted(each.average for each in heard if each.average is not None and each.sung >= ENOUGH)
    middle = averages[len(averages) // 2] if averages else None
    return tuple(_verdict(each, middle) for each in heard)


def _verdict(heard: Heard, middle: float | None) -> Verdict:
    deaf = middle is not None and heard.average is None and heard.peak < middle - DEAF
    so = {
        Kind.DEAD: heard.seconds >= DEAD_AFTER and (heard.peak <= DEAD_PEAK or deaf),
        Kind.CLIPPED: heard.clipped > 0,
        Kind.HUM: heard.hum is not None and heard.hum > HUM,
        Kind.WAITING: heard.average is None,
        Kind.HOT: heard.peak > -HEADROOM or (heard.average or SILENCE) > AVERAGE + NEAR,
        Kind.LOW: heard.sung >= ENOUGH and wanted_gain(heard) > NEAR,
        Kind.GOOD: heard.sung >= ENOUGH,
    }
    kind = next((kind for kind, is_so in so.items() if is_so), Kind.WAITING)
    judged = kind in (Kind.CLIPPED, Kind.HOT, Kind.LOW) or (kind is Kind.HUM and heard.sung >= ENOUGH)
    gain = wanted_gain(heard) if judged else 0.0
    return Verdict(kind, _words(kind, heard, gain), Decibels(gain))


def wanted_gain(heard: Heard) -> float:
    """Decibels to add so that singing averages `AVERAGE` and no peak passes `HEADROOM`; 0 before anybody sang.

    A peak at full scale was higher than it shows, so that `HEADROOM` is taken away once more.
    """
    if heard.average is None:
        return -HEADROOM if heard.clipped else 0.0
    room = -HEADROOM - heard.peak - (HEADROOM if heard.clipped else 0.0)
    return round(2 * min(AVERAGE - heard.average, room)) / 2


def _words(kind: Kind, heard: Heard, gain: float) -> str:
    match kind:
        case Kind.DEAD:
            words = _("Nothing arrives. Is the cable in, the microphone switched on, and 48 V on where it needs it?")
        case Kind.CLIPPED:
            words = _("It was overdriven. Turn the gain down by {gain} dB and sing the loudest part again.")
        case Kind.HUM:
            words = _("It hums at {hertz} Hz ({level} dBFS). Try another cable, away from power cords and dimmers.")
        case Kind.HOT:
            words = _("Too loud. Turn the gain down by {gain} dB, or have the singer step back.")
        case Kind.LOW:
            words = _("Too quiet. Turn the gain up by {gain} dB, or have the singer come closer.")
        case Kind.GOOD:
            words = _("Good. Leave it as it is.")
        case Kind.WAITING:
            words = _("It is alive. Have the loudest part sung into it.")
    hum = "" if heard.hum is None else f"{heard.hum:g}"
    return words.format(gain=f"{max(abs(gain), 0.5):g}", hertz=f"{MAINS:g}", level=hum)
