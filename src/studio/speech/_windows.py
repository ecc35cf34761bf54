"""Which parts of a film Whisper hears at once: pure functions, tried with plain asserts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.sound import SPEECH_RATE
from studio.speech._stretch import Stretch
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_AROUND = Ms(400)
"""Heard before the first sound and after the last, as far as nobody else speaks there."""
_SOFT = Ms(200)
"""Where there is no pause to cut in, the softest so long moment has to do."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is heard at once."""

    start: Ms
    """From the begin of the sound."""
    end: Ms
    voiced: tuple[Stretch, ...]
    """Where in it somebody speaks, by the same clock; the first and the last are whole."""

    @property
    def speech(self) -> Ms:
        """Time in which somebody speaks."""
        return Ms(sum(one.end - one.start for one in self.voiced))


def windows(voiced: Sequence[Stretch], sound: NDArray[np.float32], longest: Ms, apart: Ms) -> list[Window]:
    """Pack where somebody speaks into windows of `longest` and the silence around them, in order.

    A pause of more than `apart` parts two windows in any case. Where one has to be cut otherwise, it is cut in the
    longest pause of its latter half.
    """
    length = len(sound) * 1000 // SPEECH_RATE
    groups: list[list[Stretch]] = []
    rest = [part for one in voiced for part in _shortened(one, sound, longest)]
    while rest:
        count = 1
        while (
            count < len(rest)
            and rest[count].end - rest[0].start <= longest
            and rest[count].start - rest[count - 1].end <= apart
        ):
            count += 1
        if count < len(rest) and rest[count].start - rest[count - 1].end <= apart:
            latter = [at for at in range(1, count) if rest[at].start - rest[0].start > longest // 2]
            count = max([*latter, count], key=lambda at: (rest[at].start - rest[at - 1].end, at))
        groups.append(rest[:count])
        rest = rest[count:]
    made = []
    for at, group in enumerate(groups):
        before = groups[at - 1][-1].end if at else -group[0].start
        after = groups[at + 1][0].start if at + 1 < len(groups) else 2 * length - group[-1].end
        start = group[0].start - min(_AROUND, (group[0].start - before) // 2)
        end = group[-1].end + min(_AROUND, (after - group[-1].end) // 2)
        made.append(Window(Ms(max(0, start)), Ms(min(length, end)), tuple(group)))
    return made


def halves(window: Window) -> tuple[Window, Window] | None:
    """Cut in the longest pause of the middle half; `None` where nobody draws breath there."""
    quarter = (window.end - window.start) // 4
    cuts = [
        at
        for at in range(1, len(window.voiced))
        if window.start + quarter < window.voiced[at].start and window.voiced[at - 1].end < window.end - quarter
    ]
    if not cuts:
        return None
    at = max(cuts, key=lambda at: window.voiced[at].start - window.voiced[at - 1].end)
    middle = Ms((window.voiced[at].start + window.voiced[at - 1].end) // 2)
    return Window(window.start, middle, window.voiced[:at]), Window(middle, window.end, window.voiced[at:])


def _shortened(one: Stretch, sound: NDArray[np.float32], longest: Ms) -> list[Stretch]:
    """Cut where somebody speaks for too long without a pause, in the softest moment of the latter half."""
    parts = []
    start = one.start
    while one.end - start > longest:
        cut = softest(sound, Ms(start + longest // 2), Ms(start + longest))
        parts.append(Stretch(start, cut))
        start = cut
    return [*parts, Stretch(start, one.end)]


def softest(sound: NDArray[np.float32], begin: Ms, end: Ms) -> Ms:
    """The middle of the softest fifth of a second in [begin, end), to 10 ms."""
    grain = SPEECH_RATE // 100
    part = sound[begin * SPEECH_RATE // 1000 : end * SPEECH_RATE // 1000]
    power = np.square(part[: len(part) // grain * grain]).reshape(-1, grain).sum(axis=1)
    width = _SOFT // 10
    if len(power) <= width:
        return Ms((begin + end) // 2)
    around = np.convolve(power, np.ones(width), "valid")
    return Ms(begin + int(around.argmin()) * 10 + _SOFT // 2)
