"""MIDI: every message of the standard, bytes to messages and back. Pure, and survives any bytes.

The table is that of the MIDI 1.0 Detailed Specification (MMA, 4.2, table I); machine control is RP-013, the identity
request "Device Inquiry" of the same specification. What Mackie Control makes of it is in `wire.mackie`, timecode in
`wire.timecode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind: TypeAlias = Literal[
    "note_off",
    "note_on",
    "key_pressure",
    "control_change",
    "program_change",
    "channel_pressure",
    "pitch_bend",
    "sysex",
    "quarter_frame",
    "song_position",
    "song_select",
    "tune_request",
    "clock",
    "start",
    "continue",
    "stop",
    "sensing",
    "reset",
]


class Spec(NamedTuple):
    """One row of the table."""

    status: int
    """Of a channel message: its lower half is the channel, counted from 0."""
    kind: Kind
    fields: tuple[Literal["number", "value", "low", "high", "data"], ...] = ()
    """The data bytes in their order; `low` and `high` are seven bits each of one `value` of 14."""


SPECS = (
    Spec(0x80, "note_off", ("number", "value")),
    Spec(0x90, "note_on", ("number", "value")),
    Spec(0xA0, "key_pressure", ("number", "value")),
    Spec(0xB0, "control_change", ("number", "value")),
    Spec(0xC0, "program_change", ("value",)),
    Spec(0xD0, "channel_pressure", ("value",)),
    Spec(0xE0, "pitch_bend", ("low", "high")),
    Spec(0xF0, "sysex", ("data",)),
    Spec(0xF1, "quarter_frame", ("value",)),
    Spec(0xF2, "song_position", ("low", "high")),
    Spec(0xF3, "song_select", ("value",)),
    Spec(0xF6, "tune_request"),
    Spec(0xF8, "clock"),
    Spec(0xFA, "start"),
    Spec(0xFB, "continue"),
    Spec(0xFC, "stop"),
    Spec(0xFE, "sensing"),
    Spec(0xFF, "reset"),
)

_BY_KIND = {spec.kind: spec for spec in SPECS}
_BY_STATUS = {
    spec.status | low: spec
    for spec in SPECS
    for low in (range(16) if spec.status < 0xF0 else (0,))  # noqa: PLR2004
}

STATUS = 0x80
"""The lowest status byte; what is below is data."""
SYSEX, SYSEX_END, REALTIME = 0xF0, 0xF7, 0xF8
LARGEST = 4096
"""Bytes of system exclusive that are put together; a longer one is no message of a surface or a recorder."""
WIDE = 16383
"""The highest value of 14 bits."""
ALL = 0x7F
"""The device number that every device answers to."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    kind: Kind
    channel: int = 0
    """[1..16], as it is printed on the gear; 0 for messages without a channel."""
    number: int = 0
    """Of the note or controller, [0..127]; 0 for messages without one."""
    value: int = 0
    """Velocity, position, program or pressure, [0..127]; of a pitch bend and a song position [0..16383]."""
    data: bytes = b""
    """Of system exclusive: what stands between F0 and F7, each [0..127]."""

    def __post_init__(self) -> None:
        spec = _BY_KIND[self.kind]
        voice = spec.status < SYSEX
        highest = WIDE if "low" in spec.fields else 127 if "value" in spec.fields else 0
        if not (
            (1 <= self.channel <= 16 if voice else self.channel == 0)  # noqa: PLR2004 - MIDI
            and 0 <= self.number <= (127 if "number" in spec.fields else 0)
            and 0 <= self.value <= highest
            and max(self.data, default=0) < STATUS
            and (not self.data or self.kind == "sysex")
        ):
            raise ValueError(
                f"no MIDI message {self.kind} has channel {self.channel}, number {self.number}, value {self.value}"
                f", data {self.data.hex(' ') or 'none'}"
            )

    @property
    def pressed(self) -> bool:
        """Whether a key or pad went down: a note on with velocity 0 is a note off."""
        return self.kind == "note_on" and self.value > 0

    @property
    def released(self) -> bool:
        """Whether a key or pad went up."""
        return self.kind == "note_off" or (self.kind == "note_on" and self.value == 0)


def encode(message: Message) -> bytes:
    """Write `message`."""
    spec = _BY_KIND[message.kind]
    if spec.kind == "sysex":
        return bytes((SYSEX, *message.data, SYSEX_END))
    parts = {"number": message.number, "value": message.value, "low": message.value & 0x7F, "high": message.value >> 7}
    status = spec.status | (message.channel - 1 if message.channel else 0)
    return bytes((status, *(parts[field] for field in spec.fields)))


