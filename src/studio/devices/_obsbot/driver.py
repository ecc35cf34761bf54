"""The driver of OBSBOT cameras over OSC, by OBSBOT's own table: nothing is acknowledged there, so all is looked up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from studio.devices._camera.camera import LANES, Camera
from studio.devices._camera.ways import GoneError, Way, open_way
from studio.devices._ground.device import Outcome
from studio.devices._ground.values import Control
from studio.language import _
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from studio.bus import Bus
    from studio.devices._ground.values import Value
    from studio.devices._obsbot.model import ObsbotModel

logger = logging.getLogger(__name__)

GENERAL = "/OBSBOT/WebCam/General/"
ANSWERS = {
    "Connected": "ConnectedResp",
    "GetDeviceInfo": "DeviceInfo",
    "GetZoomInfo": "ZoomInfo",
    "GetGimbalPosInfo": "GetGimbalPosInfoResp",
}
"""Question → the address of its answer, both behind `GENERAL`."""
AWAKE = 9
"""Which argument of `DeviceInfo` says whether the selected camera runs (1) or sleeps (0)."""
FASTEST_TURN, FASTEST_GO, FASTEST_ZOOM = 100, 90, 11
"""Speeds of `SetGimbalLeft` and its kin, of `SetGimMotorDegree`, of `SetZoomSpeed`."""

PATIENCE, TRIES = 0.4, 3
"""Seconds for an answer, and how often is asked."""
POLL = 0.3
"""Seconds between two rounds of questions."""
MISSES = 2
"""Rounds without an answer until the camera counts as lost."""
AGAIN = 0.1
"""Seconds between two looks at a camera that moves."""
RESTS = 4
"""Equal looks in a row at a camera that rests."""
STANDS = 3
"""Equal looks in a row at a camera that was stopped: of two, one might be an answer that the network gave twice."""
NEAR = {"pan": 1.5, "tilt": 1.5, "zoom": 1.0}
"""How far from where it was sent it may rest."""
STOP_DEADLINE, MOVE_DEADLINE, POWER_DEADLINE = 3.0, 15.0, 15.0
"""Seconds."""


class _SilentError(GoneError):
    """The camera does not answer to a question, however often."""


class ObsbotCamera(Camera):
    """An OBSBOT camera. What was asked of it is done when a look at it shows so: its table has no word for that."""

    def __init__(  # the same words as any camera's
        self, name: str, model: ObsbotModel, bus: Bus, host: str, port: int | None = None, *, folder: Path | None = None
    ) -> None:
        """Connect to nobody yet. `port` `None` is the model's; `folder` is the house's, for names of presets."""
        presets = ("preset.recall", "preset.name", "preset.picture")
        where = (host, port or model.port)
        super().__init__(
            name, bus, where, model.preset_count, ("stop", "move", "zoom", "home", *presets), folder=folder
        )
        self._model = model
        self._way: Way | None = None
        self._answers: dict[str, asyncio.Future[tuple[Any, ...]]] = {}
        self._open: Counter[str] = Counter()
        """How often was asked and not answered yet: no answer says which question it is to."""
        self._describe()

    async def set(self, control: str, value: Value, *, anyway: bool = False) -> Outcome:
        value = self._known.control(control).fit(value)
        if control.startswith("preset"):
            return self._call_preset(int(control.removeprefix("preset").partition(".")[0]), str(value))
        if no := self._not_there() if control == "power" else self._not_ready():
            return no
        if value is not True and (no := self._refused_on_air((control, value), anyway=anyway)):
            return no
        if control == "power":
            return await self._attempt(self._switch(on=value is True), control, POWER_DEADLINE)
        return await self._go({control: float(value)}, None)

    async def _switch(self, *, on: bool) -> Outcome:
        while True:
            self._tell("WakeSleep", int(on))
            await self._look("GetDeviceInfo")
            if self._known.get("power").value is on:
                self._known.ours("power")
                return Outcome("confirmed")
            await asyncio.sleep(PATIENCE)

    def _describe(self) -> None:
        pan, tilt = self._model.pan, self._model.tilt
        self._known.describe(
            [
                Control("power", "switch"),
                Control("pan", "number", "°", -pan, pan, step=NEAR["pan"]),
                Control("tilt", "number", "°", -tilt, tilt, step=NEAR["tilt"]),
                Control("zoom", "number", "%", 0, 100, step=NEAR["zoom"]),
                *self._preset_names(),
            ]
        )

    def _axes(self) -> Iterator[str]:
        yield from NEAR

    def _not_ready(self) -> Outcome | None:
        if (no := super()._not_ready()) is None and self._known.get("power").value is False:
            return Outcome("refused", _("{name} is in standby; switch it on first.").format(name=self.name))
        return no

    # ── moves ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _drive(self, lane: str, speeds: tuple[float, ...], wanted: Callable[[], bool]) -> Outcome:
        if lane == "zoom":
            (speed,) = speeds
            self._tell("SetZoomSpeed", 100 if speed > 0 else 0, max(1, round(abs(speed) * FASTEST_ZOOM)))
        else:
            pan, tilt = (round(speed * FASTEST_TURN) for speed in speeds)
            self._tell("SetGimbalRight" if pan > 0 else "SetGimbalLeft", abs(pan))
            self._tell("SetGimbalUp" if tilt > 0 else "SetGimbalDown", abs(tilt))
        return await self._attempt(self._seen_to_move(lane, wanted), lane, STOP_DEADLINE)

    async def _seen_to_move(self, lane: str, wanted: Callable[[], bool]) -> Outcome:
        first: dict[str, float] | None = None
        async for now in self._positions(wanted):
            first = first or now
            if any(now[axis] != first[axis] for axis in (("zoom",) if lane == "zoom" else ("pan", "tilt"))):
                return Outcome("confirmed")
        if not wanted():
            return self._overtaken()
        return Outcome("unconfirmed", _("{name} was told to move, and is not seen to.").format(name=self.name))

    async def _halt(self, lanes: frozenset[str], wanted: Callable[[], bool]) -> Outcome:
        axes = [axis for axis in NEAR if ("zoom" if axis == "zoom" else "drive") in lanes]
        try:
            async with asyncio.timeout(STOP_DEADLINE):
                before = await self._where()
                equal = 1
                while wanted():
                    if "drive" in lanes:
                        for way in ("Left", "Right", "Up", "Down"):
                            self._tell(f"SetGimbal{way}", 0)
                    if "zoom" in lanes and "zoom" in self._moving:
                        self._tell("SetZoom", round(before["zoom"]))
                    await asyncio.sleep(AGAIN)
                    now = await self._where()
                    equal = equal + 1 if all(abs(now[axis] - before[axis]) < 1 / 2 for axis in axes) else 1
                    if equal == STANDS:
                        self._moving -= lanes
                        return Outcome("confirmed")
                    before = now
        except (GoneError, TimeoutError):
            return Outcome(
                "unconfirmed", _("{name} was told to stop, and is not seen to stand.").format(name=self.name)
            )
        return self._overtaken()

    async def _go(self, where: Mapping[str, float], speed: float | None) -> Outcome:
        if not where:
            raise ValueError(_("{action} needs {argument}.").format(action="position", argument="pan, tilt, zoom"))
        lane, own = self._still("drive"), self._overtake(*where)
        work = self._go_now(where, 1.0 if speed is None else speed, lambda: lane() and own())
        return await self._instead(LANES, self._attempt(work, ", ".join(where), MOVE_DEADLINE))

    async def _go_now(self, where: Mapping[str, float], speed: float, wanted: Callable[[], bool]) -> Outcome:
        while True:  # until it rests there; what is lost on the way is said again
            now = await self._where() | dict(where)
            if "pan" in where or "tilt" in where:
                fast = max(1, round(speed * FASTEST_GO))
                self._tell("SetGimMotorDegree", fast, round(now["pan"]), round(now["tilt"]))
            if "zoom" in where:
                self._tell("SetZoom", round(now["zoom"]))
            async for position in self._positions(wanted):
                if all(abs(position[axis] - at) <= NEAR[axis] for axis, at in where.items()):
                    for axis in where:
                        self._known.ours(axis)
                    return Outcome("confirmed")
            if not wanted():
                return self._overtaken()

    async def _recall(self, preset: int, speed: float | None) -> Outcome:  # noqa: ARG002 - it knows no speeds
        message = wire.Message(self._model.presets, (*self._index(), preset - 1))
        what = _("preset {number}").format(number=preset)
        work = self._travel(message, self._overtake_moves())
        return await self._instead(LANES, self._attempt(work, what, MOVE_DEADLINE))

    async def _do(self, action: str) -> Outcome:
        message = wire.Message(f"{GENERAL}ResetGimbal", (*self._index(), 0))
        work = self._travel(message, self._overtake_moves())
        return await self._instead(LANES, self._attempt(work, action, MOVE_DEADLINE))

    async def _travel(self, message: wire.Message, wanted: Callable[[], bool]) -> Outcome:
        """Let the camera go where only it knows: it was seen to go, and rests."""
        first = await self._where()
        last = first
        self._send(message)
        async for position in self._positions(wanted):
            last = position
        if not wanted():
            return self._overtaken()
        if all(abs(last[axis] - at) < 1 for axis, at in first.items()):
            return Outcome(
                "unconfirmed", _("{name} did not move; it may have been there already.").format(name=self.name)
            )
        return Outcome("confirmed")

    def _overtake_moves(self) -> Callable[[], bool]:
        return self._overtake("drive", "zoom", "pan", "tilt")

    async def _positions(self, wanted: Callable[[], bool]) -> AsyncIterator[dict[str, float]]:
        """Where it is, again and again, until it rests or something newer is wanted."""
        last: dict[str, float] = {}
        equal = 0
        while equal < RESTS and wanted():
            now = await self._where()
            yield now
            equal = equal + 1 if now == last else 0
            last = now
            await asyncio.sleep(AGAIN)

    async def _attempt(self, work: Awaitable[Outcome], what: str, seconds: float) -> Outcome:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except (GoneError, TimeoutError):
            message = _("{name} was asked for {control} and did not report it.")
            return Outcome("unconfirmed", message.format(name=self.name, control=what))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _where(self) -> dict[str, float]:
        await self._look("GetGimbalPosInfo")
        await self._look("GetZoomInfo")
        return {axis: float(self._known.get(axis).value or 0.0) for axis in NEAR}

    async def _look(self, question: str) -> None:
        """Ask, until what the camera says to it was taken in. _SilentError where it says nothing.

        A late answer to an older question is not one to this: as many have to come as were asked for. Where some do
        not within PATIENCE, they were lost, and the newest counts.
        """
        for _try in range(TRIES):
            answer = self._answers.get(question)
            if answer is None or answer.done():
                answer = self._answers[question] = asyncio.get_running_loop().create_future()
            self._open[question] += 1
            asked = self._open[question]
            self._tell(question, 0)
            done, _pending = await asyncio.wait((answer,), timeout=PATIENCE)
            if done:
                return
            if self._open[question] < asked:
                self._open[question] = 0
                answer.cancel()
                return
        raise _SilentError

    def _tell(self, name: str, *arguments: int) -> None:
        index = () if name == "Connected" else self._index()
        self._send(wire.Message(GENERAL + name, (*index, *arguments)))

    def _index(self) -> tuple[int, ...]:
        return () if self._model.device is None else (self._model.device,)

    def _send(self, message: wire.Message) -> None:
        if self._way:
            self._way.send(wire.encode(message))

    async def _hear(self, way: Way) -> None:
        while True:
            data = await way.arrived.get()
            if data is None:
                raise GoneError
            for message in wire.decode(data):
                self._take_in(message)
            await self._known.told()

    def _take_in(self, message: wire.Message) -> None:
        name = message.address.removeprefix(GENERAL)
        question = next((question for question, answer in ANSWERS.items() if answer == name), None)
        if question is None or not self._learn(name, message.arguments):
            return
        self._open[question] = max(0, self._open[question] - 1)
        answer = self._answers.get(question)
        if answer and not answer.done() and not self._open[question]:
            answer.set_result(message.arguments)

    def _learn(self, name: str, arguments: tuple[Any, ...]) -> bool:
        """Take in what an answer says; whether it says anything."""
        numbers = [each for each in arguments if isinstance(each, int | float) and not isinstance(each, bool)]
        if name == "ZoomInfo" and numbers:
            self._known.learn("zoom", float(numbers[0]))
        elif name == "GetGimbalPosInfoResp" and len(numbers) >= 2:  # noqa: PLR2004 - some say roll before pitch and yaw
            self._known.learn("tilt", float(numbers[-2]))
            self._known.learn("pan", float(numbers[-1]))
        elif name == "DeviceInfo" and len(arguments) > AWAKE:
            self._known.learn("power", arguments[AWAKE] == 1)
        else:
            return name == "ConnectedResp"
        return True

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _silence(self) -> str:
        return _('"{name}" ({host}:{port}) does not answer. Is it on, and OSC switched on in OBSBOT Center?')

    async def _live(self) -> None:
        gone: BaseException | None = None
        way = await open_way(self._host, self._port, "udp", self._model.reply_port)
        try:
            self._way = way
            self._answers.clear()
            self._open.clear()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(way))
                self._epoch = tasks  # a STOP waits for nothing that is learnt
                await self._look("Connected")
                self.link.new_epoch()
                if self._moving:  # since before the link was lost
                    await self._halt(frozenset(self._moving), lambda: True)
                await self._ask_all()
                tasks.create_task(self._dead_man())
                await self._watch()
        except* (GoneError, OSError) as several:
            gone = several.exceptions[0]
        finally:
            self._way = self._epoch = None
            self._halts.clear()
            await way.close()
        if gone:
            raise gone

    async def _ask_all(self) -> None:
        self._describe()
        self._learn_names()
        for question in ("GetDeviceInfo", "GetGimbalPosInfo", "GetZoomInfo"):
            with contextlib.suppress(_SilentError):  # a camera without a gimbal has nothing to say of one
                await self._look(question)
        self._say_state()

    def _say_state(self) -> None:
        missing, detail = self._known.missing(), ""
        if self._known.get("power").value is False:
            detail = _("{name} is in standby; switch it on first.").format(name=self.name)
        elif missing:
            detail = _("{name} does not tell {count} of its {all} controls, such as {control}.").format(
                name=self.name, count=len(missing), all=len(self._known.controls), control=missing[0]
            )
        self.link.to("degraded" if detail else "online", detail)

    async def _watch(self) -> None:
        missed = 0
        while True:
            await asyncio.sleep(POLL)
            try:
                await self._look("GetDeviceInfo")
            except _SilentError:
                missed += 1
                if missed >= MISSES:
                    raise
                continue
            if missed:  # it may have been switched off and on: it has to know us again, and all may be otherwise
                missed = 0
                await self._look("Connected")
                self.link.new_epoch()
            await self._ask_all()
