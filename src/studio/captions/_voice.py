"""What the recogniser tells the relay, and keeps while there is none to hear it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.events import Heard, Trouble, WordsChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studio.bridge import Line
    from studio.captions._script import Script
    from studio.events import AnyMessage
    from studio.units import Ms


class Voice:
    """The line to the relay as a speaker has it: it may be lost at any time, and words and sentences are not."""

    def __init__(self) -> None:
        """Belong to the running loop; nobody hears us yet."""
        self._line: Line | None = None
        self._welcomed = asyncio.Event()
        self._sentences: list[str] = []
        self._words: list[int] = []
        self._changes: set[int] = set()

    @property
    def is_heard(self) -> bool:
        """Whether a relay is on the line and has welcomed us."""
        return self._line is not None and self._welcomed.is_set()

    @property
    def owes(self) -> bool:
        """Whether words or sentences wait for a relay."""
        return bool(self._words or self._sentences)

    def call(self, line: Line) -> None:
        """A relay has answered on `line`."""
        self._line = line

    def greet(self) -> None:
        """It has welcomed us: say the sentences that waited. Words wait for the next `hear`."""
        self._welcomed.set()
        while self._sentences:
            self.send(Trouble(self._sentences.pop(0)))

    def lose(self) -> None:
        """The line is gone."""
        self._welcomed.clear()
        self._line = None

    def forget(self) -> None:
        """What was to be told of words is of another show."""
        self._words.clear()
        self._changes.clear()

    async def wait(self) -> None:
        """Until a relay hears us."""
        await self._welcomed.wait()

    async def drain(self) -> None:
        """Until what was said is on its way."""
        if self._line is not None:
            await self._line.drain()

    async def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            await self._line.close()

    def send(self, message: AnyMessage) -> None:
        """Say `message`, if somebody hears it."""
        if self._line is not None and self._welcomed.is_set():
            self._line.send(message)

    def say(self, sentence: str) -> None:
        """Tell the user, now or as soon as there is a relay that hands it on."""
        if self._welcomed.is_set():
            self.send(Trouble(sentence))
        else:
            self._sentences.append(sentence)

    def hear(self, script: Script, ids: Sequence[int], tentative: str, now: Ms, behind: Ms) -> None:
        """Tell what was heard: the words that settled at `ids`, those that waited, and what is likely to follow."""
        self._words += ids
        if self.is_heard:
            settled = tuple(script[id_].word for id_ in self._words)
            self.send(Heard(settled, tentative, now, behind, tuple(self._words)))
            self._words = []

    def change(self, script: Script, ids: Iterable[int], *, clock_runs: bool) -> None:
        """Tell how the words at `ids` read now; while nobody hears it, or no clock says whether they aired, keep it."""
        if not self.is_heard or not clock_runs:
            self._changes.update(ids)
            return
        words = tuple(script.shown(id_) for id_ in dict.fromkeys([*self._changes, *ids]))
        self._changes.clear()
        if words:
            self.send(WordsChanged(words))
