"""The surfaces of an evening: hands become deeds, and lights and motors show what the devices report."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple

from studio import devices, show
from studio.app._orders import worst
from studio.devices import Outcome, PropertyChanged
from studio.errors import DrawerError, NotSupported, StudioError
from studio.events import EncoderTurned, FaderMoved, LinkChanged, PadPressed, PadReleased, SceneTaken
from studio.language import _
from studio.show import Where

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from studio.app._orders import Orders
    from studio.devices import Control, Device, Property
    from studio.show import Ask, Binding, Deed, Desired, Move

logger = logging.getLogger(__name__)

REFRESH = 0.02
"""Seconds between two looks at what the surfaces show; the first after quiet does not wait."""
MOVE = 0.02
"""Seconds between two sets of one control by a fader: what a hand does in between is left out."""
MOVES_OPEN = 16
"""Sets of one control by a fader that may be unanswered; a device that is slower gets only the newest."""
PRESSES_OPEN = 64
"""Presses that may be under way: nobody has more fingers, and a pad that repeats by itself fills no memory. STOP has as
much room again: what is stuck must not hold it up."""
DESCRIBED = 1.0
"""Seconds for which what a device says of its controls is believed without asking again."""


class _Described(NamedTuple):
    until: float
    epoch: int
    controls: Mapping[str, Control]


class World:
    """How things stand, for `show.Board`; asks the drivers for what they know."""

    def __init__(self, there: Callable[[], Mapping[str, Device]], load: Callable[[str], Desired]) -> None:
        self._there = there
        self._load = load
        self._described: dict[str, _Described] = {}
        self._snapshots: dict[str, Desired | None] = {}

    @property
    def scene(self) -> str | None:
        """The programme scene; `None` while OBS is not there."""
        obs = self._there().get("obs")
        return obs.scene if isinstance(obs, devices.Obs) and obs.link.up else None

    @property
    def scenes(self) -> bool:
        """Whether scenes can be taken at all now."""
        return self.up("obs")

    def up(self, device: str) -> bool:
        """Whether the device is there."""
        there = self._there().get(device)
        return there is not None and there.link.up

    def control(self, device: str, name: str) -> Control | None:
        """What the device says of it."""
        return self._controls(device).get(name)

    def get(self, device: str, name: str) -> Property | None:
        """What is known of it."""
        if name not in self._controls(device):
            return None
        try:
            return self._there()[device].get(name)
        except ValueError:  # it has just gone
            return None

    def snapshot(self, name: str) -> Desired | None:
        """What it holds, as last read."""
        if name not in self._snapshots:
            self.reread(name)
        return self._snapshots[name]

    def reread(self, name: str) -> None:
        """Look at the file again: it is about to be recalled."""
        try:
            self._snapshots[name] = self._load(name)
        except DrawerError as problem:
            logger.info("%s", problem)
            self._snapshots[name] = None

    def _controls(self, device: str) -> Mapping[str, Control]:
        there = self._there().get(device)
        if there is None:
            return {}
        now = asyncio.get_running_loop().time()
        known = self._described.get(device)
        if known is None or known.until < now or known.epoch != there.link.epoch:
            known = self._described[device] = _Described(now + DESCRIBED, there.link.epoch, there.controls())
        return known.controls


class Surfaces:
    """Runs the bindings. `follow` every fact of the bus; `run` keeps lights and long presses."""

    def __init__(
        self,
        bindings: Iterable[Binding],
        there: Callable[[], Mapping[str, Device]],
        orders: Orders,
        command: Callable[[str, Mapping[str, object]], Awaitable[Outcome]],
        tell: Callable[[str], object],
    ) -> None:
        """`there`: the devices by name; `command`: the house's own; `tell`: a sentence for people."""
        self._board = show.Board(bindings)
        self._there = there
        self._orders = orders
        self._command = command
        self._tell = tell
        self._world = World(there, orders.snapshot)
        self._dirty: set[Where] = set(self._board.controls)
        self._news = asyncio.Event()
        self._concerns: dict[tuple[str, str], set[Where]] | None = None
        self._presses: set[asyncio.Task[None]] = set()
        self._moves: set[asyncio.Task[None]] = set()
        """Of faders and knobs: `MOVES_OPEN` bounds them, and a desk that is slow takes no room from presses."""
        self._wanted: dict[tuple[str, str], Move] = {}
        self._moving: set[tuple[str, str]] = set()
        self._open: dict[tuple[str, str], int] = {}
        self._answered: dict[tuple[str, str], asyncio.Event] = {}
        """Whether so few sets are open that another may be sent."""

    async def run(self) -> None:
        """Keep lights, motors and long presses until cancelled; presses that are under way end with it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._show())
                tasks.create_task(self._time())
        finally:
            for task in self._presses | self._moves:
                task.cancel()

    # ── what comes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def follow(self, fact: object) -> None:
        """Take in a fact. Only what a hand did on a surface makes anything happen; all else is shown."""
        now = asyncio.get_running_loop().time()
        match fact:
            case PadPressed(surface=surface, control=control):
                self._do(self._board.pressed(Where(surface, control), now, self._world))
                self._touch_surface(surface)
            case PadReleased(surface=surface, control=control, seconds=seconds):
                self._do(self._board.released(Where(surface, control), now, seconds))
                self._touch_surface(surface)
            case FaderMoved(surface=surface, control=control, position=position):
                self._move(self._board.moved(Where(surface, control), position, self._world))
            case EncoderTurned(surface=surface, control=control, steps=steps):
                self._move(self._board.turned(Where(surface, control), steps, now, self._world))
            case PropertyChanged(name=name, control=control):
                self._touch(name, control)
            case SceneTaken():
                self._touch("", "")
            case LinkChanged(name=name, state=state):
                if state not in ("online", "degraded"):
                    self._do(self._board.lost(name))
                self._touch_surface(name)
                self._touch(name, "")
                self._touch("", "")

    def refresh(self) -> None:
        """Look at everything again: reports were missed."""
        self._dirty.update(self._board.controls)
        self._news.set()

    def _touch(self, device: str, control: str) -> None:
        if self._concerns is None:
            self._concerns = self._board.concerns(self._world)
        if touched := self._concerns.get((device, control)):
            self._dirty |= touched
            self._news.set()

    def _touch_surface(self, surface: str) -> None:
        self._dirty.update(where for where in self._board.controls if where.surface == surface)
        self._news.set()

    # ── what is done ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _do(self, asks: list[Ask]) -> None:
        for ask in asks:
            urgent = any(map(self._urgent, ask.deeds))
            if len(self._presses) >= (2 * PRESSES_OPEN if urgent else PRESSES_OPEN):
                self._tell(
                    _("Too many presses are still under way; {control} was not heard.").format(
                        control=ask.binding.control
                    )
                )
                continue
            self._board.asked(ask.binding)
            task = asyncio.create_task(self._press(ask))
            self._presses.add(task)
            task.add_done_callback(self._presses.discard)

    async def _press(self, ask: Ask) -> None:
        binding, failed = ask.binding, True
        by = f"{binding.surface} {binding.control}"
        # STOP overtakes whatever else the same pad asks for: tasks begin in the order in which they were made.
        ordered = sorted(ask.deeds, key=lambda deed: not self._urgent(deed))
        try:
            for outcome in await asyncio.gather(*(self._deed(deed, by) for deed in ordered)):
                if outcome.kind in ("refused", "unconfirmed"):
                    self._tell(outcome.reason)
                    break
            else:
                failed = False
        except StudioError as problem:
            self._tell(str(problem))
        except Exception as fault:
            logger.exception("what %s means broke", by)
            self._tell(_("What {control} means broke inside studio ({fault}).").format(control=by, fault=fault))
        finally:
            self._board.ended(binding, failed=failed)
            self._dirty.add(Where(binding.surface, binding.control))
            self._news.set()

    def _urgent(self, deed: Deed) -> bool:
        if not isinstance(deed, show.Call) or (there := self._there().get(deed.device)) is None:
            return False
        action = there.actions().get(deed.action)
        return action is not None and action.urgent

    async def _deed(self, deed: Deed, by: str) -> Outcome:
        match deed:
            case show.Action():
                return await self._command(deed.name, deed.arguments)
            case show.Set(set=desired, within=within):
                return await self._bring(desired, by, within)
            case show.Toggle():
                return await self._toggle(deed, by)
            case show.Call():
                return await self._orders.call(deed.device, deed.action, deed.arguments, deadline=deed.within)
            case show.Recall(recall=name, within=within):
                return await self._recall(name, by, within)

    async def _bring(self, desired: Desired, by: str, within: float) -> Outcome:
        return worst(await self._orders.do(await self._orders.planned(desired), by=by, deadline=within))

    async def _recall(self, name: str, by: str, within: float) -> Outcome:
        self._world.reread(name)
        self._concerns = None
        return await self._bring(self._orders.snapshot(name), f"{by}: recall {name}", within)

    async def _toggle(self, deed: show.Toggle, by: str) -> Outcome:
        device, control = next(iter(deed.toggle.items()))
        known = self._world.get(device, control)
        if known is None or known.source != "reported" or not isinstance(known.value, bool):
            there = self._there().get(device)
            no = _("Nobody knows how {control} of {device} stands, so it is not switched over.")
            return Outcome("refused", (there.link.detail if there else "") or no.format(control=control, device=device))
        wanted = {device: {control: not known.value} for device, control in deed.toggle.items()}
        return await self._bring(wanted, by, deed.within)

    # ── faders and knobs ──────────────────────────────────────────────────────────────────────────────────────────────

    def _move(self, moves: list[Move]) -> None:
        for move in moves:
            target = (move.device, move.control)
            self._wanted[target] = move
            if target not in self._moving:
                self._moving.add(target)
                self._start(self._keep_moving(target))

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._moves.add(task)
        task.add_done_callback(self._moves.discard)

    async def _keep_moving(self, target: tuple[str, str]) -> None:
        """Set what was wished last, as quickly as the device takes it, until nothing new is wished."""
        try:
            while move := self._wanted.pop(target, None):
                self._count(target, 1)
                self._start(self._set(move, target))
                await asyncio.sleep(MOVE)
                await self._answered[target].wait()
        finally:
            self._moving.discard(target)

    def _count(self, target: tuple[str, str], more: int) -> None:
        self._open[target] = self._open.get(target, 0) + more
        free = self._answered.setdefault(target, asyncio.Event())
        free.set() if self._open[target] < MOVES_OPEN else free.clear()

    async def _set(self, move: Move, target: tuple[str, str]) -> None:
        try:
            outcome = await self._orders.set(move.device, move.control, move.value)
        finally:
            self._count(target, -1)
        if outcome.kind in ("refused", "unconfirmed"):
            self._tell(outcome.reason)
            self._dirty.add(Where(move.binding.surface, move.binding.control))
            self._news.set()

    # ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _show(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            dirty, self._dirty = self._dirty, set()
            for where in dirty:
                self._show_one(where)
            await asyncio.sleep(REFRESH)

    def _show_one(self, where: Where) -> None:
        surface = self._there().get(where.surface)
        if surface is None:
            return
        with contextlib.suppress(NotSupported, ValueError):  # it has no light or motor there
            shown = self._board.position(where, self._world)
            if shown is None:
                surface.light(where.control, self._board.light(where, self._world))
            else:
                surface.show(where.control, shown.position, shown.text)

    async def _time(self) -> None:
        """Long presses: looked at ten times a second, for who holds a pad for 0.8 s does not count them."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.05)
            due = self._board.next_due()
            if due is not None and due <= loop.time():
                self._do(self._board.due(loop.time()))
