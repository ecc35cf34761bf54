"""The driver of OBSBOT cameras over OSC, by OBSBOT's own table: nothing is acknowledged there, so all is looked up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from studio.devices._camera.camera import LANES, Camera
from studio.devices._camera.ways import GoneError, Way, open_way
from studio.devices._ground.device import Outcome
from studio.devices._ground.values import Control
from studio.devices._obsbot.looks import Looks
from studio.devices._obsbot.picture import TOLD
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
"""Equal looks in a row, at least, at a camera that was stopped: of two, one might be an answer that came twice."""
SLOWEST = {"drive": 1 / FASTEST_TURN, "zoom": 1 / FASTEST_ZOOM}
"""The slowest that each lane can be asked for, as a share of its full speed."""
WHOLE = 1.1
"""Degrees, or per cent of the zoom, that a creeping camera would have gone between the first and the last of these
looks: it tells whole ones, so that less might not be seen."""
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
        self._looks: defaultdict[str, Looks] = defaultdict(Looks)
        self._paces: dict[str, float] = {}
        """Lane → the slowest share of its full speed that was asked of it since it was last seen to stand; nothing of
        one that nobody here moved: there it may be any."""
        self._describe()

    async def set(self, control: str, value: Value, *, anyway: bool = False) -> Outcome:
        value = self._known.control(control).fit(value)
        if control.startswith("preset"):
            return self._call_preset(int(control.removeprefix("preset").partition(".")[0]), str(value))
        if no := self._not_there() if control == "power" else self._not_ready():
            return no
        if told := TOLD.get(control):
            self._tell(told.message, told.say(value))
            self._known.assume(control, value)
            return self._unreported(control)
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
                *(told.control for told in TOLD.values()),
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
            fast = max(1, round(abs(speed) * FASTEST_ZOOM))
            self._goes("zoom", fast / FASTEST_ZOOM)
            self._tell("SetZoomSpeed", 100 if speed > 0 else 0, fast)
        else:
            pan, tilt = (round(speed * FASTEST_TURN) for speed in speeds)
            self._goes("drive", *(abs(speed) / FASTEST_TURN for speed in (pan, tilt) if speed))
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

    def _goes(self, lane: str, *shares: float) -> None:
        """A lane is told to go at these shares of its full speed."""
        if shares:
            self._paces[lane] = min(*shares, self._paces.get(lane, 1.0))

    def _halting(self, wanted: Mapping[str, Callable[[], bool]]) -> asyncio.Task[Outcome] | None:
        running = super()._halting(wanted)
        if running is None:
            self._say_stop(frozenset(wanted))  # we do not hear it; it may hear us
        return running

    async def _halt(self, lanes: frozenset[str], wanted: Callable[[], bool]) -> Outcome:
        self._say_stop(lanes)  # before it is asked anything: a stop waits for no answer
        span = self._span(lanes)
        stands: bool | None = None
        try:
            async with asyncio.timeout(STOP_DEADLINE + span), asyncio.TaskGroup() as both:
                saying = both.create_task(self._go_on_stopping(lanes, wanted))
                stands = await self._seen_to_stand(lanes, span, wanted)
                saying.cancel()
        except TimeoutError:
            pass
        if stands is None:
            return Outcome(
                "unconfirmed", _("{name} was told to stop, and is not seen to stand.").format(name=self.name)
            )
        return Outcome("confirmed") if stands else self._overtaken()

    def _say_stop(self, lanes: frozenset[str]) -> None:
        if "drive" in lanes:
            for way in ("Left", "Right", "Up", "Down"):
                self._tell(f"SetGimbal{way}", 0)
        # Of the zoom there is no stop. It creeps to where it was seen last, and is seen anew before it is there.
        if "zoom" in lanes and "zoom" in self._moving and (seen := self._known.get("zoom").value) is not None:
            self._tell("SetZoomSpeed", round(float(seen)), 1)

    async def _go_on_stopping(self, lanes: frozenset[str], wanted: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            if not wanted():
                return
            self._say_stop(lanes)

    def _span(self, lanes: frozenset[str]) -> float:
        """Seconds from the first to the last of the looks that show that a camera stands.

        As long as it takes for a whole degree at the slowest speed that it may have, and as an answer may be old.
        """
        slowest = [self._paces.get(lane, least) for lane, least in SLOWEST.items() if lane in lanes]
        return WHOLE / (min(slowest, default=1.0) * self._model.full_speed) + PATIENCE

    async def _seen_to_stand(self, lanes: frozenset[str], span: float, wanted: Callable[[], bool]) -> bool:
        """Look for as long as it takes; whether it stands, and not that something newer is wanted."""
        clock = asyncio.get_running_loop().time
        axes = [axis for axis in NEAR if ("zoom" if axis == "zoom" else "drive") in lanes]
        first: dict[str, float] | None = None
        since, equal = 0.0, 0
        while wanted():
            asked = clock()
            try:
                now = await self._where()
            except _SilentError:  # meanwhile it goes on being told
                first = None
                continue
            if first is None or any(abs(now[axis] - first[axis]) >= 1 / 2 for axis in axes):
                if first is not None and "zoom" in axes and now["zoom"] != first["zoom"]:
                    self._moving.add("zoom")  # a preset or somebody else sent it
                first, since, equal = now, clock(), 1
            else:
                equal += 1
            if equal >= STANDS and asked - since >= span and wanted():
                self._moving -= lanes
                for lane in lanes:
                    self._paces.pop(lane, None)
                return True
            await asyncio.sleep(AGAIN)
        return False

    async def _go(self, where: Mapping[str, float], speed: float | None) -> Outcome:
        if not where:
            raise ValueError(_("{action} needs {argument}.").format(action="position", argument="pan, tilt, zoom"))
        lane, own = self._still("drive"), self._overtake(*where)
        work = self._go_now(where, 1.0 if speed is None else speed, lambda: lane() and own())
        return await self._instead(LANES, self._attempt(work, ", ".join(where), MOVE_DEADLINE))

    async def _go_now(self, where: Mapping[str, float], speed: float, wanted: Callable[[], bool]) -> Outcome:
        while True:  # until it rests there; what is lost on the way is said again
            now = await self._where() | dict(where)
            if not wanted():  # nothing is said after a STOP that came meanwhile
                return self._overtaken()
            if "pan" in where or "tilt" in where:
                fast = max(1, round(speed * FASTEST_GO))
                self._goes("drive", fast / FASTEST_GO)
                self._tell("SetGimMotorDegree", fast, round(now["pan"]), round(now["tilt"]))
            if "zoom" in where:
                self._goes("zoom", SLOWEST["zoom"])
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
        if not wanted():
            return self._overtaken()
        last = first
        self._paces |= SLOWEST  # how fast it goes there is its own affair
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
            return self._unreported(what)

    def _unreported(self, what: str) -> Outcome:
        message = _("{name} was asked for {control} and did not report it.")
        return Outcome("unconfirmed", message.format(name=self.name, control=what))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _where(self) -> dict[str, float]:
        await self._look("GetGimbalPosInfo")
        await self._look("GetZoomInfo")
        return {axis: float(self._known.get(axis).value or 0.0) for axis in NEAR}

    async def _look(self, question: str) -> None:
        """Ask, until what the camera says to it was taken in. _SilentError where it says nothing."""
        if not await self._looks[question].look(lambda: self._tell(question, 0), TRIES, PATIENCE):
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
        self._looks[question].answered()

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
            self._looks.clear()
            if self._moving:
                self._say_stop(frozenset(self._moving))  # before it is asked whether it is there
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
        missing, detail = [name for name in self._known.missing() if name not in TOLD], ""
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
