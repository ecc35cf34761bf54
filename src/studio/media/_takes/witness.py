"""A second, narrow look at the same input, which proves to the frame what a sound server threw away of the wide one.

A server keeps 4 MB for a stream that nobody comes for, and then throws away what it hears, without a word. Of many
channels that is a second, of one it is half a minute. So the same input is heard once more as one channel, which the
server mixes of all: where a stretch of the wide stream lies in the narrow one is found by its sound, for a mix of those
very samples fits it to the last bit and any other place does not. When the distance of the two grows, the wide stream
has lost just that.

An input that can be opened only once has no witness, and silence without any noise tells nothing: then the clock has to
do. An input that can be opened once loses nothing to a server, either.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyaudio

from studio.media._arrive import portaudio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from studio.media._arrive.portaudio import Device
    from studio.media._takes.ring import Block

logger = logging.getLogger(__name__)

KEPT = 30.0
"""Seconds of it that are remembered: as long as the server keeps it for us."""
CALL = 4096
"""Frames in one call of PortAudio: it is in no hurry."""
ALIKE = 1e-11
"""Share of its energy by which a mix of the right place differs from the witness; server and we round differently. At
another place of the same held tone, a microphone's noise alone is 1e-9."""
FIRST = 2.0
"""Seconds that the two streams may have been opened apart."""
AROUND = 0.5
"""Seconds around where the clock says that a place is looked for first; then everywhere, which takes longer."""
BEHIND = 0.1
"""Seconds beyond a block that the witness has to have heard, lest the place that is looked for is cut off."""
PATIENCE = 3.0
"""Seconds that it is waited for; what comes meanwhile is kept back."""
PEAKS = 4
"""Places that are tried, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What of the blocks that were kept back is as it was heard."""

    before: int
    """Blocks that come before what is missing."""
    after: int
    """The first block that comes after it; those between are pieces of which nobody knows the place."""
    missing: int
    """Frames that never came, between the two."""


