"""Pads over MIDI, by mido: pressed pads come up as events, lights go down and are shown again after a replug."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.bridge import Mailbox
from studio.devices._ground.device import Device, Light
from studio.events import PadPressed
from studio.language import _
from studio.wire import midi as wire

if TYPE_CHECKING:
    from studio.bus import Bus
    from studio.devices._midi.model import MidiModel

logger = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at the list of ports: an unplugged port says nothing by itself (mido#607)."""
LOOK_WITHOUT_MIDI = 5.0
"""Seconds between two looks where the machine has no MIDI at all: its library complains on the terminal each time."""
WAITING = 256
"""Messages. Nobody presses that many pads before the loop looks again; a fader's stream may, and its old ones go."""

_SEQUENCER = Path("/dev/snd/seq")
_BROKEN = (OSError, RuntimeError, ValueError, ImportError)
"""What mido and rtmidi raise for a port that is gone or taken, and for a backend that is not there."""


class MidiPad(Device):
    """A surface with pads. MIDI answers no probe: *online* means that the system lists its port and opened it."""

    def __init__(self, name: str, model: MidiModel, bus: Bus, port: str | None = None, backend: str = "") -> None:
        """Open nothing yet. `port` is a part of the port's name, `None`: the model's.

        `backend` is one of mido's, empty: what the environment's MIDO_BACKEND says, else ALSA by rtmidi on Linux.
        """
        super().__init__(name, bus)
        self._model = model
        self._part = port or model.port
        self._backend_name = backend or os.environ.get("MIDO_BACKEND") or _default_backend()
        self._controls = {note: control for group in model.pads for control, note in group.notes.items()}
        self._notes = {control: note for note, control in self._controls.items()}
        self._velocities = {control: group.lights for group in model.pads for control in group.notes}
        self._lit: dict[str, Light] = {}
        self._owner: ThreadPoolExecutor
        self._output: Any = None
        self._shows = asyncio.Event()

    @property
    def pads(self) -> frozenset[str]:
        """The names of its pads."""
        return frozenset(self._notes)

    def light(self, control: str, state: Light) -> None:
        """Show `state` on `control`; remembered while it is unplugged, shown by nobody where it has no light."""
        if control not in self._notes:
            raise ValueError(control)
        self._lit[control] = state
        self._shows.set()

    async def _serve(self) -> None:
        self._owner = ThreadPoolExecutor(1, thread_name_prefix=f"midi-{self.name}")
        try:
            await self._keep_looking()
        finally:
            self._owner.shutdown(wait=False)

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        absent = _("{name} is not plugged in: no MIDI port has {port} in its name.").format(
            name=self.name, port=self._part
        )
        self.link.to("connecting")
        while True:
            pause = LOOK
            try:
                if self._backend_name == _ALSA and not _SEQUENCER.exists():
                    raise OSError(f"{_SEQUENCER} is missing")  # the library would say so on the terminal, each time
                backend = await loop.run_in_executor(self._owner, _load, self._backend_name)
                found = await loop.run_in_executor(self._owner, self._find, backend)
                if found:
                    await self._live(backend, *found)
                self.link.to("connecting", absent)
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

    def _find(self, backend: Any) -> tuple[str, str | None] | None:  # noqa: ANN401 - mido has no types
        """The names of its ports, in and out; `None` while it is not listed."""
        part = self._part.casefold()
        inputs = [name for name in backend.get_input_names() if part in name.casefold()]
        outputs = [name for name in backend.get_output_names() if part in name.casefold()]
        return (inputs[0], outputs[0] if outputs else None) if inputs else None

    async def _live(self, backend: Any, source: str, sink: str | None) -> None:  # noqa: ANN401 - mido has no types
        """One epoch: until the ports are listed no more."""
        loop = asyncio.get_running_loop()
        arrived: Mailbox[bytes] = Mailbox(WAITING)
        ports: list[Any] = []

        def open_both() -> None:
            ports.append(backend.open_input(source, callback=lambda message: arrived.put(bytes(message.bytes()))))
            if sink is not None:
                ports.append(backend.open_output(sink))

        try:
            await loop.run_in_executor(self._owner, open_both)
            self._output = ports[1] if len(ports) > 1 else None
            self.link.new_epoch()
            self.link.to("online")
            tasks = [asyncio.create_task(self._press(arrived)), asyncio.create_task(self._show())]
            tasks.append(asyncio.create_task(self._until_unlisted(ports[0], source)))
            try:
                done, _waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._output = None
            await loop.run_in_executor(self._owner, _close, ports)

    async def _until_unlisted(self, port: Any, source: str) -> None:  # noqa: ANN401 - mido has no types
        """Ask the open port itself: mido's own list makes a new client each time, which upsets a running JACK."""
        loop = asyncio.get_running_loop()
        listed = port._rt.get_ports  # noqa: SLF001 - python-rtmidi's client below mido's port has the only other list
        while source in await loop.run_in_executor(self._owner, listed):  # noqa: ASYNC110 - unplugging tells nobody
            await asyncio.sleep(LOOK)

    async def _press(self, arrived: Mailbox[bytes]) -> None:
        while True:
            message = wire.decode(await arrived.get())
            if message and message.pressed and message.channel == self._model.channel:
                control = self._controls.get(message.number)
                if control:
                    self.bus.publish(PadPressed(self.name, control))

    async def _show(self) -> None:
        """Send what changed since the last look; a fresh surface is sent everything, also what shall be dark."""
        loop = asyncio.get_running_loop()
        shown: dict[str, int] = {}
        self._shows.set()
        while True:
            await self._shows.wait()
            self._shows.clear()
            for control, lights in self._velocities.items():
                if not lights or self._output is None:
                    continue
                velocity = lights[self._lit.get(control, "off")]
                if shown.get(control) != velocity:
                    message = wire.Message("note_on", self._model.channel, self._notes[control], velocity)
                    await loop.run_in_executor(self._owner, _send, self._output, wire.encode(message))
                    shown[control] = velocity


_ALSA = "mido.backends.rtmidi/LINUX_ALSA"


def _default_backend() -> str:
    return _ALSA if sys.platform == "linux" else "mido.backends.rtmidi"


def _load(name: str) -> Any:  # noqa: ANN401 - mido has no types
    """Load a backend of mido, in the thread that owns it."""
    import mido  # noqa: PLC0415 - only houses with a pad load it

    return mido.Backend(name, load=True)


def _send(port: Any, data: bytes) -> None:  # noqa: ANN401 - mido has no types
    import mido  # noqa: PLC0415 - only houses with a pad load it

    port.send(mido.Message.from_bytes(data))


def _close(ports: list[Any]) -> None:
    for port in ports:
        port.close()
