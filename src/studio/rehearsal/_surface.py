"""Twins of gear over MIDI: they speak the real bytes at virtual ports of JACK, as a surface does at its cable."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from studio.devices import Encoder, Fader, Pad, close_ports
from studio.errors import NotSupported
from studio.wire import mackie
from studio.wire import midi as wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from studio.devices import MidiModel, Value

JACK = "mido.backends.rtmidi/UNIX_JACK"
REMEMBERS = 20_000
"""Messages that a twin remembers having heard."""
SERIAL = b"TWIN001"
CHALLENGE = b"\x01\x02\x03\x04"


class MidiTwin:
    """`async with MidiTwin(model) as twin`: gear with ports of the model's name. What it hears is in `heard`."""

    def __init__(self, model: MidiModel, backend: str = JACK) -> None:
        """Plug in nothing yet. `backend` is one of mido's that can make virtual ports."""
        self.model = model
        self.heard: deque[wire.Message] = deque(maxlen=REMEMBERS)
        self.deaf = False
        """Its ports are there, but it does and says nothing: hung, or in another mode."""
        self.mute = False
        """It does what it is told, and answers no question."""
        self._backend = backend
        self._ports: list[Any] = []

    async def __aenter__(self) -> Self:
        self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unplug()

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────────────

    def plug(self) -> None:
        """Put its cable in."""
        import mido  # noqa: PLC0415 - only a rehearsal with MIDI loads it

        if not self._ports:
            backend = mido.Backend(self._backend, load=True)
            self._ports = [
                backend.open_output(f"{self.model.port} says", virtual=True),
                backend.open_input(f"{self.model.port} hears", virtual=True, callback=self._take),
            ]

    def unplug(self) -> None:
        """Pull its cable. What it shows and where it stands, it keeps."""
        close_ports(self._ports)
        self._ports = []

    def say(self, *messages: wire.Message) -> None:
        """Send `messages`."""
        for message in messages:
            self.junk(wire.encode(message))

    def junk(self, data: bytes) -> None:
        """Send any bytes at all, as one packet."""
        if self._ports and not self.deaf:
            self._ports[0]._rt.send_message(list(data))  # noqa: SLF001 - mido would not let junk through

    @property
    def last(self) -> str:
        """What it was told last, as bytes; empty before that."""
        return wire.encode(self.heard[-1]).hex(" ") if self.heard else ""

    def refuse(self, *controls: str) -> None:  # noqa: ARG002 - as all twins do
        """MIDI has no word for no."""
        raise NotSupported(f"{self.model.port} cannot refuse: MIDI has no word for it")

    def slow(self, seconds: float) -> None:
        """What it does it does not say, so that cannot come late."""
        raise NotSupported(f"{self.model.port} cannot be {seconds} s slow: it does not say what it did")

    def full(self, seconds: float) -> None:
        """MIDI has no word for a full buffer either."""
        raise NotSupported(f"{self.model.port} cannot be full for {seconds} s: MIDI has no word for it")

    # ── what it hears: in the thread of the ports ─────────────────────────────────────────────────────────────────────

    def _take(self, message: Any) -> None:  # noqa: ANN401 - mido has no types
        said = wire.decode(bytes(message.bytes()))
        if said is None or self.deaf:
            return
        self.heard.append(said)
        with contextlib.suppress(OSError, RuntimeError, IndexError):  # its cable may just be pulled
            self._do(said)

    def _do(self, message: wire.Message) -> None:
        if self.mute:
            return
        if message == wire.IDENTITY_REQUEST and self.model.alive == "identity":
            self.say(wire.Message("sysex", data=b"\x7e\x00\x06\x02\x42\x13\x01\x00\x00\x01\x00\x01\x00"))
        order = mackie.read(message)
        if order and order.command == mackie.QUERY and self.model.alive == "mackie":
            self.say(mackie.write(mackie.ANSWER, SERIAL + CHALLENGE, order.device))


