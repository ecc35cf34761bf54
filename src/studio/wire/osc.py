"""OSC as sound desks speak it: messages to datagrams and back, and the laws of their faders. Pure."""

from __future__ import annotations

import itertools
import math
import struct
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageParseError
from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing.osc_types import ParseError, get_string

from studio.language import _

Argument: TypeAlias = "int | float | str | bytes | bool | None"

LARGEST = 8192
"""Bytes of a datagram that we read; the longest of a Behringer X32 (all meters) has about 500."""

_BUNDLE = b"#bundle\0"
_BUNDLE_HEAD = len(_BUNDLE) + 8  # and its time tag
_SIZE = struct.Struct(">i")
_COUNT = struct.Struct("<i")
_NODE = b"node\0"  # a Behringer X32 answers /node by an address without its slash
_COMMA = ord(",")
_TAGS = frozenset(b"ihfdsbrmtTFN[]")  # python-osc warns on the root logger of any other
_JUNK = (ParseError, MessageParseError, struct.error, ValueError, IndexError, OverflowError, TypeError)


@dataclass(frozen=True, slots=True)
class Message:
    """An address and its arguments."""

    address: str
    """Begins with a slash: `/ch/01/mix/fader`."""
    arguments: tuple[Any, ...] = ()
    """Of the kinds of `Argument`, and tuples of them where the sender used arrays. None at all: a question."""


def encode(message: Message) -> bytes:
    """Write `message` as a datagram: whole numbers as `i`, others as `f`.

    ValueError for what OSC cannot say: an address without its slash, text with a NUL, an empty blob.
    """
    texts = [message.address, *(each for each in message.arguments if isinstance(each, str))]
    if not message.address.startswith("/") or any("\0" in text for text in texts):
        raise ValueError(f"{message} cannot be said in OSC")
    builder = OscMessageBuilder(message.address)
    try:
        for argument in message.arguments:
            builder.add_arg(argument)
        return bytes(builder.build().dgram)
    except (BuildError, *_JUNK) as problem:
        raise ValueError(f"{message} cannot be said in OSC") from problem


def decode(data: bytes) -> tuple[Message, ...]:
    """Read a datagram: one message, or those of a bundle in order. Nothing for junk; of a torn bundle what is whole."""
    found: list[Message] = []
    waiting = [data[:LARGEST]]
    while waiting:
        part = waiting.pop()
        if part.startswith(_BUNDLE):
            waiting += reversed(_elements(part))
        elif message := _message(part):
            found.append(message)
    return tuple(found)


def _elements(bundle: bytes) -> list[bytes]:
    elements = []
    at = _BUNDLE_HEAD
    while at + _SIZE.size <= len(bundle):
        (size,) = _SIZE.unpack_from(bundle, at)
        at += _SIZE.size
        if size <= 0 or at + size > len(bundle):
            break
        elements.append(bundle[at : at + size])
        at += size
    return elements


