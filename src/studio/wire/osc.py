"""OSC as sound desks speak it: messages to datagrams and back, and the laws of their faders. Pure."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageParseError
from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing.osc_types import ParseError, get_string

Argument: TypeAlias = "int | float | str | bytes | bool | None"

LARGEST = 8192
"""Bytes of a datagram that we read; the longest of a Behringer X32 (all meters) has about 500."""

_BUNDLE = b"#bundle\0"
_BUNDLE_HEAD = len(_BUNDLE) + 8  # and its time tag
_SIZE = struct.Struct(">i")
_TAGS = frozenset("ihfdsbrmtTFN[]")  # python-osc warns on the root logger of any other
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
    try:
        address, at = get_string(data, 0)
        if not address.startswith("/"):
            return None
        if not data[at:]:
            return Message(address)
        tags, _at = get_string(data, at)
        if not tags.startswith(",") or not _TAGS.issuperset(tags[1:]):
            return None
        return Message(address, tuple(_frozen(value) for value in OscMessage(data).params))
    except _JUNK:
        return None


def _frozen(value: Any) -> Any:  # noqa: ANN401 - of the kinds of Argument, or arrays of them
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Law:
    """How a fader's position becomes decibels: straight lines between points."""

    points: tuple[tuple[float, float], ...]
    """Position and decibels, both ascending. At the lowest position a fader is shut, whatever its decibels say."""

    def __post_init__(self) -> None:
        rising = all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(self.points))
        if len(self.points) < 2 or not rising:  # noqa: PLR2004 - a line has two ends
            raise ValueError('"points" must be two or more pairs of position and decibels, both ascending')

    @property
    def lowest(self) -> float:
        """Decibels of a fader that is shut."""
        return self.points[0][1]

    @property
    def highest(self) -> float:
        """Decibels of a fader that is fully open."""
        return self.points[-1][1]

    def decibels(self, position: float) -> float:
        """Decibels at `position`; the nearest end's outside the range."""
        return _between(self.points, position)

    def position(self, decibels: float) -> float:
        """Position for `decibels`; the nearest end's outside the range."""
        return _between(tuple((db, at) for at, db in self.points), decibels)


def _between(points: tuple[tuple[float, float], ...], at: float) -> float:
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in itertools.pairwise(points):
        if at <= right:
            return low + (at - left) * (high - low) / (right - left)
    return points[-1][1]
