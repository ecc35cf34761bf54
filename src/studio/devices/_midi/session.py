"""What all gear over MIDI has in common: ports that come and go, bytes in and out, and what proves that it is there.

mido and rtmidi block, so they live in one thread for each device; what comes in is stamped where it arrives and handed
over through a bounded mailbox that says what it drops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.bridge import Mailbox
from studio.devices._ground.device import Device
from studio.devices._midi.owner import Owner, StuckError
from studio.devices._midi.ports import close_ports
from studio.language import _
from studio.wire import mackie
from studio.wire import midi as wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.bus import Bus
    from studio.devices._midi.model import MidiModel

logger = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at the list of ports: an unplugged port says nothing by itself (mido#607)."""
LOOK_WITHOUT_MIDI = 5.0
"""Seconds between two looks where the machine has no MIDI at all: its library complains on the terminal each time."""
WAITING = 4096
"""Messages that may wait for the loop: four seconds of a full MIDI cable. Of more the oldest go, and it is told."""
PROBE = 2.0
"""Seconds between two questions whether it is there, for gear that answers."""
PATIENCE = 0.5
"""Seconds for an answer."""
AT_ONCE = 32
"""Messages that are sent in one go: a slow surface takes 10 ms for each, and all have to be sent in their time."""
MISSES = 2
"""Questions unanswered in a row until it counts as lost."""

_SEQUENCER = Path("/dev/snd/seq")
_BROKEN = (OSError, RuntimeError, ValueError, ImportError)
"""What mido and rtmidi raise for a port that is gone or taken, and for a backend that is not there."""
_ALSA = "mido.backends.rtmidi/LINUX_ALSA"
_QUESTIONS = {"identity": wire.IDENTITY_REQUEST, "mackie": mackie.write(mackie.QUERY)}


