"""What a file of `hardware/` says under `osc`."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from studio.devices._ground.names import numbered
from studio.devices._osc.parts import OscAction, OscMeters, OscSubscription, Plain, has_letter, slash
from studio.language import _
from studio.wire.osc import Law

Count: TypeAlias = Annotated[int, Meta(ge=0, le=512)] | str
"""How many; or the name of one of `counts`, so that a smaller desk of the family changes one line."""


@dataclass(frozen=True, slots=True)
class OscControl:
    """One control of a desk, or one on each of its channels, or one on each channel for each of its sends."""

    name: str
    """What people call it, in parts joined by full stops. `{n}` stands for the channel's number, `{m}` for the send's;
    `{nn}` and `{nnn}` are the same with two and three digits."""
    address: str
    """Begins with a slash; `{n}` and `{m}` as in `name`."""
    value: Literal["level", "number", "switch", "choice", "text"]
    """`level`: decibels by a law; `number`: by a law or as the desk says it; `switch`: true or false; `choice`: the
    desk says its place in `choices`, from 0; `text`: a name."""
    channels: Count = 0
    """How many there are; 0 for one without a number."""
    first: int = 1
    """The number of the first channel, in its name."""
    offset: int = 0
    """What is added to a channel's number in its address: -1 for a desk that counts from 0."""
    sends: Count = 0
    """How many sends each channel has, counted from 1; 0 for a control without them."""
    before: tuple[Plain, ...] = ()
    """Arguments that stand before the value, for a desk that names a channel there: `["{n}"]`."""
    law: str = ""
    """One of `laws`. Left out: of a level the desk's `law`, of a number none."""
    unit: str = ""
    """Of a number: `Hz`, `%`, `ms`; empty for none."""
    lowest: float | None = None
    """Of a number without a law."""
    highest: float | None = None
    whole: bool = False
    """Of a number: the desk wants an integer."""
    choices: tuple[str, ...] = ()
    inverted: bool = False
    """Of a switch: the desk says 1 for false. Behringer's `on` is 0 for a muted channel."""
    longest: Annotated[int, Meta(ge=0)] = 0
    """Bytes that the desk keeps of a text, UTF-8; 0 where no limit is known."""
    writable: bool = True
    lazy: bool = False
    """Not asked for at each connection, but when it is first read: so that a big desk is known within a second."""
    stirs: str = ""
    """Controls (`*.mute`) that the desk changes without a word when this one changes: they are asked for then."""

    def __post_init__(self) -> None:
        slash("address", self.address)
        where = self.address + " ".join(each for each in self.before if isinstance(each, str))
        for letter, key, count in (("n", "channels", self.channels), ("m", "sends", self.sends)):
            for what, text in (("name", self.name), ("address", where)):
                if has_letter(text, letter) != bool(count):
                    raise ValueError(
                        _('"{what}" needs {{{letter}}} if and only if "{key}" is given').format(
                            what=what, letter=letter, key=key
                        )
                    )
        self._fits_together()

    def _fits_together(self) -> None:
        """ValueError for a key that means nothing for this kind of value."""
        only = {
            "law": (self.law, ("level", "number")),
            "choices": (self.choices, ("choice",)),
            "inverted": (self.inverted, ("switch",)),
            "longest": (self.longest, ("text",)),
            "whole": (self.whole, ("number",)),
            "lowest": (self.lowest is not None, ("number",)),
            "highest": (self.highest is not None, ("number",)),
        }
        for key, (given, kinds) in only.items():
            if given and self.value not in kinds:
                raise ValueError(_('"{key}" means nothing for a {kind}').format(key=key, kind=self.value))
        if self.value == "choice" and len(set(self.choices)) < max(2, len(self.choices)):
            raise ValueError(_('"choices" must be two or more words, each once'))
        if self.law and (self.lowest is not None or self.highest is not None):
            raise ValueError(_('"lowest" and "highest" are said by the law; leave them out'))
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(_('"lowest" must be below "highest"'))


