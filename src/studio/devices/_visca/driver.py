"""The driver of a remote camera over VISCA: it is done when the camera says so, and known when it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from studio.devices._camera.ways import GoneError, open_way
from studio.devices._ground.device import Outcome
from studio.devices._visca.moves import MOVE_DEADLINE, RESTS, ViscaMoves
from studio.devices._visca.session import NoError, OvertakenError, Session, SilentError
from studio.devices._visca.talk import AGAIN, over
from studio.devices._visca.values import POSITION
from studio.language import _
from studio.wire import visca as wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from studio.bus import Bus
    from studio.devices._ground.values import Value
    from studio.devices._visca.model import ViscaModel
    from studio.devices._visca.session import Exchange
    from studio.devices._visca.values import Entry

logger = logging.getLogger(__name__)

POLL = 0.2
"""Seconds between two questions; every second is where it looks. A remote in somebody's hand is so seen in a second."""
POLL_STANDBY = 0.5
"""Seconds between two looks whether a camera in standby was switched on."""
MISSES = 2
"""Questions unanswered in a row, each asked three times, until the camera counts as lost."""
SET_DEADLINE = 2.0
"""Seconds in which the camera has to report a value that it was told."""
POWER_DEADLINE = 15.0
"""Seconds that switching on may take: some cameras turn to all ends first."""

_GUARDED = ("pan", "tilt", "zoom", "power")
"""Controls whose setting viewers would see as a jerk; `power` only when it goes off."""


