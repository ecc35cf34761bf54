"""A remote camera, whatever its language: what it can be asked, who may move it, and that it never runs away."""

from __future__ import annotations

import asyncio
import logging
import socket
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from studio.devices._camera.album import Album
from studio.devices._camera.guard import ASK_TWICE, FAST, Guard
from studio.devices._camera.ways import GoneError
from studio.devices._ground.device import Device, Outcome, Property
from studio.devices._ground.known import Known
from studio.devices._ground.values import Action, Argument, Control
from studio.errors import DeviceError, NotSupported
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from pathlib import Path

    from studio.bus import Bus
    from studio.devices._ground.values import Value

    Picture: TypeAlias = Callable[[], Awaitable[bytes | None]]

logger = logging.getLogger(__name__)

RETRY, RETRY_MOST = 0.5, 5.0
"""Seconds between two calls at a camera that is not there: at first, and at most."""
HOLD = 0.5
"""Seconds that a move goes on without being asked for again: a stick sends 5 to 25 a second while it is held."""
PICTURE_DEADLINE = 3.0
"""Seconds that a picture of a preset is waited for; the preset itself is saved before that."""
LANES = ("drive", "zoom", "focus")
"""What moves by itself, each on its own: pan and tilt together, zoom, focus."""

_SPEED = {"lowest": -1.0, "highest": 1.0}
_ANYWAY = Argument("anyway", "switch", needed=False)
_PRESET = Argument("preset")

_ACTIONS = (
    Action("move", (Argument("pan", "number", **_SPEED), Argument("tilt", "number", **_SPEED), _ANYWAY)),  # type: ignore[arg-type]
    Action("zoom", (Argument("speed", "number", **_SPEED), _ANYWAY)),  # type: ignore[arg-type]
    Action("focus", (Argument("speed", "number", **_SPEED),)),  # type: ignore[arg-type]
    Action("stop", urgent=True),
    Action("home", (_ANYWAY,)),
    Action("white_balance.trigger"),
    Action("preset.recall", (_PRESET, Argument("speed", "number", 0.0, 1.0, needed=False), _ANYWAY)),
    Action("preset.save", (_PRESET, Argument("name", needed=False))),
    Action("preset.clear", (_PRESET,)),
    Action("preset.name", (_PRESET, Argument("name"))),
    Action("preset.picture", (_PRESET,)),
)
"""All that a camera could do; `position` is made of the axes that it has."""


