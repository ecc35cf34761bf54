"""Sound desks over OSC: what the desk reports is what is known, and a set is done when the desk says so."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from studio.bridge import Mailbox
from studio.devices._ground.device import Device, Outcome, Property
from studio.devices._ground.known import ATTEND, Known
from studio.devices._ground.values import Control
from studio.devices._osc import values
from studio.devices._osc.questions import PATIENCE, Questions, within
from studio.devices._osc.sockets import Sockets
from studio.errors import DeviceError
from studio.language import _
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from studio.bus import Bus
    from studio.devices._ground.values import Action, Value
    from studio.devices._osc.model import OscControl, OscModel
    from studio.devices._osc.parts import OscAction, OscSubscription

logger = logging.getLogger(__name__)

PROBE = 1.0
"""Seconds between two probes."""
MISSES = 2
"""Probes unanswered in a row until the desk counts as lost: one alone may be a lost packet."""
RETRY = 1.0
"""Seconds between two calls at a desk that is not there."""
SET_DEADLINE = 1.0
"""Seconds in which the desk has to report what was set."""
ASK_AGAIN = 0.15
"""Seconds after which a set is looked up; some firmware needs 100 ms between two commands."""
REMEMBERED_SETS = 64
"""Of one control, within the deadline: a fader drawn on a page sends 25 a second."""
WAITING = 4096
"""Datagrams that may wait: a desk that loads a scene sends a thousand at once."""
METERS = 0.08
"""Seconds between two reports of the same meters; a desk sends 20 a second, and nobody's eye needs more than ten."""


class _GoneError(DeviceError):
    """The desk does not answer."""


class _OtherError(DeviceError):
    """It is another model; the sentence is for the user."""


