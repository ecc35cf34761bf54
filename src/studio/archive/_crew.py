"""Who does the work: this process, workers of our own on this machine, or a cluster that somebody else keeps.

A crew knows nothing of films: it takes tasks and gives outcomes, in any order. When it dies (`CrewLost`) it has
forgotten all; what is to be done then says the ledger.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from studio.archive._work import Refused, do, pack
from studio.language import _
from studio.units import Ms

Key: TypeAlias = int
"""Of a task; no two of a run have the same."""


class CrewLost(Exception):  # noqa: N818 - it is news, not a fault
    """The crew is gone, with all tasks that it had."""


@dataclass(frozen=True, slots=True)
class Done:
    """A task has come to its end."""

    key: Key
    outcome: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """A task has come so far."""

    key: Key
    at: Ms
    """On the film's clock."""


News: TypeAlias = Done | Told


class Crew(Protocol):
    """Takes tasks, gives news of them."""

    hands: int
    """How many tasks are worked on at a time."""

    def submit(self, key: Key, task: bytes) -> None:
        """Take a task; CrewLost where nobody can."""

    def news(self, timeout: float) -> News | None:
        """Return what happened next; `None` where nothing did for so many seconds. CrewLost."""

    def close(self) -> None:
        """Do no more. What is under way is forgotten."""


class _Stopped(Exception):  # noqa: N818 - asked for
    pass


class Here:
    """This process: a thread does one task after the other."""

    hands = 1

    def __init__(self, threads: int = 1) -> None:
        """Recognition uses so many threads; all else has one."""
        self._threads = threads
        self._tasks: queue.SimpleQueue[tuple[Key, bytes] | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="films", daemon=True)
        self._thread.start()

    def submit(self, key: Key, task: bytes) -> None:
        """Take a task."""
        self._tasks.put((key, task))

    def news(self, timeout: float) -> News | None:
        """Return what happened next."""
        try:
            return self._news.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End with the next sentence that is heard."""
        self._stopping.set()
        self._tasks.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while (given := self._tasks.get()) is not None and not self._stopping.is_set():
            key, task = given

            def told(at: Ms, key: Key = key) -> None:
                if self._stopping.is_set():
                    raise _Stopped
                self._news.put(Told(key, at))

            try:
                done = do(task, told, self._threads)
            except _Stopped:
                return
            except Exception as problem:  # noqa: BLE001 - a mistake of ours costs this film, and is said
                done = pack(Refused(mistake(problem), inner=True))
            self._news.put(Done(key, done))


def mistake(problem: BaseException) -> str:
    """Say that something of ours is wrong."""
    return _("something went wrong inside studio ({kind}: {problem})").format(
        kind=type(problem).__name__, problem=problem
    )
