"""VISCA, the language of remote cameras: packets to bytes and back, bare or in Sony's frame for networks. Pure.

Tables by the command lists that Sony publishes for BRC-X400/SRG-X400 (software 2.10), SRG-300H and BRC-X1000 ("VISCA
Command List", "VISCA over IP": payload type, length, sequence number, delivery confirmation) and PTZOptics for its
NDI|HX cameras (manual of August 2020, "VISCA over IP Command List"). What makers do differently is not decided here:
the profile of a camera says which of these it understands.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

END = 0xFF
"""Last byte of every packet, and in no other place of one."""
LONGEST = 24
"""Bytes of a packet that we read; the standard allows 16, and one more maker than Sony sends a little more."""
LEAST = 3

# Of `pan_tilt.drive`: which way.
LEFT, RIGHT, UP, DOWN, STAND = 1, 2, 1, 2, 3
# Of `zoom.drive` and `focus.drive`: tele or far, wide or near.
STOP, FORTH, BACK = 0, 2, 3
# Of switches, of `power` and of `focus.mode` (on: automatic).
ON, OFF = 2, 3
# Of `preset`: what to do with it.
CLEAR, SAVE, RECALL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Spec:
    """A packet's form without its address and its end: hexadecimal bytes, in which a small letter is a field.

    Each of its places holds four bits, the highest first: `0p 0p` is one number of eight bits in the low halves of two
    bytes, `pp` the same in one byte.
    """

    name: str
    form: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """Letter → name of the number."""
    signed: bool = False
    """Whether its numbers are two's complement."""

    @property
    def length(self) -> int:
        """Bytes."""
        return len(self.form.split())

    def write(self, values: Mapping[str, int]) -> bytes:
        """Return the bytes for `values`, one for each field; ValueError for one that is missing, unknown or too big."""
        if values.keys() != set(self.fields.values()):
            raise ValueError(f"{self.name} takes {sorted(self.fields.values())}, not {sorted(values)}")
        digits = self.form.replace(" ", "")
        for letter, name in self.fields.items():
            count = digits.count(letter)
            low, high = (-(16**count) // 2, 16**count // 2 - 1) if self.signed and count > 2 else (0, 16**count - 1)  # noqa: PLR2004 - speeds have two digits and no sign
            if not low <= values[name] <= high:
                raise ValueError(f"{name} of {self.name} goes from {low} to {high}, not {values[name]}")
            for digit in f"{values[name] % 16**count:0{count}X}":
                digits = digits.replace(letter, digit, 1)
        data = bytes.fromhex(digits)
        if END in data:
            raise ValueError(f"{self.name} cannot say {dict(values)}: FF ends a packet")
        return data

    def read(self, data: bytes) -> dict[str, int] | None:
        """Return the numbers in `data`, or `None` where it has another form."""
        if len(data) != self.length:
            return None
        found: dict[str, int] = {}
        counts: dict[str, int] = {}
        for shown, digit in zip(self.form.replace(" ", ""), data.hex().upper(), strict=True):
            if shown.islower():
                found[shown] = found.get(shown, 0) * 16 + int(digit, 16)
                counts[shown] = counts.get(shown, 0) + 1
            elif shown != digit:
                return None
        return {
            name: found[letter] - 16 ** counts[letter]
            if self.signed and counts[letter] > 2 and found[letter] >= 16 ** counts[letter] // 2  # noqa: PLR2004 - as above
            else found[letter]
            for letter, name in self.fields.items()
        }


_EIGHT, _SIXTEEN = "00 00 0p 0p", "0p 0p 0p 0p"
_VALUE = {"p": "value"}
_SPEEDS = {"v": "pan_speed", "w": "tilt_speed"}
_WHERE = {"p": "pan", "t": "tilt"}

COMMANDS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec("power", "01 04 00 0p", _VALUE),
        Spec("zoom.drive", "01 04 07 dp", {"d": "way", "p": "speed"}),
        Spec("zoom.to", f"01 04 47 {_SIXTEEN}", _VALUE),
        Spec("focus.drive", "01 04 08 dp", {"d": "way", "p": "speed"}),
        Spec("focus.to", f"01 04 48 {_SIXTEEN}", _VALUE),
        Spec("focus.mode", "01 04 38 pp", _VALUE),
        Spec("white_balance.mode", "01 04 35 pp", _VALUE),
        Spec("white_balance.trigger", "01 04 10 05"),
        Spec("white_balance.red", f"01 04 43 {_EIGHT}", _VALUE),
        Spec("white_balance.blue", f"01 04 44 {_EIGHT}", _VALUE),
        Spec("exposure.mode", "01 04 39 pp", _VALUE),
        Spec("exposure.shutter", f"01 04 4A {_EIGHT}", _VALUE),
        Spec("exposure.iris", f"01 04 4B {_EIGHT}", _VALUE),
        Spec("exposure.gain", f"01 04 4C {_EIGHT}", _VALUE),
        Spec("exposure.compensate", "01 04 3E 0p", _VALUE),
        Spec("exposure.compensation", f"01 04 4E {_EIGHT}", _VALUE),
        Spec("preset", "01 04 3F 0n pp", {"n": "what", "p": "number"}),
        Spec("preset.speed", "01 7E 01 0B pp qq", {"p": "number", "q": "speed"}),  # Sony: of one preset
        Spec("preset.speeds", "01 06 01 pp", {"p": "speed"}),  # PTZOptics: of all
        Spec("pan_tilt.drive", "01 06 01 vv ww 0p 0t", {**_SPEEDS, **_WHERE}),
        Spec("pan_tilt.to", "01 06 02 vv ww 0p 0p 0p 0p 0t 0t 0t 0t", {**_SPEEDS, **_WHERE}, signed=True),
        Spec("pan_tilt.to.wide", "01 06 02 vv ww 0p 0p 0p 0p 0p 0t 0t 0t 0t", {**_SPEEDS, **_WHERE}, signed=True),
        Spec("pan_tilt.home", "01 06 04"),
        Spec("tally.sony", "01 7E 01 0A 00 0p", _VALUE),
        Spec("tally.ptzoptics", "0A 02 02 0p", _VALUE),
        Spec("cancel", "2p", {"p": "socket"}),
    )
}
"""What a camera can be told, by name."""

