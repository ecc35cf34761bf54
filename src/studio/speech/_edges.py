"""When a word is heard to begin and end: Whisper's rough times, brought to voice activity and then to the sound itself.

Whisper's alignment is some hundred milliseconds wide. Where somebody draws breath, the detector knows to a block of
32 ms, and the level of the sound to 10 ms, when the phrase before ended and the one after began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.sound import SPEECH_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.speech._stretch import Stretch
    from studio.spoken import Word

_HOP = 10
"""Milliseconds between two levels."""
_REACH = 900
"""A pause is not taken for that between two words whose own times are further from it."""
_UNTOLD = 260
"""Milliseconds of error that it costs to leave a short pause between no two words; a long one costs more."""
_LONG = 0.6
"""… by so much of each millisecond of it."""
_FULL_STOP = 220
_COMMA = 110
"""Milliseconds of error forgiven to a pause where a sentence, or a clause, ends."""
_AHEAD, _BEHIND = 300, 400
"""Milliseconds around the detector's begin and end in which the sound is looked at."""
_QUIET = 6
"""Levels, 60 ms, of quiet before a begin and after an end."""
_SOONER = 30
"""Milliseconds: soft beginnings are heard before the level has risen by so much, and it is measured over 20 ms."""
_RISE, _FALL = 6.0, 36.0
"""An edge is where the level passes so many dB over the softest around, or under the loudest, whatever is higher."""
_SHORTEST = Ms(40)
"""What a word lasts at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Level of a sound each `_HOP`."""

    decibels: NDArray[np.float32]

    @classmethod
    def of(cls, sound: NDArray[np.float32]) -> Levels:
        """Measure it over 20 ms around each place."""
        grain = SPEECH_RATE * _HOP // 1000
        count = -(-len(sound) // grain)
        power = np.square(np.pad(sound, (0, count * grain - len(sound)))).reshape(-1, grain).mean(axis=1)
        power = (power + np.concatenate([power[:1], power[:-1]])) / 2
        return cls(np.asarray(10 * np.log10(power + 1e-12), np.float32))

    def begin(self, near: int) -> int:
        """Where sound begins near `near`, both in milliseconds; `near` itself where it does so nowhere."""
        return self._edge(near, _AHEAD, 1)

    def end(self, near: int) -> int:
        """Where sound ends near `near`."""
        return self._edge(near, _BEHIND, -1)

    def _edge(self, near: int, reach: int, way: int) -> int:
        low, high = max(0, (near - reach) // _HOP), (near + reach) // _HOP
        part = self.decibels[low:high]
        if len(part) <= 2 * _QUIET:
            return near
        floor = max(float(np.percentile(part, 5)) + _RISE, float(np.percentile(part, 95)) - _FALL)
        loud = part > floor
        if way > 0:
            places = [at for at in range(_QUIET, len(part)) if loud[at] and not loud[at - _QUIET : at].any()]
        else:
            places = [at for at in range(1, len(part) - _QUIET) if loud[at - 1] and not loud[at : at + _QUIET].any()]
        if not places:
            return near
        return (low + min(places, key=lambda at: abs((low + at) * _HOP - near))) * _HOP - _SOONER


def snap(words: Sequence[Word], voiced: Sequence[Stretch], levels: Levels) -> list[Word]:
    """Return `words` with times that fit `voiced`, where somebody speaks around them, and `levels` of the sound.

    All on the sound's own clock. Words stay in order; none lasts less than nothing.
    """
    if not words or not voiced:
        return list(words)
    pauses = list(pairwise(voiced))
    cuts = _assigned(words, [(before.end, after.start) for before, after in pauses])
    # What comes before the first pause that was told begins before it, and what comes after the last one ends after it.
    early, late = (cuts[0][0] + 1, cuts[-1][0] + 1) if cuts else (len(voiced), 0)
    begin = min(voiced[:early], key=lambda one: abs(one.start - words[0].start))
    end = min(voiced[late:], key=lambda one: abs(one.end - words[-1].end))
    first = begin.start if abs(begin.start - words[0].start) <= _REACH else words[0].start
    last = end.end if abs(end.end - words[-1].end) <= _REACH else words[-1].end
    edges: list[tuple[int, int, int, int]] = []
    at, opens = 0, levels.begin(first)
    for pause, word in cuts:
        before, after = pauses[pause]
        closes = max(opens, levels.end(before.end))
        edges.append((at, word + 1, opens, closes))
        at, opens = word + 1, max(closes, levels.begin(after.start))
    edges.append((at, len(words), opens, max(opens, levels.end(last))))
    snapped: list[Word] = []
    for begins, until, opens, closes in edges:
        snapped += _within(words[begins:until], opens, closes)
    return snapped


def _assigned(words: Sequence[Word], pauses: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Which pause stands after which word, at the least error in all; pauses and words in order, some without."""
    count = len(words) - 1
    skip = [_UNTOLD + _LONG * (end - start) for start, end in pauses]
    # best[p][w]: the first p pauses are told, and words from w on are free.
    best = np.full((len(pauses) + 1, count + 1), np.inf)
    came = np.zeros((len(pauses) + 1, count + 1), np.int32)
    best[0, :] = 0.0
    for number, (start, end) in enumerate(pauses, 1):
        told = np.array([_error(words[at], words[at + 1], start, end) for at in range(count)], np.float64)
        lowest, place = np.inf, 0
        for free in range(count + 1):
            # Either this pause stands after one of the words before `free`, or after none.
            if free and best[number - 1, free - 1] + told[free - 1] < lowest:
                lowest, place = best[number - 1, free - 1] + told[free - 1], free
            left = best[number - 1, free] + skip[number - 1]
            if lowest < left:
                best[number, free], came[number, free] = lowest, place
            else:
                best[number, free], came[number, free] = left, 0
    cuts = []
    free = count
    for number in range(len(pauses), 0, -1):
        place = int(came[number, free])
        if place:
            cuts.append((number - 1, place - 1))
            free = place - 1
    return cuts[::-1]


def _error(before: Word, after: Word, start: int, end: int) -> float:
    """Milliseconds by which a pause misses the place between two words."""
    error = abs((before.end + after.start) / 2 - (start + end) / 2) - (end - start) / 2
    if error > _REACH:
        return float("inf")
    mark = before.text.rstrip("\"'”»)")[-1:]
    forgiven = _FULL_STOP if mark in {".", "?", "!", "…"} else _COMMA if mark in {",", ";", ":", "-", "–"} else 0  # noqa: RUF001
    return max(0.0, error) - forgiven + _FULL_STOP


def _within(words: Sequence[Word], opens: int, closes: int) -> list[Word]:
    """Fit the words of a phrase between its edges."""
    if not words:
        return []
    least = min(_SHORTEST, (closes - opens) // len(words))
    starts = [max(opens + at * least, word.start) for at, word in enumerate(words)]
    starts[0] = opens
    latest = closes
    for at in range(len(words) - 1, -1, -1):
        latest -= least
        starts[at] = max(opens, min(starts[at], latest))
        latest = starts[at]
    fitted = []
    for at, word in enumerate(words):
        following = starts[at + 1] if at + 1 < len(words) else closes
        end = closes if at + 1 == len(words) else min(following, max(word.end, starts[at] + least))
        fitted.append(replace(word, start=Ms(starts[at]), end=Ms(max(starts[at], end))))
    return fitted