def decode(data: bytes) -> Message | None:
    """Read one complete message; `None` for junk, and for more or less than one."""
    spec = _BY_STATUS.get(data[0]) if data else None
    if spec is None:
        return None
    if spec.kind == "sysex":
        whole = len(data) > 1 and data[-1] == SYSEX_END and max(data[1:-1], default=0) < STATUS
        return Message("sysex", data=data[1:-1]) if whole else None
    if len(data) != 1 + len(spec.fields) or max(data[1:], default=0) >= STATUS:
        return None
    return _message(data[0], spec, data[1:])


def _message(status: int, spec: Spec, data: bytes) -> Message:
    parts = dict(zip(spec.fields, data, strict=True))
    value = parts["high"] << 7 | parts["low"] if "low" in parts else parts.get("value", 0)
    return Message(spec.kind, (status & 0x0F) + 1 if status < SYSEX else 0, parts.get("number", 0), value)


class Reader:
    """Puts messages together from bytes as a cable brings them: with running status, in any pieces, after any junk."""

    def __init__(self) -> None:
        self._status = 0
        """That data bytes belong to; 0 while there is none."""
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take `data` in and give what became whole; a realtime message may stand in the middle of another."""
        for byte in data:
            if byte >= REALTIME:
                if spec := _BY_STATUS.get(byte):
                    yield Message(spec.kind)
            elif byte >= STATUS:
                yield from self._begin(byte)
            elif self._status:
                yield from self._go_on(byte)

    def _begin(self, status: int) -> Iterator[Message]:
        if status == SYSEX_END and self._status == SYSEX:
            yield Message("sysex", data=bytes(self._data))
        self._data.clear()
        spec = _BY_STATUS.get(status)
        self._status = status if spec and spec.fields else 0
        if spec and not spec.fields:
            yield Message(spec.kind)

    def _go_on(self, byte: int) -> Iterator[Message]:
        self._data.append(byte)
        spec = _BY_STATUS[self._status]
        if spec.kind == "sysex":
            if len(self._data) > LARGEST:
                self._status = 0
                self._data.clear()
        elif len(self._data) == len(spec.fields):
            yield _message(self._status, spec, bytes(self._data))
            self._data.clear()
            if self._status > SYSEX:  # running status is for channel messages alone
                self._status = 0


# ── who is there ──────────────────────────────────────────────────────────────────────────────────────────────────────

IDENTITY_REQUEST = Message("sysex", data=bytes((0x7E, ALL, 0x06, 0x01)))
"""Who are you? Answered by most gear that was built after 1990."""


def identity(message: Message) -> bytes | None:
    """Return maker, family, model and version out of the answer to `IDENTITY_REQUEST`; `None` for other messages."""
    data = message.data
    return data[4:] if message.kind == "sysex" and data[:1] == b"\x7e" and data[2:4] == b"\x06\x02" else None


# ── machine control (MMC, RP-013) ─────────────────────────────────────────────────────────────────────────────────────

MACHINE: dict[str, int] = {
    "stop": 0x01,
    "play": 0x02,
    "forward": 0x04,
    "rewind": 0x05,
    "record": 0x06,
    "record.stop": 0x07,
    "pause": 0x09,
}
"""Orders to a recorder or player that stand alone; `locate` has a place."""
LOCATE, READ, TALLY = 0x44, 0x42, 0x48


def machine(order: str, device: int = ALL) -> Message:
    """Write an order of `MACHINE`; `device` [0..127]."""
    return Message("sysex", data=bytes((0x7F, device, 0x06, MACHINE[order])))


def locate(place: tuple[int, int, int, int], device: int = ALL) -> Message:
    """Go to hours, minutes, seconds and frames; the hour may carry the rate in its upper bits."""
    return Message("sysex", data=bytes((0x7F, device, 0x06, LOCATE, 0x06, 0x01, *place, 0)))


def ask_tally(device: int = ALL) -> Message:
    """Ask a machine in a closed loop what it does ("motion control tally")."""
    return Message("sysex", data=bytes((0x7F, device, 0x06, READ, 0x01, TALLY)))


def tally(message: Message) -> int | None:
    """Return what the machine says that it does, as in `MACHINE` or `LOCATE`; `None` for other messages."""
    data = message.data
    if message.kind != "sysex" or data[:1] != b"\x7f" or data[2:5] != bytes((0x07, TALLY, 0x03)) or len(data) < 7:  # noqa: PLR2004
        return None
    return data[6] if data[6] == LOCATE else data[5]
