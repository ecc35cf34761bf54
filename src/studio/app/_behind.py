"""Work that gives way to everything else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LAST = 19
"""Niceness: whatever else runs goes first."""


async def behind(name: str, work: Callable[[], T]) -> T:
    """Return what `work` returns, done in a thread of its own called `name`; threads that it starts come last, too.

    A thread that is waited for no more goes on to its end, and ends with the program.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(made: list[T], problem: BaseException | None) -> None:
        if done.done():
            return
        if problem is not None:
            done.set_exception(problem)
        else:
            done.set_result(made[0])

    def run() -> None:
        with contextlib.suppress(OSError, AttributeError):  # only Linux has it for a thread
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LAST)
        made: list[T] = []
        problem: BaseException | None = None
        try:
            made.append(work())
        except BaseException as raised:  # noqa: BLE001 - it goes to whoever waits
            problem = raised
        with contextlib.suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(settle, made, problem)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
