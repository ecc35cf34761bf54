"""Wishes to the relay that are only fulfilled when its own report says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from studio.devices import Outcome
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Wish = TypeVar("Wish")

DEADLINE = 3.0
"""Seconds in which the relay has to report that it does as asked; it reports twice a second."""


class Wishes(Generic[Wish]):
    """Those that wait; each is answered once."""

    def __init__(self) -> None:
        self._open: set[tuple[Wish, asyncio.Future[None]]] = set()

    def __iter__(self) -> Iterator[Wish]:
        """Every wish that waits."""
        return (wish for wish, _answer in self._open)

    async def fulfilled(self, wish: Wish) -> Outcome:
        """Wait for `wish`, which was sent just now, until a report fulfils it or the deadline has passed."""
        waiting = (wish, asyncio.get_running_loop().create_future())
        self._open.add(waiting)
        try:
            async with asyncio.timeout(DEADLINE):
                await waiting[1]
        except TimeoutError:
            return Outcome("unconfirmed", _("The relay did not report it in time; look whether it happened."))
        finally:
            self._open.discard(waiting)
        return Outcome("confirmed")

    def told(self, is_so: Callable[[Wish], bool]) -> None:
        """A report has come, by which `is_so` tells whether a wish is fulfilled."""
        for wish, answer in self._open:
            if not answer.done() and is_so(wish):
                answer.set_result(None)
