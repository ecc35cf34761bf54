"""Programme sound between arriving and airing: decoded once, as it arrives, and laid down on the show clock."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import av
import numpy as np

from studio.media._ground.clock import RATE, Ticks
from studio.sound import SPEECH_RATE
from studio.units import Decibels, Ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

AIR_RATE = 48_000
"""Hertz, stereo: what the programme airs."""
SLIP = 0.02
"""Seconds that a stamp may lie beside the end of the sound before it and still be taken as its continuation: stamps
are rounded to milliseconds by RTMP, and to follow them to the sample would click."""
CHUNK = SPEECH_RATE // 10
"""Samples sent to the recogniser at once."""
LOUDEST_MIX = "1.707"
"""How much louder than one channel a mix of more than two may become. FFmpeg mixes 5.1 by ITU-R BS.775 (front, centre
and back at 1, 0.71 and 0.71, no LFE), and would bring that down by 7.7 dB, so that all may be at full scale at once. By
3 dB, as here, front and centre do not clip together, and speech is about as loud as it came."""
STEREO = 2
HOLES = 64
"""That are remembered: more than an encoder can come and go within the longest hold."""
_LOUDEST = 32768


class Tape:
    """Stereo sound by its place on the show clock; what nobody laid down is silence. For one writer and one reader."""

    def __init__(self, seconds: float) -> None:
        """Hold the last so many seconds."""
        self._length = int(seconds * AIR_RATE)
        self._samples = np.zeros((self._length, 2), np.int16)
        self._read = 0
        self._lock = threading.Lock()
        self._loudest = 0
        self._holes: deque[tuple[int, int]] = deque(maxlen=HOLES)
        self.begin: int | None = None
        """Sample at which the first sound was laid down, or `None`."""
        self.end = 0
        """Sample after the last sound."""

    def lay(self, at: int, samples: NDArray[np.int16]) -> None:
        """Put `samples`, shape (n, 2), down from sample `at`; what was read already, or lies too far on, is lost."""
        with self._lock:
            first = max(at, self._read)
            last = min(at + len(samples), self._read + self._length)
            if first >= last:
                return
            samples = samples[first - at : last - at]
            place = first % self._length
            head = min(len(samples), self._length - place)
            self._samples[place : place + head] = samples[:head]
            self._samples[: len(samples) - head] = samples[head:]
            if self.begin is not None and first > self.end + SLIP * AIR_RATE:
                self._holes.append((self.end, first))
            self.begin = first if self.begin is None else min(self.begin, first)
            self.end = max(self.end, last)
            self._loudest = max(self._loudest, int(samples.max()), -int(samples.min()))

    def start_reading(self, at: int) -> None:
        """Skip what lies before sample `at`."""
        with self._lock:
            gone = min(at - self._read, self._length)
            if gone > 0:
                self._wipe(self._read, gone)
                self._read = at

    def read(self, until: int) -> tuple[int, NDArray[np.int16]]:
        """Return where the next sound begins, and the sound up to sample `until`."""
        with self._lock:
            begin, count = self._read, min(max(0, until - self._read), self._length)
            place = begin % self._length
            out = np.concatenate(
                (self._samples[place : place + count], self._samples[: max(0, place + count - self._length)])
            )
            self._wipe(begin, count)
            self._read += count
            return begin, out

    @property
    def position(self) -> int:
        """Sample up to which was read."""
        return self._read

    def heard(self, at: int) -> int:
        """Where the sound ends that is there at sample `at`; in a hole, where the hole begins."""
        with self._lock:
            return next((begin for begin, end in self._holes if begin < at < end), self.end)

    def peak(self) -> Decibels | None:
        """Loudest sample laid down since this was last asked, or `None` if there was none."""
        with self._lock:
            loudest, self._loudest = self._loudest, 0
        return Decibels(round(20 * float(np.log10(loudest / _LOUDEST)), 1)) if loudest else None

    def _wipe(self, at: int, count: int) -> None:
        place = at % self._length
        self._samples[place : place + count] = 0
        self._samples[: max(0, place + count - self._length)] = 0


class _Place:
    """Where resampled sound goes: after what came before, unless its stamp says otherwise."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._next: int | None = None

    def take(self, seconds: float, count: int) -> int:
        wanted = round(seconds * self._rate)
        at = self._next
        if at is None or abs(wanted - at) > SLIP * self._rate:
            at = wanted
        self._next = at + count
        return at


