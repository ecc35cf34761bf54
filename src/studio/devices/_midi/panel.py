"""The pure half of a surface: what its messages mean, and which messages make it show what it shall. No port, no clock.

A surface has two kinds of names. *Controls* are the things that one can touch: `fader1`. Where a surface has pages, a
layered control is something else on each: `fader1`, `page2.fader1`; those names are what everybody outside knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from studio.devices._midi.model import Fader, Pad, on_page
from studio.events import EncoderTurned, FaderMoved, FaderTouched, PadPressed, PadReleased
from studio.wire import mackie, midi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.devices._ground.device import Light
    from studio.devices._midi.model import AnyControl, Encoder, MidiModel, Source

Event: TypeAlias = PadPressed | PadReleased | FaderMoved | FaderTouched | EncoderTurned

SETTLE = 0.3
"""Seconds after a hand let go, or moved a fader for the last time, until feedback counts again: what the fader moves
reports within that time, and a report from before the hand moved must not pull the fader back."""
DRIVE = 0.4
"""Seconds in which a motor comes to its place; what a fader without touch says meanwhile is its motor's own."""
REACH = 1.5
"""Places of a fader within which it counts as being where it has to be picked up."""


@dataclass(slots=True)
class _Hand:
    """What is known of one fader."""

    at: float | None = None
    """Where it stands; `None` until it says so."""
    coarse: int = 0
    """The upper seven bits of one that sends 14 as two controllers."""
    moved: float = float("-inf")
    """When a hand moved it last."""
    driven: float = float("-inf")
    """When it was sent somewhere last."""
    touched: str | None = None
    """What it was called when a hand was laid on it; `None` while none is."""
    deaf: bool = False
    """The page was turned under the hand: what it does until it lets go is meant for neither page."""
    picked: bool = False
    """It is where what it moves stands."""
    own: float | None = None
    """Where a relative one has brought what it moves."""

    def busy(self, now: float) -> bool:
        """Whether a hand is at work."""
        return self.touched is not None or now < self.moved + SETTLE


