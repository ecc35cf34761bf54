"""What the terminal shows while a take is recorded: the time, a meter for each track, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from studio.cli._vocal_shown import length
from studio.events import AnyMessage, Dropout, Levels, RecorderState, TakeEnded, TakeStarted
from studio.language import _, decimal
from studio.vocal import TakeTrack

QUIETEST = -60.0
"""dBFS at the left edge of a meter."""
HOT, LOUD = -3.0, -12.0
"""dBFS from which a meter is red, and yellow."""
WIDTH = 40
HOLD = 1.5
"""Seconds that a peak stays."""
DEAD = -75.0
"""dBFS that even an empty room exceeds."""
LISTENED = 4.0
"""Seconds after which a track that never had more is called dead."""
SENTENCES = 4
"""Of the last ones that are shown."""


class Meters:
    """Takes in what the recorder tells; `rich` asks for the picture."""

    def __init__(self, title: str, tracks: Sequence[TakeTrack]) -> None:
        """Show these tracks; `title` is that of the song."""
        self._title, self._tracks = title, tracks
        self._take: int | None = None
        self._state: RecorderState | None = None
        self._levels: Levels | None = None
        self._held: dict[int, tuple[float, float]] = {}
        self._highest: dict[int, float] = {}
        self._clipped: dict[int, int] = {}
        self._heard = 0.0
        self._began = 0.0
        self._over = False
        self._worth = self._keys = ""
        self._said: list[str] = []

    def say(self, sentence: str) -> None:
        """Show a sentence from now on."""
        if sentence not in self._said[-SENTENCES:]:
            self._said.append(sentence)

    def wait(self, worth: str, keys: str) -> None:
        """Show what became of the last take, and which keys there are."""
        self._worth, self._keys = worth, keys

    def take_in(self, message: AnyMessage) -> None:
        """Hear one message of the recorder."""
        match message:
            case TakeStarted():
                self._take, self._began = message.number, time.monotonic()
                self._worth = self._keys = ""
                self._clipped.clear()
            case TakeEnded():
                self._take, self._over = None, True
            case RecorderState():
                self._state = message
            case Levels():
                self._measure(message)
            case Dropout():
                rate = self._state.rate if self._state else 48_000
                self.say(
                    _("Take {number} lacks {ms:.0f} ms at {at} s; they are silent.").format(
                        number=message.number, ms=message.frames / rate * 1000, at=decimal(message.frame / rate, ".2f")
                    )
                )

    def _measure(self, levels: Levels) -> None:
        self._levels = levels
        now = time.monotonic()
        self._heard += levels.frames / (self._state.rate if self._state else 48_000)
        for channel, (peak, clipped) in enumerate(zip(levels.peak, levels.clipped, strict=True), 1):
            held, since = self._held.get(channel, (QUIETEST, 0.0))
            if peak >= held or now - since > HOLD:
                self._held[channel] = (peak, now)
            self._highest[channel] = max(peak, self._highest.get(channel, QUIETEST * 9))
            self._clipped[channel] = self._clipped.get(channel, 0) + clipped

    def __rich__(self) -> Group:
        """Draw it."""
        rows = Table.grid(padding=(0, 1))
        for track in self._tracks:
            rows.add_row(
                Text(str(track.channel), style="dim"),
                Text(track.name),
                self._bar(track.channel),
                self._word(track.channel),
            )
        said = [Text(sentence, style="red") for sentence in self._said[-SENTENCES:]]
        keys = [Text(self._keys, style="bold cyan")] if self._keys else []
        return Group(self._head(), rows, *said, *keys)

    def _head(self) -> Text:
        text = Text()
        if self._take is None:
            phase = _("ended") if self._over else _("getting ready")
            text.append(f" {phase} ", style="reverse")
            text.append(f"  {self._worth}" if self._worth else "", style="bold")
        else:
            text.append(" ● " + _("RECORDING") + " ", style="bold white on red")
            text.append(" " + _("take") + f" {self._take}  {length(time.monotonic() - self._began)}", style="bold")
        text.append(f"  {self._title}")
        state = self._state
        if state:
            text.append(f"  {state.device}  {state.rate} Hz", style="dim")
            if state.disk_seconds is not None:
                hours = state.disk_seconds / 3600
                text.append(
                    "  " + _("disk for {hours} h").format(hours=decimal(hours, ".1f")),
                    style="red" if hours < 1 else "dim",
                )
            if state.input not in ("online", "off"):
                text.append(f"  {state.detail or state.input}", style="red")
        if self._take is not None:
            text.append("  " + _("Enter ends it"), style="dim")
        return text

    def _bar(self, channel: int) -> Text:
        if self._levels is None or channel > len(self._levels.peak):
            return Text(" " * WIDTH)
        filled = _place(self._levels.peak[channel - 1])
        held = _place(self._held[channel][0])
        text = Text()
        for column in range(WIDTH):
            level = QUIETEST * (1 - column / WIDTH)
            style = "red" if level >= HOT else "yellow" if level >= LOUD else "green"
            sign = "█" if column < filled else "▏" if column == held else "·"
            text.append(sign, style=style if sign != "·" else "dim")
        return text

    def _word(self, channel: int) -> Text:
        """What a person is to know of a track at once."""
        if self._levels is None:
            return Text("")
        if channel > len(self._levels.peak):
            return Text(_("the input has no such channel"), style="bold red")
        if self._clipped.get(channel):
            return Text(_("CLIPPED: turn it down"), style="bold white on red")
        if self._heard > LISTENED and self._highest[channel] < DEAD:
            return Text(_("no sound: look at microphone and cable"), style="bold red")
        return Text(decimal(self._held[channel][0], "6.1f") + " dB", style="dim")


def _place(level: float) -> int:
    return max(0, min(WIDTH, round((1 - level / QUIETEST) * WIDTH)))
