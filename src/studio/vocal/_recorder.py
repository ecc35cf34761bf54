"""The recorder: one input, one session, whoever calls; see docs/architecture.md."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from studio import bridge, media
from studio.errors import StudioError, VocalError, why
from studio.events import (
    AnyMessage,
    Finish,
    FollowPitch,
    LinkState,
    MeasureLatency,
    Monitor,
    RecorderState,
    StartTake,
    StopTake,
    TakeEnded,
    TakeStarted,
    Trouble,
)
from studio.language import _
from studio.vocal._disk import Disk
from studio.vocal._hearing import STOPPED, WHOLE, Hearing
from studio.vocal._playing import Playing, Silence
from studio.vocal._take import TAKES, mend

if TYPE_CHECKING:
    from studio.vocal._plan import RecorderPlan

logger = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at the disk, and two reports."""
PATIENCE = 10.0
"""Seconds in which a take is closed and the last is said."""
ALONE = 60.0
"""Seconds without anybody who calls after which a recorder that records nothing leaves."""
_MOST_WAITING = 2000
LOCKED = 1.0
"""Seconds for which the session's lock is asked for: whoever looks whether a recorder lives holds it for a moment."""


class Recorder:
    """One run of the process."""

    def __init__(self, plan: RecorderPlan, playing: Playing | None = None) -> None:
        """Take the session's lock. Raises VocalError where another recorder has it, or the folder cannot be used."""
        self._plan = plan
        self._lock = _lock(plan)
        self._playing: Playing = playing or Silence(plan.rate)
        self._found = [TakeEnded(number, frames, reason) for number, frames, reason in mend(plan.folder)]
        self._lines: set[bridge.Line] = set()
        self._input: LinkState = "connecting"
        self._detail = ""
        self._heard_of_output = ""
        self._gone_at: float | None = None
        self._room: float | None = None
        self._channels = plan.channels
        self._disk = Disk(plan.folder, plan.rate)
        self._wishes: asyncio.Queue[AnyMessage] = asyncio.Queue()
        self._over = asyncio.Event()
        self._preparing = False
        self._called_off = False
        """Whether the take that is being prepared was stopped before it began."""

    async def run(self) -> None:
        """Record until told to leave. Raises StudioError where the input cannot be opened at first."""
        self._mail: bridge.Mailbox[AnyMessage | None] = bridge.Mailbox(_MOST_WAITING)
        plan = self._plan
        self._hearing = Hearing(plan, self._playing, self._mail.put)
        loop = asyncio.get_running_loop()

        def gone(sentence: str) -> None:
            loop.call_soon_threadsafe(self._lose_input, sentence)

        def back() -> None:
            loop.call_soon_threadsafe(self._find_input)

        hearing = self._hearing
        self._capture = media.capture(
            plan.device, plan.rate, plan.channels, hearing.hear,
            lost=hearing.lost, gone=gone, back=back, idle=hearing.idle, keep=hearing.keep,
        )  # fmt: skip
        self._playing.follow(lambda: self._capture.lead)
        await asyncio.to_thread(self._capture.__enter__)
        try:
            self._input = "online"
            if plan.channels > self._capture.channels:
                self._say(_fewer(self._capture.device, self._capture.channels, plan.channels))
            server = await bridge.answer(plan.socket, self._talk)
            try:
                await self._serve()
            finally:
                server.close()
                plan.socket.unlink(missing_ok=True)
        finally:
            await asyncio.to_thread(self._close)

    def leave(self) -> None:
        """End the take in good order and go."""
        self._over.set()

    async def _serve(self) -> None:
        tasks = [asyncio.create_task(work()) for work in (self._post, self._obey, self._tick)]
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({over, *tasks}, return_when="FIRST_COMPLETED")
            for task in tasks:
                if task.done():
                    task.result()
            self._hearing.finish()
            await asyncio.to_thread(self._hearing.done.wait, PATIENCE)
            self._mail.put(None)
            with suppress(TimeoutError):
                await asyncio.wait_for(tasks[0], PATIENCE)
            await asyncio.gather(*(asyncio.wait_for(line.drain(), 1) for line in self._lines), return_exceptions=True)
            await asyncio.gather(*(line.close() for line in self._lines))
        finally:
            over.cancel()
            for task in tasks:
                task.cancel()

    def _close(self) -> None:
        self._playing.close()
        self._hearing.follower.close()
        self._capture.__exit__(None, None, None)
        os.close(self._lock)

    # ── with those who call ───────────────────────────────────────────────────────────────────────────────────────────

    async def _talk(self, line: bridge.Line) -> None:
        told: tuple[AnyMessage, ...] = (*self._found, self._state())
        for message in told:
            line.send(message)
        self._lines.add(line)
        try:
            async for wish in line:
                if isinstance(wish, StopTake):  # never behind a file that is read, or a ping
                    self._called_off = self._preparing
                    self._hearing.stop()
                elif isinstance(wish, Finish):
                    self.leave()
                else:
                    self._wishes.put_nowait(wish)
        finally:
            self._lines.discard(line)

    def _send(self, message: AnyMessage) -> None:
        for line in self._lines:
            line.send(message)

    def _say(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        self._send(Trouble(sentence))

    async def _post(self) -> None:
        """Hand on what the thread that hears tells."""
        while (message := await self._mail.get()) is not None:
            self._send(message)
            if isinstance(message, TakeEnded) and message.ended not in (STOPPED, WHOLE):
                self._say(message.ended)
            if isinstance(message, TakeStarted | TakeEnded):
                self._send(self._state())

    async def _obey(self) -> None:
        """Do what is wished, one after the other."""
        while True:
            wish = await self._wishes.get()
            try:
                match wish:
                    case StartTake():
                        await self._start(wish)
                    case MeasureLatency():
                        if self._hearing.number is not None:
                            raise VocalError(_("A take is being recorded; measure before or after it."))  # noqa: TRY301
                        await asyncio.to_thread(self._playing.measure, wish)
                    case Monitor():
                        self._playing.adjust(wish)
                    case FollowPitch():
                        self._hearing.follower.follow(wish.channel, wish.lowest, wish.highest)
                    case _:
                        continue
            except StudioError as problem:
                self._refuse(wish, str(problem))
            except Exception as problem:
                logger.exception("a wish failed")
                sentence = _("That failed by a fault of the studio's ({problem}); its log says more.")
                self._refuse(wish, sentence.format(problem=f"{type(problem).__name__}: {problem}"))
            self._send(self._state())

    def _refuse(self, wish: AnyMessage, sentence: str) -> None:
        if isinstance(wish, StartTake):
            self._send(TakeEnded(wish.number, 0, sentence))
        self._say(sentence)

    async def _start(self, wish: StartTake) -> None:
        if self._hearing.number is not None:
            raise VocalError(_("A take is being recorded; stop it before the next one."))
        if self._input != "online":
            raise VocalError(self._detail)
        there = self._capture.channels
        tracks = tuple(track for track in wish.tracks if 1 <= track.channel <= there)
        missing = [track for track in wish.tracks if track not in tracks]
        if missing:
            names = ", ".join(track.name for track in missing)
            sentence = _("The input {device} has {there} channels, so {names} cannot be recorded.")
            sentence = sentence.format(device=self._capture.device, there=there, names=names)
            if not tracks:
                raise VocalError(sentence)
            self._say(sentence)
        if not tracks:
            raise VocalError(_("Nothing is armed; choose which channels to record."))
        self._preparing, self._called_off = True, False
        try:
            cue = await asyncio.to_thread(self._playing.prepare, wish, self._capture.frames)
        finally:
            self._preparing = False
        if self._called_off:
            self._playing.stop()
            self._send(TakeEnded(wish.number, 0, STOPPED))
            return
        self._hearing.begin(msgspec.structs.replace(wish, tracks=tracks), cue)

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _lose_input(self, sentence: str) -> None:
        self._input, self._detail = "connecting", sentence
        self._gone_at = time.monotonic()
        self._say(sentence)
        self._hearing.note(stall=sentence)
        if self._hearing.plays:
            self._hearing.stop(sentence)
        self._send(self._state())
        asyncio.get_running_loop().run_in_executor(None, self._playing.gone)

    def _find_input(self) -> None:
        self._input, self._detail, self._gone_at = "online", "", None
        self._send(self._state())

    async def _tick(self) -> None:
        alone = 0.0
        while True:
            await self._look_at_disk()
            take = self._hearing.take
            if take is not None:
                with suppress(OSError):
                    await asyncio.to_thread(take.sync)
            if (
                self._gone_at is not None
                and time.monotonic() - self._gone_at > self._plan.patience
                and take is not None
            ):
                self._hearing.stop(self._detail)
            self._look_at_rate()
            self._look_at_output()
            self._send(self._state())
            alone = 0.0 if self._lines or self._hearing.number is not None else alone + TICK
            if alone > ALONE:
                logger.info("nobody has called for a while")
                self.leave()
            await asyncio.sleep(TICK)

    async def _look_at_disk(self) -> None:
        take = self._hearing.take
        tracks = take.tracks if take is not None else max(1, self._capture.channels)
        try:
            room = await asyncio.to_thread(self._disk.look, tracks)
        except OSError as problem:
            logger.warning("the room of %s cannot be told: %s", self._plan.folder, problem)
            self._room = None
            return
        self._room = room.seconds
        if room.full and take is not None:
            self._hearing.stop(_("The disk is full; make room before the next take."))
        elif room.warning:
            self._say(room.warning)

    def _look_at_rate(self) -> None:
        strange = self._capture.strange_rate
        if strange is None or self._input == "degraded":
            return
        sentence = _("{device} gives {strange} samples a second instead of {rate}; set its clock, then record again.")
        self._detail = sentence.format(device=self._capture.device, strange=round(strange, -2), rate=self._plan.rate)
        self._input = "degraded"
        if self._hearing.number is not None:
            self._hearing.stop(self._detail)
        else:
            self._say(self._detail)

    def _look_at_output(self) -> None:
        """Say once what the playing has to say; the take goes on whatever it is."""
        if self._playing.detail != self._heard_of_output:
            self._heard_of_output = self._playing.detail
            self._hearing.note(output=self._heard_of_output)
            if self._heard_of_output:
                self._say(self._heard_of_output)

    def _state(self) -> RecorderState:
        take = self._hearing.take
        playing = self._playing
        return RecorderState(
            input=self._input,
            device=self._capture.device,
            rate=self._plan.rate,
            channels=self._capture.channels,
            take=self._hearing.number,
            frames=take.frames if take is not None else 0,
            disk_seconds=self._room,
            output=playing.state,
            latency=playing.latency,
            spread=playing.spread,
            detail=self._detail or playing.detail,
        )


def _lock(plan: RecorderPlan) -> int:
    """Take the lock of a session, for as long as this process lives."""
    folder = plan.folder
    try:
        (folder / TAKES).mkdir(parents=True, exist_ok=True)
        file = os.open(folder / "recorder.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        sentence = _("The session {folder} cannot be recorded into: {problem}.")
        raise VocalError(sentence.format(folder=folder, problem=why(problem))) from problem
    until = time.monotonic() + LOCKED
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if time.monotonic() < until:
                time.sleep(LOCKED / 50)
                continue
            os.close(file)
            sentence = _("Another recorder has the session {folder}; close it there first.")
            raise VocalError(sentence.format(folder=folder)) from problem
        return file


def _fewer(device: str, there: int, wanted: int) -> str:
    sentence = _("{device} has {there} channels instead of {wanted}; look at its settings.")
    return sentence.format(device=device, there=there, wanted=wanted)
