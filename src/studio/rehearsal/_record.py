"""What a house and a real device said to each other, kept as JSON lines, and a stand-in that says it again.

The first line says what was recorded, the last what the driver then knew: so a recording is a test.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from studio.bus import Bus
from studio.devices import Hardware, Value, open_devices
from studio.errors import DeviceError, DrawerError
from studio.language import _
from studio.rehearsal._faults import Gate, Side
from studio.wire import osc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from types import TracebackType

    from studio.catalogue import Catalogue
    from studio.devices import Device
    from studio.venue import DeviceSettings


VERSION = 1
LONGEST = 2.0
"""Seconds that a stand-in waits at most before it says what the device said, however long that took."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A datagram, or what came at once over TCP."""

    at: float
    """Seconds after the beginning."""
    side: Side
    """Who said it."""
    socket: int
    """On which of the house's sockets."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """A conversation."""

    hardware: str
    """The file of `hardware/`."""
    kind: Literal["udp", "tcp"]
    pieces: tuple[Piece, ...]
    values: Mapping[str, Value] = field(default_factory=dict)
    """What the driver knew at the end; a recording that was cut off has none."""


class Recorder:
    """Writes a recording as it happens: each line is whole, and there, before the next."""

    def __init__(self, out: IO[str], hardware: str, kind: Literal["udp", "tcp"]) -> None:
        """Begin it."""
        self._out = out
        self._began = time.monotonic()
        self.pieces = 0
        """So many, until now."""
        self._write({"recording": VERSION, "hardware": hardware, "kind": kind})

    def tap(self, side: Side, data: bytes, socket: int) -> None:
        """Take down a piece; a `Tap` of a gate."""
        at = round(time.monotonic() - self._began, 4)
        self._write({"at": at, "from": side, "socket": socket, "bytes": data.hex(" ")})
        self.pieces += 1

    def end(self, values: Mapping[str, Value]) -> None:
        """The driver knows this now."""
        self._write({"values": dict(values)})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._out.flush()


def read_recording(file: Path) -> Recording:
    """Return what `file` holds; DrawerError with its line where it is no recording. A torn last line is left out."""
    lines = file.read_text("utf-8").splitlines()
    said: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            said.append(_checked(json.loads(line), first=number == 1))
        except (ValueError, KeyError, TypeError):
            if number == len(lines) > 1:
                break
            raise DrawerError(_("this is no line of a recording"), file=file, line=number) from None
    if not said:
        raise DrawerError(_("this is no line of a recording"), file=file, line=1)
    pieces = tuple(
        Piece(each["at"], each["from"], each["socket"], bytes.fromhex(each["bytes"])) for each in said if "at" in each
    )
    return Recording(said[0]["hardware"], said[0]["kind"], pieces, said[-1].get("values", {}))


def _checked(line: dict[str, Any], *, first: bool) -> dict[str, Any]:
    if first and (line["recording"] != VERSION or line["kind"] not in ("udp", "tcp") or not line["hardware"]):
        raise ValueError(line)
    if not first and "values" not in line:
        bytes.fromhex(line["bytes"])
        if line["from"] not in ("house", "device"):
            raise ValueError(line)
        float(line["at"]), int(line["socket"])
    return line


@contextlib.asynccontextmanager
async def recorded(settings: DeviceSettings, catalogue: Catalogue, out: IO[str]) -> AsyncIterator[tuple[Device, Gate]]:
    """Run the driver of a device through a gate, and write to `out` what they say until the block ends.

    Others may call the gate's port, too. DeviceError for a device whose words do not pass a gate.
    """
    hardware = catalogue.load("hardware", settings.hardware, Hardware)
    kind, port = _way(hardware, settings)
    recorder = Recorder(out, settings.hardware, kind)
    async with Gate(kind, port, settings.host, tap=recorder.tap) as gate:
        here = dataclasses.replace(settings, host="127.0.0.1", port=gate.port)
        (device,) = open_devices([here], catalogue, Bus())
        running = asyncio.create_task(device.run())
        try:
            yield device, gate
        finally:
            values = {name: device.get(name) for name, control in device.controls().items() if control.kind != "meter"}
            known = {name: each.value for name, each in values.items() if each.source == "reported"}
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            recorder.end({name: value for name, value in known.items() if value is not None})


def _way(hardware: Hardware, settings: DeviceSettings) -> tuple[Literal["udp", "tcp"], int]:
    """How the device is called, and where."""
    model = getattr(hardware, hardware.driver, None)
    port: object = getattr(model, "port", None)
    kind: Literal["udp", "tcp"] = "tcp" if getattr(model, "transport", "udp") == "tcp" else "udp"
    if not isinstance(port, int):
        raise DeviceError(
            _("{name} is not on a network: what is said to it over MIDI cannot be recorded here.").format(
                name=settings.name
            )
        )
    if getattr(model, "listens", None) or getattr(model, "reply_port", None):
        raise DeviceError(
            _("{name} answers to a port of its own choice, past the recorder: it cannot be recorded.").format(
                name=settings.name
            )
        )
    return kind, settings.port or port


class StandIn(asyncio.DatagramProtocol):
    """`async with StandIn(recording) as device`: says on 127.0.0.1, port `device.port`, what the real one said.

    Asked what the recording holds, it answers as the device did then, the first time with the first answer, and so on;
    the last answer for ever. What the device said unasked comes at its time. It knows nothing else, and is silent.
    """

    def __init__(self, recording: Recording) -> None:
        """Only UDP can be replayed: over TCP a piece is no message."""
        if recording.kind != "udp":
            raise ValueError(recording.kind)
        self._answers: dict[bytes, deque[tuple[tuple[float, bytes], ...]]] = {}
        self._unasked: list[tuple[float, int, bytes]] = []
        self._sockets: list[Any] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._began = 0.0
        self.port = 0
        self.unknown: list[bytes] = []
        """What it was asked and the recording does not hold."""
        self._sort(recording)

    def _sort(self, recording: Recording) -> None:
        asked: dict[str, tuple[bytes, float, list[tuple[float, bytes]]]] = {}
        found: defaultdict[bytes, list[list[tuple[float, bytes]]]] = defaultdict(list)
        for piece in recording.pieces:
            subject = _subject(piece.data, piece.socket)
            if piece.side == "house":
                answers: list[tuple[float, bytes]] = []
                asked[subject] = (piece.data, piece.at, answers)
                found[piece.data].append(answers)
            elif subject in asked:
                _question, at, answers = asked[subject]
                answers.append((min(piece.at - at, LONGEST), piece.data))
            else:
                self._unasked.append((piece.at, piece.socket, piece.data))
        for data, groups in found.items():  # one that was never answered is one whose answer was lost, or cut off
            self._answers[data] = deque([tuple(each) for each in groups if each] or [()])

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _protocol = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        self._began = loop.time()
        for at, socket, data in self._unasked:
            loop.call_later(at, self._say_unasked, socket, data)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._transport:
            self._transport.close()
            self._transport = None

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        if addr not in self._sockets:
            self._sockets.append(addr)
        answers = self._answers.get(data)
        if answers is None:
            self.unknown.append(data)
            return
        loop = asyncio.get_running_loop()
        for late, answer in answers.popleft() if len(answers) > 1 else answers[0]:
            loop.call_later(late, self._say, answer, addr)

    def _say_unasked(self, socket: int, data: bytes) -> None:
        if socket < len(self._sockets):
            self._say(data, self._sockets[socket])

    def _say(self, data: bytes, to: Any) -> None:  # noqa: ANN401 - an address
        if self._transport:
            self._transport.sendto(data, to)


def _subject(data: bytes, socket: int) -> str:
    """What a piece is about, so that an answer finds its question: of OSC its address, else only the socket."""
    messages = osc.decode(data)
    return f"{socket} {messages[0].address}" if messages else str(socket)