def _message(data: bytes) -> Message | None:
    if data.startswith(_NODE):
        data = b"/node\0\0\0" + data[8:]
    try:
        if not data.startswith(b"/"):
            return None
        at = (data.index(0) // 4 + 1) * 4
        if not data[at:]:
            return Message(get_string(data, 0)[0])
        if data[at] != _COMMA or not _TAGS.issuperset(data[at + 1 : data.index(0, at)]):
            return None
        message = OscMessage(data)
        return Message(message.address, tuple(_frozen(value) for value in message.params))
    except _JUNK:
        return None


def _frozen(value: Any) -> Any:  # noqa: ANN401 - of the kinds of Argument, or arrays of them
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


MeterForm: TypeAlias = Literal["float32", "int16"]
"""How a blob holds its meters, each after their number as `<i`: `float32`, little-endian, 1.0 is full scale (Behringer
X32: "Unofficial X32/M32 OSC remote protocol", /meters); `int16`, little-endian, 1/256 dB (X AIR: "X AIR Mixer Series
Remote Control Protocol" 1.11, "subscribe to meter values")."""

SILENCE = -120.0
"""Decibels of a meter that shows nothing at all."""
_FAINT = SILENCE / 20
_FAINTEST = 10**_FAINT


def meters(blob: bytes, form: MeterForm) -> tuple[float, ...]:
    """Read the meters of a blob, in decibels, `SILENCE` at the least. Of a torn blob those that are whole."""
    if len(blob) < _COUNT.size:
        return ()
    (count,) = _COUNT.unpack_from(blob)
    letter, size = ("f", 4) if form == "float32" else ("i", 2)
    count = min(max(count, 0), (len(blob) - _COUNT.size) // size)
    values = np.frombuffer(blob, f"<{letter}{size}", count, _COUNT.size)
    if form == "float32":
        heard = np.isfinite(values) & (values > _FAINTEST)
        decibels = 20 * np.log10(values, out=np.full(count, _FAINT), where=heard, dtype=np.float64)
    else:
        decibels = np.maximum(values / 256, SILENCE)
    return tuple(decibels.tolist())


def meter_blob(values: tuple[float, ...], form: MeterForm) -> bytes:
    """Write `values`, in decibels, as a desk sends its meters."""
    count = _COUNT.pack(len(values))
    if form == "float32":
        return count + struct.pack(
            f"<{len(values)}f", *(10 ** (value / 20) if value > SILENCE else 0 for value in values)
        )
    return count + struct.pack(f"<{len(values)}h", *(round(min(max(value, -128), 127) * 256) for value in values))


def _decibels(amplitude: float) -> float:
    if not math.isfinite(amplitude) or amplitude <= 0:
        return SILENCE
    return max(20 * math.log10(amplitude), SILENCE)


@dataclass(frozen=True, slots=True)
class Law:
    """How what a desk says becomes a value in a unit: a fader's position decibels, a knob's position hertz."""

    points: tuple[tuple[float, float], ...]
    """What the desk says and what it means, both ascending. At the first point of a fader it is shut, whatever its
    decibels say. Beyond its ends both stay at the ends."""
    shape: Literal["line", "log", "amplitude"] = "line"
    """Between the points: straight lines; `log`: equal ratios (a frequency); `amplitude`: the desk says a linear gain
    and means its decibels, so that the points only say how far it goes."""
    steps: int = 1024
    """How many positions the desk knows between the ends; 0 for any."""

    def __post_init__(self) -> None:
        rising = all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(self.points))
        if len(self.points) < 2 or not rising:  # noqa: PLR2004 - a line has two ends
            raise ValueError(_('"points" must be two or more pairs of position and value, both ascending'))
        if not all(math.isfinite(each) for point in self.points for each in point):
            raise ValueError(_('"points" must be numbers'))
        if self.steps == 1 or self.steps < 0:
            raise ValueError(_('"steps" must be 2 or more, or 0 for a desk that knows any position'))
        if self.shape == "log" and self.points[0][1] <= 0:
            raise ValueError(_('"shape" can only be log where all values in "points" are above 0'))
        if self.shape == "amplitude" and self.points[0][0] < 0:
            raise ValueError(_('"shape" can only be amplitude where no position in "points" is below 0'))

    @property
    def lowest(self) -> float:
        """The least value; of a fader, decibels where it is shut."""
        return self.points[0][1]

    @property
    def highest(self) -> float:
        """The greatest value; of a fader, decibels where it is fully open."""
        return self.points[-1][1]

    @property
    def step(self) -> float:
        """From one position to the next, in what the desk says; 0 where it knows any."""
        return (self.points[-1][0] - self.points[0][0]) / (self.steps - 1) if self.steps else 0.0

    def value(self, position: float) -> float:
        """Return the value at `position`; the nearest end's outside the range."""
        if self.shape == "amplitude":
            return self.lowest if position <= self.points[0][0] else self._within(_decibels(position))
        if self.shape == "log":
            return math.exp(_between(tuple((at, math.log(value)) for at, value in self.points), position))
        return _between(self.points, position)

    def position(self, value: float) -> float:
        """Return the position for `value`; the nearest end's outside the range."""
        if self.shape == "amplitude":
            value = self._within(value)
            return self.points[0][0] if value <= self.lowest else min(10 ** (value / 20), self.points[-1][0])
        if self.shape == "log":
            logs = tuple((math.log(each), at) for at, each in self.points)
            return _between(logs, math.log(max(value, self.lowest)))
        return _between(tuple((each, at) for at, each in self.points), value)

    def stepped(self, position: float) -> float:
        """Return the nearest position that the desk knows."""
        low, high = self.points[0][0], self.points[-1][0]
        position = min(max(position, low), high)
        return low + round((position - low) / self.step) * self.step if self.steps else position

    def apart(self, one: float, other: float) -> float:
        """Return how many of the desk's steps lie between two values."""
        step = self.step or (self.points[-1][0] - self.points[0][0]) * 1e-6
        return abs(self.position(one) - self.position(other)) / step

    def _within(self, value: float) -> float:
        return min(max(value, self.lowest), self.highest)


def _between(points: tuple[tuple[float, float], ...], at: float) -> float:
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in itertools.pairwise(points):
        if at <= right:
            return low + (at - left) * (high - low) / (right - left)
    return points[-1][1]
