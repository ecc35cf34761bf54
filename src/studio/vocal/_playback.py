"""What the singers hear while they are recorded, so that the take's first sample is where the song says it is.

Input and output are two streams that stay open, and each counts its frames. A ping tells once what the two counts have
to do with each other: what is written as frame n of the output is heard as frame n + K of the input. From then on the
place of a take is arithmetic, to a frame. K is measured again when a stream was opened anew, when the output ran dry,
and when the two clocks have gone apart.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from studio import media
from studio.errors import StudioError, VocalError
from studio.events import MeasureLatency
from studio.language import _
from studio.vocal._clocks import Offset
from studio.vocal._latency import Found, find, ping
from studio.vocal._playing import Cue
from studio.vocal._score import Score, score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studio.events import LinkState, Monitor, StartTake
    from studio.units import Decibels
    from studio.vocal._score import Sound

logger = logging.getLogger(__name__)

SOON = 0.2
"""Seconds from now to the first sound: what waits in the output already, and a machine that is busy."""
LISTENS = (0.3, 1.2)
"""Seconds after a ping in which it is looked for at first, and then: headphones without a wire are so late."""
TRIES = 3
"""Pings at most, where the output stumbles over each."""
PATIENCE = 10.0
"""Seconds after which an input that brings nothing has brought no ping."""
LONGEST = 1800.0
"""Seconds of a backing: half an hour of it takes 700 MB."""
_FULL = np.float32(1 / (1 << 31))


class Voice(Protocol):
    """Something that sounds."""

    gain: float


class Output(Protocol):
    """What the room of media plays through; see its `Player`."""

    device: str
    channels: int
    frames: int
    there: bool

    @property
    def lead(self) -> float | None:
        """Frames that sound beyond what the machine's clock says; `None` until it runs."""
        ...

    @property
    def steady(self) -> bool:
        """Whether `lead` can be relied on."""
        ...

    @property
    def doubted(self) -> bool:
        """Whether it may have run dry just now."""
        ...

    @property
    def wait(self) -> float:
        """Seconds from being written to sounding."""
        ...

    def play(
        self,
        sound: Sound,
        at_frame: int,
        *,
        frames: int | None = None,
        outputs: Sequence[int] = (0, 1),
        gain: float = 1.0,
        again: tuple[int, int] | None = None,
    ) -> Voice:
        """Let it sound at a frame."""
        ...

    def stop(self) -> None:
        """Fall silent."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


@dataclass(slots=True)
class _Ear:
    """Keeps what the input hears while a ping is expected."""

    channels: tuple[int, ...]
    begin: int | None = None
    """Frame of the input at which it begins."""
    count: int = 0
    parts: list[NDArray[np.float32]] = field(default_factory=list)


class Playback:
    """Plays through one output; see `_playing.Playing` for who calls what."""

    def __init__(self, device: str, rate: int, channels: int) -> None:
        """Play to the output whose name has `device` in it, on so many channels."""
        self._device, self._rate, self._channels = device, rate, channels
        self._output: Output | None = None
        self._lead: Callable[[], float | None] = lambda: None
        self._frames = 0
        self._ear: _Ear | None = None
        self._some = threading.Condition()
        self._offset = Offset(rate)
        self._guessed = False
        self._usual = 0.0
        self._wish = MeasureLatency()
        self._backing: tuple[tuple[object, ...], NDArray[np.float32]] | None = None
        self._voices: dict[str, Voice] = {}
        self._runs_out: tuple[float, str] | None = None
        self.state: LinkState = "connecting"
        self.latency: float | None = None
        self.spread: float | None = None
        self.detail = ""
        _clearest(ping(rate)[:, None], rate)  # what is loaded now holds up nobody who plays

    # ── as the recorder asks ──────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, take: StartTake, now: int) -> Cue:
        """Schedule what is heard with `take`; the input has heard `now` frames.

        Without backing, click, punch and loop it begins now. Else the latency is measured where it is not known; where
        no ping is heard, it is guessed, and `detail` says so. Raises StudioError.
        """
        if not (take.backing or take.click or take.punch or take.loop):
            return Cue(now, None if take.seconds is None else round(take.seconds * self._rate))
        laid = score(take, self._read(take), self._rate)
        output = self._opened()
        for part in laid.parts:
            self._check(output, part.outputs)
        self.detail = ""
        for _again in range(TRIES):
            offset = self._known(output, tuple(track.channel for track in take.tracks), laid)
            if self._holds(output):
                break
        if not output.there:
            raise VocalError(self.detail)
        soon = output.frames + round(SOON * self._rate)
        self._voices = {
            part.kind: output.play(
                part.sound,
                soon + part.at - laid.begin,
                frames=part.frames,
                outputs=part.outputs,
                gain=_times(part.gain),
                again=part.again,
            )
            for part in laid.parts
        }
        first = soon + laid.first - laid.begin + round(offset)
        self._foresee(take, laid, first)
        return Cue(first, laid.frames, laid.first / self._rate, laid.loops)

    def measure(self, wish: MeasureLatency) -> None:
        """Send a ping from an output to an input. Raises StudioError where it is not heard."""
        output = self._opened()
        self._check(output, (wish.output - 1,))
        self._wish, self.detail = wish, ""
        heard = self._ping(output, wish.output, (wish.input,))
        if not output.there:
            raise VocalError(self.detail)
        if heard is None:
            sentence = _(
                "The ping from output {output} was not heard on input {input}; hold a headphone to the microphone, "
                "or join the two with a cable, and turn both up."
            )
            raise VocalError(sentence.format(output=wish.output, input=wish.input))

    def heard(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Take what the input heard."""
        self._frames = first_frame + len(block)
        if self._output is None:
            return
        with self._some:
            ear = self._ear
            if ear is not None:
                ear.begin = first_frame if ear.begin is None else ear.begin
                there = [channel - 1 for channel in ear.channels if channel <= block.shape[1]]
                lost = first_frame - ear.begin - ear.count
                ear.parts += [np.zeros((lost, len(there)), np.float32)] if lost > 0 else []
                ear.parts.append(block[:, there] * _FULL)
                ear.count = self._frames - ear.begin
            self._some.notify_all()
        if self._runs_out is not None and self._frames > self._runs_out[0]:
            self.detail = self._runs_out[1]
            self._runs_out = None

    def follow(self, lead: Callable[[], float | None]) -> None:
        """Ask `lead` how many frames the input has heard beyond the clock; open the output, if it is there."""
        self._lead = lead
        with contextlib.suppress(StudioError):
            self._opened()

    def gone(self) -> None:
        """Give the output back; the latency is void."""
        self.close()
        self._void()
        self._frames = 0

    def adjust(self, wish: Monitor) -> None:
        """Change how loud what sounds now is."""
        for kind, gain in (("backing", wish.backing), ("click", wish.click)):
            if gain is not None and kind in self._voices:
                self._voices[kind].gain = _times(gain)

    def stop(self) -> None:
        """Fall silent at once."""
        self._runs_out = None
        self._voices = {}
        if self._output is not None:
            self._output.stop()

    def close(self) -> None:
        """Give the output back; it is opened again when it is needed."""
        output, self._output = self._output, None
        self._runs_out = None
        if output is not None:
            output.close()
        self.state = "connecting"

    # ── the output ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _opened(self) -> Output:
        if self._output is not None and self._output.there:
            return self._output
        self.close()
        self._void()
        self._offset = Offset(self._rate)
        output = media.player(
            self._device, self._rate, self._channels, gone=self._lose, dry=lambda dry: self._dry(dry.frames)
        )
        try:
            output.open()
        except StudioError as problem:
            self.state, self.detail = "degraded", str(problem)
            raise
        self._output, self.state, self.detail = output, "online", ""
        return output

    def _lose(self, sentence: str) -> None:
        """The output is gone: the take goes on without it."""
        self.state, self.detail = "degraded", sentence
        self._runs_out = None
        self._void()

    def _dry(self, frames: int) -> None:
        self._void()
        if self._voices:
            sentence = _("The output stopped for {ms} ms; listen to that place of the take before you keep it.")
            self.detail = sentence.format(ms=max(1, round(frames * 1000 / self._rate)))

    def _check(self, output: Output, numbers: Sequence[int]) -> None:
        if max(numbers) >= output.channels:
            sentence = _("The output {device} is used with {channels} channels, so there is no channel {number}.")
            raise VocalError(sentence.format(device=output.device, channels=output.channels, number=max(numbers) + 1))

    # ── the latency ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _void(self) -> None:
        self._offset.void()
        self._guessed = False
        self.latency = self.spread = None

    def _known(self, output: Output, inputs: tuple[int, ...], laid: Score) -> float:
        """Return K, measured anew where it has to be."""
        known = self._offset.known(self._frames / self._rate, self._apart(output) if output.steady else None)
        if known is not None:
            return known
        if not self._guessed:
            sent = laid.parts[0].outputs[0] + 1
            measured = self._ping(output, sent, tuple(dict.fromkeys((*inputs, self._wish.input))))
            if measured is not None:
                return measured
            self._void()
        self._guessed = True
        if output.there:
            self.detail = _(
                "The ping was not heard, so voice and backing may be some hundredths of a second apart; hold a "
                "headphone to a microphone and measure the latency."
            )
        return self._guess(output)

    def _holds(self, output: Output) -> bool:
        """Whether the output has not stumbled while a ping was looked for, which is more work than all else."""
        soon = output.frames + 1
        with self._some:
            self._some.wait_for(lambda: not output.there or output.frames > soon, PATIENCE)
            if not output.doubted:
                return True
            self._some.wait_for(lambda: not output.there or not output.doubted, PATIENCE)
        return self._guessed or self._offset.known(self._frames / self._rate, None) is not None

    def _guess(self, output: Output) -> float:
        """Return K as the streams say it, or as far from that as it was when it was measured last."""
        return (self._apart(output, wait=True) or 0.0) + self._usual

    def _apart(self, output: Output, *, wait: bool = False) -> float | None:
        """Return how far the counts are from each other by the machine's clock; `None`: too early to say."""
        if wait:
            with self._some:
                self._some.wait_for(lambda: not output.there or self._apart(output) is not None, PATIENCE)
        heard, sounds = self._lead(), output.lead
        return None if heard is None or sounds is None else heard - sounds

    def _ping(self, output: Output, sent: int, inputs: tuple[int, ...]) -> float | None:
        """Send a ping; return K, and keep it, where one of the inputs hears it."""
        if self._apart(output, wait=True) is None:
            return None
        sound = ping(self._rate)
        ear = _Ear(inputs)
        self._ear = ear
        try:
            at = output.frames + round(SOON * self._rate)
            output.play(sound[:, None], at, outputs=(sent - 1,))
            for more in LISTENS:
                long = SOON + output.wait + len(sound) / self._rate + more
                heard = self._listen(ear, round(long * self._rate))
                if heard is None:
                    break
                found = _clearest(heard, self._rate)
                if found is not None:
                    return self._keep(output, (ear.begin or 0) + found.at - at, found)
        finally:
            self._ear = None
        return None

    def _listen(self, ear: _Ear, frames: int) -> NDArray[np.float32] | None:
        """Wait until so much was heard, and return it; `None`: the input brings nothing."""
        with self._some:
            if not self._some.wait_for(lambda: ear.count >= frames, PATIENCE):
                return None
            return np.concatenate(ear.parts)

    def _keep(self, output: Output, offset: float, found: Found) -> float | None:
        apart = self._apart(output, wait=True)
        if apart is None or not output.there:
            return None
        self._offset.measured(offset, self._frames / self._rate, apart if output.steady else None)
        self._guessed = False
        self._usual = offset - apart
        self.latency = self._usual + output.wait * self._rate
        self.spread = found.spread
        logger.info("K %.2f, latency %.0f frames, spread %.2f", offset, self.latency, found.spread)
        if self._offset.clocks is not None:
            sentence = _("Input and output run on two clocks, {ppm} millionths apart; use one sound card for both.")
            self.detail = sentence.format(ppm=abs(round(self._offset.clocks)))
        return offset

    # ── the backing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, take: StartTake) -> NDArray[np.float32] | None:
        """Return the sound of the backing; what was read last is kept."""
        if take.backing is None:
            return None
        path = Path(take.backing.path)
        channels = len(set(take.backing.outputs))
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        key = (path, changed, channels)
        if self._backing is None or self._backing[0] != key:
            self._backing = None
            self._backing = (key, media.read_sound(path, self._rate, channels=channels, longest=LONGEST))
        return self._backing[1]

    def _foresee(self, take: StartTake, laid: Score, first: int) -> None:
        """Say that the backing is shorter than the take, at once where that is known, else when it is over."""
        self._runs_out = None
        if laid.backing_ends is None or take.backing is None:
            return
        rest = laid.backing_ends - laid.first
        sentence = _("{file} is over after {seconds} s of the take; what follows is recorded without it.")
        sentence = sentence.format(file=Path(take.backing.path).name, seconds=round(rest / self._rate, 1))
        if laid.frames is None:
            self._runs_out = (first + rest, sentence)
        elif rest < laid.frames:
            self.detail = sentence


def _clearest(heard: NDArray[np.float32], rate: int) -> Found | None:
    """Return the ping in the channel that has it most clearly."""
    found = [find(heard[:, channel], rate) for channel in range(heard.shape[1])]
    return max((one for one in found if one is not None), key=lambda one: one.clear, default=None)


def _times(gain: Decibels) -> float:
    return float(10 ** (gain / 20))
