"""What a desk is asked, and when: at the pace that it can answer, and again and again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from studio.devices._ground.known import Known
    from studio.devices._osc.model import OscControl, OscModel

PATIENCE = 0.8
"""Seconds for an answer; desks on a hall's own network answer within 20 ms."""
ROUNDS = 3
"""How often what was not answered is asked again."""
REFRESH = 0.05
"""Seconds between two questions on the side, one control after the other: mute groups and scenes of a desk change
channels without saying so, and a packet that was lost is not sent again."""
STIR_AGAIN = 0.6
"""Seconds after which what was stirred is asked for once more: a scene takes a desk that long."""
UNANSWERED = 64
"""Questions that may be open: a desk that is slower than its file says would not answer a probe behind thousands."""
BREATH = 0.01
"""Seconds of questions sent at once: timers are no finer on a busy machine."""


@contextlib.asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, but silent: what stands after the block happens when the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            yield


class Questions:
    """All questions to one desk but its probe; none at all to one that answers none."""

    def __init__(
        self, model: OscModel, desk: Mapping[str, OscControl], known: Known, send: Callable[[bytes], None]
    ) -> None:
        self._model = model
        self._desk = desk
        self._known = known
        self._send = send
        self.first = [each.name for each in desk.values() if not each.lazy]
        """What is asked for at each connection."""
        self.read: dict[str, None] = {}
        """Lazy controls that somebody has read: they are kept fresh with the others."""
        self._lane: dict[str, None] = {}
        """Controls to ask for next, each once."""
        self._filled = asyncio.Event()
        self._open: dict[str, float] = {}
        """What was asked and not answered yet, and when."""

    def ask(self, desk: OscControl) -> None:
        """Ask for one control now."""
        if self._model.asks:
            self._send(wire.encode(wire.Message(desk.address, desk.before)))

    def want(self, name: str) -> None:
        """Somebody reads `name`: keep it fresh from now on; ask for it unless it is known, or was just asked for."""
        self.read.setdefault(name)
        if self._known.get(name).source == "reported":
            return
        if self._open.get(name, -PATIENCE) + PATIENCE <= asyncio.get_running_loop().time():
            self.soon([name])

    def soon(self, names: Iterable[str]) -> None:
        """Ask for `names` as soon as the desk can take it."""
        self._lane |= dict.fromkeys(names)
        self._filled.set()

    def stir(self, pattern: str) -> None:
        """Ask for all that `pattern` names and that matters to anybody, now and once more."""
        if not pattern or not self._model.asks:
            return
        stirred = [name for name in (*self.first, *self.read) if fnmatchcase(name, pattern)]
        self.soon(stirred)
        asyncio.get_running_loop().call_later(STIR_AGAIN, self.soon, stirred)

    def answered(self, name: str) -> None:
        """The desk reported `name`."""
        self._open.pop(name, None)

    def forget(self) -> None:
        """A new connection: nothing is open."""
        self._open.clear()

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that were not reported in this epoch."""
        return [name for name in names if self._known.get(name).source != "reported"]

    async def until_known(self, names: Sequence[str], more: float = 0.0) -> None:
        """Wait until all `names` are reported, or as long as an answer may take and `more` seconds."""
        async with within(PATIENCE + more):
            while self.unknown(names):
                await self._known.news(PATIENCE)

    async def all_of(self, names: Sequence[str]) -> list[str]:
        """Ask for `names`, and again for those that are not answered; return what never was."""
        missing = list(names)
        for _round in range(ROUNDS):
            await self._now(missing)
            await self.until_known(missing)
            missing = self.unknown(missing)
            if not missing:
                break
        return missing

    async def all_soon(self, names: Sequence[str]) -> None:
        """As `all_of`, while `keep_asking` runs: behind what waits already."""
        missing = self.unknown(names)
        for _round in range(ROUNDS):
            if not missing or not self._model.asks:
                return
            self.soon(missing)
            await self.until_known(missing, len(self._lane) * max(self._model.pause, 0.001) * 2)
            missing = self.unknown(missing)

    async def keep_asking(self) -> None:
        """Ask what shall be asked soon, and while there is nothing one control after the other, for ever."""
        # In turns, so that thousands that were read once hold up no fader.
        turns = itertools.chain.from_iterable(zip(_round(self.first), _round(self.read), strict=False))
        while self._model.asks:
            if self._lane:
                names = list(self._lane)
                self._lane.clear()
                await self._now(names)
                continue
            self._filled.clear()
            async with within(REFRESH):
                await self._filled.wait()
                continue
            if name := next(turns):
                self.ask(self._desk[name])

    async def _now(self, names: Sequence[str]) -> None:
        """Ask for `names` at the desk's pace: no faster than its file says, and no faster than it answers."""
        pause = self._model.pause
        some = max(1, round(BREATH / pause)) if pause else UNANSWERED
        for at in range(0, len(names), some):
            for name in names[at : at + some]:
                self.ask(self._desk[name])
                self._open[name] = asyncio.get_running_loop().time()
            await asyncio.sleep(pause * len(names[at : at + some]))
            async with within(PATIENCE):
                while len(self._open) > UNANSWERED:
                    await self._known.news(PATIENCE)
                continue
            self._open.clear()  # they are lost


def _round(names: Collection[str]) -> Iterator[str]:
    """Yield `names` again and again, as they are at the time; an empty name while there are none."""
    while True:
        yield from list(names) or [""]
