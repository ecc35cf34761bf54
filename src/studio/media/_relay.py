"""The relay: a source, the hold, the air and the hub, put together for one programme."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from studio.errors import MediaError, why
from studio.events import ChooseInput, ClockStarted, SetHold, Sound, SoundEnded, Trouble
from studio.language import _
from studio.media import REFUSED
from studio.media._air.air import Air
from studio.media._air.closed import ClosedCaptions
from studio.media._air.slate import warm_up
from studio.media._air.small import small_fps, small_size
from studio.media._air.transmitter import Transmitter
from studio.media._air.trial import Choice
from studio.media._arrive.inputs import Inputs
from studio.media._arrive.intake import Intake
from studio.media._arrive.refill import refill
from studio.media._ground.airtime import AirTime
from studio.media._ground.alarms import Watch
from studio.media._ground.clock import Zero, ms_of, ticks_of
from studio.media._ground.cues import CueBoard, RollUp
from studio.media._ground.hold import Hold
from studio.media._ground.tape import Tape
from studio.media._ground.watchdog import Watchdog
from studio.media._hub import Hub
from studio.media._leave.clean import Clean
from studio.media._leave.destination import Destinations
from studio.media._leave.hls import Hls, Rendition
from studio.media._leave.instant import Instant
from studio.media._leave.recording import CLEAN, NAMES, Recording, join_all, parts
from studio.media._leave.row import Look
from studio.media._leave.writer import Writer
from studio.media._lookout import Lookout
from studio.media._plan import LONGEST_HOLD
from studio.units import ms

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from studio.events import AddDestination, Language, RemoveDestination
    from studio.media._plan import RelayPlan
    from studio.subtitles import Style
    from studio.units import Ms

logger = logging.getLogger(__name__)

REPORT_EVERY = 0.5
HOLD_BYTES = 256 << 20
"""Most that the hold may take: 30 s at 60 Mb/s."""
TAPE_MARGIN = 10
"""Seconds of sound besides the hold: encoders send in bursts."""
LAST_WORDS = 5.0
"""Seconds, after all has aired, for which the relay waits for the recogniser's last words."""
MERCY = 2.0
"""Seconds for which a relay that refuses waits for somebody to tell."""


_Made = TypeVar("_Made")


class Source(Protocol):
    """Where the programme comes from; `run` in a thread of its own."""

    @property
    def has_picture(self) -> bool:
        """Whether there is more than sound; the card is aired otherwise."""

    def run(self) -> None:
        """Hand over what arrives until it ends or the intake is stopping."""

    def stop(self) -> None:
        """Make `run` return soon, where the intake's wish alone would not."""


