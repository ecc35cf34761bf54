#!/usr/bin/env python3
"""A recogniser with ears that know what is said: every word at its time, whatever the sound, as late as it is told.

It is the product's own recogniser but for Whisper. `LATE` in the environment, as `1000,5000`: words are settled so many
milliseconds after their end, at least and at most, and never before the one before them. As a recogniser does it, some
are settled at a time: the first of them is the latest. With `SINGLY` in the environment each word is late for itself.
"""

from __future__ import annotations

import os
import random
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from studio.captions._process import main
from studio.speech import Hearing, Revision
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from studio.captions import CaptionsPlan
    from studio.sound import AudioChunk

EVERY, BEGINS, LASTS = 400, 100, 300
"""Milliseconds: from one word to the next, until the first begins, and how long each lasts."""
SENTENCE = 9
"""Words."""
TOGETHER = 12
"""Words that are settled in three turns."""
LOOKED_AFTER = 2500
"""Milliseconds after its end that a word was looked at a second time, unless it was settled later."""


def word(number: int) -> Word:
    """What is said in place `number`: no two are alike."""
    start = Ms(number * EVERY + BEGINS)
    return Word(f"word{number}" + ("." if number % SENTENCE == SENTENCE - 1 else ""), start, Ms(start + LASTS))


def lateness(number: int, least: int, most: int, *, singly: bool) -> int:
    """Milliseconds after its end that word `number` would be settled; the same in every life of the recogniser."""
    if singly:
        return random.Random(f"{number} {least} {most}").randint(least, most)  # noqa: S311 - the same each time
    first = number // TOGETHER * TOGETHER
    chance = random.Random(f"{first} {least} {most}")  # noqa: S311
    parts = sorted({first, first + TOGETHER, *chance.sample(range(first + 1, first + TOGETHER), 2)})
    for begin, after in pairwise(parts):
        since = (after - 1 - begin) * EVERY
        late = chance.randint(least, max(least, most - since))
        if begin <= number < after:
            return late + (after - 1 - number) * EVERY
    raise AssertionError(number)


class ScriptedEars:
    """Settle a word when enough of the sound after it was heard; one that ended before the sound began is not heard."""

    def __init__(self, least: int, most: int, *, looks: bool, singly: bool) -> None:
        self._least, self._most, self._looks, self._singly = least, most, looks, singly
        self._until = self._stepped = self._next = self._first = self._looked = 0
        self._begun = False

    def hear(self, chunk: AudioChunk) -> None:
        """Take sound."""
        if not self._begun:
            self._begun = True
            self._next = max(0, -(-(chunk.start - BEGINS - LASTS) // EVERY))
            while word(self._next).end <= chunk.start:
                self._next += 1
            self._first = self._looked = self._next
        self._until = chunk.end

    def look_within(self, look: Ms) -> None:
        """It looks when it looks."""

    def step(self) -> Hearing | None:
        """Settle what is due."""
        if self._until == self._stepped:
            return None
        self._stepped = self._until
        return self._settle(self._until)

    def finish(self) -> Hearing:
        """Settle what was said."""
        return self._settle(self._until + self._most + LOOKED_AFTER, said=self._until)

    def _settle(self, until: int, said: int | None = None) -> Hearing:
        settled = []
        while self._due(self._next) <= until and (said is None or word(self._next).end <= said):
            settled.append(word(self._next))
            self._next += 1
        return Hearing(tuple(settled), word(self._next).text, Ms(0), None, revisions=self._look(until))

    def _due(self, number: int) -> int:
        return word(number).end + lateness(number, self._least, self._most, singly=self._singly)

    def _look(self, until: int) -> tuple[Revision, ...]:
        """Find nothing that reads otherwise, at the time at which a second look would be through."""
        upto = self._looked
        while self._looks and upto < self._next and word(upto).end + LOOKED_AFTER <= until:
            upto += 1
        first, self._looked = self._looked, upto
        words = tuple(word(number) for number in range(first, upto))
        return (Revision(first - self._first, upto - self._first, words),) if words else ()


def ears(plan: CaptionsPlan) -> ScriptedEars:
    """As late as the environment wishes."""
    least, most = (int(each) for each in os.environ.get("LATE", "700,2500").split(","))
    return ScriptedEars(least, most, looks=plan.look is not None, singly="SINGLY" in os.environ)


if __name__ == "__main__":
    sys.exit(main(ears))