class MidiDevice(Device):
    """Gear at a MIDI port. *Online* by `MidiModel.alive`: its port is listed and open, or it answers, too."""

    needs_output = False
    """Whether it is the port *to* the gear that has to be there; the other one is used where there is one."""

    def __init__(self, name: str, model: MidiModel, bus: Bus, port: str | None = None, backend: str = "") -> None:
        """Open nothing yet. `port` is a part of the port's name, `None`: the model's.

        `backend` is one of mido's, empty: what the environment's MIDO_BACKEND says, else ALSA by rtmidi on Linux.
        """
        super().__init__(name, bus)
        self._model = model
        self._part = port or model.port
        self._backend_name = backend or os.environ.get("MIDO_BACKEND") or _default_backend()
        self._owner: Owner
        self._output: Any = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._answers = 0
        self._answered = asyncio.Event()
        self.arrived = 0.0
        """When the message came that is being heard, on the loop's clock."""
        self.lost = 0
        """Messages that came quicker than they were heard, ever."""
        self._loss = ""
        """What is said of them while this epoch lasts; empty where none was lost in it."""

    # ── what a kind of gear says to it ────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _hear(self, message: wire.Message) -> None:
        """Take in a message that came at `arrived`."""

    @abstractmethod
    def _say(self, now: float) -> tuple[list[wire.Message], float | None]:
        """Return what has to be sent now, and when to ask again; `None`: when `_wake` is set."""

    def _gone(self) -> None:
        """The link is lost, or messages were: whatever was held down is not any more; all has to be shown again."""

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self) -> None:
        self._owner = Owner(self.name)
        try:
            await self._keep_looking()
        finally:
            self._owner.close()

    async def _keep_looking(self) -> None:
        absent = _("{name} is not plugged in: no MIDI port has {port} in its name.").format(
            name=self.name, port=self._part
        )
        self.link.to("connecting")
        while True:
            pause = LOOK
            if self._owner.stuck:  # what it holds it lets go of once it comes back, if ever
                self._owner.close()
                self._owner = Owner(self.name)
            try:
                if self._backend_name == _ALSA and not _SEQUENCER.exists():
                    raise OSError(f"{_SEQUENCER} is missing")  # the library would say so on the terminal, each time
                backend = await self._owner.do(_load, self._backend_name)
                source, sink = await self._owner.do(self._find, backend)
                if sink if self.needs_output else source:
                    detail = await self._live(backend, source, sink)
                    self.link.to("connecting", detail or absent)
                else:
                    self.link.to("connecting", absent)
            except StuckError as stuck:
                self.link.to("connecting", str(stuck))
            except _BROKEN as problem:
                logger.debug("MIDI of %s: %r", self.name, problem)
                pause = LOOK_WITHOUT_MIDI
                self.link.to(
                    "connecting",
                    _("MIDI cannot be used ({reason}). Is the system's MIDI there (sudo modprobe snd-seq)?").format(
                        reason=problem
                    ),
                )
            await asyncio.sleep(pause)

    def _find(self, backend: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - mido has no types
        """The names of its ports, in and out; `None` for one that is not listed."""
        part = self._part.casefold()
        inputs = [name for name in backend.get_input_names() if part in name.casefold()]
        outputs = [name for name in backend.get_output_names() if part in name.casefold()]
        return inputs[0] if inputs else None, outputs[0] if outputs else None

    async def _live(self, backend: Any, source: str | None, sink: str | None) -> str:  # noqa: ANN401 - mido has no types
        """One epoch: until the ports are listed no more, or no answer comes; a sentence why, or empty."""
        arrived: Mailbox[tuple[float, bytes]] = Mailbox(WAITING)
        ports: list[Any] = []

        def take(message: Any) -> None:  # noqa: ANN401 - mido has no types
            arrived.put((time.monotonic(), bytes(message.bytes())))  # the loop's clock, read where it arrives

        def open_both() -> None:
            if sink is not None:
                ports.append(backend.open_output(sink))
                self._output = ports[-1]
            if source is not None:
                ports.append(backend.open_input(source, callback=take))

        watched = (sink if self.needs_output else source) or ""
        try:
            await self._owner.do(open_both)
            self.link.new_epoch()
            self._loss = ""
            self._wake.set()
            self._idle.clear()
            port = ports[0] if self.needs_output else ports[-1]
            tasks = [
                asyncio.create_task(self._listen(arrived)),
                asyncio.create_task(self._speak()),
                asyncio.create_task(self._until_unlisted(port, watched)),
                asyncio.create_task(self._until_silent()),
            ]
            try:
                done, _waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                return next((detail for task in done if (detail := task.result())), "")
            except StuckError as stuck:
                return str(stuck)
            except _BROKEN as problem:  # the cable was pulled while something was sent
                logger.debug("MIDI of %s: %r", self.name, problem)
                return ""
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._output = None
            self._gone()
            with contextlib.suppress(StuckError):
                await self._owner.do(close_ports, ports)

    async def _until_unlisted(self, port: Any, name: str) -> str:  # noqa: ANN401 - mido has no types
        """Ask the open port itself: mido's own list makes a new client each time, which upsets a running JACK."""
        listed = port._rt.get_ports  # noqa: SLF001 - python-rtmidi's client below mido's port has the only other list
        while name in await self._owner.do(listed):  # noqa: ASYNC110 - unplugging tells nobody
            await asyncio.sleep(LOOK)
        return ""

    async def _until_silent(self) -> str:
        """Go online, and ask on; return a sentence once it has answered and does not any more."""
        await self._idle.wait()  # everything is shown before anybody hears that it is there
        if self._model.alive == "listed":
            self.link.to("online", self._loss)
            await asyncio.Event().wait()
        missed, ever = 0, False
        while True:
            if await self._answer():
                missed, ever = 0, True
                self.link.to("online", self._loss)
            elif not ever:
                self.link.to("degraded", self._silent())
            else:
                missed += 1
                if missed >= MISSES:
                    return _("{name} does not answer any more. Is it switched on, and its cable in?").format(
                        name=self.name
                    )
            await asyncio.sleep(PROBE)

    def _silent(self) -> str:
        if self._model.alive == "mackie":
            return _(
                "{name} is plugged in but does not answer as a Mackie Control. Is it in MC mode?"
                " Lights and faders are sent to it all the same."
            ).format(name=self.name)
        return _("{name} is plugged in but does not say who it is. It is told what to do all the same.").format(
            name=self.name
        )

    async def _answer(self) -> bool:
        if self._output is None:
            return False
        self._answered.clear()
        await self._send([_QUESTIONS[self._model.alive]])
        try:
            async with asyncio.timeout(PATIENCE):
                await self._answered.wait()
        except TimeoutError:
            return False
        return True

    # ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self, arrived: Mailbox[tuple[float, bytes]]) -> str:
        reader = wire.Reader()
        lost = 0
        while True:
            self.arrived, data = await arrived.get()
            if arrived.dropped > lost:
                self._missed(arrived.dropped - lost)
                lost = arrived.dropped
            for message in reader.feed(data):
                if message.kind == "sysex" and (mackie.read(message) or wire.identity(message)):
                    self._answered.set()
                self._hear(message)

    def _missed(self, count: int) -> None:
        self.lost += count
        logger.warning("%s: %d messages came too quickly and are lost", self.name, count)
        self._gone()  # among them may have been that a pad was let go
        self._loss = _("{name} sent more than this machine could take in: {count} of its messages are lost.").format(
            name=self.name, count=self.lost
        )
        if self.link.up:
            self.link.to(self.link.state, self._loss)

    async def _speak(self) -> str:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            messages, due = self._say(loop.time())
            if messages:
                await self._send(messages)
                continue
            self._idle.set()
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _send(self, messages: Sequence[wire.Message]) -> None:
        if self._output is not None:
            data = [wire.encode(message) for message in messages]
            for part in range(0, len(data), AT_ONCE):
                await self._owner.do(_send_all, self._output, data[part : part + AT_ONCE], self._model.pause)


def _default_backend() -> str:
    return _ALSA if sys.platform == "linux" else "mido.backends.rtmidi"


def _load(name: str) -> Any:  # noqa: ANN401 - mido has no types
    """Load a backend of mido, in the thread that owns it."""
    import mido  # noqa: PLC0415 - only houses with MIDI load it

    return mido.Backend(name, load=True)


def _send_all(port: Any, several: list[bytes], pause: float) -> None:  # noqa: ANN401 - mido has no types
    import mido  # noqa: PLC0415 - only houses with MIDI load it

    for data in several:
        port.send(mido.Message.from_bytes(data))
        if pause:
            time.sleep(pause)
