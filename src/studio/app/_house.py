"""The evening as it runs: children, lines, devices, and the one true state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from typing import TYPE_CHECKING

import msgspec

from studio import captions, media
from studio.app import _destinations, _plug
from studio.app._destinations import Destinations
from studio.app._evening import is_running
from studio.app._inputs import Inputs
from studio.app._plug import Plugs
from studio.app._report import Report
from studio.app._said import COMMANDS, Corrections, Rolling
from studio.app._summary import Summary, sum_up
from studio.app._waiting import Waiting
from studio.bridge import Line
from studio.devices import Outcome
from studio.errors import ShowError, StudioError, first_of
from studio.events import (
    AnyMessage,
    ClockStarted,
    Edited,
    Finish,
    Heard,
    HoldChanged,
    ListenerReport,
    RelayReport,
    ShowCue,
    SinkReport,
    Subscribe,
    Trouble,
    Welcome,
    WordsChanged,
)
from studio.language import _
from studio.show import State
from studio.supervise import Child, Supervisor
from studio.units import Ms, ShowClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from studio.app._evening import Evening
    from studio.catalogue import Catalogue
    from studio.venue import Venue

logger = logging.getLogger(__name__)

CALL_AGAIN = 0.1
"""Seconds between two calls to a relay that does not answer yet."""
FAREWELL = 900.0
"""Seconds that a relay may take, beyond the hold, to air what is held and to remux an evening. It reports meanwhile:
one that hangs is ended sooner."""
GRACE = 30.0
"""Seconds that the recogniser may take, when the show is over, to settle its last words on a slow machine."""
DEAF = 3.0
"""Seconds without a report after which the relay is not called online any more; it sends two a second."""
HUNG = 12.0
"""Seconds without a report after which the relay is killed, to be started again."""


class House:
    """One evening. `run()` it; `stop()` asks it to end in order."""

    def __init__(self, venue: Venue, catalogue: Catalogue, evening: Evening) -> None:
        """Open nothing yet."""
        self.state = State()
        self.folder: Path = evening.folder
        """The show folder."""
        self.instant: Path = evening.relay.instant
        """Where the relay passes on what arrives, without the hold."""
        self._evening = evening
        self._report = Report(self.state)
        self._report.begin(
            title=evening.title,
            language=evening.language,
            folder=evening.folder,
            interface=evening.relay.interface,
            hold=evening.relay.hold,
            captions=evening.captions is not None,
            no_captions=evening.no_captions,
        )
        self._destinations = Destinations(evening.outlets, evening.relay.destinations, self._send_to_relay)
        self._inputs = Inputs(self._send_to_relay)
        self._waiting = Waiting(evening.relay.hold, self._send_to_relay)
        self._report.outputs.house(self._destinations.known)
        if evening.no_captions:
            self._tell(evening.no_captions)
        self._plugs = Plugs(venue, catalogue, evening, self._report, self.command)
        self._corrections = Corrections(self._send)
        self._rolling = Rolling()
        self._line: Line | None = None
        self._clock: ShowClock | None = None
        self._seconds = 0.0
        self._began = 0.0
        self._first_frame: float | None = None
        self._refusal = ""
        self._stopping = asyncio.Event()
        self._draining = asyncio.Event()
        self._parted = asyncio.Event()
        self._last_report = 0.0
        self._relay_process: int | None = None
        self._followed = False
        """Whether the relay is one that another studio started."""
        self._relay = self._supervised("relay", media.command(), self._relay_plan, evening.relay.hold / 1000 + FAREWELL)
        self._recogniser = (
            self._supervised(
                "recogniser", captions.command(), evening.captions.to_json(), GRACE, note=evening.run / "recogniser.pid"
            )
            if evening.captions
            else None
        )

    async def run(self) -> Summary:
        """Put the evening on and see it through. Raises StudioError where it cannot go on."""
        evening = self._evening
        self._began = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as rooms:
                show = rooms.create_task(self._see_relay_through())
                others = [
                    rooms.create_task(task)
                    for task in (
                        self._talk_to_relay(),
                        self._watch_relay(),
                        self._stop_when_asked(),
                        self._wind_down(),
                        self._plugs.run(),
                    )
                ]
                listening = rooms.create_task(self._recogniser.run()) if self._recogniser else None
                code = await show
                self._report.phase("ended")
                await self._plugs.close()
                for other in others:
                    other.cancel()
                if self._recogniser and listening and not listening.done():
                    await self._recogniser.stop()
                await asyncio.to_thread(self._gather_recording)
        except* StudioError as several:
            raise first_of(several) from None
        if code == media.REFUSED:
            raise ShowError(
                self._refusal or _("The show could not begin; why is said in {log}.").format(log=self._log("relay"))
            )
        summary = await asyncio.to_thread(sum_up, self._report, evening.folder, self._first_frame)
        summary.save()
        if not (summary.frames or self._stopping.is_set()):
            raise ShowError(
                _("Nothing of the programme went on the air; why is said in {log}.").format(log=self._log("relay"))
            )
        return summary

    def stop(self) -> None:
        """Take no more programme, air what is held, close the files. A second call cuts the hold short."""
        if self._stopping.is_set() and (process := self._relay.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, self._relay.child.stop_signal)
        self._stopping.set()

    async def command(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Do what a page asks for: `take`, `hold`, `input`, `stop`, or one of COMMANDS of other files."""
        if name in COMMANDS:
            return await self._correct(name, arguments)
        for room, names in ((self._destinations, _destinations.COMMANDS), (self._plugs, _plug.COMMANDS)):
            if name in names:
                return await room.command(name, arguments)
        match name:
            case "hold" | "input":
                asked = self._waiting if name == "hold" else self._inputs
                return await asked.command(arguments)
            case "stop":
                self.stop()
                return Outcome("confirmed")
        return Outcome("refused", _("There is no command {name}.").format(name=repr(name)))

    async def _correct(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        if self._recogniser is None:
            return Outcome("refused", self._evening.no_captions or _("Captions are switched off in this show."))
        return await self._corrections.command(name, arguments)

    # ── children ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _log(self, name: str) -> Path:
        return self._evening.run / f"{name}.log"

    def _supervised(
        self, name: str, command: list[str], plan: bytes | Callable[[], bytes], grace: float, note: Path | None = None
    ) -> Supervisor:
        child = Child(
            name=name,
            command=command,
            stdin=plan,
            log=self._log(name),
            note=note,
            grace=grace,
            final=lambda code: code in (0, media.REFUSED),
        )
        return Supervisor(child, lambda state, code: self._child_changed(name, state, code))

    def _relay_plan(self) -> bytes:
        """As decided, with the destinations that are wished for when it is handed over."""
        return msgspec.structs.replace(self._evening.relay, destinations=self._destinations.plan()).to_json()

    def _child_changed(self, name: str, state: str, code: int | None) -> None:
        if state == "running":
            self._report.link(name, "connecting", _("It is starting."))
        elif state == "lost":
            self._report.link(name, "connecting", _("It stopped unexpectedly and is being started again."))
            self._report.captions.sinks_lost(name)
            if name == "recogniser":
                self._report.captions.unheard()
            elif name == "relay":
                self._report.outputs.lost()
                self._report.link("source", "connecting")  # whoever streams to us lost it too
        elif code == media.REFUSED:
            self._report.link(
                name, "refused", _("It could not begin; why is said in {log}.").format(log=self._log(name))
            )
        else:
            self._report.link_ended(name)

    async def _see_relay_through(self) -> int:
        """Run the relay to the end of the show; one that a studio which died left behind is followed to its end."""
        if is_running(self._evening.relay.socket):
            self._tell(_("The show in {folder} was still running and is taken up again.").format(folder=self.folder))
            self._followed = True
            await self._parted.wait()
            self._followed = False
            if media.whole_recording(self.folder) is not None:
                return 0
        return await self._relay.run()

    async def _watch_relay(self) -> None:
        """A relay that says nothing is not online, and one that goes on saying nothing is started again."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(DEAF / 2)
            silent = loop.time() - self._last_report if self._line and self._last_report else 0.0
            if silent > DEAF:
                self._report.link("relay", "degraded", _("It does not report."))
            process = self._relay.pid or (self._relay_process if self._followed else None)
            if silent > HUNG and process:
                logger.error("the relay has not reported for %.0f s and is killed", silent)
                self._tell(_("The relay did not report any more and is started anew; its log says what it did last."))
                self._last_report = 0.0
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def _gather_recording(self) -> None:
        """Join the parts that a relay which was cut off in the end left; they stay where that cannot be done."""
        try:
            media.recover(self.folder, form=self._evening.relay.form, language=self._evening.relay.language)
        except StudioError as problem:
            self._tell(str(problem))

    async def _talk_to_relay(self) -> None:
        """Call the relay for ever: each new line is a new relay, or the same one that lost us."""
        while True:
            try:
                line = await Line.call(self._evening.relay.socket)
            except OSError:
                await asyncio.sleep(CALL_AGAIN)
                continue
            self._line = line
            self._last_report = asyncio.get_running_loop().time()  # it may hang before its first word, too
            line.send(Subscribe("core"))
            if self._stopping.is_set():
                line.send(Finish())
            try:
                async for message in line:
                    self._take_in(message)
            finally:
                self._line = None
                self._last_report = 0.0
                self._parted.set()
                await line.close()

    def _send(self, message: AnyMessage) -> bool:
        """Hand `message` to the relay, and through it to the recogniser; False where neither would have it."""
        if self._line is None or self._report.link_state("recogniser") in ("connecting", "refused"):
            return False
        self._line.send(message)
        return True

    def _send_to_relay(self, message: AnyMessage) -> bool:
        if self._line is None:
            return False
        self._line.send(message)
        return True

    def _take_in(self, message: AnyMessage) -> None:
        match message:
            case Welcome(epoch=epoch, hold=hold, process=process):
                self._relay_process = process
                self._report.relay_restarted(process)
                self._report.link("relay", "online")
                self._destinations.connected()
                self._set_clock(epoch or None)
                self._set_hold(hold)
            case HoldChanged(hold=hold):
                self._set_hold(hold)
            case ClockStarted(epoch=epoch):
                self._set_clock(epoch)
            case RelayReport():
                self._on_relay_report(message)
            case Trouble(sentence=sentence, ends_show=ends):
                if ends:  # it is what the command ends with
                    self._refusal = sentence
                else:
                    self._tell(sentence)
            case _:
                self._take_in_words(message)

    def _take_in_words(self, message: AnyMessage) -> None:
        match message:
            case Heard():
                self._report.captions.heard(message)
                self._show_at_once(message)
            case WordsChanged():
                self._report.captions.words_changed(message)
                if self._clock:
                    self._plugs.show_text(self._rolling.changed(message, self._clock.now()), None)
            case Edited():
                self._corrections.answered(message)
            case ShowCue():
                self._report.captions.cue(message)
            case ListenerReport():
                self._report.listening(message)
            case _:
                logger.debug("not for the core: %r", message)

    def _show_at_once(self, heard: Heard) -> None:
        """What needs no hold: the page for the hall follows the state, a text source of OBS is told."""
        if self._clock is None:
            return
        now = self._clock.now()
        text = self._rolling.heard(heard, now)
        newest = Ms(self._clock.epoch // 1_000_000 + heard.settled[-1].end) if heard.settled else None
        self._plugs.show_text(text, newest)
        if heard.settled:
            late = Ms(max(0, now - heard.settled[-1].end))
            self._report.captions.sinks("core", [SinkReport("hall", "online", "", late)])

    def _set_clock(self, epoch: int | None) -> None:
        self._clock = ShowClock(epoch) if epoch else None
        self._report.clock(epoch)

    def _set_hold(self, hold: Ms) -> None:
        self._waiting.told(hold)
        self._relay.child.grace = hold / 1000 + FAREWELL
        self._report.hold(hold, self._clock.now() if self._clock else Ms(0))

    def _on_relay_report(self, report: RelayReport) -> None:
        self._last_report = asyncio.get_running_loop().time()
        self._report.link("relay", "online")
        if report.phase in ("on air", "draining"):
            if self._first_frame is None:
                self._first_frame = asyncio.get_running_loop().time() - self._began
            if self._clock:
                self._seconds = max(0.0, (self._clock.now() - self._evening.relay.hold) / 1000)
            if report.phase == "draining":
                self._draining.set()
            self._report.phase("stopping" if self._stopping.is_set() or self._draining.is_set() else "on air")
        self._destinations.told(report)
        self._inputs.told(report)
        if self._followed:
            self._destinations.adopt(report)
        self._report.relay(report, self._seconds)
        if self._clock:
            self._report.captions.forget_words(self._clock.now())
            self._plugs.show_text(self._rolling.text(self._clock.now()), None)

    async def _stop_when_asked(self) -> None:
        await self._stopping.wait()
        self._report.phase("stopping")
        if self._line:
            self._line.send(Finish())
        else:  # it is only just starting, or on its way back
            await self._relay.stop()

    async def _wind_down(self) -> None:
        """While the hold airs, nobody has to stream to us any more."""
        await self._draining.wait()
        await self._plugs.wind_down()

    def _tell(self, sentence: str) -> None:
        if self._report.notice(sentence):
            logger.warning("%s", sentence)
