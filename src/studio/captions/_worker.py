"""The thread that listens: sound in, what was heard out. The loop never waits for it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from studio.speech import Hearing
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.sound import AudioChunk

MOST_WAITING = Ms(120_000)
"""Sound that may wait to be listened to, 4 MB: a model that loads slowly. Older sound goes."""


class Ears(Protocol):
    """Whoever makes words of sound: `speech.Listener`, or a script in the tests."""

    def hear(self, chunk: AudioChunk) -> None:
        """Take in sound."""
        ...

    def look_within(self, look: Ms) -> None:
        """Be through with a second look so long after a word was said."""
        ...

    def step(self) -> Hearing | None:
        """Listen once; `None` where there was nothing to do. May take long."""
        ...

    def finish(self) -> Hearing:
        """Settle everything."""
        ...


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one step."""

    hearing: Hearing | None
    """`None` where there was nothing to do."""
    fed: Ms
    """End of the sound that the ears had been given."""
    last: bool = False
    """Nothing follows: the sound ended and all of it is settled."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The ears broke."""

    error: Exception
    loading: bool
    """They never worked."""


Report = Ready | Result | Failed


class Worker:
    """One thread with its ears. `report` is called in it and must not block."""

    def __init__(self, ears: Callable[[], Ears], report: Callable[[Report], None]) -> None:
        """Open the ears in the thread: that takes seconds."""
        self._open = ears
        self._report = report
        self._waiting: deque[AudioChunk] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._look: Ms | None = None
        # A daemon: when the process is told to leave, a pass that runs must not keep it.
        self._thread = threading.Thread(target=self._run, name="ears", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hear(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Hand over sound; never blocks. Returns what had waited too long and will not be listened to."""
        dropped = []
        with self._changed:
            self._waiting.append(chunk)
            while chunk.end - self._waiting[0].start > MOST_WAITING:
                dropped.append(self._waiting.popleft())
            self._changed.notify()
        return dropped

    def look_within(self, look: Ms) -> None:
        """From the next step on, a second look shall be over so long after a word was said."""
        with self._changed:
            self._look = look

    def end(self) -> None:
        """No more sound comes: settle everything, then say the last result."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def join(self) -> None:
        """Wait until the thread is gone, and the model with it: freed any later, it would bring the process down."""
        self._thread.join()

    def _run(self) -> None:
        try:
            ears = self._open()
        except Exception as problem:  # noqa: BLE001 - handed to the loop, which says it and ends the process
            self._report(Failed(problem, loading=True))
            return
        self._report(Ready())
        try:
            self._listen(ears)
        except Exception as problem:  # noqa: BLE001 - handed to the loop, which says it and ends the process
            self._report(Failed(problem, loading=False))

    def _listen(self, ears: Ears) -> None:
        fed = Ms(0)
        wait = True
        while True:
            with self._changed:
                while wait and not self._waiting and not self._ended:
                    self._changed.wait()
                chunks = list(self._waiting)
                self._waiting.clear()
                ended = self._ended
                look, self._look = self._look, None
            if look is not None:
                ears.look_within(look)
            for chunk in chunks:
                ears.hear(chunk)
                fed = chunk.end
            if ended:
                self._report(Result(ears.finish(), fed, last=True))
                return
            hearing = ears.step()
            wait = hearing is None  # after a step that brought something there may be more to do
            self._report(Result(hearing, fed))
