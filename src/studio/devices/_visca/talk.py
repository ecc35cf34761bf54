"""What a VISCA camera is told and asked, and what becomes of it; the ground that moves and values stand on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.devices._camera.camera import Camera
from studio.devices._ground.device import Outcome
from studio.devices._visca.session import NoError, OvertakenError, SilentError
from studio.devices._visca.values import POSITION, entries, scale_control
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from studio.bus import Bus
    from studio.devices._visca.model import ViscaModel
    from studio.devices._visca.session import Exchange, Session
    from studio.wire import visca as wire

AGAIN = 0.1
"""Seconds after which something is tried, or looked at, once more."""
NOT_NOW = 1.0
"""Seconds that a camera may say "not executable" before that is its answer: it says so while it does something else."""


class ViscaTalk(Camera):
    """A camera by its profile, with the session of this epoch and what is known of it."""

    def __init__(self, name: str, model: ViscaModel, bus: Bus, where: tuple[str, int], folder: Path | None) -> None:
        """Connect to nobody yet. `folder` is the house's, for names of presets."""
        super().__init__(name, bus, where, model.presets.count, _abilities(model), folder=folder)
        self._model = model
        self._entries = entries(model)
        self._unknown: set[str] = set()
        """Questions that this camera does not know."""
        self._session: Session | None = None
        self._stale = False
        """It was switched on: all has to be asked anew."""
        self._aim: dict[str, int] = {}
        """Where pan and tilt were sent, on the wire, while they are on their way."""
        self._describe()

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _describe(self) -> None:
        """Say which controls there are: those of the profile, without what this camera does not know."""
        model = self._model
        found = [scale_control("pan", model.pan), scale_control("tilt", model.tilt)] if model.pan and model.tilt else []
        if POSITION in self._unknown:
            found = []
        found += [each.control for each in self._entries.values() if each.question not in self._unknown]
        self._known.describe([*found, *self._preset_names()])

    def _questions(self) -> list[str]:
        asked = [each.question for each in self._entries.values() if each.question]
        if self._model.pan:
            asked.insert(0, POSITION)
        return [each for each in dict.fromkeys(asked) if each not in self._unknown]

    def _take_in(self, question: str, values: Mapping[str, int]) -> None:
        """The camera answered."""
        if question == POSITION and self._model.pan and self._model.tilt:
            self._known.learn("pan", self._model.pan.show(values["pan"]))
            self._known.learn("tilt", self._model.tilt.show(values["tilt"]))
        for name, entry in self._entries.items():
            if entry.question == question and (shown := entry.show(values["value"])) is not None:
                was = self._known.get(name).value
                self._known.learn(name, shown)
                if name == "power" and shown is True and was is False:
                    self._stale = True

    @property
    def _standby(self) -> bool:
        return self._known.get("power").value is False

    def _not_ready(self) -> Outcome | None:
        if (no := super()._not_ready()) is None and self._standby:
            return Outcome("refused", _("{name} is in standby; switch it on first.").format(name=self.name))
        return no

    # ── asking and trying ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _look(self, question: str, *, urgent: bool = False) -> dict[str, int]:
        """Ask, take in what the camera says, and return it as it is on the wire."""
        values = await self._talk().ask(question, urgent=urgent)
        self._take_in(question, values)
        await self._known.told()
        return values

    def _talk(self) -> Session:
        if self._session is None:
            raise SilentError
        return self._session

    async def _attempt(self, work: Awaitable[Outcome], what: str, seconds: float) -> Outcome:
        """What became of `work`: every way it can end is an outcome."""
        try:
            async with asyncio.timeout(seconds):
                return await work
        except OvertakenError:
            return self._overtaken()
        except NoError as no:
            return Outcome("refused", self._no(no.problem, what))
        except (SilentError, TimeoutError):
            return Outcome("unconfirmed", self._unreported(what))

    async def _insist(self, packet: bytes, wanted: Callable[[], bool]) -> Exchange:
        """Have the camera take a command, though it is busy now. Raises NoError when that remains so."""
        session, loop = self._talk(), asyncio.get_running_loop()
        until = loop.time() + NOT_NOW
        while True:
            try:
                return await session.tell(packet, wanted=wanted)
            except NoError as no:
                if no.problem != "buffer full" and not (no.problem == "not executable" and loop.time() < until):
                    raise
            await asyncio.sleep(AGAIN)

    def _unreported(self, what: str) -> str:
        return _("{name} was asked for {control} and did not report it.").format(name=self.name, control=what)

    def _no(self, problem: wire.Problem, what: str) -> str:
        if problem == "not executable":
            message = _("{name} cannot do {control} now; another mode, its menu or standby may be in the way.")
        elif problem == "cancelled":
            message = _("{name} left {control} undone, for somebody told it to.")
        else:
            message = _("{name} does not know {control} ({problem}); does its hardware file fit the model?")
        return message.format(name=self.name, control=what, problem=problem)


def over(reply: wire.Reply) -> None:
    """A command has ended; NoError where it came to nothing."""
    if reply.kind == "error":
        raise NoError(reply.problem or "unknown")


def _abilities(model: ViscaModel) -> Iterator[str]:
    yield "stop"
    if model.pan:
        yield from ("move", "home")
    if model.zoom:
        yield "zoom"
    if model.focus:
        yield "focus"
    if "one push" in model.white_balance:
        yield "white_balance.trigger"
    if model.presets.count:
        yield from ("preset.recall", "preset.save", "preset.clear", "preset.name", "preset.picture")
