"""The house's switchboard: who calls the relay, what they are told, and what they say to each other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from typing import TYPE_CHECKING

from studio import bridge
from studio.events import (
    AddDestination,
    CaptionsDone,
    ChooseInput,
    ClockStarted,
    Edited,
    EditWord,
    Finish,
    Heard,
    HoldChanged,
    ListenerReport,
    RelayReport,
    RemoveDestination,
    SetHold,
    ShowCue,
    Sound,
    SoundEnded,
    Subscribe,
    Trouble,
    Welcome,
    WordsChanged,
)
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from studio.bridge import Line
    from studio.events import AnyMessage, Language
    from studio.media._ground.clock import Zero
    from studio.media._ground.cues import CueBoard

logger = logging.getLogger(__name__)

RING = Ms(30_000)
"""How much programme sound is kept for a recogniser that comes back."""
RECOGNISER = "recogniser"
OUTBOX = 4000
"""Messages of our threads that may wait for the loop: minutes of sound."""
_BYTES_A_MS = 32


class Hub:
    """Lives on the loop; `post` may be called from any thread."""

    def __init__(
        self,
        zero: Zero,
        hold: Ms,
        boards: Mapping[Language, CueBoard],
        finish: Callable[[], None],
        change: Callable[[AddDestination | RemoveDestination | SetHold | ChooseInput], None] = lambda _wish: None,
    ) -> None:
        """`boards` take the cues of each track that is aired; `finish` is called when somebody asks for the end.

        `change` is told which destinations somebody wants to come or go, which hold and which input.
        """
        self._zero = zero
        self._hold = hold
        self._boards = boards
        self._finish = finish
        self._change = change
        self._outbox: bridge.Mailbox[Sound | SoundEnded | ClockStarted | Trouble] = bridge.Mailbox(OUTBOX)
        self._callers: dict[Line, Subscribe] = {}
        self.listened = False
        """Somebody asked for the sound."""
        self._edits: set[int] = set()
        """Requests that the recogniser has not answered yet."""
        self._ring: deque[Sound] = deque()
        self._ended: SoundEnded | None = None
        self._untold: list[Trouble] = []
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._report: RelayReport | None = None
        self._told = asyncio.Event()
        self._written = asyncio.Event()
        """No recogniser has words to come."""
        self._written.set()

    async def open(self, socket: Path) -> None:
        """Answer at `socket`. Raises OSError."""
        socket.parent.mkdir(parents=True, exist_ok=True)
        self._server = await bridge.answer(socket, self._talk)

    async def run(self) -> None:
        """Hand on what the threads post; for ever."""
        while True:
            self._hand_on(await self._outbox.get())

    async def close(self, patience: float = 1.0) -> None:
        """Tell everyone the last, and hang up."""
        await self._empty_outbox()
        lines = list(self._callers)
        if lines:
            await asyncio.wait({asyncio.ensure_future(line.drain()) for line in lines}, timeout=patience)
        if self._server is not None:
            self._server.close()
        for line in lines:
            await line.close()
        if self._talks:
            await asyncio.wait(self._talks, timeout=patience)

    async def wait_for_core(self, patience: float, *, anyway: bool = False) -> None:
        """Wait until what a person should know has been told to somebody, so long as `patience` seconds.

        `anyway`: also where only the last report is to be told.
        """
        await self._empty_outbox()
        if self._untold or anyway:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), patience)

    async def wait_for_captions(self, patience: float) -> None:
        """Wait until the recogniser, if one is here, has said its last words or is gone; `patience` seconds at most."""
        await self._empty_outbox()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._written.wait(), patience)

    def post(self, message: Sound | SoundEnded | ClockStarted | Trouble) -> None:
        """Send `message` to whom it concerns; from any thread."""
        self._outbox.put(message)

    def say(self, sentence: str) -> None:
        """Tell a person something, once; from any thread."""
        logger.warning("%s", sentence)
        self.post(Trouble(sentence))

    def report(self, report: RelayReport) -> None:
        """Send `report` to everyone who looks after the show; call it on the loop."""
        self._report = report
        self._tell(report)

    def change_hold(self, hold: Ms) -> None:
        """Tell everyone that the programme waits for `hold` from now on; call it on the loop."""
        self._hold = hold
        for line in self._callers:
            line.send(HoldChanged(hold))

    async def _empty_outbox(self) -> None:
        while len(self._outbox):
            self._hand_on(await self._outbox.get())

    def _hand_on(self, message: AnyMessage) -> None:
        match message:
            case Sound():
                self._ring.append(message)
                while self._ring[0].start < message.start - RING:
                    self._ring.popleft()
                self._to_listeners(message)
            case SoundEnded():
                self._ended = message
                for line in self._callers:
                    line.send(message)
            case Trouble():
                if not self._tell(message):
                    self._untold.append(message)
            case ClockStarted():
                for line in self._callers:
                    line.send(message)

    def _to_listeners(self, message: Sound) -> None:
        for line, caller in self._callers.items():
            # after a restart the hold is filled again with sound that this caller has heard
            heard_upto = caller.sound_from
            if heard_upto is not None and message.start + len(message.samples) // _BYTES_A_MS > heard_upto:
                line.send(message)

    def _tell(self, message: AnyMessage) -> int:
        """Send `message` to everyone but the recogniser; return how many that are."""
        lines = [line for line, caller in self._callers.items() if caller.name != RECOGNISER]
        for line in lines:
            line.send(message)
        return len(lines)

    def _recognisers(self) -> list[Line]:
        return [line for line, caller in self._callers.items() if caller.name == RECOGNISER]

    def _edit(self, message: EditWord | Edited) -> None:
        """Hand a wish to the recogniser and its answer back; where none is here, or goes before it answers, refuse."""
        if isinstance(message, Edited):
            self._edits.discard(message.request)
            self._tell(message)
        elif lines := self._recognisers():
            self._edits.add(message.request)
            for line in lines:
                line.send(message)
        else:
            self._refuse(message.request)

    def _refuse(self, request: int) -> None:
        self._tell(Edited(request, _("The captions are starting again and cannot be corrected just now; try again.")))

    async def _talk(self, line: Line) -> None:
        if (talk := asyncio.current_task()) is not None:
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)
        caller = await line.receive()
        if not isinstance(caller, Subscribe):
            return
        logger.info("%s calls", caller.name)
        line.send(Welcome(self._zero.epoch or 0, self._hold, os.getpid(), self._zero.show or 0))
        self._catch_up(line, caller)
        self._callers[line] = caller
        if caller.name == RECOGNISER:
            self._written.clear()
        try:
            async for message in line:
                self._hear(message, line)
        finally:
            del self._callers[line]
            if not self._recognisers():
                self._written.set()
                for request in sorted(self._edits):
                    self._refuse(request)
                self._edits.clear()
            logger.info("%s is gone", caller.name)

    def _catch_up(self, line: Line, caller: Subscribe) -> None:
        """Tell a new caller what the others know."""
        if caller.sound_from is not None:
            self.listened = True
            for sound in self._ring:
                if sound.start + len(sound.samples) // _BYTES_A_MS > caller.sound_from:
                    line.send(sound)
        if self._ended is not None:
            line.send(self._ended)
        if caller.name != RECOGNISER:
            for trouble in self._untold:
                line.send(trouble)
            self._untold.clear()
            self._told.set()
            if self._report is not None:
                line.send(self._report)

    def _hear(self, message: AnyMessage, line: Line) -> None:
        match message:
            case ShowCue():
                if message.track in self._boards:
                    self._boards[message.track].show(message.cue)
                self._tell(message)
            case EditWord() | Edited():
                self._edit(message)
            case Heard() | WordsChanged() | ListenerReport():
                self._tell(message)
            case Trouble():
                self._hand_on(message)
            case CaptionsDone():
                self._written.set()
                self._tell(message)
            case Finish():
                self._finish()
            case AddDestination() | RemoveDestination() | SetHold() | ChooseInput():
                self._change(message)
            case Subscribe():
                self._callers[line] = message
            case _:
                logger.info("a caller said %s, which is ours to say", type(message).__name__)