@dataclass(frozen=True, slots=True)
class OscModel:
    """A sound desk, or anything else, over OSC."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    """UDP port it listens on."""
    controls: tuple[OscControl, ...]
    probe: str | None = None
    """An address that it always answers; `None` for what answers nothing."""
    answer: str | None = None
    """Where the answer to `probe` comes from; `None`: the same address. Without a `probe`: what it says of itself again
    and again (a heartbeat). Without both nobody can know whether it is there, and its link is never more than
    *degraded*."""
    silence: Annotated[float, Meta(gt=0, le=60)] = 3.0
    """Seconds without a heartbeat until it is gone."""
    kin: tuple[str, ...] = ()
    """How the model's name in the answer to `probe` may begin; empty for any. Another model is refused."""
    law: Law | None = None
    """Of its faders: of every level that names no other."""
    laws: Mapping[str, Law] = field(default_factory=dict)
    counts: Mapping[str, Annotated[int, Meta(ge=1, le=512)]] = field(default_factory=dict)
    """What `channels` and `sends` may name."""
    keep_alive: str | None = None
    """What has to be said again and again so that it reports changes; `None` where it reports them anyway."""
    keep_alive_seconds: Annotated[float, Meta(gt=0)] = 8.0
    subscriptions: tuple[OscSubscription, ...] = ()
    """What else is said at each connection, and again where it has to be renewed."""
    meters: tuple[OscMeters, ...] = ()
    actions: tuple[OscAction, ...] = ()
    pause: Annotated[float, Meta(ge=0, le=1)] = 0.002
    """Seconds between two questions."""
    order_pause: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Seconds between two orders, for a firmware that loses the second of a pair."""
    asks: bool = True
    """Whether a control's address without a value is a question, which it answers."""
    reports: bool = True
    """Whether it ever says how its controls stand; where not, no order to it can be confirmed."""
    echoes: bool = False
    """Whether it reports a change to the socket that ordered it, too: then one socket is enough."""
    listens: Annotated[int, Meta(ge=1, le=65535)] | None = None
    """The local UDP port that it sends to; `None`: to where it was spoken to from."""

    def __post_init__(self) -> None:
        for key, text in (("probe", self.probe), ("answer", self.answer), ("keep_alive", self.keep_alive)):
            if text is not None:
                slash(key, text)
        if self.reports and not (self.asks or self.keep_alive or self.subscriptions or self.listens):
            raise ValueError(_('"asks" is false and nothing else makes it report: say "reports: false" as well'))
        self._known_names()
        self._once()

    def _known_names(self) -> None:
        for control in self.controls:
            if control.law and control.law not in self.laws:
                raise ValueError(
                    _('"controls": "{name}" has a law that "laws" does not give').format(name=control.name)
                )
            if control.value == "level" and not control.law and self.law is None:
                raise ValueError(_('"controls": "{name}" is a level and has no law').format(name=control.name))
            for count in (control.channels, control.sends):
                if isinstance(count, str) and count not in self.counts:
                    raise ValueError(
                        _('"controls": "{name}" counts by a word that "counts" does not give').format(name=control.name)
                    )

    def _once(self) -> None:
        names: set[str] = set()
        places: dict[tuple[str, tuple[Plain, ...]], str] = {}
        lengths: dict[str, int] = {}
        for control in self.controls:
            for single in self._singles(control):
                if single.name in names:
                    raise ValueError(
                        _('"controls": "{control}" gives the name {name} a second time').format(
                            control=control.name, name=single.name
                        )
                    )
                names.add(single.name)
                if lengths.setdefault(single.address, len(single.before)) != len(single.before):
                    raise ValueError(
                        _(
                            '"controls": "{control}" has more or fewer arguments in "before" than others at its address'
                        ).format(control=control.name)
                    )
                first = places.setdefault((single.address, single.before), single.name)
                if first != single.name:
                    raise ValueError(
                        _('"controls": "{control}" gives {name} the address {address} of {first}').format(
                            control=control.name, name=single.name, address=single.address, first=first
                        )
                    )
        self._others_once(names)

    def _others_once(self, names: set[str]) -> None:
        told = Counter(itertools.chain.from_iterable(part.names() for meters in self.meters for part in meters.parts))
        for name, times in told.items():
            if times > 1 or name in names:
                raise ValueError(_('"meters" gives the name {name} a second time').format(name=name))
        known = {action.name for action in self.actions}
        if len(known) < len(self.actions):
            raise ValueError(_('"actions" gives two of them one name'))
        for action in self.actions:
            if action.confirms and action.confirms not in names:
                raise ValueError(
                    _('"actions": "{name}" is confirmed by no control of this desk').format(name=action.name)
                )

    def count(self, count: Count) -> int:
        """Return how many `count` means here."""
        return self.counts[count] if isinstance(count, str) else count

    def law_of(self, control: OscControl) -> Law | None:
        """Return the law of a control, `None` where the desk says its value as it is."""
        if control.law:
            return self.laws[control.law]
        return self.law if control.value == "level" else None

    def said(self) -> tuple[OscSubscription, ...]:
        """Return all that makes it talk, but for meters that have to be asked for again and again."""
        alive = (OscSubscription(self.keep_alive, every=self.keep_alive_seconds),) if self.keep_alive else ()
        meters = (each.subscription for each in self.meters if each.subscription and not each.subscription.every)
        return (*alive, *self.subscriptions, *meters)

    def expanded(self) -> dict[str, OscControl]:
        """Every single control by its name."""
        return {single.name: single for control in self.controls for single in self._singles(control)}

    def _singles(self, control: OscControl) -> Iterator[OscControl]:
        channels, sends = self.count(control.channels), self.count(control.sends)
        for channel in range(control.first, control.first + channels) if channels else (None,):
            for send in range(1, sends + 1) if sends else (None,):
                yield _single(control, channel, send)


def _single(control: OscControl, channel: int | None, send: int | None) -> OscControl:
    def written(text: str, offset: int) -> str:
        text = text if channel is None else numbered(text, channel + offset)
        return text if send is None else numbered(text, send, "m")

    def before(argument: Plain) -> Plain:
        if not isinstance(argument, str) or "{" not in argument:
            return argument
        text = written(argument, control.offset)
        return int(text) if text.lstrip("-").isdigit() else text

    return OscControl(
        written(control.name, 0),
        written(control.address, control.offset),
        control.value,
        before=tuple(before(argument) for argument in control.before),
        law=control.law,
        unit=control.unit,
        lowest=control.lowest,
        highest=control.highest,
        whole=control.whole,
        choices=control.choices,
        inverted=control.inverted,
        longest=control.longest,
        writable=control.writable,
        lazy=control.lazy,
        stirs=control.stirs,
    )
