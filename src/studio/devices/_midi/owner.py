"""The thread in which a MIDI library blocks, and that may never come back from it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds for a call of the library. Some wait for ever: for a buffer that nobody empties, or for gear that is gone."""


class StuckError(OSError):
    """The library does not come back; the sentence is for the user."""


class Owner:
    """One thread, one call after the other. Nobody waits longer than `PATIENCE` for it, the program's end never."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.stuck = False
        """Whether a call did not come back in time: this thread is lost, and what it held is its own."""

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - the caller's
        """Return `work(*arguments)`, called in the thread. StuckError where that, or what is before it, takes too long.

        What was not waited for to its end is done all the same, once its turn comes.
        """
        if self._thread is None:
            # No executor: Python waits for the threads of those at its end.
            self._thread = threading.Thread(target=self._run, name=f"midi-{self._name}", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(settle: Callable[[Any], None], value: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is gone
                loop.call_soon_threadsafe(lambda: None if done.done() else settle(value))

        def call() -> None:
            try:
                value = work(*arguments)
            except BaseException as problem:  # noqa: BLE001 - it is the caller's
                tell(done.set_exception, problem)
            else:
                tell(done.set_result, value)

        self._work.put(call)
        if self.stuck:
            raise self._stuck()
        try:
            async with asyncio.timeout(PATIENCE):
                return await done
        except TimeoutError:
            self.stuck = True
            raise self._stuck() from None

    def close(self) -> None:
        """End the thread after what it still has to do."""
        self._work.put(None)

    def _stuck(self) -> StuckError:
        no = _("MIDI of {name} stands still: its driver does not come back. Pull its cable and plug it in again.")
        return StuckError(no.format(name=self._name))

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