class Panel:
    """A surface. `hear` gives what happened, `flush` what has to be sent to it; nothing is sent twice."""

    def __init__(self, name: str, model: MidiModel) -> None:
        self._name = name
        self._model = model
        self.names = model.names()
        """Everything that it can be asked about, and what it is."""
        self.page = 1
        """The page that is there, counted from 1."""
        self._pads = {pad.name: pad for pad in model.single_pads()}
        self._faders = {fader.name: fader for fader in model.single_faders()}
        self._encoders = {encoder.name: encoder for encoder in model.single_encoders()}
        self._paged = model.paged()
        controls: list[AnyControl] = [*self._pads.values(), *self._faders.values(), *self._encoders.values()]
        self._sources = {source: control for control in controls for source in model.sources(control)}
        self._lit: dict[str, Light] = {}
        self._stands: dict[str, float | None] = {}
        self._texts: dict[str, str] = {}
        self._held: dict[str, tuple[str, float]] = {}
        self._holding: list[str] = []
        self._base = 1
        """The page that comes back when the last of `_holding` is let go."""
        self._hands = {name: _Hand() for name in self._faders}
        self._sent: dict[str, midi.Message] = {}
        self._first: list[midi.Message] = []
        self._stale: dict[str, None] = {}
        self._shown_by: dict[str, list[str]] = {name: [] for name in (*self._pads, *self._faders, *self._encoders)}
        for control, key in self._keys():
            self._shown_by[control].append(key)
        self._all_stale()

    # ── what shall be seen on it ──────────────────────────────────────────────────────────────────────────────────────

    def light(self, name: str, state: Light) -> None:
        """Show `state` on `name`. ValueError where it has no such control."""
        self._known(name)
        self._lit[name] = state
        self._mark(name)

    def show(self, name: str, position: float | None, text: str) -> None:
        """What `name` moves stands at `position`, in [0..1], and is called `text`. ValueError for no such control."""
        self._known(name)
        if position is not None and not 0 <= position <= 1:
            raise ValueError(position)
        self._stands[name] = position
        self._texts[name] = text
        self._mark(name)

    def unplugged(self, now: float) -> list[Event]:
        """It is gone, or was not listened to: whatever was held is let go, and it shows nothing any more."""
        events: list[Event] = [PadReleased(self._name, name, now - since) for name, since in self._held.values()]
        events += [
            FaderTouched(self._name, hand.touched, touched=False)
            for hand in self._hands.values()
            if hand.touched and not hand.deaf
        ]
        self._held.clear()
        if self._holding:
            self._holding.clear()
            self.page = self._base
        self._hands = {name: _Hand() for name in self._faders}
        self._sent.clear()
        self._first.clear()
        self._all_stale()
        return events

    # ── what it says ──────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, message: midi.Message, now: float) -> list[Event]:
        """Return what `message`, which came at `now`, says that somebody did."""
        kind = "note_on" if message.released else message.kind
        source = cast("Source", (kind, message.channel, message.number))  # other kinds are no control's
        control = self._sources.get(source)
        match control:
            case Pad():
                return self._pad(control, message, now)
            case Fader() if kind == "note_on":
                return self._touch(control, now, on=message.pressed)
            case Fader():
                return self._fader(control, message, now)
            case None:
                return []
        steps = control.steps(message.value)
        return [EncoderTurned(self._name, self._called(control.name), steps)] if steps else []

    def _pad(self, pad: Pad, message: midi.Message, now: float) -> list[Event]:
        down = message.pressed if pad.kind == "note_on" else message.value > 0
        if self._model.pages and pad.name in self._model.pages.turners:
            return self._turner(pad.name, now, down=down)
        if down:
            name = self._called(pad.name)
            self._held[pad.name] = (name, now)
            return [PadPressed(self._name, name)]
        if pad.name in self._held:
            name, since = self._held.pop(pad.name)  # as it was called when it went down
            return [PadReleased(self._name, name, now - since)]
        return []

    def _turner(self, pad: str, now: float, *, down: bool) -> list[Event]:
        pages = self._model.pages
        assert pages is not None  # noqa: S101 - else no pad turns them
        if pad in pages.hold:
            if pad in self._holding:
                self._holding.remove(pad)
            elif down and not self._holding:
                self._base = self.page
            if down:
                self._holding.append(pad)
            self._stale[pad] = None
            return self._turn(pages.hold[self._holding[-1]] if self._holding else self._base, now)
        if not down:
            return []
        events = self._turn(pages.select.get(pad) or self.page + (1 if pad == pages.next else -1), now)
        self._base = self.page
        return events

    def _turn(self, page: int, now: float) -> list[Event]:
        assert self._model.pages is not None  # noqa: S101 - else nobody turns them
        if page == self.page or not 1 <= page <= self._model.pages.count:
            return []
        events: list[Event] = []
        for name in self._paged & self._hands.keys():
            hand = self._hands[name]
            if hand.touched and not hand.deaf:
                events.append(FaderTouched(self._name, hand.touched, touched=False))
            hand.deaf = hand.deaf or hand.busy(now)
            hand.picked, hand.own = False, None
        self.page = page
        self._all_stale()
        return events

    def _touch(self, fader: Fader, now: float, *, on: bool) -> list[Event]:
        hand = self._hands[fader.name]
        if on == (hand.touched is not None):
            return []
        if on:
            hand.touched = self._called(fader.name)
            return [FaderTouched(self._name, hand.touched, touched=True)]
        name, hand.touched = hand.touched, None
        turned, hand.deaf = hand.deaf, False
        hand.moved = now
        if fader.motor:
            self._stale[fader.name] = None
        if fader.motor and hand.at is not None and not turned:
            # A motor goes back to where it was sent last as soon as the hand lets go: send it to where it is.
            self._first.append(self._position(fader, hand.at))
        return [FaderTouched(self._name, name, touched=False)] if name and not turned else []

    def _fader(self, fader: Fader, message: midi.Message, now: float) -> list[Event]:
        hand = self._hands[fader.name]
        place = self._read(fader, hand, message)
        if place is None:
            return []
        if fader.motor and hand.touched is None and now < hand.driven + DRIVE:
            return []
        before, hand.at = hand.at, place
        quiet = now > hand.moved + SETTLE
        hand.moved = now
        if fader.motor:
            self._sent[fader.name] = self._position(fader, place)
            self._stale[fader.name] = None
        if hand.deaf and hand.touched is None and quiet:
            hand.deaf = False
        name = self._called(fader.name)
        if hand.deaf or place == before:
            return []
        position = self._taken(fader, hand, before, self._stands.get(name), quiet=quiet)
        return [] if position is None else [FaderMoved(self._name, name, position)]

    @staticmethod
    def _read(fader: Fader, hand: _Hand, message: midi.Message) -> float | None:
        """Where it says that it stands, in [0..1]; `None` for one half of 14 bits."""
        if fader.pitch_bend is not None:
            return message.value / midi.WIDE
        if fader.fine is None:
            return message.value / 127
        if message.number == fader.controller:
            hand.coarse = message.value
            return None
        return (hand.coarse << 7 | message.value) / midi.WIDE

    @staticmethod
    def _taken(fader: Fader, hand: _Hand, before: float | None, target: float | None, *, quiet: bool) -> float | None:
        """Where what it moves shall go; `None` while it has not taken over. `hand.at` is where it is now."""
        place = hand.at
        if place is None or fader.takes == "jump":
            return place
        if target is None:
            hand.picked, hand.own = False, None
            return None
        if fader.takes == "relative":
            if before is None:
                return None
            base = target if quiet or hand.own is None else hand.own
            way, left = (1 - before, 1 - base) if place > before else (before, base)
            hand.own = min(max(base + (place - before) * left / way, 0.0), 1.0)
            return hand.own
        if fader.takes == "pickup":
            reach = REACH / (fader.places - 1)
            if hand.picked and quiet and before is not None:
                hand.picked = abs(before - target) <= reach  # somebody else may have moved it meanwhile
            crossed = before is not None and (before - target) * (place - target) <= 0
            hand.picked = hand.picked or crossed or abs(place - target) <= reach
            return place if hand.picked else None
        return place

    # ── what has to be sent to it ─────────────────────────────────────────────────────────────────────────────────────

    def flush(self, now: float) -> tuple[list[midi.Message], float | None]:
        """Return what has to be sent now, and when to ask again; `None`: when something happens."""
        out, self._first = self._first, []
        due: float | None = None
        waiting: dict[str, None] = {}
        for key in self._stale:
            fader = self._faders.get(key)
            if fader and self._hands[key].busy(now):
                waiting[key] = None
                if self._hands[key].touched is None:
                    due = min(due or float("inf"), self._hands[key].moved + SETTLE)
                continue
            message = self._wanted(key)
            if message is None or self._shows(key, message):
                continue
            self._sent[key] = message
            out.append(message)
            if fader:
                hand = self._hands[key]
                hand.driven, hand.deaf = now, False
                hand.at = message.value / (midi.WIDE if fader.pitch_bend is not None else 127)
        self._stale = waiting
        return out, due

    def _shows(self, key: str, message: midi.Message) -> bool:
        sent = self._sent.get(key)
        fader = self._faders.get(key)
        if sent is None or fader is None or sent == message:
            return sent == message
        if message.value in (0, midi.WIDE if fader.wide else 127):
            return False  # an end is an end
        size = (midi.WIDE if fader.wide else 127) / (fader.places - 1)
        return abs(sent.value - message.value) <= size

    def _wanted(self, key: str) -> midi.Message | None:
        if fader := self._faders.get(key):
            return self._position(fader, self._stands.get(self._called(key)) or 0.0) if fader.motor else None
        if pad := self._pads.get(key):
            return self._lamp(pad)
        if encoder := self._encoders.get(key):
            return self._ring(encoder)
        row, _space, strip = key.partition(" ")
        return self._letters(int(row), int(strip))

    def _position(self, fader: Fader, place: float) -> midi.Message:
        if fader.pitch_bend is not None:
            return midi.Message("pitch_bend", fader.pitch_bend, value=round(place * midi.WIDE))
        return midi.Message("control_change", self._model.channel, fader.controller or 0, round(place * 127))

    def _lamp(self, pad: Pad) -> midi.Message | None:
        if not pad.lights:
            return None
        state = self._page_light(pad.name) or self._lit.get(self._called(pad.name), "off")
        channel = pad.light_channels.get(state, self._model.channel)
        return midi.Message(pad.kind, channel, pad.number, pad.lights[state])

    def _page_light(self, pad: str) -> Light | None:
        pages = self._model.pages
        if pages is None or pad not in pages.turners:
            return None
        if pad in pages.hold:
            return "on" if pad in self._holding else "ready"
        if pad in pages.select:
            return "on" if self.page == pages.select[pad] else "ready"
        return "ready" if (self.page < pages.count if pad == pages.next else self.page > 1) else "off"

    def _ring(self, encoder: Encoder) -> midi.Message | None:
        if encoder.ring is None:
            return None
        value = mackie.ring(self._stands.get(self._called(encoder.name)), encoder.style)
        return midi.Message("control_change", self._model.channel, encoder.ring, value)

    def _letters(self, row: int, strip: int) -> midi.Message:
        display = self._model.display
        assert display is not None  # noqa: S101 - else there is no such key
        text = self._texts.get(self._called(display.at(row, strip)), "")
        # The last letter of a strip stays empty, or the names of two grow together.
        letters = mackie.letters(text, display.width - 1) + b" "
        return mackie.lcd(row, (strip - 1) * display.width, letters, display.device)

    # ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _known(self, name: str) -> None:
        if name not in self.names:
            raise ValueError(name)

    def _called(self, control: str) -> str:
        """What `control` is called on the page that is there."""
        return on_page(control, self.page) if control in self._paged else control

    def _keys(self) -> Iterator[tuple[str, str]]:
        """Each control with a thing that is seen of it: itself, or the row and strip where its letters stand."""
        yield from ((name, name) for name, pad in self._pads.items() if pad.lights)
        yield from ((name, name) for name, fader in self._faders.items() if fader.motor)
        yield from ((name, name) for name, encoder in self._encoders.items() if encoder.ring is not None)
        if display := self._model.display:
            for row in range(len(display.rows)):
                for strip in range(1, display.strips + 1):
                    yield display.at(row, strip), f"{row} {strip}"

    def _all_stale(self) -> None:
        self._stale = dict.fromkeys(key for keys in self._shown_by.values() for key in keys)

    def _mark(self, name: str) -> None:
        """`name` shall show something else; nothing is to be done while it is on another page."""
        control = name if name in self._shown_by else name.partition(".")[2]
        if self._called(control) == name:
            self._stale.update(dict.fromkeys(self._shown_by[control]))