QUESTIONS: dict[str, tuple[Spec, tuple[Spec, ...]]] = {
    name: (Spec(name, question), tuple(Spec(name, form, fields, signed=signed) for form in forms))
    for name, question, forms, fields, signed in (
        ("power", "09 04 00", ("0p",), _VALUE, False),
        ("pan_tilt", "09 06 12", ("0p 0p 0p 0p 0t 0t 0t 0t", "0p 0p 0p 0p 0p 0t 0t 0t 0t"), _WHERE, True),
        ("zoom", "09 04 47", (_SIXTEEN,), _VALUE, False),
        ("focus", "09 04 48", (_SIXTEEN,), _VALUE, False),
        ("focus.mode", "09 04 38", ("pp",), _VALUE, False),
        ("white_balance.mode", "09 04 35", ("pp",), _VALUE, False),
        ("white_balance.red", "09 04 43", (_EIGHT,), _VALUE, False),
        ("white_balance.blue", "09 04 44", (_EIGHT,), _VALUE, False),
        ("exposure.mode", "09 04 39", ("pp",), _VALUE, False),
        ("exposure.shutter", "09 04 4A", (_EIGHT,), _VALUE, False),
        ("exposure.iris", "09 04 4B", (_EIGHT,), _VALUE, False),
        ("exposure.gain", "09 04 4C", (_EIGHT,), _VALUE, False),
        ("exposure.compensate", "09 04 3E", ("0p",), _VALUE, False),
        ("exposure.compensation", "09 04 4E", (_EIGHT,), _VALUE, False),
        ("tally.sony", "09 7E 01 0A", ("0p",), _VALUE, False),
        (
            "version",
            "09 00 02",
            ("gg gg hh hh jj jj kk",),
            {"g": "maker", "h": "model", "j": "rom", "k": "sockets"},
            False,
        ),
    )
}
"""What a camera can be asked, by name: the question, and the forms of its answer (its data alone)."""

Problem = Literal["length", "syntax", "buffer full", "cancelled", "no socket", "not executable", "unknown"]

