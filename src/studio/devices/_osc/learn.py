"""What an unknown device says over OSC, and the first draft of a file of `hardware/` that it makes."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from studio.devices._ground.names import numbered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.wire.osc import Message

ADDRESSES = 4096
"""That are remembered; a device that says more of them says nonsense."""

MOST = 512
"""Channels, or sends, that a file may count."""
HUGE = 1_000_000
"""A number beyond it (samples, a clock) has no range worth a line."""
FROM_ONE = 64
"""A desk whose lowest channel heard is no higher than this counts from 1: nobody moved the first."""

_NUMBER = re.compile(r"\d+")
_RESERVED = re.compile(r"[ #*,?\[\]{}]")
"""What OSC 1.0 keeps for its patterns: no address of a control holds one."""
_FADERS = re.compile(r"fader|level|volume|gain")
_NOT_A_NAME = re.compile(r"[^\w{}.]+", re.ASCII)


@dataclass(slots=True)
class Heard:
    """What was heard from one address, or from one of its channels."""

    times: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    low: float = math.inf
    high: float = -math.inf

    def take(self, value: Any) -> None:  # noqa: ANN401 - off the wire
        """Hear one value."""
        self.times += 1
        if isinstance(value, str):
            self.kinds["text"] += 1
        elif isinstance(value, bool):
            self.kinds["whole"] += 1
            self._range(int(value))
        elif isinstance(value, int | float) and math.isfinite(value):
            self.kinds["whole" if isinstance(value, int) else "real"] += 1
            self._range(value)
        else:
            self.kinds["other"] += 1

    def _range(self, value: float) -> None:
        self.low, self.high = min(self.low, value), max(self.high, value)

    def add(self, other: Heard) -> None:
        """Take in what another channel said."""
        self.times += other.times
        self.kinds += other.kinds
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    def guess(self, address: str) -> Literal["switch", "text", "level", "number", "whole", ""]:
        """What it may be; empty where nothing can be made of it."""
        if not self.kinds or self.kinds["other"] or (self.kinds["text"] and len(self.kinds) > 1):
            return ""
        if self.kinds["text"]:
            return "text"
        if not self.kinds["real"]:
            return "switch" if self.low >= 0 and self.high <= 1 else "whole"
        return "level" if self.low >= 0 and self.high <= 1 and _FADERS.search(address.casefold()) else "number"


@dataclass(frozen=True, slots=True)
class Guess:
    """A line of the draft."""

    name: str
    address: str
    kind: str
    """As `Heard.guess`."""
    heard: Heard
    channels: int = 0
    first: int = 1
    offset: int = 0
    sends: int = 0
    before: bool = False
    """Whether the channel stands in an argument before the value."""


class Learner:
    """Hears a device and guesses what it has. Pure: `take` what arrives, read `guesses`, print `draft`."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, int | None], Heard] = {}
        self.strange: Counter[str] = Counter()
        """Addresses whose messages nothing can be made of (more arguments, blobs), and how often they came."""

    def take(self, message: Message) -> None:
        """Hear one message."""
        arguments = message.arguments
        clear = message.address.isprintable() and not _RESERVED.search(message.address)
        key: tuple[str, int | None]
        if not clear:
            self._not_understood(message.address)
            return
        if len(arguments) == 1 and not isinstance(arguments[0], bytes | tuple | None):
            key = (message.address, None)
        elif len(arguments) == 2 and type(arguments[0]) is int and 0 <= arguments[0] < MOST:  # noqa: PLR2004 - a pair
            key = (message.address, arguments[0])
        else:
            self._not_understood(message.address)
            return
        if key in self._heard or len(self._heard) < ADDRESSES:
            self._heard.setdefault(key, Heard()).take(arguments[-1])

    def _not_understood(self, address: str) -> None:
        if len(self.strange) < ADDRESSES or address in self.strange:
            self.strange[address] += 1

    def __len__(self) -> int:
        return len(self._heard)

    def guesses(self) -> list[Guess]:
        """Return one for each control, or for each of its channels together, in the order of their addresses."""
        groups: dict[tuple[str, bool], list[_Place]] = {}
        for (address, channel), heard in self._heard.items():
            numbers = [str(channel)] if channel is not None else _NUMBER.findall(address)[:2]
            shape = address if channel is not None else _shape(address)
            groups.setdefault((shape, channel is not None), []).append(_Place(address, numbers, heard))
        found: list[Guess] = []
        for (shape, before), places in sorted(groups.items(), key=lambda group: group[0]):
            found += _guessed(shape, places, before=before)
        return _settled(found)

    def draft(self, maker: str, model: str, note: str, osc: Iterable[str]) -> str:
        """Return the text of a file; `osc` are the lines that say how it is reached."""
        guesses = self.guesses()
        lines = [
            f"maker: {_quoted(maker)}",
            f"model: {_quoted(model)}",
            "checked: manual only",
            f"checked_note: {_quoted(note)}",
            "",
            "osc:",
            *(f"  {line}" for line in osc),
        ]
        if any(guess.kind == "level" for guess in guesses):
            lines += [
                "  # A guess: put three positions beside what the device itself shows, and write down the pairs.",
                "  law: { points: [[0, -90], [0.25, -30], [0.5, -10], [1, 10]], steps: 0 }",
            ]
        if any(_is_share(guess) for guess in guesses):
            lines.append("  laws: { percent: { points: [[0, 0], [1, 100]], steps: 0 } }")
        lines.append("  controls:")
        lines += [
            f"    - {{ {_keys(guess)} }} # heard {guess.heard.times} times{_range(guess)}"
            for guess in guesses
            if guess.kind
        ]
        strange = [guess.address for guess in guesses if not guess.kind] + sorted(self.strange)
        lines += [f"  # Heard and not understood: {_quoted(address)}" for address in strange]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Place:
    """One channel of a control."""

    address: str
    numbers: list[str]
    heard: Heard