class OscDesk(Device):
    """A desk. What is not lazy is asked for at each connection, the rest when it is first read.

    `get` says how far a value may be believed. Two sockets, where the desk does not report a change to the socket that
    asked for it: one listens and the other orders.
    """

    def __init__(self, name: str, model: OscModel, bus: Bus, host: str, port: int | None = None) -> None:
        """Connect to nobody yet. `port` `None` is the model's."""
        super().__init__(name, bus)
        self._model = model
        self._host = host
        self._port = port or model.port
        self._desk = model.expanded()
        self._controls = {each.name: values.described(model, each) for each in self._desk.values()}
        self._meters = {meters.address: (meters, meters.places()) for meters in model.meters}
        gauges = [name for _meters, places in self._meters.values() for name in places]
        self._known = Known(self.link, bus)
        self._known.describe(
            [*self._controls.values(), *(Control(name, "meter", "dB", wire.SILENCE, writable=False) for name in gauges)]
        )
        self._places = {(each.address, each.before): each.name for each in self._desk.values()}
        self._before = {each.address: len(each.before) for each in self._desk.values()}
        self._actions = {action.name: action for action in model.actions}
        self._set_last: dict[str, int] = {}
        self._asked: dict[str, deque[tuple[float, Value]]] = {}
        self._sets = 0
        self._answered = 0
        self._answer: tuple[Any, ...] = ()
        self._metered: dict[str, float] = {}
        self._ordering = asyncio.Lock()
        self._sockets = Sockets(model.echoes, model.listens)
        self._questions = Questions(model, self._desk, self._known, self._sockets.ask)

    # ── what it can do ────────────────────────────────────────────────────────────────────────────────────────────────

    def controls(self) -> Mapping[str, Control]:
        """Every control that `get` and `set` know, and its meters."""
        return self._known.controls

    def actions(self) -> Mapping[str, Action]:
        """What `call` knows."""
        return {name: action.described() for name, action in self._actions.items()}

    def get(self, control: str) -> Property:
        """What is known of `control`: *reported* only in this epoch. ValueError for no such control.

        A lazy control that was not reported yet is asked for now; its `PropertyChanged` follows within a moment. Meters
        come while somebody reads them.
        """
        known = self._known.get(control)
        desk = self._desk.get(control)
        if desk is None:
            self._known.attend()
        elif desk.lazy and self._model.asks:
            self._questions.want(control)
        return known

    def peek(self, control: str) -> Property:
        """As `get`; a lazy control and meters stay unasked."""
        return self._known.get(control)

    async def ask(self, controls: Iterable[str]) -> None:
        """Wait until `controls` are known, or a few seconds after the last question."""
        names = list(controls)
        for name in names:
            self.get(name)  # ValueError for no such control
        await self._questions.all_soon([name for name in names if name in self._desk])

    async def set(self, control: str, value: Value) -> Outcome:
        """Set `control`, in its unit; confirmed by the desk's report.

        ValueError for no such control, and for a value that it cannot take.
        """
        value = self._known.control(control).fit(value)
        wanted = self._desk[control]
        argument = values.said(self._model, wanted, value)
        if not self.link.up:
            return self._not_there()
        self._sets += 1
        mine = self._set_last[control] = self._sets
        order = wire.encode(wire.Message(wanted.address, (*wanted.before, argument)))
        if not self._model.reports:
            await self._order(order)
            return Outcome(
                "unconfirmed", _("{name} was told, and has no way to say what it did.").format(name=self.name)
            )
        now = asyncio.get_running_loop().time()
        asked = self._asked.setdefault(control, deque(maxlen=REMEMBERED_SETS))
        asked.append((now, value))
        # These may be reported without anybody's hand on the desk: how it stood, and what we asked for.
        ours = [self._known.get(control).value, *self._lately(control, now)]
        if not await self._order(order, lambda: self._set_last[control] == mine):
            return self._superseded(control)
        async with within(SET_DEADLINE):
            return await self._set_until_told(wanted, value, order, ours, mine)
        return self._unreported(control)

    async def _set_until_told(
        self, desk: OscControl, value: Value, order: bytes, ours: Sequence[Value | None], mine: int
    ) -> Outcome:
        """Ask, and order again only while the desk reports one of `ours`: any other value is somebody's hand."""
        name = desk.name
        control = self._controls[name]
        asked = asyncio.get_running_loop().time()
        if not self._model.asks and all(control.near(each, value) for each in ours):
            asked = 0.0  # what only tells changes does not tell that it stays as it is
        while True:
            now = await self._report_of(desk, asked)
            if self._set_last[name] != mine:
                return self._superseded(name)
            if control.near(now.value, value):
                self._known.ours(name)
                self._asked[name].clear()  # what is reported from now on, somebody else did
                return Outcome("confirmed")
            if now.value is not None and not any(control.near(now.value, each) for each in ours):
                return Outcome("superseded", _("{control} was moved on the desk.").format(control=name))
            await asyncio.sleep(ASK_AGAIN)
            asked = asyncio.get_running_loop().time()
            await self._order(order, lambda: self._set_last[name] == mine)

    async def _report_of(self, desk: OscControl, since: float) -> Property:
        """Ask until the desk reports `desk` in this epoch, later than `since`."""
        again = 0.0
        while (now := self._known.get(desk.name)).time < since or now.source != "reported":
            if again <= asyncio.get_running_loop().time():
                self._questions.ask(desk)
                again = asyncio.get_running_loop().time() + ASK_AGAIN
            await self._known.news(ASK_AGAIN)
        return now

    async def call(self, action: str, arguments: Mapping[str, Value] | None = None) -> Outcome:
        """Do `action`; confirmed where the desk shows that it is done. ValueError as `Device.call` says."""
        try:
            wanted = self._actions[action]
        except KeyError:
            raise ValueError(action) from None
        given = wanted.described().fit(arguments or {})
        order = wire.encode(wire.Message(wanted.address, values.spoken(wanted, given)))
        if not self.link.up:
            return self._not_there()
        before = await self._shown(wanted.confirms) if wanted.confirms else None
        asked = asyncio.get_running_loop().time()
        await self._order(order)
        try:
            return await self._called(wanted, given, before, asked)
        finally:
            self._questions.stir(wanted.stirs)

    async def _called(
        self, action: OscAction, given: Mapping[str, Value], before: Property | None, asked: float
    ) -> Outcome:
        if before is None:
            return Outcome(
                "unconfirmed", _("{name} was told, and has no way to say what it did.").format(name=self.name)
            )
        shown, value = self._controls[action.confirms], given[action.by]
        if before.source != "reported":  # what it shows now, it may have shown before
            return self._unreported(action.name)
        if shown.near(before.value, value):
            return Outcome(
                "unconfirmed",
                _("{name} showed {value} before, too, so it cannot say whether it did it again.").format(
                    name=self.name, value=value
                ),
            )
        async with within(action.seconds):
            while True:
                now = await self._report_of(self._desk[action.confirms], asked)
                if shown.near(now.value, value):
                    self._known.ours(action.confirms)
                    return Outcome("confirmed")
                asked = asyncio.get_running_loop().time()
                await asyncio.sleep(ASK_AGAIN)
        return self._unreported(action.name)

    async def _shown(self, control: str) -> Property:
        """What the desk reports of `control`, asked for where it is not known; within a deadline."""
        async with within(SET_DEADLINE):
            return await self._report_of(self._desk[control], 0.0)
        return self._known.get(control)

    def _unreported(self, what: str) -> Outcome:
        return Outcome(
            "unconfirmed",
            _("{name} was asked for {control} and did not report it.").format(name=self.name, control=what),
        )

    def _not_there(self) -> Outcome:
        return Outcome("refused", self.link.detail or _("{name} is not connected yet.").format(name=self.name))

    @staticmethod
    def _superseded(control: str) -> Outcome:
        return Outcome("superseded", _("{control} was set again meanwhile.").format(control=control))

    async def _order(self, order: bytes, still: Callable[[], bool] = lambda: True) -> bool:
        """Send `order` when its turn has come; False where it is not wanted any more by then."""
        async with self._ordering:
            if not still():
                return False
            self._sockets.order(order)
            await asyncio.sleep(self._model.order_pause)
            return True

    def _lately(self, control: str, now: float) -> list[Value]:
        return [value for when, value in self._asked.get(control, ()) if when > now - SET_DEADLINE]

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self) -> None:
        self.link.to("connecting")
        while True:
            try:
                await self._live()
            except _OtherError as problem:
                self.link.to("refused", str(problem))
            except (_GoneError, OSError) as problem:
                logger.debug("%s: %r", self.name, problem)
                self.link.to(
                    "connecting",
                    _('"{name}" ({host}:{port}) does not answer. Is it switched on and on this network?').format(
                        name=self.name, host=self._host, port=self._port
                    ),
                )
            await asyncio.sleep(RETRY)

    async def _live(self) -> None:
        """One epoch, until the desk answers no more: OSError, _GoneError or _OtherError."""
        arrived: Mailbox[bytes | None] = Mailbox(WAITING)
        self._answered = 0
        self._metered.clear()
        self._questions.forget()
        gone: BaseException | None = None
        try:
            await self._sockets.open(self._host, self._port, arrived)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(arrived))
                await self._first_answer()
                self.link.new_epoch()
                await self._learn()
                for said in self._model.said():
                    if said.every:
                        tasks.create_task(self._renew(said))
                for meters in self._model.meters:
                    if meters.subscription and meters.subscription.every:
                        tasks.create_task(self._keep_metering(meters.subscription))
                tasks.create_task(self._questions.keep_asking())
                await self._watch()
        except* (_GoneError, _OtherError, OSError) as several:
            gone = several.exceptions[0]
        finally:
            self._sockets.close()
        if gone:
            raise gone

    async def _first_answer(self) -> None:
        if self._model.probe is None:
            self._subscribe()
        if not await self._there():
            raise _GoneError("probe")
        texts = [each for each in self._answer if isinstance(each, str)]
        if self._model.kin and not any(text.startswith(kin) for text in texts for kin in self._model.kin):
            raise _OtherError(
                _(
                    '"{name}" ({host}:{port}) is no {wanted}: it says {said}. Choose its hardware in studio.toml.'
                ).format(
                    name=self.name,
                    host=self._host,
                    port=self._port,
                    wanted=self._model.kin[0],
                    said=", ".join(texts) or "—",
                )
            )

    async def _learn(self) -> None:
        """Ask all that is not lazy, and what was not answered again; *online* only with all answers."""
        self._subscribe()
        first = self._questions.first
        missing: list[str] = []
        if self._model.asks:
            missing = await self._questions.all_of(first)
            self._questions.soon(self._questions.read)
        elif self._model.reports:  # what it tells first is how it stands, and nobody's hand
            await self._questions.until_known(first)
        self._tell(missing)

    def _tell(self, missing: Sequence[str]) -> None:
        """Say how far the desk is there; `missing` is what it was asked for and did not tell."""
        if missing:
            message = _("{name} does not tell {count} of its {all} controls, such as {control}.")
            count = len(self._questions.first)
            self.link.to("degraded", message.format(name=self.name, count=len(missing), all=count, control=missing[0]))
        elif self._model.probe or self._model.answer:
            self.link.to("online")
        else:
            self.link.to(
                "degraded",
                _("{name} has no way to say that it is there: what is asked of it may be lost.").format(name=self.name),
            )

    async def _watch(self) -> None:
        missed = 0
        while True:
            await asyncio.sleep(PROBE)
            if await self._there():
                if missed:  # it may have been switched off and on: what it knew, and that we listen, may be gone
                    self.link.new_epoch()
                    await self._learn()
                elif self.link.state == "degraded" and self._model.asks:  # it is asked on for what it did not tell
                    self._tell(self._questions.unknown(self._questions.first))
                missed = 0
            else:
                missed += 1
                if missed >= (MISSES if self._model.probe else 1):
                    raise _GoneError("probe")

    async def _there(self) -> bool:
        """Whether it answers a probe, or was heard within its time; True where there is no way to know."""
        if self._model.probe is None and self._model.answer is None:
            return True
        before = self._answered
        if self._model.probe:
            self._sockets.ask(wire.encode(wire.Message(self._model.probe)))
        async with within(PATIENCE if self._model.probe else self._model.silence):
            while self._answered == before:
                await self._known.news(PATIENCE)
            return True
        return False

    # ── what is said again and again ──────────────────────────────────────────────────────────────────────────────────

    def _subscribe(self) -> None:
        for each in self._model.said():
            self._sockets.ask(wire.encode(wire.Message(each.address, each.arguments)))

    async def _renew(self, said: OscSubscription) -> None:
        while True:
            await asyncio.sleep(said.every)
            self._sockets.ask(wire.encode(wire.Message(said.address, said.arguments)))

    async def _keep_metering(self, said: OscSubscription) -> None:
        """Ask for meters while somebody wants them; then they end by themselves."""
        due = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if self._known.attended and now >= due:
                self._sockets.ask(wire.encode(wire.Message(said.address, said.arguments)))
                due = now + said.every
            await asyncio.sleep(ATTEND)

    # ── what it says ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _hear(self, arrived: Mailbox[bytes | None]) -> None:
        while True:
            data = await arrived.get()
            if data is None:
                raise _GoneError("refused")
            for message in wire.decode(data):
                self._take_in(message)
            await self._known.told()

    def _take_in(self, message: wire.Message) -> None:
        if message.address == (self._model.answer or self._model.probe):
            self._answered += 1
            self._answer = message.arguments
        if not (self.link.up or self.link.state == "syncing"):
            return  # of no epoch yet
        if message.address in self._meters:
            self._take_meters(message)
            return
        before = self._before.get(message.address)
        if before is None or len(message.arguments) <= before:
            return
        name = self._places.get((message.address, message.arguments[:before]))
        if name is None:
            return
        self._questions.answered(name)
        value = values.meant(self._model, self._desk[name], message.arguments[before])
        if value is None:
            return
        now = asyncio.get_running_loop().time()
        ours = any(self._controls[name].near(value, each) for each in self._lately(name, now))
        was = self._known.get(name)
        if self._known.learn(name, value, "us" if ours else "device") and was.source == "reported":
            self._questions.stir(self._desk[name].stirs)

    def _take_meters(self, message: wire.Message) -> None:
        blob = message.arguments[0] if message.arguments else None
        now = asyncio.get_running_loop().time()
        if not isinstance(blob, bytes) or now < self._metered.get(message.address, 0.0) + METERS:
            return
        self._metered[message.address] = now
        meters, places = self._meters[message.address]
        measured = wire.meters(blob, meters.form)
        self._known.measured({name: measured[at] for name, at in places.items() if at < len(measured)})
