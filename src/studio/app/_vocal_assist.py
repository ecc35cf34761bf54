"""The level assistant and the singers' mixes for the Studio page, with a desk where there is one."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studio.errors import VocalError
from studio.language import _
from studio.vocal import GainAssistant, monitor
from studio.vocal import levels as listen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studio.app._vocal_desk import VocalDesk
    from studio.units import Decibels
    from studio.vocal import Heard, Proposal, Recorder, Session, Settled

LISTENED = 10.0
"""Seconds that the level assistant listens."""


class VocalAssist:
    """One thing at a time; what is found is noted in the session."""

    def __init__(self, session: Session, recorder: Recorder, desk: VocalDesk | None) -> None:
        """Without a `desk` its words are for a hand on one."""
        self._session = session
        self._recorder = recorder
        self._desk = desk
        self._proposed: tuple[Proposal, ...] = ()
        self.listening = False
        """Whether the group is to sing now."""

    @property
    def proposals(self) -> int:
        """How many gains the desk would be told."""
        return sum(each.to is not None for each in self._proposed)

    async def level(self) -> None:
        """Listen while the group sings its loudest part, and note what is to be done. Raises VocalError."""
        with self._alone():
            assistant = self._assistant()
            self._proposed = await assistant.propose(LISTENED)
            await self._note(self._proposed)

    async def set_gains(self) -> None:
        """Turn the desk's gains as proposed, step by step, while the group sings. Raises VocalError."""
        if self._desk is None or not self.proposals:
            raise VocalError(_("There is no gain to set; let the level assistant listen first."))
        with self._alone():
            self._proposed = ()
            assistant = self._assistant()
            await self._note(await assistant.set(await assistant.propose(LISTENED)))  # it may be a while since

    async def buses(self) -> dict[int, str]:
        """The mixes that the desk has, by number; empty without a desk."""
        return {} if self._desk is None else await self._desk.buses()

    async def sends(self, bus: int) -> dict[str, Decibels | None]:
        """What the desk reports of one mix: source → level, `None` where it is off. Raises VocalError."""
        return await self._must_desk().sends(bus)

    async def send(self, bus: int, source: str, level: Decibels | None) -> None:
        """Send a source so loud to a mix; `None`: not at all. Raises VocalError where the desk does not confirm it."""
        answers = await monitor(self._must_desk(), bus, {source: level})
        if not answers[source].done:
            raise VocalError(answers[source].reason or _("The desk did not confirm it."))

    def _must_desk(self) -> VocalDesk:
        if self._desk is None:
            raise VocalError(_("There is no desk; `studio vocal open --desk NAME` names one of studio.toml."))
        return self._desk

    @contextmanager
    def _alone(self) -> Iterator[None]:
        state = self._recorder.state
        if self.listening:
            raise VocalError(_("The level assistant is listening already."))
        if state is not None and state.take is not None:
            raise VocalError(_("A take is being recorded; set levels before or after it."))
        self.listening = True
        try:
            yield
        finally:
            self.listening = False

    def _assistant(self) -> GainAssistant:
        state = self._recorder.state
        there = [channel for channel in self._session.state.tracks if state is None or channel <= state.channels]
        if not there:
            raise VocalError(_("Nothing is armed; choose which channels to record."))
        return GainAssistant(self._desk, there, self._hear, lambda _sentence: None)  # the page says it itself

    async def _hear(self, seconds: float) -> Sequence[Heard]:
        heard = await listen(self._recorder, seconds)
        if not heard:
            raise VocalError(_("The input gives no sound; is it plugged in?"))
        return heard

    async def _note(self, found: Sequence[Proposal | Settled]) -> None:
        for one in found:
            await asyncio.to_thread(self._session.level, one.channel, one.verdict.kind.value, one.words)