class Camera(Device):
    """What every remote camera does alike.

    `on_air` is set by the house from OBS's programme scene; while it is so, or `doubt` says that nobody can tell, what
    viewers would see as a jerk (presets, fast moves, positions, home, switching off) is refused unless the same call
    comes again within five seconds or says `anyway`. The lamp follows what was said.

    A move goes on for half a second and has to be asked for again until it is to end: a dead page, cable or program
    leaves no camera turning. STOP overtakes whatever waits and ends whatever moves.
    """

    def __init__(
        self,
        name: str,
        bus: Bus,
        where: tuple[str, int],
        presets: int,
        abilities: Iterable[str],
        *,
        folder: Path | None,
    ) -> None:
        """Connect to nobody yet.

        `where`: host and port; `presets`: how many it remembers; `folder` is the house's, for names and pictures.
        """
        super().__init__(name, bus)
        self._host, self._port = where
        self.picture: Picture | None = None
        """Gives a JPEG of what the camera shows now, or `None`; called whenever a preset is saved."""
        self.doubt: Callable[[], bool] = lambda: False
        """Whether nobody can tell now if viewers see it; asked whenever that counts."""
        self._presets = presets
        self._abilities = frozenset(abilities)
        self._album = Album(folder, name)
        self._guard = Guard()
        self._lit = False
        """Whether anybody ever said if it is on air: before that its lamp is another's."""
        self._known = Known(self.link, bus)
        self._epoch: asyncio.TaskGroup | None = None
        """Owns what is done beside the calls while the link stands."""
        self._newest = dict.fromkeys(LANES, 0)
        self._turns: dict[str, asyncio.Lock] = {}
        self._due: dict[str, float] = {}
        """Lane → when it is stopped, unless asked again; on the loop's clock."""
        self._holding = asyncio.Event()
        self._moving: set[str] = set()
        """Lanes that were told to move and did not yet say that they stand, over epochs too."""
        self._halts: dict[frozenset[str], tuple[asyncio.Task[Outcome], Callable[[], bool]]] = {}
        """Stops that are being done, and whether nothing newer was asked of these lanes."""

    # ── what the house sets ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def on_air(self) -> bool:
        """Whether viewers see this camera."""
        return self._guard.on_air

    @on_air.setter
    def on_air(self, so: bool) -> None:
        if so != self._guard.on_air or not self._lit:
            self._lit = True
            self._guard.on_air = so
            self._light_lamp(on=so)

    @property
    def guarded(self) -> bool:
        """Whether a jerk has to be asked twice: viewers see this camera, or nobody can tell."""
        return self._guard.on_air or self.doubt()

    def keep_in(self, folder: Path) -> None:
        """Keep names and pictures of presets below `folder`, and read what is there."""
        self._album = Album(folder, self.name)
        self._describe_names()

    def preset_picture(self, preset: int) -> Path | None:
        """The JPEG that shows a preset; `None` where there is none."""
        return self._album.picture(preset)

    # ── what it is asked ──────────────────────────────────────────────────────────────────────────────────────────────

    def controls(self) -> Mapping[str, Control]:
        return self._known.controls

    def get(self, control: str) -> Property:
        return self._known.get(control)

    def actions(self) -> Mapping[str, Action]:
        found = {action.name: action for action in _ACTIONS if action.name in self._abilities}
        if axes := [Argument(axis, "number", needed=False) for axis in ("pan", "tilt", "zoom") if axis in self._axes()]:
            speed = Argument("speed", "number", 0.0, 1.0, needed=False)
            found["position"] = Action("position", (*axes, speed, _ANYWAY))
        return found

    @abstractmethod
    async def set(self, control: str, value: Value, *, anyway: bool = False) -> Outcome:
        """As any device's; `anyway`: also where viewers see it."""

    async def call(self, action: str, arguments: Mapping[str, Value] | None = None) -> Outcome:
        wanted = self._action(action)
        given = wanted.fit(arguments or {})
        anyway = given.pop("anyway", False) is True
        if action == "stop":
            return await self.stop()
        preset = self._preset(given["preset"], new=action == "preset.save") if "preset" in given else 0
        if action == "preset.name":
            return self._call_preset(preset, str(given["name"]))
        if no := self._not_ready() or self._guarded(action, given, anyway=anyway):
            return no
        return await self._perform(action, given, preset)

    def _action(self, name: str) -> Action:
        found = self.actions().get(name)
        if found is None and any(name == each.name for each in _ACTIONS):
            raise NotSupported(_("{name} cannot do that: {action}.").format(name=self.name, action=name))
        if found is None:
            raise ValueError(name)
        return found

    async def _perform(self, action: str, given: Mapping[str, Value], preset: int) -> Outcome:
        speed = float(given["speed"]) if "speed" in given else None
        where = {axis: float(given[axis]) for axis in ("pan", "tilt", "zoom") if axis in given}
        known: dict[str, Callable[[], Awaitable[Outcome]]] = {
            "move": lambda: self._move("drive", where["pan"], where["tilt"]),
            "zoom": lambda: self._move("zoom", speed or 0.0),
            "focus": lambda: self._move("focus", speed or 0.0),
            "position": lambda: self._go(where, speed),
            "preset.recall": lambda: self._recall(preset, speed),
            "preset.save": lambda: self._save_preset(preset, given.get("name")),
            "preset.clear": lambda: self._clear_preset(preset),
            "preset.picture": lambda: self._take_picture(preset),
        }
        return await known.get(action, lambda: self._do(action))()

    async def stop(self, lanes: Iterable[str] = LANES) -> Outcome:
        """Overtake whatever waits, end what moves, and say `confirmed` only when the camera stands."""
        key = frozenset(lanes)
        running = self._stop_now(key)
        if running is None:
            return Outcome(
                "refused", _("{name} does not answer; it is stopped as soon as it does.").format(name=self.name)
            )
        await asyncio.wait((running,))  # whoever asked may be gone meanwhile; the stop goes on
        if running.cancelled():
            self._moving |= key - {"focus"}
            return Outcome("unconfirmed", _("{name} was lost while it was told to stop.").format(name=self.name))
        return running.result()

    def _stop_now(self, lanes: frozenset[str]) -> asyncio.Task[Outcome] | None:
        """The stop of `lanes`, which goes on whoever waits for it; `None` where the camera is not there."""
        for lane in lanes:
            self._due.pop(lane, None)
        running, wanted = self._halts.get(lanes, (None, lambda: False))
        if running is None or running.done() or not wanted():
            self._overtake(*lanes)
            # A position is asked of an axis: it ends a stop, and no position of the other axis.
            each = {lane: self._still(lane, *(("pan", "tilt") if lane == "drive" else ())) for lane in lanes}
            wanted = _every(each.values())
            running = self._halting(each)
        if running is None:
            self._moving |= lanes - {"focus"}  # so it is stopped as soon as it is there again
        else:
            self._halts[lanes] = running, wanted
        return running

    def _halting(self, wanted: Mapping[str, Callable[[], bool]]) -> asyncio.Task[Outcome] | None:
        """A stop, owned by the epoch; `None` where the camera is not there, or is just being lost."""
        if self._epoch is None or not (self.link.up or self.link.state == "syncing"):
            return None
        halt = self._halt_all(wanted)
        try:
            return self._epoch.create_task(halt)
        except RuntimeError:  # a group that ends takes nothing more
            halt.close()
            return None

    async def _halt_all(self, wanted: Mapping[str, Callable[[], bool]]) -> Outcome:
        """Stop lanes until each stands or is asked for something newer, which ends the stop of no other."""
        left = frozenset(wanted)
        overtaken: Outcome | None = None
        while left:
            now = left
            outcome = await self._halt(now, _every(wanted[lane] for lane in now))
            left = frozenset(lane for lane in now if wanted[lane]())
            if outcome.kind != "superseded" or left == now:
                return overtaken if overtaken and outcome.kind == "confirmed" else outcome
            overtaken = outcome
        return overtaken or self._overtaken()

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self) -> None:
        self.link.to("connecting")
        pause = RETRY
        while True:
            epoch = self.link.epoch
            try:
                await self._live()
            except (GoneError, OSError) as problem:
                logger.debug("%s: %r", self.name, problem)
                self.link.to("connecting", self._absent(problem))
            pause = RETRY if self.link.epoch > epoch else min(pause * 1.5, RETRY_MOST)
            await asyncio.sleep(pause)

    def _absent(self, problem: Exception) -> str:
        if isinstance(problem, GoneError) and str(problem):
            return str(problem)
        message = self._silence()
        if isinstance(problem, socket.gaierror):
            message = _('Nobody knows the address "{host}" of "{name}"; is it written right?')
        return message.format(name=self.name, host=self._host, port=self._port)

    # ── what a driver does in its camera's language ───────────────────────────────────────────────────────────────────

    @abstractmethod
    async def _live(self) -> None:
        """One epoch, until the camera answers no more: GoneError or OSError."""

    def _silence(self) -> str:
        """What to look at when it does not answer: a sentence with places for `name`, `host` and `port`."""
        return _('"{name}" ({host}:{port}) does not answer. Is it switched on and on this network?')

    @abstractmethod
    async def _drive(self, lane: str, speeds: tuple[float, ...], wanted: Callable[[], bool]) -> Outcome:
        """Move a lane at speeds in [-1..1], pan (right) and tilt (up), or one; give up when it is not `wanted` now."""

    @abstractmethod
    def _halt(self, lanes: frozenset[str], wanted: Callable[[], bool]) -> Coroutine[Any, Any, Outcome]:
        """Stop `lanes` before all else, again and again, until the camera says so and is seen to stand.

        It is given up only when it is not `wanted` any more: something newer was asked.
        """

    @abstractmethod
    async def _recall(self, preset: int, speed: float | None) -> Outcome:
        """Go to a preset; confirmed when the camera says that it is there, and rests."""

    @abstractmethod
    async def _go(self, where: Mapping[str, float], speed: float | None) -> Outcome:
        """Go to a position; confirmed when the camera reports that it rests there."""

    @abstractmethod
    async def _do(self, action: str) -> Outcome:
        """Do what has no arguments: `home`, `white_balance.trigger`."""

    async def _save(self, preset: int) -> Outcome:  # noqa: ARG002 - for those that can
        raise NotSupported(_("{name} cannot store presets.").format(name=self.name))

    async def _clear(self, preset: int) -> Outcome:  # noqa: ARG002 - for those that can
        raise NotSupported(_("{name} cannot store presets.").format(name=self.name))

    def _light_lamp(self, *, on: bool) -> None:
        """Show that viewers see this camera, soon and whenever it comes back."""

    def _axes(self) -> Iterable[str]:
        """Of `pan`, `tilt`, `zoom`, those it can be sent to."""
        return ()

    def _not_ready(self) -> Outcome | None:
        """Why it cannot do anything now: it is not there, or in standby."""
        return self._not_there()

    def _not_there(self) -> Outcome | None:
        """Why nothing at all can be asked of it now."""
        if self.link.up:
            return None
        return Outcome("refused", self.link.detail or _("{name} is not connected yet.").format(name=self.name))

    # ── moves ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _move(self, lane: str, *speeds: float) -> Outcome:
        if not any(speeds):
            return await self.stop((lane,))
        wanted = self._overtake(lane)
        self._moving.add(lane)
        self._due[lane] = asyncio.get_running_loop().time() + HOLD
        self._holding.set()
        async with self._turn(lane):
            if not wanted():
                return self._overtaken()
            return await self._drive(lane, speeds, wanted)

    def _overtake(self, *lanes: str) -> Callable[[], bool]:
        """Make all that was asked of `lanes` before old; returns whether what is asked now is still the newest."""
        for lane in lanes:
            self._newest[lane] = self._newest.get(lane, 0) + 1
        return self._still(*lanes)

    def _still(self, *lanes: str) -> Callable[[], bool]:
        """Whether nothing newer than now is asked of `lanes`."""
        mine = {lane: self._newest.get(lane, 0) for lane in lanes}
        return lambda: all(self._newest.get(lane, 0) == number for lane, number in mine.items())

    def _overtaken(self) -> Outcome:
        return Outcome("superseded", _("{name} was asked for something else meanwhile.").format(name=self.name))

    def _turn(self, lane: str) -> asyncio.Lock:
        return self._turns.setdefault(lane, asyncio.Lock())

    async def _instead(self, lanes: Iterable[str], work: Awaitable[Outcome]) -> Outcome:
        """Do `work` in place of what is held or stopped just now on `lanes`; where it comes to nothing, stop them."""
        stopping = frozenset[str]().union(*(key for key, (running, _so) in self._halts.items() if not running.done()))
        held = [lane for lane in lanes if self._due.pop(lane, None) is not None or lane in stopping]
        outcome: Outcome | None = None
        try:
            outcome = await work
        finally:
            if held and (outcome is None or outcome.kind in ("refused", "unconfirmed")):
                self._due = dict.fromkeys(held, 0.0) | self._due
                self._holding.set()
        return outcome

    async def _dead_man(self) -> None:
        """Stop what nobody asks for any more. Runs as long as an epoch."""
        loop = asyncio.get_running_loop()
        while True:
            await self._holding.wait()
            now = loop.time()
            late = [lane for lane, due in self._due.items() if due <= now]
            if late:
                logger.debug("%s: nobody holds %s any more", self.name, ", ".join(late))
                self._stop_now(frozenset(late))  # unwaited: another lane may be late before this one stands
            elif self._due:
                await asyncio.sleep(max(0.0, min(self._due.values()) - now))
            else:
                self._holding.clear()

    # ── the guard ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _guarded(self, action: str, given: Mapping[str, Value], *, anyway: bool) -> Outcome | None:
        """Refuse what viewers would see as a jerk, once."""
        if action in ("move", "zoom"):
            if max(abs(float(value)) for value in given.values()) <= FAST:
                return None
            return self._refused_on_air(action, anyway=anyway, held=True)
        if action in ("preset.recall", "home", "position", "pan", "tilt", "power", "white_balance.trigger"):
            return self._refused_on_air((action, *sorted(given.items())), anyway=anyway)
        return None

    def _refused_on_air(self, call: object, *, anyway: bool = False, held: bool = False) -> Outcome | None:
        now = asyncio.get_running_loop().time()
        if not self._guard.refuses(call, now, doubt=self.doubt(), anyway=anyway, held=held):
            return None
        message = _("{name} is on air; ask for the same once more within {seconds} seconds if viewers may see it.")
        if not self._guard.on_air:
            message = _(
                "Nobody can tell now whether {name} is on air; ask for the same once more within {seconds} seconds "
                "if viewers may see it."
            )
        return Outcome("refused", message.format(name=self.name, seconds=round(ASK_TWICE)))

    # ── presets ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _preset(self, said: Value, *, new: bool) -> int:
        """The number of a preset by its number or name; ValueError with a sentence where there is none."""
        text = str(said)
        number = int(text) if text.strip().isdecimal() else self._album.find(text)
        if number is None or not 1 <= number <= self._presets:
            message = _("{name} has presets 1 to {count}, and none called {preset}.")
            if not new and self._album.names:
                message = _("{name} has presets 1 to {count}, and none called {preset}; there are: {names}.")
            names = ", ".join(self._album.names.values())
            raise ValueError(message.format(name=self.name, count=self._presets, preset=repr(text), names=names))
        return number

    def _preset_names(self) -> list[Control]:
        return [Control(f"preset{number}.name", "text") for number in sorted(self._album.names)]

    def _learn_names(self) -> None:
        for number, name in self._album.names.items():
            self._known.learn(f"preset{number}.name", name, "us")

    def _call_preset(self, preset: int, name: str) -> Outcome:
        try:
            self._album.call(preset, name)
        except DeviceError as problem:
            return Outcome("refused", str(problem))
        self._describe_names()
        return Outcome("confirmed")

    def _describe_names(self) -> None:
        others = [each for each in self._known.controls.values() if not each.name.startswith("preset")]
        self._known.describe([*others, *self._preset_names()])
        if self.link.up:
            self._learn_names()

    async def _save_preset(self, preset: int, name: Value | None) -> Outcome:
        outcome = await self._save(preset)
        if outcome.kind != "confirmed":
            return outcome
        if name is not None:
            named = self._call_preset(preset, str(name))
            if named.kind != "confirmed":
                return Outcome("unconfirmed", named.reason)
        if self.picture:
            await self._take_picture(preset)  # a picture that fails is logged: the preset itself is saved
        return outcome

    async def _clear_preset(self, preset: int) -> Outcome:
        outcome = await self._clear(preset)
        if outcome.kind == "confirmed":
            self._call_preset(preset, "")
            self._album.forget(preset)
        return outcome

    async def _take_picture(self, preset: int) -> Outcome:
        if self.picture is None:
            return Outcome("refused", _("Nobody here can take a picture of what {name} shows.").format(name=self.name))
        try:
            async with asyncio.timeout(PICTURE_DEADLINE):
                jpeg = await self.picture()
            if jpeg is None:
                raise DeviceError(_("There is no picture of what {name} shows now.").format(name=self.name))  # noqa: TRY301 - one end for all three
            await asyncio.to_thread(self._album.keep, preset, jpeg)
        except (DeviceError, TimeoutError) as problem:
            reason = str(problem) or _("No picture of what {name} shows came in time.").format(name=self.name)
            logger.warning("%s: no picture of preset %d: %s", self.name, preset, reason)
            return Outcome("refused", reason)
        return Outcome("confirmed")


def _every(stills: Iterable[Callable[[], bool]]) -> Callable[[], bool]:
    """Whether all of them are still so."""
    asked = tuple(stills)
    return lambda: all(still() for still in asked)
