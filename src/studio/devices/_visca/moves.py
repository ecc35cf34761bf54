"""How a VISCA camera moves: sticks, positions, presets, and STOP before all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.devices._camera.camera import LANES
from studio.devices._ground.device import Outcome
from studio.devices._visca.session import NoError, OvertakenError, SilentError
from studio.devices._visca.talk import AGAIN, ViscaTalk, over
from studio.devices._visca.values import PICTURE, POSITION
from studio.language import _
from studio.wire import visca as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from studio.devices._visca.model import Scale
    from studio.devices._visca.session import Exchange, Session

MOVE_DEADLINE = 15.0
"""Seconds that the way to a position or preset may take: the slowest cameras need eight from end to end."""
DRIVE_DEADLINE = 2.0
"""Seconds in which a camera has to take a move, a preset to store or a trigger."""
STOP_DEADLINE = 3.0
"""Seconds in which a camera has to stand."""
STOP_EVERY, STOP_TRIES = 0.18, 16
"""Seconds between two stops while none is acknowledged, and how many: a camera acknowledges within 160 ms, and one said
sooner would take its second place for nothing."""
RESTS = 3
"""Equal looks in a row at a camera that rests."""
QUIET = 20
"""Equal looks in a row after which a camera that did not say that it arrived will not say so any more."""


class ViscaMoves(ViscaTalk):
    """The moves of a camera. What is newer, on the same axis, overtakes; STOP overtakes all."""

    # ── sticks ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _drive(self, lane: str, speeds: tuple[float, ...], wanted: Callable[[], bool]) -> Outcome:
        return await self._attempt(self._drive_now(lane, speeds, wanted), lane, DRIVE_DEADLINE)

    async def _drive_now(self, lane: str, speeds: tuple[float, ...], wanted: Callable[[], bool]) -> Outcome:
        limits = self._model.speeds
        if lane == "drive":
            pan, tilt = speeds
            packet = wire.command(
                "pan_tilt.drive",
                pan_speed=_speed(pan, limits.pan),
                tilt_speed=_speed(tilt, limits.tilt),
                pan=wire.RIGHT if pan > 0 else wire.LEFT if pan < 0 else wire.STAND,
                tilt=wire.UP if tilt > 0 else wire.DOWN if tilt < 0 else wire.STAND,
            )
        else:
            (speed,) = speeds
            fast = _speed(speed, limits.zoom if lane == "zoom" else limits.focus)
            packet = wire.command(f"{lane}.drive", way=wire.FORTH if speed > 0 else wire.BACK, speed=fast)
        await self._insist(packet, wanted)
        if not self._model.acks:
            return Outcome("unconfirmed", self._unreported(lane))
        return Outcome("confirmed")

    # ── STOP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _halt(self, lanes: frozenset[str], wanted: Callable[[], bool]) -> Outcome:
        # An autofocus has the lens and is no runaway: the focus is only stopped where we drove it.
        stoppable = [lane for lane in self._lanes() if lane in lanes and (lane != "focus" or lane in self._moving)]
        taken: set[str] = set()
        try:
            async with asyncio.timeout(STOP_DEADLINE):
                session = self._talk()
                while True:
                    left = [lane for lane in stoppable if lane not in taken]
                    stops = await asyncio.gather(*(self._say_stop(session, lane, wanted) for lane in left))
                    taken |= {lane for lane, took in zip(left, stops, strict=True) if took}
                    if len(taken) < len(stoppable):
                        continue
                    if await self._stands(stoppable):
                        if not wanted():  # what moves now is newer
                            return self._overtaken()
                        if not self._model.acks:  # two looks alike are no proof: it may creep, and never have heard
                            return Outcome("unconfirmed", self._unreported("stop"))
                        self._moving -= lanes
                        return Outcome("confirmed")
                    taken.clear()
        except OvertakenError:
            return self._overtaken()
        except (SilentError, TimeoutError):
            return Outcome(
                "unconfirmed", _("{name} was told to stop, and is not seen to stand.").format(name=self.name)
            )

    async def _say_stop(self, session: Session, lane: str, wanted: Callable[[], bool]) -> bool:
        """Whether the camera took the stop of a lane."""
        if lane == "drive":
            slow = {"pan_speed": max(1, self._model.speeds.pan[0]), "tilt_speed": max(1, self._model.speeds.tilt[0])}
            packet = wire.command("pan_tilt.drive", pan=wire.STAND, tilt=wire.STAND, **slow)
        else:
            packet = wire.command(f"{lane}.drive", way=wire.STOP, speed=0)
        try:
            await session.tell(packet, wanted=wanted, urgent=True, tries=STOP_TRIES, every=STOP_EVERY)
        except NoError as no:
            if no.problem == "buffer full":
                session.cancel_all()
            elif no.problem in ("syntax", "length") or lane == "focus":
                return True  # it has none, or its autofocus has the lens, which no stop ends
            await asyncio.sleep(AGAIN / 2)
            return False
        return True

    async def _stands(self, lanes: Iterable[str]) -> bool:
        """Whether two looks at the camera show the same; of what cannot be asked, its word is taken."""
        axes = [POSITION] * ("drive" in lanes) + ["zoom"] * ("zoom" in lanes)
        looks: list[dict[str, int]] = []
        for _time in range(2):
            try:
                looks.append(await self._where(axes, urgent=True))
            except NoError:  # it will not tell now
                return False
            finally:
                await asyncio.sleep(AGAIN)
        return all(abs(looks[0][axis] - at) <= 1 for axis, at in looks[1].items())

    # ── positions and presets ─────────────────────────────────────────────────────────────────────────────────────────

    async def _go(self, where: Mapping[str, float], speed: float | None) -> Outcome:
        if not where:
            raise ValueError(_("{action} needs {argument}.").format(action="position", argument="pan, tilt, zoom"))
        lane, own = self._still("drive", "focus"), self._overtake(*where)
        work = self._go_now(where, speed, lambda: lane() and own())
        return await self._instead(("drive", "zoom"), self._attempt(work, ", ".join(where), MOVE_DEADLINE))

    async def _go_now(self, where: Mapping[str, float], speed: float | None, wanted: Callable[[], bool]) -> Outcome:
        model = self._model
        scales = {"pan": model.pan, "tilt": model.tilt, "zoom": model.zoom}
        targets = {axis: scale.say(where[axis]) for axis, scale in scales.items() if scale and axis in where}
        told = []
        self._aim |= {axis: at for axis, at in targets.items() if axis != "zoom"}
        try:
            if targets.keys() & {"pan", "tilt"}:  # the axis that is not named stays, or goes on to where it was sent
                told.append(await self._insist(self._to(await self._look(POSITION) | self._aim, speed), wanted))
            if "zoom" in targets:
                told.append(await self._insist(wire.command("zoom.to", value=targets["zoom"]), wanted))
            async for position in self._positions(told, wanted):
                if all(abs(position[axis] - at) <= _tolerance(scales[axis]) for axis, at in targets.items()):
                    for axis in targets:
                        self._known.ours(axis)
                    return Outcome("confirmed")
        finally:
            for axis, at in targets.items():
                if self._aim.get(axis) == at:
                    del self._aim[axis]
        for each in told:
            if each.ended.done():
                over(each.ended.result())
        return Outcome("unconfirmed", _("{name} rests elsewhere than it was sent.").format(name=self.name))

    def _to(self, position: Mapping[str, int], speed: float | None) -> bytes:
        """The command that sends the camera to a position on the wire."""
        speeds = self._model.speeds
        fast = 1.0 if speed is None else speed
        return wire.command(
            "pan_tilt.to.wide" if self._model.wide_pan else "pan_tilt.to",
            pan_speed=max(1, _speed(fast, speeds.pan)),
            tilt_speed=0 if self._model.one_speed else max(1, _speed(fast, speeds.tilt)),
            pan=position["pan"],
            tilt=position["tilt"],
        )

    async def _recall(self, preset: int, speed: float | None) -> Outcome:
        what = _("preset {number}").format(number=preset)
        work = self._recall_now(preset, speed, self._overtake_moves())
        return await self._instead(LANES, self._attempt(work, what, MOVE_DEADLINE))

    async def _recall_now(self, preset: int, speed: float | None, wanted: Callable[[], bool]) -> Outcome:
        presets, number = self._model.presets, self._number(preset)
        fast = None if speed is None else _speed(speed, presets.speeds)
        if fast is not None and presets.speed == "each":
            await self._insist(wire.command("preset.speed", number=number, speed=fast), wanted)
        elif fast is not None and presets.speed == "all":
            await self._insist(wire.command("preset.speeds", speed=fast), wanted)
        return await self._travel(wire.command("preset", what=wire.RECALL, number=number), wanted, presets.keep_picture)

    async def _travel(self, packet: bytes, wanted: Callable[[], bool], new_picture: bool = False) -> Outcome:  # noqa: FBT001, FBT002 - told by its only callers
        """Let the camera go where only it knows: it is there when it says so, and rests."""
        told = await self._insist(packet, wanted)
        async for _position in self._positions([told], wanted):
            pass
        if not told.ended.done():
            return Outcome("unconfirmed", _("{name} rests, but did not say that it arrived.").format(name=self.name))
        over(told.ended.result())
        if new_picture:
            for question in self._questions():
                if question.startswith(PICTURE):
                    await self._look(question)
        return Outcome("confirmed")

    async def _save(self, preset: int) -> Outcome:
        return await self._quick(wire.command("preset", what=wire.SAVE, number=self._number(preset)), "preset.save")

    async def _clear(self, preset: int) -> Outcome:
        return await self._quick(wire.command("preset", what=wire.CLEAR, number=self._number(preset)), "preset.clear")

    async def _do(self, action: str) -> Outcome:
        if action == "home":
            work = self._travel(wire.command("pan_tilt.home"), self._overtake_moves())
            return await self._instead(LANES, self._attempt(work, action, MOVE_DEADLINE))
        return await self._quick(wire.command(action), action)

    async def _quick(self, packet: bytes, what: str) -> Outcome:
        """What is done at once, and said to be."""

        async def work() -> Outcome:
            told = await self._insist(packet, lambda: True)
            if not self._model.acks:
                return Outcome("unconfirmed", self._unreported(what))
            over(await told.ended)
            return Outcome("confirmed")

        return await self._attempt(work(), what, DRIVE_DEADLINE)

    def _number(self, preset: int) -> int:
        """Of a preset, on the wire. ValueError for one that means something else to the camera."""
        number = self._model.presets.first + preset - 1
        if number in self._model.presets.reserved:
            raise ValueError(_("Preset {number} of {name} opens its menu.").format(number=preset, name=self.name))
        return number

    def _overtake_moves(self) -> Callable[[], bool]:
        self._aim.clear()
        return self._overtake(*LANES, "pan", "tilt")

    # ── where it is ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _where(self, questions: Iterable[str], *, urgent: bool = False) -> dict[str, int]:
        """Pan, tilt and zoom on the wire, as far as they are among `questions` and the camera can be asked."""
        position: dict[str, int] = {}
        for question in questions:
            if question in self._questions():
                try:
                    values = await self._look(question, urgent=urgent)
                except NoError as no:
                    if no.problem not in ("syntax", "length"):
                        raise
                    self._unknown.add(question)
                    continue
                position |= values if question == POSITION else {question: values["value"]}
        return position

    async def _positions(self, told: Iterable[Exchange], wanted: Callable[[], bool]) -> AsyncIterator[dict[str, int]]:
        """Where it is, again and again, until what it was told has ended and it rests, or it rests for long."""
        last: dict[str, int] = {}
        equal = 0
        while equal < (RESTS if all(each.ended.done() for each in told) else QUIET):
            if not wanted():
                raise OvertakenError
            if any(each.ended.done() and each.ended.result().kind == "error" for each in told):
                return
            now = await self._where((POSITION, "zoom"))
            yield now
            equal = equal + 1 if now == last else 0
            last = now
            await asyncio.sleep(AGAIN)

    def _lanes(self) -> Iterator[str]:
        model = self._model
        yield from (lane for lane, scale in zip(LANES, (model.pan, model.zoom, model.focus), strict=True) if scale)

    def _axes(self) -> Iterator[str]:
        model = self._model
        scales = {"pan": model.pan, "tilt": model.tilt, "zoom": model.zoom}
        yield from (axis for axis, scale in scales.items() if scale)


def _speed(speed: float, limits: tuple[int, int]) -> int:
    """A speed in [-1..1] on the wire; which way is said elsewhere."""
    slowest, fastest = limits
    return slowest + round((fastest - slowest) * min(abs(speed), 1.0))


def _tolerance(scale: Scale | None) -> int:
    return scale.tolerance if scale else 0