class Witness:
    """Hears the input as one channel."""

    def __init__(self, rate: int) -> None:
        """It hears nothing before `listen`."""
        self._rate = rate
        self._heard = np.zeros(int(KEPT * rate), np.int32)
        self._count = 0
        self._apart: int | None = None
        """Frame of the witness at which the wide stream had its frame 0, with all that was marked; `None`: unknown."""
        self._proved = 0
        """The same as it was proved last: what was marked by the clock since then is not in it."""
        self._tries = 0
        self._stream: Any = None

    def listen(self, sound: pyaudio.PyAudio, device: Device) -> None:
        """Open it beside the wide stream. Raises OSError where the input can be opened once only."""
        with portaudio.quiet():
            self._stream = sound.open(
                self._rate, 1, pyaudio.paInt32, input=True, input_device_index=int(device["index"]),
                frames_per_buffer=CALL, stream_callback=self._call,
            )  # fmt: skip

    def close(self) -> None:
        """Hear no more."""
        try:
            if self._stream is not None:
                self._stream.close()
        except OSError as problem:
            logger.info("the witness did not close: %s", problem)

    @property
    def knows(self) -> bool:
        """Whether the wide stream was found in it."""
        return self._apart is not None

    def marked(self, frames: int) -> None:
        """So many frames were marked without it: they are not missing once more when it finds that place."""
        if self._apart is not None:
            self._apart += frames

    def look(self, block: Block) -> int:
        """Look whether a block lies where it is expected; return how many frames are missing before it, mostly 0."""
        if self._apart is None:
            if self._seldom():
                self._apart = self._find(block, block.index, FIRST)
                self._proved = self._apart or 0
            return 0
        fits = self._fits(block, self._apart)
        if fits is not False:
            self._proved = self._apart if fits else self._proved
            return 0
        found = self._find(block, block.index + self._apart, AROUND, self._proved)
        if found is None and self._seldom():
            found = self._anywhere(block)
        if found is None:
            return 0
        missing = found - self._apart
        self._proved = self._apart = found
        return max(0, missing)

    def ready(self, block: Block, missing: float) -> bool:
        """Whether it has heard what `judge` asks of it, where `block` is the last, or never will."""
        return self._apart is None or self._covers(block, self._apart + round(missing * self._rate))

    def judge(self, blocks: Sequence[Block], missing: float) -> Proof | None:
        """Say which of `blocks` follow what was known before, and which come after a gap of about `missing` seconds.

        `None` where it cannot be told.
        """
        known = self._apart
        if known is None:
            return None
        about = known + round(missing * self._rate)
        heard = next(
            (
                places
                for apart in (about, known)
                if (places := [n for n, block in enumerate(blocks) if self._covers(block, apart)])
            ),
            None,
        )
        if heard is None:
            return None
        last = blocks[heard[-1]]
        found = self._find(last, last.index + about, AROUND, self._proved)
        if found is None:
            found = self._anywhere(last)
        if found is None:
            return None
        begins = known
        if self._proved != known:  # the clock marked something, and is not exact
            begins = self._find(blocks[0], blocks[0].index + known, AROUND, self._proved) or known
        self._proved = self._apart = found
        missing = max(0, found - known)
        if found == begins:
            return Proof(len(blocks), len(blocks), missing)
        before = next((n for n, block in enumerate(blocks) if self._fits(block, begins) is False), len(blocks))
        after = max(before, heard[-1])
        while after > before and self._fits(blocks[after - 1], found):
            after -= 1
        return Proof(before, after, missing)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _seldom(self) -> bool:
        """Now, and then more and more seldom: where it never is found it shall not cost much."""
        self._tries += 1
        return self._tries & (self._tries - 1) == 0

    def _call(self, data: bytes | None, _count: int, _times: object, _flags: int) -> tuple[None, int]:
        samples = np.frombuffer(data or b"", np.int32)
        place = self._count % len(self._heard)
        first = samples[: len(self._heard) - place]
        self._heard[place : place + len(first)] = first
        self._heard[: len(samples) - len(first)] = samples[len(first) :]
        self._count += len(samples)
        return None, pyaudio.paContinue

    def _part(self, first: int, frames: int) -> NDArray[np.float64] | None:
        """Return what it heard from frame `first` on; `None` where it has not, or not any more."""
        if first < max(0, self._count - len(self._heard) + CALL) or first + frames > self._count:
            return None
        places = np.arange(first, first + frames) % len(self._heard)
        return self._heard[places].astype(np.float64)

    def _covers(self, block: Block, apart: int) -> bool:
        first = block.index + apart
        return self._count - first - len(block.samples) >= BEHIND * self._rate

    def _fits(self, block: Block, apart: int) -> bool | None:
        """Whether a block lies there; `None` where the witness does not know, or has heard nothing."""
        part = self._part(block.index + apart, len(block.samples))
        if part is None or not part.any():
            return None
        return is_mix(block.samples, part)

    def _find(self, block: Block, about: int, around: float, least: int = -(1 << 62)) -> int | None:
        """Return how far a block is from where it lies in the witness, looked for around frame `about`.

        It is not nearer than `least`: what came once does not go away.
        """
        reach = round(around * self._rate)
        return self._between(block, max(about - reach, block.index + least), about + reach + len(block.samples))

    def _anywhere(self, block: Block) -> int | None:
        """Look in all that was heard since it was proved last."""
        return self._between(block, block.index + self._proved, self._count)

    def _between(self, block: Block, first: int, until: int) -> int | None:
        first = max(0, self._count - len(self._heard) + CALL, first)
        until = min(self._count, until)
        part = self._part(first, until - first) if until - first >= len(block.samples) else None
        if part is None:
            return None
        place = place_in(part, block.samples)
        return None if place is None else first + place - block.index


def is_mix(block: NDArray[np.int32], part: NDArray[np.float64]) -> bool:
    """Whether `part` is some mix of the channels of `block`, to the last bit."""
    sound = block.astype(np.float64)
    energy = float(part @ part)
    gains = np.linalg.lstsq(sound, part, rcond=None)[0]
    rest = part - sound @ gains
    return bool(energy > 0 and rest @ rest < ALIKE * energy)


def place_in(part: NDArray[np.float64], block: NDArray[np.int32]) -> int | None:
    """Return where in `part` a mix of `block` begins; `None` where it is not to be found.

    Likely places are those where the mean of all channels goes along with it.
    """
    count = len(block)
    mean = block.mean(axis=1)
    mean -= mean.mean()
    if not mean.any():
        return None
    level = part - part.mean()
    size = 1 << (len(part) + count - 1).bit_length()
    along = np.fft.irfft(np.fft.rfft(level, size) * np.conj(np.fft.rfft(mean, size)), size)[: len(part) - count + 1]
    sums, squares = (np.concatenate([[0.0], np.cumsum(values)]) for values in (level, level * level))
    spread = squares[count:] - squares[:-count] - (sums[count:] - sums[:-count]) ** 2 / count
    along = np.abs(along) / np.sqrt(np.maximum(spread, 1.0))
    for _try in range(PEAKS):
        place = int(along.argmax())
        for near in (place, place - 1, place + 1):
            if 0 <= near <= len(part) - count and is_mix(block, part[near : near + count]):
                return near
        along[max(0, place - 2) : place + 3] = 0
    return None
