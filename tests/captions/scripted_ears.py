"""Ears that know what is said: every word at its time, whatever the sound. Run as a program, a recogniser with them."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from studio.captions._process import main
from studio.speech import Hearing
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


class ScriptedEars:
    """Settles a word when enough of the sound after it was heard; a word that began before the sound is not heard."""

    def __init__(self, breaks_at: int | None = None, hangs_at: int | None = None) -> None:
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
        self._until = chunk.end

    def step(self) -> Hearing | None:
        if self._until == self._stepped:
            return None
        self._stepped = self._until
        if self._breaks_at is not None and self._until >= self._breaks_at:
            raise RuntimeError("the script says so")
        if self._hangs_at is not None and self._until >= self._hangs_at:
            threading.Event().wait()
        return self._settle(self._until - SETTLES_AFTER)

    def finish(self) -> Hearing:
        return self._settle(self._until)

    def _settle(self, until: int) -> Hearing:
        settled = []
        while self._next < len(SCRIPT) and SCRIPT[self._next].end <= until:
            settled.append(SCRIPT[self._next])
            self._next += 1
        return Hearing(tuple(settled), SCRIPT[self._next].text, Ms(0), None)


def ears(_plan: CaptionsPlan) -> ScriptedEars:
    """As the environment wishes: `OPEN_BY` names a pipe, and they open when something is written into it."""
    if "OPEN_BY" in os.environ:
        Path(os.environ["OPEN_BY"]).read_bytes()
    breaks_at, hangs_at = (int(os.environ[name]) if name in os.environ else None for name in ("BREAKS_AT", "HANGS_AT"))
    return ScriptedEars(breaks_at, hangs_at)


if __name__ == "__main__":
    sys.exit(main(ears))
