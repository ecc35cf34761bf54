"""MIDI as pads speak it: notes and controllers of one channel, bytes to messages and back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["note_off", "note_on", "control_change"]

STATUS: dict[int, Kind] = {0x80: "note_off", 0x90: "note_on", 0xB0: "control_change"}
"""The upper half of a status byte; the lower half is the channel, counted from 0."""

_STATUS_OF = {kind: status for status, kind in STATUS.items()}
_LENGTH = 3
_LOWEST_STATUS = 0x80


@dataclass(frozen=True, slots=True)
class Message:
    """One channel message of three bytes."""

    kind: Kind
    channel: int
    """[1..16], as it is printed on the gear."""
    number: int
    """Of the note or controller, [0..127]."""
    value: int
    """Velocity or position, [0..127]."""

    def __post_init__(self) -> None:
        if not (1 <= self.channel <= 16 and 0 <= self.number <= 127 and 0 <= self.value <= 127):  # noqa: PLR2004 - MIDI
            raise ValueError(f"no MIDI message has channel {self.channel}, number {self.number}, value {self.value}")

    @property
    def pressed(self) -> bool:
        """Whether a key or pad went down: a note on with velocity 0 is a note off."""
        return self.kind == "note_on" and self.value > 0


def encode(message: Message) -> bytes:
    """Write the three bytes of `message`."""
    return bytes((_STATUS_OF[message.kind] | message.channel - 1, message.number, message.value))


def decode(data: bytes) -> Message | None:
    """Read one complete message; `None` for any other kind of message and for junk."""
    if len(data) != _LENGTH or max(data[1:]) >= _LOWEST_STATUS:
        return None
    kind = STATUS.get(data[0] & 0xF0)
    return Message(kind, (data[0] & 0x0F) + 1, data[1], data[2]) if kind else None