PROBLEMS: dict[int, Problem] = {
    0x01: "length",
    0x02: "syntax",
    0x03: "buffer full",
    0x04: "cancelled",
    0x05: "no socket",
    0x41: "not executable",
}
"""What a camera's errors mean."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was said to a camera."""

    kind: Literal["command", "question"]
    name: str
    """Of `COMMANDS` or `QUESTIONS`."""
    values: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a camera said."""

    kind: Literal["ack", "done", "answer", "error", "notice"]
    """`ack`: it begins; `done`: it has ended; `answer`: to a question; `notice`: nobody asked."""
    socket: int = 0
    """The place, 1 or 2, in which it does a command; 0: none."""
    data: bytes = b""
    """Of an answer: see `answer`."""
    problem: Problem | None = None
    """Of an error."""


# ── what is said to a camera ──────────────────────────────────────────────────────────────────────────────────────────


def command(name: str, **values: int) -> bytes:
    """Return the packet of a command; ValueError for a number that it cannot say, KeyError for no such command."""
    return b"\x81" + COMMANDS[name].write(values) + b"\xff"


def question(name: str) -> bytes:
    """Return the packet of a question; KeyError for no such question."""
    return b"\x81" + QUESTIONS[name][0].write({}) + b"\xff"


def order(packet: bytes) -> Order | None:
    """Read what was said to a camera; `None` for what is nothing of these tables."""
    if not LEAST <= len(packet) <= LONGEST or packet[0] >> 4 != 8 or packet[-1] != END:  # noqa: PLR2004 - to a camera
        return None
    data = packet[1:-1]
    for spec, _answers in QUESTIONS.values():
        if spec.read(data) is not None:
            return Order("question", spec.name, {})
    for spec in COMMANDS.values():
        if (values := spec.read(data)) is not None:
            return Order("command", spec.name, values)
    return None


# ── what a camera says ────────────────────────────────────────────────────────────────────────────────────────────────


def reply(packet: bytes) -> Reply | None:
    """Read what a camera said; `None` for junk."""
    if not LEAST <= len(packet) <= LONGEST or packet[-1] != END or END in packet[:-1]:
        return None
    if not packet[0] & 0x80 or packet[0] & 0x0F or packet[0] == 0x80:  # noqa: PLR2004 - from a camera, to us
        return None
    kind, socket, data = packet[1] >> 4, packet[1] & 0x0F, packet[2:-1]
    found: Reply | None = None
    if kind == 4 and not data:  # noqa: PLR2004 - the packet's own codes, here and below
        found = Reply("ack", socket)
    elif kind == 5:  # noqa: PLR2004
        found = Reply("answer" if data else "done", socket, data)
    elif kind == 6 and len(data) == 1:  # noqa: PLR2004
        found = Reply("error", socket, problem=PROBLEMS.get(data[0], "unknown"))
    elif kind in (0, 3):  # 90 07 7D …: somebody used its remote; 90 38: it was switched on
        found = Reply("notice")
    return found


def answer(name: str, data: bytes) -> dict[str, int] | None:
    """Return the numbers in an answer to the question `name`; `None` where it cannot be one. KeyError for no such."""
    for spec in QUESTIONS[name][1]:
        if (values := spec.read(data)) is not None:
            return values
    return None


def write_reply(said: Reply) -> bytes:
    """Return the packet of `said`, as a camera writes it."""
    kinds = {"ack": 0x40, "done": 0x50, "answer": 0x50, "error": 0x60, "notice": 0x38}
    data = said.data
    if said.problem:
        data = bytes([next((code for code, problem in PROBLEMS.items() if problem == said.problem), 0x7F)])
    return bytes([0x90, kinds[said.kind] | said.socket]) + data + b"\xff"


def write_answer(name: str, values: Mapping[str, int], form: int = 0) -> bytes:
    """Return the packet that answers the question `name`, in one of its forms; ValueError for what it cannot say."""
    return write_reply(Reply("answer", data=QUESTIONS[name][1][form].write(values)))


# ── packets in a stream or datagram ───────────────────────────────────────────────────────────────────────────────────


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole packets in `data`, and what is left of one that has not ended; what is too long is junk."""
    *whole, rest = data.split(b"\xff")
    packets = [part + b"\xff" for part in whole if LEAST - 1 <= len(part) < LONGEST]
    return packets, rest if len(rest) < LONGEST else b""


# ── Sony's frame for networks ─────────────────────────────────────────────────────────────────────────────────────────

Kind = Literal["command", "question", "reply", "setting", "control", "control reply"]

KINDS: dict[int, Kind] = {
    0x0100: "command",
    0x0110: "question",
    0x0111: "reply",
    0x0120: "setting",
    0x0200: "control",
    0x0201: "control reply",
}
"""Payload type: the first two bytes of a frame."""

RESET = b"\x01"
"""Payload of `control`: count from 0 again. The camera answers with the same."""
OUT_OF_STEP = b"\x0f\x01"
"""Payload of what a camera says to a sequence number that it does not expect, such as one it has had before."""
WRONG_KIND = b"\x0f\x02"
"""Payload of what a camera says to a payload type that it does not know."""

_HEAD = struct.Struct(">HHI")
_CODES = {name: code for code, name in KINDS.items()}
LARGEST_SEQUENCE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """A datagram of VISCA over IP."""

    kind: Kind
    sequence: int
    """Of the message; a reply has that of what it replies to."""
    payload: bytes


def write_frame(frame: Frame) -> bytes:
    """Return the datagram."""
    return _HEAD.pack(_CODES[frame.kind], len(frame.payload), frame.sequence & LARGEST_SEQUENCE) + frame.payload


def read_frame(data: bytes) -> Frame | None:
    """Read a datagram; `None` for junk. What stands behind the payload is left out, as some cameras pad."""
    if len(data) < _HEAD.size:
        return None
    code, length, sequence = _HEAD.unpack_from(data)
    kind = KINDS.get(code)
    payload = data[_HEAD.size : _HEAD.size + length]
    if kind is None or not 1 <= length <= LONGEST or len(payload) != length:
        return None
    return Frame(kind, sequence, payload)