class ViscaCamera(ViscaMoves):
    """A camera over VISCA, by its profile.

    What it reports is asked for: all of it at each connection, then one value after the other, for ever. A value that
    the camera does not know the question for ("syntax error") is none of its controls.
    """

    def __init__(
        self, name: str, model: ViscaModel, bus: Bus, host: str, port: int | None = None, *, folder: Path | None = None
    ) -> None:
        """Connect to nobody yet. `port` `None` is the model's; `folder` is the house's, for names of presets."""
        super().__init__(name, model, bus, (host, port or model.port), folder)
        self._lamp: bool | None = None
        """Whether its lamp is to be lit; `None`: it is another's, who may have lit it."""
        self._lamp_news = asyncio.Event()

    # ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def set(self, control: str, value: Value, *, anyway: bool = False) -> Outcome:
        value = self._known.control(control).fit(value)
        if control.startswith("preset"):
            return self._call_preset(int(control.removeprefix("preset").partition(".")[0]), str(value))
        if no := self._not_there() if control == "power" else self._not_ready():
            return no
        guarded = control in _GUARDED and not (control == "power" and value is True)
        if guarded and (no := self._refused_on_air((control, value), anyway=anyway)):
            return no
        if control == "tally":
            self._lamp = value is True
        if control in ("pan", "tilt"):
            return await self._go({control: float(value)}, None)
        return await self._instead((control,), self._set_in_turn(control, value, self._overtake(control)))

    async def _set_in_turn(self, control: str, value: Value, wanted: Callable[[], bool]) -> Outcome:
        async with self._turn(control):
            if not wanted():
                return self._overtaken()
            deadline = {"power": POWER_DEADLINE, "zoom": MOVE_DEADLINE, "focus": MOVE_DEADLINE}
            work = self._set_until_told(self._entries[control], value, wanted)
            return await self._attempt(work, control, deadline.get(control, SET_DEADLINE))

    async def _set_until_told(self, entry: Entry, value: Value, wanted: Callable[[], bool]) -> Outcome:
        name = entry.control.name
        if name == "exposure.compensation":  # it counts for nothing while it is off
            await self._insist(wire.command("exposure.compensate", value=wire.ON), wanted)
        while True:
            exchange = await self._insist(wire.command(entry.command, value=entry.say(value)), wanted)
            if entry.question is None:
                return await self._told_only(entry, value, exchange)
            seen: list[Value | None] = []
            while len(seen) < RESTS or len(set(seen[-RESTS:])) > 1:
                await self._look(entry.question)
                seen.append(self._known.get(name).value)
                if entry.control.same(seen[-1], value):
                    self._known.ours(name)
                    return Outcome("confirmed")
                if not wanted():
                    raise OvertakenError
                await asyncio.sleep(AGAIN)

    async def _told_only(self, entry: Entry, value: Value, exchange: Exchange) -> Outcome:
        """Of what cannot be asked, the camera's word that it is done is its report."""
        if not self._model.acks:
            return Outcome("unconfirmed", self._unreported(entry.control.name))
        over(await exchange.ended)
        self._known.learn(entry.control.name, value, "us")
        await self._known.told()
        return Outcome("confirmed")

    # ── the lamp ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _light_lamp(self, *, on: bool) -> None:
        self._lamp = on
        self._lamp_news.set()

    def _take_in(self, question: str, values: Mapping[str, int]) -> None:
        super()._take_in(question, values)
        if question == "tally.sony" and self._lamp not in (None, self._known.get("tally").value):
            self._lamp_news.set()

    async def _keep_lamp(self) -> None:
        """Have the lamp show whether viewers see this camera, at once and for as long as the link stands."""
        while True:
            self._lamp_news.clear()
            idle = self._standby or self._lamp is None or "tally" not in self._known.controls
            lit = idle or (await self.set("tally", self._lamp is True)).kind in ("confirmed", "superseded")
            again = self._model.tally_seconds if lit and self._lamp else None if lit else 1.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(again):
                    await self._lamp_news.wait()

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _live(self) -> None:
        gone: BaseException | None = None
        way = await open_way(self._host, self._port, self._model.transport, self._model.reply_port)
        try:
            session = Session(way, self._model)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(session.hear())
                self._epoch = tasks  # a STOP waits for nothing that is learnt
                await self._begin(session)
                tasks.create_task(self._dead_man())
                if self._model.tally != "none":
                    tasks.create_task(self._keep_lamp())
                await self._watch(session)
        except* (GoneError, OSError) as several:
            gone = several.exceptions[0]
        finally:
            self._session = self._epoch = None
            self._halts.clear()
            await way.close()
        if gone:
            raise gone

    async def _begin(self, session: Session) -> None:
        """A probe is answered; then what still moves is stopped, and all is asked."""
        if self._model.framing == "sony":
            await session.reset()
        with contextlib.suppress(NoError):  # it says no, so it is there
            await session.ask("power")
        self._session = session
        self._unknown.clear()
        self.link.new_epoch()
        if self._moving:  # since before the link was lost
            await self._halt(frozenset(self._moving), lambda: True)
        await self._learn()

    async def _learn(self) -> None:
        """Ask everything; *online* only with all answers."""
        self._stale = False
        self._describe()
        self._learn_names()
        silent = self._questions()
        for _round in range(2):  # a camera may ignore what it does not know, and a packet may be lost four times
            asked, silent = silent, []
            for question in asked:
                if not await self._learn_one(question):
                    silent.append(question)
                if self._standby:
                    break
            if silent == asked and asked:
                raise SilentError
        lamp = self._entries.get("tally")
        if (
            lamp and lamp.question is None and self._lamp is not None and not self._standby
        ):  # it can only be known by what it was told
            await self._attempt(self._set_until_told(lamp, self._lamp, lambda: True), "tally", SET_DEADLINE)
        self._describe()
        self._tell()

    async def _learn_one(self, question: str) -> bool:
        """Ask one question; whether the camera answered, be it with a no."""
        try:
            await self._look(question)
        except SilentError:
            return False
        except NoError as no:
            if no.problem in ("syntax", "length"):
                self._unknown.add(question)
            elif question == "power":  # it is there, and does not tell: on, for it answers
                self._known.learn("power", value=True)
        return True

    def _tell(self) -> None:
        untold = [name for name, entry in self._entries.items() if entry.question is None]
        missing = [name for name in self._known.missing() if name not in untold]
        detail = ""
        if self._standby:
            detail = _("{name} is in standby; switch it on first.").format(name=self.name)
        elif missing:
            detail = _("{name} does not tell {count} of its {all} controls, such as {control}.").format(
                name=self.name, count=len(missing), all=len(self._known.controls), control=missing[0]
            )
        self.link.to("degraded" if detail else "online", detail)

    async def _watch(self, session: Session) -> None:
        """Ask one value after the other, and where it looks in between; learn all anew after anything odd."""
        missed, restarts = 0, session.restarts
        for question in self._round():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_STANDBY if self._standby else POLL):
                    await session.noticed.wait()
            session.noticed.clear()
            try:
                await self._look("power" if self._standby else question)
            except NoError:
                pass  # a camera that says no is there
            except SilentError:
                missed += 1
                if missed >= MISSES:
                    raise
                continue
            if missed or session.restarts > restarts:  # it may have been switched off and on: all may be otherwise
                self.link.new_epoch()
            if missed or self._stale or session.restarts > restarts:
                missed, restarts = 0, session.restarts
                await self._learn()
                self._lamp_news.set()
            self._tell()

    def _round(self) -> Iterator[str]:
        """Questions for ever: each in its turn, and where the camera looks in between."""
        while True:
            rest = [each for each in self._questions() if each != POSITION]
            for question in rest or [POSITION]:
                if rest and POSITION in self._questions():
                    yield POSITION
                yield question