class SurfaceTwin(MidiTwin):
    """A surface. Hands do what they do by calls; lights, motors, rings and letters are read back as one sees them."""

    def __init__(self, model: MidiModel, backend: str = JACK) -> None:
        super().__init__(model, backend)
        controls: list[Pad | Fader | Encoder] = [*model.single_pads(), *model.single_faders()]
        controls += model.single_encoders()
        self._controls = {control.name: control for control in controls}
        self.chatty = False
        """Its motors report their own way, as those of surfaces without touch do."""
        self.fought: list[tuple[str, float]] = []
        """Each time that a motor pulled at a fader which a hand was on: the fader, and where to."""
        self._forget()

    def _forget(self) -> None:
        self._lamps: dict[tuple[str, int], tuple[int, int]] = {}
        self._rings: dict[int, int] = {}
        self._stands = dict.fromkeys((name for name, each in self._controls.items() if isinstance(each, Fader)), 0.0)
        self._touched: set[str] = set()
        self._letters = [bytearray(b" " * mackie.COLUMNS) for _row in range(mackie.ROWS)]

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """Off and on again: dark, its letters gone, its faders at `values`, else down."""
        self.unplug()
        self._forget()
        for name, value in (values or {}).items():
            self._stands[name] = float(value)
        self.plug()

    # ── hands ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def press(self, name: str) -> None:
        """Push a pad down."""
        self._pad(name, down=True)

    def release(self, name: str) -> None:
        """Let it go."""
        self._pad(name, down=False)

    def hit(self, *names: str) -> None:
        """Push each down and let it go."""
        for name in names:
            self.press(name)
            self.release(name)

    def touch(self, name: str) -> None:
        """Lay a hand on a fader."""
        self._touched.add(name)
        self._feel(name, down=True)

    def let_go(self, name: str) -> None:
        """Take it off; the motor goes where it was sent last."""
        self._touched.discard(name)
        self._feel(name, down=False)

    def move(self, name: str, position: float) -> None:
        """Move a fader or knob to `position`, in [0..1]."""
        self._stands[name] = position
        self._report(name)

    def turn(self, name: str, steps: int) -> None:
        """Turn an encoder, clockwise above 0."""
        encoder = self._controls[name]
        assert isinstance(encoder, Encoder)  # noqa: S101 - a mistake of the test
        value = next(value for value in range(128) if encoder.steps(value) == steps)
        self.say(wire.Message("control_change", self.model.channel, encoder.controller, value))

    def hand(self, control: str, value: Value) -> None:
        """Press (true) or let go a pad, or move a fader."""
        if isinstance(self._controls[control], Pad):
            self._pad(control, down=bool(value))
        else:
            self.move(control, float(value))

    # ── what one sees ─────────────────────────────────────────────────────────────────────────────────────────────────

    def lamp(self, name: str) -> tuple[int, int] | None:
        """The channel and velocity that the light of `name` was sent last; `None` if none was."""
        pad = self._controls[name]
        assert isinstance(pad, Pad)  # noqa: S101 - a mistake of the test
        return self._lamps.get((pad.kind, pad.number))

    def ring(self, name: str) -> int | None:
        """What the ring of `name` was sent last."""
        encoder = self._controls[name]
        assert isinstance(encoder, Encoder)  # noqa: S101 - a mistake of the test
        return None if encoder.ring is None else self._rings.get(encoder.ring)

    def letters(self, row: int) -> str:
        """One row of its display."""
        return self._letters[row].decode("ascii")

    def value(self, control: str) -> Value:
        """Where a fader stands, or the velocity of a light."""
        if control in self._stands:
            return round(self._stands[control], 4)
        return (self.lamp(control) or (0, 0))[1]

    # ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _pad(self, name: str, *, down: bool) -> None:
        pad = self._controls[name]
        assert isinstance(pad, Pad)  # noqa: S101 - a mistake of the test
        self.say(wire.Message(pad.kind, self.model.channel, pad.number, 127 if down else 0))

    def _feel(self, name: str, *, down: bool) -> None:
        fader = self._controls[name]
        assert isinstance(fader, Fader)  # noqa: S101 - a mistake of the test
        if fader.touch is not None:
            self.say(wire.Message("note_on", self.model.channel, fader.touch, 127 if down else 0))

    def _report(self, name: str) -> None:
        fader, position = self._controls[name], self._stands[name]
        assert isinstance(fader, Fader)  # noqa: S101 - a mistake of the test
        if fader.pitch_bend is not None:
            self.say(wire.Message("pitch_bend", fader.pitch_bend, value=round(position * wire.WIDE)))
        elif fader.fine is None:
            value = round(position * 127)
            self.say(wire.Message("control_change", self.model.channel, fader.controller or 0, value))
        else:
            value = round(position * wire.WIDE)
            self.say(
                wire.Message("control_change", self.model.channel, fader.controller or 0, value >> 7),
                wire.Message("control_change", self.model.channel, fader.fine, value & 0x7F),
            )

    def _do(self, message: wire.Message) -> None:
        super()._do(message)
        order = mackie.read(message)
        if order and order.command == mackie.LCD and order.data:
            row, column = divmod(order.data[0], mackie.COLUMNS)
            text = order.data[1:]
            self._letters[row][column : column + len(text)] = text
            return
        if message.kind in ("note_on", "control_change"):
            self._lamps[message.kind, message.number] = (message.channel, message.value)
        if message.kind == "control_change":
            self._rings[message.number] = message.value
        for name, fader in self._controls.items():
            if isinstance(fader, Fader) and fader.motor and self._means(fader, message):
                self._drive(name, message.value / (wire.WIDE if message.kind == "pitch_bend" else 127))

    def _means(self, fader: Fader, message: wire.Message) -> bool:
        if message.kind == "pitch_bend":
            return fader.pitch_bend == message.channel
        return message.kind == "control_change" and message.number == fader.controller

    def _drive(self, name: str, position: float) -> None:
        if name in self._touched:
            self.fought.append((name, position))
            return
        way, self._stands[name] = (self._stands[name], position), position
        if self.chatty:
            for part in (0.25, 0.5, 0.75, 1.0):
                self._stands[name] = way[0] + (way[1] - way[0]) * part
                self._report(name)