class Arrival:
    """Lays one source's sound down on the tape, and cuts it into chunks for the recogniser."""

    def __init__(
        self,
        tape: Tape,
        heard: Callable[[Ms, bytes], None],
        after: tuple[int, int] | None = None,
        listened: Callable[[], bool] = lambda: True,
    ) -> None:
        """Tell `heard` where each chunk of 16 kHz mono begins on the show clock, and its samples.

        Nothing is made for it while nobody has `listened`. What lies before `after`, the `ends` of the source before,
        is left out: nothing airs or is heard twice.
        """
        self._tape = tape
        self._after = after
        self.ends = after
        """Samples of the show, of the air's and of the recogniser's, after the last sound; `None` before any."""
        self._heard = heard
        self._listened = listened
        self._air = av.AudioResampler("s16", "stereo", AIR_RATE)
        self._speech = av.AudioResampler("s16", "mono", SPEECH_RATE)
        self._air_place = _Place(AIR_RATE)
        self._speech_place = _Place(SPEECH_RATE)
        self._form: tuple[str, str, int] | None = None
        self._chunk_at = 0
        self._chunk = b""
        self.copy: Callable[[int, NDArray[np.int16]], None] | None = None
        """Is told what is laid down on the tape, and from which sample on."""

    def take(self, frame: av.AudioFrame, at: Ticks) -> None:
        """Take a decoded frame that begins `at` on the show clock."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:  # a broadcast may change from mono to stereo between two adverts
            mix = {"rematrix_maxval": LOUDEST_MIX} if frame.layout.nb_channels > STEREO else None
            self._air = av.AudioResampler("s16", "stereo", AIR_RATE, options=mix)
            self._speech = av.AudioResampler("s16", "mono", SPEECH_RATE, options=mix)
            self._form = form
        seconds = at / RATE
        air_end, speech_end = self.ends or (0, 0)
        frame.pts = None  # the resampler would follow stamps and fill or cut; places are kept here
        for air in self._air.resample(frame):
            samples = np.frombuffer(memoryview(air.planes[0]), np.int16)[: 2 * air.samples].reshape(-1, 2)
            place = self._air_place.take(seconds, len(samples))
            late = max(0, self._after[0] - place) if self._after else 0
            self._tape.lay(place + late, samples[late:])
            air_end = max(air_end, place + len(samples))
            if self.copy is not None:
                self.copy(place, samples)
        heard = self._listened()
        if not heard:
            speech_end = max(speech_end, air_end * SPEECH_RATE // AIR_RATE)
        for speech in self._speech.resample(frame) if heard else ():
            data = bytes(speech.planes[0])[: 2 * speech.samples]
            place = self._speech_place.take(seconds, speech.samples)
            late = max(0, self._after[1] - place) if self._after else 0
            if late < speech.samples:
                self._hear(place + late, data[2 * late :])
            speech_end = max(speech_end, place + speech.samples)
        self.ends = air_end, speech_end

    def take_raw(self, samples: NDArray[np.int16], rate: int, at: Ticks) -> None:
        """Take interleaved samples, shape (n, 1) or (n, 2), that begin `at` on the show clock."""
        layout = "mono" if samples.shape[1] == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "s16", layout)
        frame.sample_rate = rate
        self.take(frame, at)

    def flush(self) -> None:
        """Hand on the last, shorter chunk."""
        if self._chunk:
            self._heard(Ms(self._chunk_at * 1000 // SPEECH_RATE), self._chunk)
            self._chunk_at += len(self._chunk) // 2
            self._chunk = b""

    def _hear(self, at: int, samples: bytes) -> None:
        if at != self._chunk_at + len(self._chunk) // 2:
            self.flush()
            self._chunk_at = at
        if self._chunk_at < 0:  # a stamp before the show's first picture
            cut = min(-self._chunk_at, (len(self._chunk) + len(samples)) // 2)
            samples = (self._chunk + samples)[2 * cut :]
            self._chunk, self._chunk_at = b"", self._chunk_at + cut
        self._chunk += samples
        while len(self._chunk) >= 2 * CHUNK:
            self._heard(Ms(self._chunk_at * 1000 // SPEECH_RATE), self._chunk[: 2 * CHUNK])
            self._chunk = self._chunk[2 * CHUNK :]
            self._chunk_at += CHUNK
