"""Which answer is to which question, in a language whose answers do not say so: by their order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Looks:
    """All looks by one question. All methods belong to the loop's thread.

    An answer counts for the oldest question that is open, so a late one to an older question is no look. Each look
    waits for an answer of its own: one that is cancelled, or comes to nothing, neither ends nor answers another.
    """

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._asked = 0
        self._settled = 0
        """So many of them, the oldest, are answered or given up for lost."""
        self._waiting: dict[asyncio.Future[None], int] = {}
        """Who waits → the number of the first question of theirs."""

    def answered(self) -> None:
        """An answer came. One that nobody asked for is the second copy of another, and means nothing."""
        self._settled = min(self._settled + 1, self._asked)
        for answer, first in self._waiting.items():
            if first <= self._settled and not answer.done():
                answer.set_result(None)

    async def look(self, ask: Callable[[], None], tries: int, patience: float) -> bool:
        """Call `ask`, up to `tries` times, each `patience` seconds after the other, until an answer to it came.

        Returns whether one came.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = self._asked + 1
        try:
            for _try in range(tries):
                self._asked += 1
                newest, before = self._asked, self._settled
                ask()
                done, _pending = await asyncio.wait((answer,), timeout=patience)
                if done:
                    return True
                if self._settled > before:  # some answers came, and no more do: those that are missing were lost
                    self._settled = max(self._settled, newest)
        finally:
            del self._waiting[answer]
        return False
