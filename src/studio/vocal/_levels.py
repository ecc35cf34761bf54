"""How loud each microphone is, 25 times a second, and what that means: good, too low, too hot, clipped, dead, hum."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from studio.events import Levels
from studio.language import _, decimal
from studio.units import Decibels
from studio.vocal._hum import MAINS, PIECE
from studio.vocal._meter import A_SECOND, LOWEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.vocal._client import Recorder


# ── what is asked of a voice ──────────────────────────────────────────────────────────────────────────────────────────

AVERAGE = -18.0
"""dBFS that the sung seconds should average: the usual working level of 24-bit recording, 0 VU of most desks."""
HEADROOM = 6.0
"""Decibels that the highest peak should leave to full scale: a child comes closer without a word."""
NEAR = 3.0
"""Decibels beside `AVERAGE` that need no hand: singing the same thing twice differs by as much."""
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

HUM = -66.0
"""dBFS of mains lines together that is worth a word: 48 dB below a voice, which a quick mix brings up by 15 or more."""
_ABOVE_HUM = 10.0
"""Decibels that singing lies above a hum; what lies nearer is the hum itself."""
_QUIETEST = 2
"""Pieces, the quietest there are, that must all hum: between phrases nobody sings at 100 Hz."""


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
        self._rows: deque[Levels] = deque(maxlen=round(seconds * A_SECOND))

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


async def levels(recorder: Recorder, seconds: float) -> tuple[Heard, ...]:
    """Listen to all channels for `seconds` from now on; shorter where the recorder ends, and empty where it is mute."""
    ear: Ear | None = None
    left = round(seconds * A_SECOND)
    async with recorder.messages() as messages:
        async for message in messages:
            if isinstance(message, Levels):
                ear = ear or Ear(len(message.peak), seconds)
                ear.take(message)
                left -= 1
                if left <= 0:
                    break
    return ear.heard() if ear else ()


def _heard(rows: Sequence[Levels], channel: int) -> Heard:
    hum = _hum(rows, channel)
    floor = SUNG if hum is None else max(SUNG, hum + _ABOVE_HUM)
    sung = [10 ** (row.rms[channel] / 10) for row in rows if row.rms[channel] > floor]
    least = sum(sung) / max(1, len(sung)) / 10 ** (GATE / 10)
    loud = [power for power in sung if power >= least]
    return Heard(
        average=Decibels(round(10 * math.log10(sum(loud) / len(loud)), 1)) if loud else None,
        peak=max((row.peak[channel] for row in rows), default=LOWEST),
        clipped=sum(row.clipped[channel] for row in rows),
        hum=hum,
        sung=round(len(loud) / A_SECOND, 2),
        seconds=round(len(rows) / A_SECOND, 2),
    )


def _hum(rows: Sequence[Levels], channel: int) -> Decibels | None:
    """The least of what the quietest pieces hummed; `None` where one of them did not."""
    ends = [at for at, row in enumerate(rows) if row.hum and at >= PIECE - 1]
    told = [(max(row.rms[channel] for row in rows[at - PIECE + 1 : at + 1]), rows[at].hum[channel]) for at in ends]
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
        Kind.HOT: heard.peak > -HEADROOM or (heard.average or LOWEST) > AVERAGE + NEAR,
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
    hum = "" if heard.hum is None else decimal(heard.hum)
    return words.format(gain=decimal(max(abs(gain), 0.5)), hertz=decimal(MAINS), level=hum)
