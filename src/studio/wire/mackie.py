"""Mackie Control: what its makers put into MIDI's system exclusive, rings and letters. Pure.

There is no official document. The orders and their numbers are those of Emagic's "Logic Control User's Manual" (2002),
appendix B, which Mackie Control took over, as checked on devices by the authors of github.com/NicoG60/TouchMCU
(`doc/mackie_control_protocol.md`). Notes, controllers and pitch bends of a surface stand in its file of `hardware/`.
"""

from __future__ import annotations

import unicodedata
from typing import Literal, NamedTuple, TypeAlias

from studio.wire.midi import Message

MAKER = b"\x00\x00\x66"
CONTROL, EXTENDER = 0x14, 0x15
QUERY, ANSWER, REPLY, CONFIRMED = 0x00, 0x01, 0x02, 0x03
LCD, ASK_VERSION, VERSION = 0x12, 0x13, 0x14

COLUMNS = 56
"""Letters of a row, of which each of eight strips has seven, its last being a gap."""
ROWS = 2

Style: TypeAlias = Literal["dot", "pan", "fill", "spread"]
"""What the eleven lamps around an encoder do: one alone; from the middle; from the left; from the middle both ways."""

_STYLES: dict[Style, int] = {"dot": 0x00, "pan": 0x10, "fill": 0x20, "spread": 0x30}
_LAMPS = 11
_LAMPS_SPREAD = 6
_LETTERS = str.maketrans("łŁđĐøØæÆœŒßıþÞ", "lLdDoOaAoOsitT")
"""Those that are no letter with a mark."""


class Order(NamedTuple):
    """One order or report in system exclusive."""

    device: int
    """`CONTROL`, `EXTENDER`, or another maker's."""
    command: int
    data: bytes


def write(command: int, data: bytes = b"", device: int = CONTROL) -> Message:
    """Write an order or report."""
    return Message("sysex", data=bytes((*MAKER, device, command, *data)))


def read(message: Message) -> Order | None:
    """Return the order or report in `message`; `None` for other messages."""
    data = message.data
    if message.kind != "sysex" or data[:3] != MAKER or len(data) < 5:  # noqa: PLR2004 - maker, device, command
        return None
    return Order(data[3], data[4], data[5:])


def letters(text: str, width: int) -> bytes:
    """`text` in exactly `width` letters of the display, which has those of ASCII: ż is z there."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return bytes(ord(mark) if " " <= mark <= "~" else ord("?") for mark in kept[:width].ljust(width))


def lcd(row: int, column: int, text: bytes, device: int = CONTROL) -> Message:
    """Write `text` at `row` and `column` of the display, both counted from 0; ValueError where it has no such place."""
    if not (0 <= row < ROWS and column >= 0 and column + len(text) <= COLUMNS):
        raise ValueError(f"no display has {len(text)} letters at row {row}, column {column}")
    return write(LCD, bytes((row * COLUMNS + column,)) + text, device)


def ring(position: float | None, style: Style) -> int:
    """The controller's value that lights the ring for `position` in [0..1]; `None` for a dark one."""
    if position is None:
        return 0
    place = min(max(position, 0.0), 1.0)
    if style == "spread":
        return _STYLES[style] | 1 + round(place * (_LAMPS_SPREAD - 1))
    if style == "fill":
        return _STYLES[style] | round(place * _LAMPS)
    return _STYLES[style] | 1 + round(place * (_LAMPS - 1))
