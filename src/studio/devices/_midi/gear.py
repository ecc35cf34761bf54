"""Other gear over MIDI: programmes, controllers, notes, machines. What does not answer is not said to be done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.devices._ground.device import Outcome
from studio.devices._ground.known import Known
from studio.devices._ground.values import Action, Argument, Control
from studio.devices._midi.session import MidiDevice
from studio.language import _
from studio.wire import midi as wire
from studio.wire.timecode import RATES, Timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.bus import Bus
    from studio.devices._ground.device import Property
    from studio.devices._ground.values import Value
    from studio.devices._midi.model import MidiModel

DEADLINE = 1.0
"""Seconds in which gear that answers has to say that it is done."""
ASK_AGAIN = 0.2
"""Seconds between two questions what a machine does."""
STRUCK = 0.2
"""Seconds that a note lasts unless told otherwise."""

_BUILT_IN = (
    Action("program", (Argument("number", "number", 1, 128), Argument("bank", "number", 1, 16384, needed=False))),
    Action("control", (Argument("controller", "number", 0, 127), Argument("value", "number", 0, 127))),
    Action(
        "note",
        (
            Argument("number", "number", 0, 127),
            Argument("velocity", "number", 1, 127, needed=False),
            Argument("seconds", "number", 0, 10, needed=False),
        ),
    ),
)
_LOCATE = Action("locate", (Argument("time"), Argument("rate", "choice", choices=RATES, needed=False)))


class MidiGear(MidiDevice):
    """Gear that is told what to do. *Confirmed* is only what it says itself: `Dial.answers`, `Gear.machine_answers`."""

    needs_output = True

    def __init__(self, name: str, model: MidiModel, bus: Bus, port: str | None = None, backend: str = "") -> None:
        super().__init__(name, model, bus, port, backend)
        assert model.gear is not None  # noqa: S101 - it is what chooses this driver
        self._gear = model.gear
        self._known = Known(self.link, bus)
        self._known.describe(Control(dial.name, "number", "", 0, 127, step=0.5) for dial in self._gear.dials)
        self._dials = {dial.name: dial for dial in self._gear.dials}
        self._by_controller = {dial.controller: dial for dial in self._gear.dials}
        self._deeds = {deed.name: deed for deed in self._gear.deeds}
        self._does: int | None = None
        """What the machine said last that it does."""
        self._sets: dict[str, int] = {}
        self._news = asyncio.Event()

    # ── what it can do ────────────────────────────────────────────────────────────────────────────────────────────────

    def controls(self) -> Mapping[str, Control]:
        """Its dials."""
        return self._known.controls

    def actions(self) -> Mapping[str, Action]:
        """`program`, `control`, `note`; what its file names; and the keys of a machine, STOP first."""
        found = [*_BUILT_IN, *(Action(name) for name in self._deeds)]
        if self._gear.machine is not None:
            found += [Action(order, urgent=order == "stop") for order in wire.MACHINE]
            found.append(_LOCATE)
        return {action.name: action for action in found}

    def get(self, control: str) -> Property:
        """What is known of a dial: *reported* if the gear said it, *assumed* if we only asked for it."""
        return self._known.get(control)

    async def set(self, control: str, value: Value) -> Outcome:
        """Turn a dial; confirmed only by gear that says so itself."""
        wanted = round(float(self._known.control(control).fit(value)))
        if refused := self._refused():
            return refused
        mine = self._sets[control] = self._sets.get(control, 0) + 1
        since = asyncio.get_running_loop().time()
        dial = self._dials[control]
        await self._send([wire.Message("control_change", self._model.channel, dial.controller, wanted)])
        if not dial.answers:
            self._known.assume(control, float(wanted))
            return self._told()
        # What it says first may still be of the set before this one.
        await self._until(lambda: self._sets[control] != mine or self._reported(control, since) == wanted)
        if self._sets[control] != mine:
            return Outcome("superseded", _("{control} was set again meanwhile.").format(control=control))
        if self._reported(control, since) is None:
            return self._told()
        if self._reported(control, since) == wanted:
            self._known.ours(control)
            return Outcome("confirmed")
        return Outcome("superseded", _("{control} was moved on the device itself.").format(control=control))

    async def call(self, action: str, arguments: Mapping[str, Value] | None = None) -> Outcome:
        """Do `action`; confirmed only by a machine that says so itself."""
        given = self._fitted(action, arguments or {})
        if refused := self._refused():
            return refused
        channel = self._model.channel
        if action in self._deeds:
            return await self._do(action)
        match action:
            case "program":
                bank = int(given["bank"]) - 1 if "bank" in given else None
                chosen = [] if bank is None else [(0, bank >> 7), (32, bank & 0x7F)]
                await self._send(
                    [
                        *(wire.Message("control_change", channel, number, value) for number, value in chosen),
                        wire.Message("program_change", channel, value=int(given["number"]) - 1),
                    ]
                )
            case "control":
                number, value = int(given["controller"]), int(given["value"])
                await self._send([wire.Message("control_change", channel, number, value)])
            case "note":
                velocity = int(given.get("velocity", 100))
                await self._strike(int(given["number"]), velocity, float(given.get("seconds", STRUCK)))
            case "locate":
                place = self._place(str(given["time"]), str(given.get("rate", "25")))
                return await self._run(wire.locate(place.packed, self._gear.machine or 0), wire.LOCATE)
            case _:
                return await self._run(wire.machine(action, self._gear.machine or 0), wire.MACHINE[action])
        return self._told()

    def _fitted(self, name: str, arguments: Mapping[str, Value]) -> dict[str, Value]:
        action = self.actions().get(name)
        if action is None:
            raise ValueError(name)
        given = action.fit(arguments)
        if name == "locate":
            self._place(str(given["time"]), str(given.get("rate", "25")))
        return given

    @staticmethod
    def _place(text: str, rate: str) -> Timecode:
        try:
            return Timecode.read(text, next(each for each in RATES if each == rate))
        except ValueError:
            raise ValueError(
                _("{text} is no place: write hours, minutes, seconds and frames, as in 00:01:30:00.").format(text=text)
            ) from None

    # ── doing it ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _refused(self) -> Outcome | None:
        if self.link.up and self._output is not None:
            return None
        return Outcome("refused", self.link.detail or _("{name} is not connected yet.").format(name=self.name))

    def _told(self) -> Outcome:
        return Outcome("unconfirmed", _("{name} was told, but does not say what it did.").format(name=self.name))

    async def _do(self, name: str) -> Outcome:
        deed, channel = self._deeds[name], self._model.channel
        if deed.note is not None:
            await self._strike(deed.note, deed.value, STRUCK)
        elif deed.controller is not None:
            await self._send([wire.Message("control_change", channel, deed.controller, deed.value)])
        else:
            await self._send([wire.Message("program_change", channel, value=(deed.program or 1) - 1)])
        return self._told()

    async def _strike(self, note: int, velocity: int, seconds: float) -> None:
        channel = self._model.channel
        try:
            await self._send([wire.Message("note_on", channel, note, velocity)])
            await asyncio.sleep(seconds)
        finally:
            await self._send([wire.Message("note_off", channel, note, 64)])

    async def _run(self, order: wire.Message, code: int) -> Outcome:
        self._does = None
        await self._send([order])
        if self._gear.machine_answers:
            question = wire.ask_tally(self._gear.machine or 0)
            if await self._until(lambda: self._does == code, question):
                return Outcome("confirmed")
        return self._told()

    async def _until(self, so: Callable[[], bool], question: wire.Message | None = None) -> bool:
        """Wait until `so`, within the deadline and this epoch; ask `question` again and again."""
        epoch = self.link.epoch
        end = asyncio.get_running_loop().time() + DEADLINE
        while (now := asyncio.get_running_loop().time()) < end and self.link.epoch == epoch and self.link.up:
            if so():
                return True
            self._news.clear()
            if question:
                await self._send([question])
            try:
                async with asyncio.timeout(min(ASK_AGAIN, end - now)):
                    await self._news.wait()
            except TimeoutError:
                continue
        return so() and self.link.epoch == epoch

    def _reported(self, control: str, since: float) -> Value | None:
        known = self._known.get(control)
        return known.value if known.source == "reported" and known.time >= since else None

    # ── what it says ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, message: wire.Message) -> None:
        if (does := wire.tally(message)) is not None:
            self._does = does
        elif message.kind == "control_change" and message.channel == self._model.channel:
            if dial := self._by_controller.get(message.number):
                self._known.learn(dial.name, float(message.value))
        else:
            return
        self._news.set()

    def _say(self, now: float) -> tuple[list[wire.Message], float | None]:  # noqa: ARG002 - nothing is shown on it
        return [], None