class GearTwin(MidiTwin):
    """A recorder or another thing that is told by MIDI what to do."""

    def __init__(self, model: MidiModel, backend: str = JACK) -> None:
        super().__init__(model, backend)
        self.program: int | None = None
        """Counted from 1."""
        self.does: int | None = None
        """As in `wire.midi.MACHINE`."""
        self._dials: dict[int, int] = {}

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """Off and on again."""
        self.unplug()
        self.program = self.does = None
        self._dials.clear()
        self.plug()
        for name, value in (values or {}).items():
            self._dials[self._controller(name)] = round(float(value))

    def value(self, control: str) -> Value:
        """Where a dial stands."""
        return float(self._dials.get(self._controller(control), 0))

    def hand(self, control: str, value: Value) -> None:
        """Somebody turns a dial at the gear itself, which says so."""
        number = self._controller(control)
        self._dials[number] = round(float(value))
        self.say(wire.Message("control_change", self.model.channel, number, self._dials[number]))

    async def run(self, *messages: wire.Message, pause: float) -> None:
        """Send `messages` with `pause` seconds between them, as timecode comes."""
        for message in messages:
            self.say(message)
            await asyncio.sleep(pause)

    def _controller(self, control: str) -> int:
        dials = self.model.gear.dials if self.model.gear else ()
        return {dial.name: dial.controller for dial in dials}[control]

    def _do(self, message: wire.Message) -> None:
        super()._do(message)
        gear = self.model.gear
        if message.kind == "program_change":
            self.program = message.value + 1
        elif message.kind == "control_change" and gear:
            self._dials[message.number] = message.value
            if any(dial.answers and dial.controller == message.number for dial in gear.dials) and not self.mute:
                self.say(message)
        elif message.kind == "sysex" and gear and gear.machine_answers and message.data[2:3] == b"\x06":
            self._machine(message.data)

    def _machine(self, data: bytes) -> None:
        if data[3] != wire.READ:
            self.does = data[3]
        elif self.does is not None and not self.mute:
            state = (wire.MACHINE["pause"], wire.LOCATE) if self.does == wire.LOCATE else (self.does, 0x7F)
            self.say(wire.Message("sysex", data=bytes((0x7F, data[1], 0x07, wire.TALLY, 0x03, *state, 0x11))))