class Relay:
    """One life of the relay."""

    def __init__(self, plan: RelayPlan) -> None:
        """Belong to the running loop."""
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._broken: asyncio.Future[object] = self._loop.create_future()
        self._aired = asyncio.Event()
        self._zero = Zero(plan.folder, lambda epoch: self._hub.post(ClockStarted(epoch)))
        self._time = AirTime(plan.folder, plan.hold, continued=self._zero.continued)
        self._time.plan(plan.hold, ms_of(self._zero.now()))
        self._board = CueBoard(_roll(plan.style))
        self._english = CueBoard() if plan.translate and plan.language != "en" else None
        self._closed = ClosedCaptions(self._board, self._time) if plan.cea608 else None
        self._hold = Hold(HOLD_BYTES)
        self._tape = Tape(LONGEST_HOLD / 1000 + TAPE_MARGIN)
        boards: dict[Language, CueBoard] = {"": self._board}
        if self._english is not None:
            boards["en"] = self._english
        self._hub = Hub(self._zero, self._time.hold, boards, self.finish, self._change)
        self._destinations = Destinations(plan.destinations, self._hub.say)
        sight = Watch()
        self._transmitter = self._make_transmitter()
        self._air = self._make_air(sight)
        self._intake = self._make_intake()
        self._instant = self._intake.instant = Instant(_not_yet(plan.input))
        self._lookout = self._make_lookout(sight)
        self._watchdog = Watchdog({"air": self._air.pulse, "source": self._intake.pulse}, plan.patience)
        self._source: Source | None = None
        self._damage_said = False
        self._hurried = False

    def _make_transmitter(self) -> Transmitter:
        return Transmitter(
            self._plan,
            closed=self._closed,
            open_outputs=self._outputs,
            destinations=self._destinations,
            say=self._hub.say,
            codec=Choice(self._plan.encode, self._hub.say).codec,
        )

    def _make_air(self, sight: Watch) -> Air:
        return Air(
            self._plan,
            airtime=self._time,
            zero=self._zero,
            hold=self._hold,
            tape=self._tape,
            board=self._board,
            transmitter=self._transmitter,
            say=self._hub.say,
            watch=sight,
        )

    def _make_intake(self) -> Intake:
        plan = self._plan
        intake = Intake(
            self._zero,
            self._hold,
            self._tape,
            ticks_of(self._time.hold),
            heard=lambda start, samples: self._hub.post(Sound(start, samples)),
            sound_ended=lambda silent: self._hub.post(SoundEnded(silent)),
            say=self._hub.say,
            seconds=plan.seconds,
            lip_sync=ticks_of(plan.lip_sync),
        )
        if stand := self._time.stand(ms_of(self._zero.now())):
            intake.aired = ticks_of(stand[1])
        if not plan.input.startswith("file:"):  # a file is there anyhow, and what a microphone gives airs as it is
            keep = plan.clean and plan.input.startswith("listen:")
            intake.clean = Clean(
                plan.folder, LONGEST_HOLD / 1000, keep=keep, seconds=plan.part_seconds, say=self._hub.say
            )
        intake.listened = lambda: plan.captions or self._hub.listened
        return intake

    def _make_lookout(self, sight: Watch) -> Lookout:
        return Lookout(
            self._plan,
            air=self._air,
            intake=self._intake,
            transmitter=self._transmitter,
            destinations=self._destinations,
            hold=self._hold,
            tape=self._tape,
            board=self._board,
            closed=self._closed,
            airtime=self._time,
            sight=sight,
            inputs=lambda: self._inputs,
            say=self._hub.say,
        )

    async def run(self) -> int:
        """Relay the programme to its end; return what the process ends with."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.finish)
        plan = self._plan
        try:
            plan.folder.mkdir(parents=True, exist_ok=True)
            await self._hub.open(plan.socket)
            await self._instant.open(plan.instant)
        except OSError as problem:
            logger.error("%s", _unwritable(plan.folder, problem))  # noqa: TRY400 - the sentence is for a technician
            return REFUSED
        pump = asyncio.create_task(self._hub.run())
        if self._zero.cut_off:
            await self._join_only()
            pump.cancel()
            return 0
        try:
            if not self._zero.continued:
                await self._reporting(
                    asyncio.to_thread(partial(join_all, form=plan.form), plan.folder, None, self._hub.say)
                )
            self._source = await self._reporting(asyncio.to_thread(_open_source, plan, self._intake))
        except MediaError as problem:
            going_on = self._zero.continued  # a microphone that is out just now must not end the evening: try again
            self._hub.post(Trouble(str(problem), ends_show=not going_on))
            await self._hub.wait_for_core(MERCY)
            await self._hub.close()
            pump.cancel()
            logger.error("%s", problem)  # noqa: TRY400
            return 1 if going_on else REFUSED
        if not self._source.has_picture:
            self._air.show_card()
        threading.Thread(target=warm_up, args=(plan,), name="fonts", daemon=True).start()
        self._start("source", partial(self._take_in, self._source), self._air.source_ended)
        self._start("air", self._air.run, self._all_aired)
        self._lookout.start()
        code = await self._watch()
        self._lookout.stop()
        await self._instant.close()
        if code == 0:
            await self._reporting(self._close())
        self._hub.report(self._lookout.report())
        await self._hub.close()
        pump.cancel()
        return code

    def finish(self) -> None:
        """Take no more programme and air what is held; asked a second time, cut that short."""
        if self._intake.stopping.is_set():
            self._hurried = True
            self._air.cut_short()
            return
        self._intake.stopping.set()
        if self._source is not None:
            threading.Thread(target=self._source.stop, name="stop", daemon=True).start()

    def _take_in(self, source: Source) -> None:
        """Take the programme; after a restart first what the relay before us had taken and not aired."""
        if self._intake.clean is not None and self._zero.continued:
            try:
                refill(self._intake, self._plan.folder, self._intake.next_up())
            except (
                Exception
            ):  # whatever a torn part may hold: the encoder must not wait for it, now or at the next start
                logger.exception("the hold cannot be filled again")
        source.run()

    @property
    def _inputs(self) -> Inputs | None:
        """Where encoders stream to us, if they do."""
        return self._source if isinstance(self._source, Inputs) else None

    def _set_hold(self, hold: Ms) -> None:
        """Let the programme wait for `hold` from now on, where that can be."""
        if not 0 <= hold <= LONGEST_HOLD:
            self._hub.say(
                _("A hold of {hold} s cannot be; choose between 0 and {longest} s.").format(
                    hold=f"{hold / 1000:g}", longest=LONGEST_HOLD // 1000
                )
            )
            return
        self._intake.delay = ticks_of(hold)
        self._air.change_hold(hold)
        self._hub.change_hold(hold)

    async def _watch(self) -> int:
        """Report until the programme is over or something broke."""
        airing: asyncio.Future[object] = asyncio.ensure_future(self._aired.wait())
        while True:
            done, _rest = await asyncio.wait(
                {airing, self._broken}, timeout=REPORT_EVERY, return_when="FIRST_COMPLETED"
            )
            if self._broken in done:
                return 1
            if airing in done:
                return 0
            if not self._intake.stopping.is_set() and self._intake.past_the_end(self._zero.now()):
                self.finish()
            self._hub.report(self._lookout.report())
            if hanging := self._watchdog.look(REPORT_EVERY):
                self._hub.say(_hangs(hanging))
                await self._hub.wait_for_core(MERCY)
                return 1
            damage = self._intake.corrupt + self._air.figures.corrupt
            if damage and not self._damage_said:
                self._damage_said = True
                self._hub.say(
                    _("Parts of the programme are damaged and are skipped; check the file, or the way it comes here.")
                )

    async def _reporting(self, work: Coroutine[object, object, _Made]) -> _Made:
        """Do `work` and go on reporting: to join a long evening takes minutes, and who is silent is started again."""
        task = asyncio.ensure_future(work)
        while not (await asyncio.wait({task}, timeout=REPORT_EVERY))[0]:
            self._hub.report(self._lookout.report())
        return await task

    async def _close(self) -> None:
        """Join the recording, and let the recogniser say its last words; the show is over."""
        late = [output for output in self._transmitter.outputs if output.thread.is_alive()]
        for output in late:
            self._hub.say(output.unfinished)
        if late:  # whoever touches that disk waits as long
            await self._hub.wait_for_captions(0)
            return
        self._zero.end()
        clean = self._intake.clean
        ready = set(NAMES)
        if clean is not None and await asyncio.to_thread(clean.close):
            clean.forget()
        elif clean is not None:
            ready.discard(CLEAN)
            self._hub.say(
                _(
                    "The disk is too slow for the end of the clean recording; its parts are kept, "
                    "and `studio recover` joins them."
                )
            )
        # the last words are in the captions' track, too
        await self._hub.wait_for_captions(0 if self._hurried else LAST_WORDS)
        try:
            if any(parts(self._plan.folder, name) for name in ready):
                join = partial(join_all, language=self._plan.language, names=ready, form=self._plan.form)
                await asyncio.to_thread(join, self._plan.folder, None, self._hub.say)
        except MediaError as problem:
            self._hub.say(str(problem))
        except Exception:  # or the next relay would meet the same, and the evening never end
            logger.exception("the recording cannot be joined")
            self._hub.say(_("The parts of the recording are kept; `studio recover` joins them."))
        self._zero.close()

    async def _join_only(self) -> None:
        """Finish what the relay before us, which aired all of the show, died over."""
        logger.info("the show is over; its recording is joined")
        self._hub.post(SoundEnded(silent=False))
        self._intake.link("off", "")
        self._air.figures.phase = "done"
        self._hub.report(self._lookout.report())
        await self._reporting(self._close())
        await self._hub.wait_for_core(MERCY, anyway=True)
        await self._hub.close()

    def _change(self, wish: AddDestination | RemoveDestination | SetHold | ChooseInput) -> None:
        if isinstance(wish, SetHold):
            self._set_hold(wish.hold)
        elif isinstance(wish, ChooseInput):
            if self._inputs is not None:
                self._inputs.choose(wish.name)
        else:
            self._destinations.change(wish)

    def _start(self, name: str, work: Callable[[], None], done: Callable[[], None]) -> None:
        """Run `work` in a thread; what it does not expect breaks the relay, which is better than to hang."""

        def guarded() -> None:
            try:
                work()
            except Exception as problem:
                logger.exception("the %s broke", name)
                self._loop.call_soon_threadsafe(self._break, problem)
            else:
                done()

        threading.Thread(target=guarded, name=name, daemon=True).start()

    def _all_aired(self) -> None:
        self._loop.call_soon_threadsafe(self._aired.set)

    def _break(self, problem: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_result(problem)

    def _outputs(self, width: int, height: int, fps: float) -> list[Writer]:
        """Open the outputs for pictures of this size and rate; called by the air."""
        plan = self._plan
        coming = (plan.encode.video_bitrate + plan.encode.audio_bitrate) * 1000
        closed = self._closed is not None
        with_mux = round(coming * 1.1)  # what MPEG-TS adds
        look = Look(width, height, fps, with_mux, closed)
        hls = plan.folder / "hls"
        renditions = [Rendition(self._board, plan.language)] if plan.captions else []
        if self._english is not None and plan.captions:
            renditions.append(Rendition(self._english, "en", ".en"))
        small, wish = None, plan.encode.small
        if wish is not None:
            bits = round((wish.video_bitrate + plan.encode.audio_bitrate) * 1100)
            small = Look(*small_size(width, height, wish), small_fps(fps, wish), bits)

        def make(folder: Path) -> Hls:
            return Hls(folder, plan.encode, look, renditions, self._time, small=small)

        self._destinations.open(make)
        return [
            Writer("recording", plan.folder, lambda: Recording(plan.folder, plan.part_seconds), self._hub.say),
            Writer("hls", hls, lambda: make(hls), self._hub.say, small=True),
        ]


def _roll(style: Style) -> RollUp | None:
    return RollUp(style.max_lines, ms(style.clear_after)) if style.mode == "roll-up" else None


def _not_yet(source: str) -> str:
    """Say why there is no instant picture of a source that gives nothing, or never a picture."""
    if source.partition(":")[0] == "mic":
        return _("A microphone has no picture; the page /hall shows the words at once.")
    return _("Nothing comes from the encoder yet; the picture is here as soon as it does.")


def _hangs(thread: str) -> str:
    """Say that a thread of ours does not come back, and what to do."""
    if thread == "air":
        return _(
            "The programme stood still, so the relay is started anew; look at the disk of the show folder, and at what"
            " else this machine does."
        )
    return _(
        "What the encoder sends is not taken any more, so the relay is started anew; look at the encoder's settings."
    )


def _unwritable(folder: Path, problem: OSError) -> str:
    return _("{folder} cannot be written ({problem}); choose another folder for the show.").format(
        folder=folder, problem=why(problem)
    )


def _open_source(plan: RelayPlan, intake: Intake) -> Source:
    """Return the source that a plan's `input` names. Raises MediaError."""
    kind, _colon, rest = plan.input.partition(":")
    if kind == "file":
        from studio.media._arrive.file import FileSource  # noqa: PLC0415 - only the chosen source is loaded

        return FileSource(intake, Path(rest))
    if kind == "listen":
        return Inputs(intake, rest, plan.backup, returns=plan.backup_return, folder=plan.folder)
    if kind == "mic":
        from studio.media._arrive.microphone import Microphone  # noqa: PLC0415

        return Microphone(intake, rest)
    raise MediaError(
        _("{input} is no input; write file:PATH, mic, mic:DEVICE or listen:ADDRESS.").format(input=repr(plan.input))
    )


def leave(code: int) -> None:
    """End the process now: a thread that broke may hang, and must not keep us here."""
    os._exit(code)
