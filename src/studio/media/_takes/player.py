"""Sound to the singers: one output that stays open and counts its frames, so that what is played has a known place.

Output only, a stream of its own: a full-duplex one loses blocks without saying so.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyaudio

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive import portaudio
from studio.media._takes.pace import Dryness, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

BLOCK = 0.1
"""Seconds in one call of PortAudio; two of them wait in the output, and a busy machine may be so late. All is
scheduled, so that nobody waits for them but who changes how loud it is."""
STALLED = 1.0
"""Seconds without a call after which the output is gone: PortAudio stays silent when its server dies."""
STARTS = 5.0
"""The same before it runs: headphones without a wire take their time."""
LOOK = 0.1
"""Seconds between two looks at the stream."""
FADE = 0.01
"""Seconds in which what is stopped falls silent."""


@dataclass(frozen=True, slots=True)
class Dry:
    """The output played silence, since no sound came in time; what follows is later."""

    frame: int
    """Of the output, where it was noticed."""
    frames: int
    """By how much, to a millisecond or two; 0: too little to tell; below 0: it is earlier."""


class Voice:
    """Something that is played; what is known of the whole can be changed while it sounds."""

    def __init__(
        self,
        part: Callable[[int, int], NDArray[np.float32]],
        at_frame: int,
        *,
        frames: int | None,
        outputs: Sequence[int],
        gain: float,
        again: tuple[int, int] | None,
    ) -> None:
        self._part = part
        self.at_frame = at_frame
        """Of the output, of its first frame."""
        self._frames = frames
        self._outputs = list(outputs)
        self.gain = gain
        """Which it goes to within one call of the output."""
        self._gain = gain
        self._again = again
        self.leaving = False
        """Whether it is to fall silent."""
        self.over = False
        """Whether nothing of it comes any more."""

    def add(self, out: NDArray[np.float32], first: int, fade: int) -> None:
        """Add what sounds from frame `first` of the output on; one that leaves does so in `fade` frames."""
        count = len(out)
        begin = max(0, self.at_frame - first)
        if begin >= count:
            self.over = self.leaving
            return
        ramp = np.linspace(self._gain, self.gain, count, dtype=np.float32)[:, None]
        if self.leaving:
            ramp *= np.linspace(1, 1 - count / fade, count, dtype=np.float32).clip(0, 1)[:, None]
        while begin < count:
            at, longest = self._place(first + begin - self.at_frame)
            length = min(count - begin, longest)
            if length <= 0:
                break
            sound = self._part(at, length)
            wide = min(sound.shape[1], len(self._outputs))
            if not wide:
                break
            into = self._outputs if sound.shape[1] == 1 else self._outputs[:wide]
            out[begin : begin + length, into] += sound[:, :wide] * ramp[begin : begin + length]
            begin += length
        self._gain = self.gain
        self.over = self.leaving or begin < count

    def _place(self, at: int) -> tuple[int, int]:
        """Return the frame of the sound that comes at frame `at` of the voice, and how many follow it."""
        if self._again is None:
            return at, (1 << 30) if self._frames is None else self._frames - at
        begin, end = self._again
        if at >= end:
            at = begin + (at - begin) % (end - begin)
        return at, end - at


def _of(sound: NDArray[np.float32]) -> Callable[[int, int], NDArray[np.float32]]:
    return lambda start, frames: sound[start : start + frames]


class Player:
    """Plays from `open`, or `with`, to its end; silence where there is nothing else."""

    def __init__(
        self,
        device: str,
        rate: int,
        channels: int,
        *,
        gone: Callable[[str], None] = lambda _sentence: None,
        dry: Callable[[Dry], None] = lambda _dry: None,
    ) -> None:
        """Play through the output whose name has `device` in it; empty: the system's own choice.

        `gone` is told a sentence when the output takes no more, `dry` when it ran dry; from threads of ours.
        """
        self._wanted, self.rate, self.channels = device, rate, channels
        self._gone, self._dry = gone, dry
        self.device = ""
        """Its name."""
        self.frames = 0
        """Written since it was opened: the next one that is written."""
        self.dry: list[Dry] = []
        self.there = False
        """Whether it plays."""
        self._written = Pace(rate)
        self._room = 2 * BLOCK
        self._dryness = Dryness(rate, self._room)
        self._voices: tuple[Voice, ...] = ()
        self._lock = threading.Lock()
        self._calls = 0
        self._leaving = threading.Event()
        self._stream: Any = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Open the output, once. Raises MediaError."""
        self._sound = portaudio.start()
        try:
            self._open()
        except BaseException:
            self._sound.terminate()
            raise
        self._thread = threading.Thread(target=self._watch, name="takes: output", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the output back."""
        self._leaving.set()
        self._thread.join()
        self._close()
        self._sound.terminate()

    @property
    def lead(self) -> float | None:
        """Frames that sound beyond `rate` times the machine's clock, as the output says; `None` until it runs."""
        return self._dryness.pace.lead

    @property
    def doubted(self) -> bool:
        """Whether it may have run dry just now; `dry` says within a second or two."""
        return self._dryness.doubted

    @property
    def steady(self) -> bool:
        """Whether `lead` can be relied on to a millisecond or two."""
        return self._dryness.pace.steady

    @property
    def wait(self) -> float:
        """Seconds that sound waits in it, from being written to sounding, as it says."""
        written, sounds = self._written.lead, self._dryness.pace.lead
        return self._room if written is None or sounds is None else (written - sounds) / self.rate

    def play(
        self,
        sound: NDArray[np.float32] | Callable[[int, int], NDArray[np.float32]],
        at_frame: int,
        *,
        frames: int | None = None,
        outputs: Sequence[int] = (0, 1),
        gain: float = 1.0,
        again: tuple[int, int] | None = None,
    ) -> Voice:
        """Let frame 0 of `sound` be frame `at_frame` of the output, or what of it is not past by then.

        `sound` is (frames, channels), or gives the part of it from a frame on, of so many frames; then `frames` says
        how long it is, `None`: for ever. One channel goes to all `outputs`, counted from 0, of more each to its own.
        Of `again` the stretch [begin, end) of the sound is repeated until it is stopped.
        """
        part = sound if callable(sound) else _of(sound)
        frames = frames if callable(sound) else len(sound)
        voice = Voice(part, at_frame, frames=frames, outputs=outputs, gain=gain, again=again)
        with self._lock:
            self._voices = (*self._voices, voice)
        return voice

    def stop(self) -> None:
        """Fall silent, in a hundredth of a second; what was scheduled does not come."""
        for voice in self._voices:
            voice.leaving = True

    # ── the stream ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        device = portaudio.choose(self._sound, self._wanted, "output")
        self.device = str(device["name"])
        try:
            with portaudio.quiet():
                self._stream = self._sound.open(
                    self.rate, self.channels, pyaudio.paFloat32, output=True, output_device_index=int(device["index"]),
                    frames_per_buffer=round(BLOCK * self.rate), stream_callback=self._call, start=False,
                )  # fmt: skip
                self._room = max(self._room, float(self._stream.get_output_latency()))
                self._dryness = Dryness(self.rate, self._room)
                self._stream.start_stream()
        except (OSError, ValueError) as problem:
            self._close()
            sentence = portaudio.refusal("output", self.device, self.rate, self.channels, problem)
            raise MediaError(sentence) from problem
        self.there = True

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        self.there = False
        if stream is not None:
            try:
                stream.close()
            except OSError as problem:
                logger.info("%s did not close: %s", self.device, problem)

    def _call(self, _data: bytes | None, count: int, times: dict[str, float], flags: int) -> tuple[bytes, int]:
        now = time.monotonic()
        first = self.frames
        sounds = portaudio.moment(times["output_buffer_dac_time"], times, now) or now
        missing = self._dryness.note(first, now, sounds, flagged=bool(flags & pyaudio.paOutputUnderflow))
        if missing is not None:
            self._ran_dry(Dry(first, missing))
        self._written.note(first, now)
        out = np.zeros((count, self.channels), np.float32)
        over = False
        for voice in self._voices:
            voice.add(out, first, round(FADE * self.rate))
            over = over or voice.over
        if over and self._lock.acquire(blocking=False):
            self._voices = tuple(voice for voice in self._voices if not voice.over)
            self._lock.release()
        self.frames = first + count
        self._calls += 1
        return np.clip(out, -1, 1, out=out).tobytes(), pyaudio.paContinue

    def _ran_dry(self, dry: Dry) -> None:
        """Leave out what should have sounded meanwhile: what follows keeps its place in the take, to a millisecond."""
        self._written.clear()
        for voice in self._voices:
            voice.at_frame -= dry.frames
        self.dry.append(dry)
        logger.warning("%s ran dry for %d frames at %d", self.device, dry.frames, dry.frame)
        self._dry(dry)

    def _watch(self) -> None:
        """See whether the output takes sound. Looks are counted, and not the clock: we may have been stopped."""
        seen, still = -1, 0
        while self.there and not self._leaving.wait(LOOK):
            still = 0 if self._calls != seen else still + 1
            seen = self._calls
            patience = STARTS if self.lead is None else STALLED
            if still * LOOK >= patience or not self._alive():
                logger.warning("%s takes no sound", self.device)
                self.there = False
                sentence = _("{device} takes no more sound; is it plugged in, and does the sound server run?")
                self._gone(sentence.format(device=self.device))
                self._close()

    def _alive(self) -> bool:
        try:
            return self._stream is not None and bool(self._stream.is_active())
        except OSError:
            return False
