"""MIDI timecode: quarter frames and full frames to hours, minutes, seconds and frames, and back. Pure.

The MMA's "MIDI Time Code" (RP-004/008): eight quarter frames say one time, the least part first, while two frames go
by; so what they say together was so two frames ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from studio.wire.midi import ALL, Message

Rate: TypeAlias = Literal["24", "25", "29.97 drop", "30"]

RATES: tuple[Rate, ...] = ("24", "25", "29.97 drop", "30")
"""As they are numbered on the wire."""
_FRAMES = {"24": 24, "25": 25, "29.97 drop": 30, "30": 30}
_PIECES = 8
_MINUTE = 60
_DAY = 24
_DROPPED = 2
"""Frames that drop-frame leaves out of each minute that is no tenth."""


@dataclass(frozen=True, slots=True)
class Timecode:
    """A place in a recording."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    rate: Rate = "25"

    def __post_init__(self) -> None:
        low = _DROPPED if self.rate == "29.97 drop" and self.seconds == 0 and self.minutes % 10 else 0
        if not (
            0 <= self.hours < _DAY
            and 0 <= self.minutes < _MINUTE
            and 0 <= self.seconds < _MINUTE
            and low <= self.frames < _FRAMES[self.rate]
        ):
            raise ValueError(f"no timecode at {self.rate} is {self}")

    def __str__(self) -> str:
        return f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}:{self.frames:02}"

    @classmethod
    def read(cls, text: str, rate: Rate = "25") -> Timecode:
        """Read `01:02:03:04`; ValueError for anything else."""
        hours, minutes, seconds, frames = (int(part) for part in text.replace(";", ":").split(":"))
        return cls(hours, minutes, seconds, frames, rate)

    def later(self, frames: int) -> Timecode:
        """That many frames on, around midnight where it is so; a number of frames no greater than a minute's."""
        return _of(_count(self) + frames, self.rate)

    @property
    def packed(self) -> tuple[int, int, int, int]:
        """Hours with the rate in their upper bits, minutes, seconds, frames, as full frame and MMC write them."""
        return (RATES.index(self.rate) << 5 | self.hours, self.minutes, self.seconds, self.frames)


def _count(code: Timecode) -> int:
    minutes = code.hours * _MINUTE + code.minutes
    count = (minutes * _MINUTE + code.seconds) * _FRAMES[code.rate] + code.frames
    return count - _DROPPED * (minutes - minutes // 10) if code.rate == "29.97 drop" else count


def _of(count: int, rate: Rate) -> Timecode:
    per_second = _FRAMES[rate]
    per_minute = per_second * _MINUTE
    if rate == "29.97 drop":
        per_ten = per_minute * 10 - 9 * _DROPPED
        tens, rest = divmod(count % (per_ten * 6 * _DAY), per_ten)
        count = tens * per_minute * 10 + rest
        if rest >= per_minute:
            count += _DROPPED * (1 + (rest - per_minute) // (per_minute - _DROPPED))
    count %= per_minute * _MINUTE * _DAY
    seconds, frames = divmod(count, per_second)
    return Timecode(seconds // 3600, seconds // _MINUTE % _MINUTE, seconds % _MINUTE, frames, rate)


def unpacked(hours: int, minutes: int, seconds: int, frames: int) -> Timecode | None:
    """Read what `Timecode.packed` wrote; `None` for a time that there is not."""
    try:
        return Timecode(hours & 0x1F, minutes, seconds, frames, RATES[hours >> 5 & 3])
    except ValueError:
        return None


def quarter_frames(code: Timecode) -> tuple[Message, ...]:
    """Return the eight messages that say `code`, in the order of time running forward."""
    hours, *others = code.packed
    parts = [part for value in (*reversed(others), hours) for part in (value & 0x0F, value >> 4)]
    return tuple(Message("quarter_frame", value=piece << 4 | part) for piece, part in enumerate(parts))


def full_frame(code: Timecode, device: int = ALL) -> Message:
    """Say `code` at once, as machines do that stand or wind."""
    return Message("sysex", data=bytes((0x7F, device, 0x01, 0x01, *code.packed)))


class TimecodeReader:
    """Puts the time together that comes in quarter and full frames."""

    def __init__(self) -> None:
        self._pieces: list[int] = []

    def take(self, message: Message) -> Timecode | None:
        """Return the time of now once `message` completes one; junk, and time that runs backwards, completes none."""
        if message.kind == "sysex":
            data = message.data
            whole = len(data) == 8 and data[:1] == b"\x7f" and data[2:4] == b"\x01\x01"  # noqa: PLR2004 - its length
            return unpacked(*data[4:8]) if whole else None
        if message.kind != "quarter_frame":
            return None
        piece, part = message.value >> 4, message.value & 0x0F
        if piece != len(self._pieces):  # one was lost, or we came in the middle: begin with the next first one
            self._pieces.clear()
        if piece == len(self._pieces):
            self._pieces.append(part)
        if len(self._pieces) < _PIECES:
            return None
        values = [low | high << 4 for low, high in zip(self._pieces[::2], self._pieces[1::2], strict=True)]
        self._pieces.clear()
        said = unpacked(values[3] & 0x7F, *reversed(values[:3]))
        return said.later(2) if said else None
