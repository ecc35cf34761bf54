"""Ears that know what is said: every word at its time, whatever the sound. Run as a program, a recogniser with them."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.captions._process import main
from studio.speech import Hearing, Revision
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from studio.captions import CaptionsPlan
    from studio.sound import AudioChunk

CHUNK = 100
"""Milliseconds of a piece of sound."""
SETTLES_AFTER = 700
"""Milliseconds after its end that a word is settled."""


def word(number: int) -> Word:
    text = f"słowo{number}" + ("." if number % 7 == 6 else "")
    return Word("w" if number % 5 == 3 else text, Ms(number * 400 + 100), Ms(number * 400 + 400))


SCRIPT = tuple(word(number) for number in range(500))

LOOKED_AFTER = 2500
"""Milliseconds after its end that the second look has been at a word."""


def second_look(number: int) -> list[Word]:
    """What it makes of it: now and then another word, none, or two."""
    word = SCRIPT[number]
    match number % 10:
        case 4:
            return [replace(word, text=f"lepsze{number}")]
        case 6:
            return []
        case 9:
            return [Word(f"nowe{number}", Ms(word.start - 90), Ms(word.start - 10)), word]
        case _:
            return [word]


def in_english(number: int) -> list[Word]:
    return [replace(SCRIPT[number], text=f"word{number}")]


class ScriptedEars:
    """Settles a word when enough of the sound after it was heard; a word that began before the sound is not heard."""

    def __init__(
        self,
        breaks_at: int | None = None,
        hangs_at: int | None = None,
        *,
        looks: bool = False,
        translates: bool = False,
    ) -> None:
        self._looks = looks
        self._skips_at = int(os.environ.get("SKIPS_AT", "9999999"))
        self._translates = translates
        self._first = 0
        self._looked = 0
        self._translated = 0
        self._breaks_at = breaks_at
        self._hangs_at = hangs_at
        self._from: int | None = None
        self._until = 0
        self._stepped = 0
        self._next = 0

    def hear(self, chunk: AudioChunk) -> None:
        if self._from is None:
            self._from = chunk.start
            # As real ears do, it hears the end of a word that was cut.
            self._next = next((n for n, word in enumerate(SCRIPT) if word.end > chunk.start), len(SCRIPT))
            self._first = self._looked = self._translated = self._next
        self._until = chunk.end

    def look_within(self, look: Ms) -> None:
        """It looks when it looks."""

    def step(self) -> Hearing | None:
        if self._until == self._stepped:
            return None
        self._stepped = self._until
        if self._breaks_at is not None and self._until >= self._breaks_at:
            raise RuntimeError("the script says so")
        if self._hangs_at is not None and self._until >= self._hangs_at:
            threading.Event().wait()
        return self._settle(self._until - SETTLES_AFTER, self._until - LOOKED_AFTER)

    def finish(self) -> Hearing:
        return self._settle(self._until, self._until)

    def _settle(self, until: int, looked: int) -> Hearing:
        settled = []
        while self._next < len(SCRIPT) and SCRIPT[self._next].end <= until:
            settled.append(SCRIPT[self._next])
            self._next += 1
        return Hearing(
            tuple(settled),
            SCRIPT[self._next].text,
            Ms(0),
            None,
            revisions=self._look(looked) if self._looks else (),
            translated=self._translate() if self._translates else (),
            skipped=Ms(2400) if self._until >= self._skips_at else Ms(0),
        )

    def _look(self, until: int) -> tuple[Revision, ...]:
        upto = self._looked
        while upto < self._next and SCRIPT[upto].end <= until:
            upto += 1
        first, self._looked = self._looked, upto
        words = tuple(word for number in range(first, upto) for word in second_look(number))
        return (Revision(first - self._first, upto - self._first, words),) if upto > first else ()

    def _translate(self) -> tuple[Word, ...]:
        first, self._translated = self._translated, self._next
        return tuple(word for number in range(first, self._next) for word in in_english(number))


def ears(plan: CaptionsPlan) -> ScriptedEars:
    """As the environment wishes: `OPEN_BY` names a pipe, and they open when something is written into it."""
    if "OPEN_BY" in os.environ:
        Path(os.environ["OPEN_BY"]).read_bytes()
    breaks_at, hangs_at = (int(os.environ[name]) if name in os.environ else None for name in ("BREAKS_AT", "HANGS_AT"))
    return ScriptedEars(breaks_at, hangs_at, looks=plan.look is not None, translates=plan.translate)


if __name__ == "__main__":
    sys.exit(main(ears))
