"""Facts on their way to whoever listens, inside one process and one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

T = TypeVar("T")


class Listening(Generic[T]):
    """An endless supply of events of one kind, oldest first."""

    def __init__(self, limit: int) -> None:
        self._waiting: deque[T] = deque(maxlen=limit)
        self._some = asyncio.Event()
        self.missed = 0
        """Events that were dropped, oldest first, because this listener was slow."""

    def offer(self, event: T) -> None:
        """Put `event` at the end; the oldest goes when `limit` are waiting."""
        if len(self._waiting) == self._waiting.maxlen:
            self.missed += 1
        self._waiting.append(event)
        self._some.set()

    def __aiter__(self) -> Listening[T]:
        return self

    async def __anext__(self) -> T:
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()


class Bus:
    """`publish(event)`; `async with listen(Kind) as events`."""

    def __init__(self) -> None:
        self._listeners: dict[type[Any], list[Listening[Any]]] = {}

    def publish(self, event: object) -> None:
        """Hand `event` to everyone who listens for its kind. Never waits; call it from the loop's own thread."""
        for kind in type(event).__mro__:
            for listening in self._listeners.get(kind, ()):
                listening.offer(event)

    def heard(self, kind: type[Any]) -> bool:
        """Whether anybody listens for just that kind: what is costly to come by is fetched only then."""
        return bool(self._listeners.get(kind))

    @asynccontextmanager
    async def listen(self, kind: type[T], limit: int = 1000) -> AsyncIterator[Listening[T]]:
        """Events of `kind` and its subclasses, from now until the block ends; at most `limit` wait."""
        listening: Listening[T] = Listening(limit)
        self._listeners.setdefault(kind, []).append(listening)
        try:
            yield listening
        finally:
            self._listeners[kind].remove(listening)
