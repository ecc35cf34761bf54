"""Sound on its way in: cleaned, brought to 16 kHz, cut into judged blocks, with gaps on the show clock noticed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE, AudioChunk
from studio.speech._vad import BLOCK, Detector
from studio.units import Ms

GAP = Ms(100)
"""A jump of the show clock that is more than rounding."""
_SLOWEST, _FASTEST = 8000, 192_000
_REACH = 16
"""Zero crossings of the resampling filter on each side."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """`BLOCK` samples at 16 kHz."""

    start: Ms
    """On the show clock."""
    sound: NDArray[np.float32]
    likely: float
    """Probability of speech in [0..1]."""
    after_gap: bool
    """The sound before it is missing, or of another time."""

    @property
    def end(self) -> Ms:
        """On the show clock."""
        return Ms(self.start + BLOCK * 1000 // SPEECH_RATE)


class Resampler:
    """Brings a stream of sound to 16 kHz by windowed-sinc interpolation."""

    def __init__(self, rate: int) -> None:
        """Take sound of `rate` hertz; SpeechError for a rate no sound card has."""
        if not _SLOWEST <= rate <= _FASTEST:
            raise SpeechError(
                _("Sound of {rate} Hz cannot be listened to; set the source to 48000 Hz or 16000 Hz").format(rate=rate)
            )
        self.rate = rate
        self._ratio = rate / SPEECH_RATE
        self._cutoff = min(1.0, 1 / self._ratio) * 0.95
        self._reach = int(np.ceil(_REACH / self._cutoff))
        self._held = np.zeros(2 * self._reach, np.float32)
        self._next = float(self._reach)

    @property
    def delay(self) -> Ms:
        """How far what comes out lags behind what went in."""
        return Ms(0 if self.rate == SPEECH_RATE else round(self._reach * 1000 / self.rate))

    def convert(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next stretch at 16 kHz."""
        if self.rate == SPEECH_RATE:
            return sound
        held = np.concatenate([self._held, sound])
        count = max(0, int(np.ceil((len(held) - self._reach - self._next) / self._ratio)))
        places = self._next + np.arange(count) * self._ratio
        whole = np.floor(places).astype(np.int64)
        taps = np.arange(-self._reach + 1, self._reach + 1)
        away = taps[None, :] - (places - whole)[:, None]
        weights = (
            self._cutoff * np.sinc(self._cutoff * away) * np.cos(np.pi / 2 * np.clip(away / self._reach, -1, 1)) ** 2
        )
        out = np.sum(held[whole[:, None] + taps[None, :]] * weights, axis=1)
        done = self._next + count * self._ratio
        drop = max(0, int(done) - self._reach)
        self._held, self._next = held[drop:], done - drop
        return np.asarray(out, np.float32)


class Intake:
    """What was heard and not yet listened to. `hear` may be called from another thread than the rest."""

    def __init__(self) -> None:
        self._chunks: deque[AudioChunk] = deque()
        self._ready: deque[Block] = deque()
        self._detector = Detector()
        self._resampler = Resampler(SPEECH_RATE)
        self._rest = np.zeros(0, np.float32)
        self._due: Ms | None = None
        self._after_gap = False

    def hear(self, chunk: AudioChunk) -> None:
        """Queue `chunk`. SpeechError for sound that is not mono or of an impossible rate."""
        if chunk.samples.ndim != 1:
            raise SpeechError(_("Only mono sound can be listened to; mix the channels down first"))
        if chunk.rate != SPEECH_RATE:
            Resampler(chunk.rate)
        if len(chunk.samples):
            self._chunks.append(chunk)

    def waiting(self) -> Ms:
        """Length of the sound that waits."""
        chunks = sum(chunk.end - chunk.start for chunk in tuple(self._chunks))
        return Ms(chunks + len(self._ready) * BLOCK * 1000 // SPEECH_RATE)

    def peek(self) -> Block | None:
        """Return the next block without taking it, or `None` while not enough is waiting."""
        while not self._ready and self._chunks:
            self._unpack(self._chunks.popleft())
        return self._ready[0] if self._ready else None

    def take(self) -> Block:
        """Take the block that `peek` showed."""
        return self._ready.popleft()

    def flush(self) -> None:
        """Fill the last block up with silence: no sound follows."""
        while self._chunks:
            self._unpack(self._chunks.popleft())
        if len(self._rest) and self._due is not None:
            filled = np.zeros(BLOCK - len(self._rest), np.float32)
            self._judge(filled, self._due)

    def skip(self, leave: Ms) -> tuple[Ms, Ms] | None:
        """Throw away the oldest sound until `leave` waits; return the stretch that nobody will listen to."""
        first = self.peek()
        if first is None:
            return None
        until = first.start
        while self._ready and self.waiting() > leave:
            until = self._ready.popleft().end
        while self._chunks and self.waiting() > leave:
            until = self._chunks.popleft().end
            self._break_off()
        if self._ready:
            head = self._ready.popleft()
            self._ready.appendleft(Block(head.start, head.sound, head.likely, after_gap=True))
        else:
            self._after_gap = True
        return first.start, until

    def _unpack(self, chunk: AudioChunk) -> None:
        if self._due is not None and abs(chunk.start - self._due) > GAP:
            self._break_off()
        if chunk.rate != self._resampler.rate:
            self._resampler = Resampler(chunk.rate)
        self._due = chunk.end
        sound = np.nan_to_num(np.asarray(chunk.samples, np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
        sound = self._resampler.convert(np.clip(sound, -1.0, 1.0))
        self._judge(sound, Ms(chunk.start - self._resampler.delay))

    def _judge(self, sound: NDArray[np.float32], start: Ms) -> None:
        begins = start - len(self._rest) * 1000 / SPEECH_RATE
        whole = np.concatenate([self._rest, sound])
        count = len(whole) // BLOCK
        self._rest = whole[count * BLOCK :]
        for at, likely in enumerate(self._detector.judge(whole[: count * BLOCK])):
            place = Ms(round(begins + at * BLOCK * 1000 / SPEECH_RATE))
            self._ready.append(Block(place, whole[at * BLOCK : (at + 1) * BLOCK], likely, self._after_gap))
            self._after_gap = False

    def _break_off(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._resampler = Resampler(self._resampler.rate)
        self._detector.forget()
        self._due = None
        self._after_gap = True