def _shape(address: str) -> str:
    """Return `address` with its first two numbers as `{n}` and `{m}`."""
    letters = iter("nm")

    def letter(number: re.Match[str]) -> str:
        sign = next(letters, "")
        return "{" + sign + "}" if sign else number[0]

    return _NUMBER.sub(letter, address)


def _guessed(shape: str, places: list[_Place], *, before: bool) -> list[Guess]:
    whole = Heard()
    for place in places:
        whole.add(place.heard)
    kind = whole.guess(shape)
    channels = [int(place.numbers[0]) for place in places if place.numbers]
    sends = [int(place.numbers[1]) for place in places if len(place.numbers) > 1]
    if not channels:
        return [Guess(_name(shape), shape, kind, whole)]
    span = max(channels) if min(channels) <= FROM_ONE else max(channels) - min(channels) + 1
    if (
        (sends and min(sends) < 1)
        or span >= MOST
        or max(sends, default=0) > MOST
        or span * max(sends, default=0) > ADDRESSES
    ):
        each = [(place.address, place.heard) for place in places]
        return [Guess(_name(address), address, heard.guess(address), heard) for address, heard in each]
    address = shape
    for at, sign in enumerate("nm") if not before else ():
        texts = [place.numbers[at] for place in places if len(place.numbers) > at]
        width = max((len(text) for text in texts if text.startswith("0")), default=1)
        address = address.replace("{" + sign + "}", "{" + sign * min(width, 3) + "}")
    offset = -1 if min(channels) == 0 else 0
    first = 1 if min(channels) <= FROM_ONE else min(channels)
    count = max(channels) - offset - first + 1
    name = _name(shape + ("/{n}" if before else ""))
    return [Guess(name, address, kind, whole, count, first, offset, max(sends, default=0), before)]


def _name(shape: str) -> str:
    """Return what people may call an address: `/ch/{n}/mix/fader` is `ch{n}.mix.fader`."""
    text = re.sub(r"(?<=[A-Za-z])/(?=\{)", "", shape.strip("/")).replace("/", ".")
    text = _NOT_A_NAME.sub("_", text).strip("._")
    return text if text and text[0].isalpha() else f"value{'.' if text[:1].isdigit() else ''}{text}"


def _settled(guesses: list[Guess]) -> list[Guess]:
    """Leave each name and each address to the first that has it: a file may give both only once."""
    names: set[str] = set()
    addresses: set[str] = set()
    found = []
    for guess in guesses:
        name, more = guess.name, 2
        while not names.isdisjoint(_singles(guess, name, 0)):
            name, more = f"{guess.name}_{more}", more + 1
        places = {guess.address} if guess.before else _singles(guess, guess.address, guess.offset)
        kind = guess.kind if addresses.isdisjoint(places) else ""
        if kind:
            names |= _singles(guess, name, 0)
            addresses |= places
        found.append(replace(guess, name=name, kind=kind))
    return found


def _singles(guess: Guess, text: str, offset: int) -> set[str]:
    """Return `text` for each channel and send."""
    channels = range(guess.first + offset, guess.first + offset + max(guess.channels, 1))
    sends = range(1, max(guess.sends, 1) + 1)
    return {numbered(numbered(text, channel), send, "m") for channel in channels for send in sends}


def _is_share(guess: Guess) -> bool:
    return guess.kind == "number" and guess.heard.low >= 0 and guess.heard.high <= 1


def _keys(guess: Guess) -> str:
    keys = [f"name: {_quoted(guess.name)}", f"address: {_quoted(guess.address)}"]
    keys.append(f"value: {'number' if guess.kind == 'whole' else guess.kind}")
    if _is_share(guess):
        keys.append('unit: "%", law: percent')
    elif guess.kind in ("number", "whole"):
        low, high = math.floor(guess.heard.low), math.ceil(guess.heard.high)
        if max(-low, high) < HUGE:
            keys.append(f"lowest: {low}, highest: {max(high, low + 1)}")
    if guess.kind == "whole":
        keys.append("whole: true")
    if guess.before:
        keys.append('before: ["{n}"]')
    if guess.channels:
        keys.append(f"channels: {guess.channels}")
    if guess.first != 1:
        keys.append(f"first: {guess.first}")
    if guess.offset:
        keys.append(f"offset: {guess.offset}")
    if guess.sends:
        keys.append(f"sends: {guess.sends}")
    return ", ".join(keys)


def _range(guess: Guess) -> str:
    heard = guess.heard
    return f", {heard.low:g} to {heard.high:g}" if heard.high >= heard.low else ""


def _quoted(text: str) -> str:
    """Return `text` as YAML reads it back, on one line."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
