"""Programme sound as it comes over the line: put in order, without what was heard already, its gaps noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.sound import SPEECH_RATE, AudioChunk
from studio.units import Ms

if TYPE_CHECKING:
    from studio.events import Sound

GAP = Ms(500)
"""A shorter jump is how encoders begin and lose a packet; a longer one may have held a word."""
TWICE = Ms(5000)
"""Sound that goes back no further was sent twice, after the line was lost; further, the programme itself jumped."""

_FULL_SCALE = 32768.0


class SoundIntake:
    """Turns `Sound` into chunks for the ears."""

    def __init__(self, heard: Ms) -> None:
        """Up to `heard` the sound was listened to in an earlier life."""
        self.until = heard
        """End of what was received: to go on from, when the line was lost."""

    def take(self, sound: Sound) -> tuple[AudioChunk | None, tuple[Ms, Ms] | None]:
        """Return what is new in `sound`, and the gap before it if there is one."""
        samples = np.frombuffer(sound.samples[: len(sound.samples) & ~1], dtype="<i2").astype(np.float32) / _FULL_SCALE
        start = sound.start
        again = self.until - start
        if 0 < again <= TWICE:
            samples = samples[again * SPEECH_RATE // 1000 :]
            start = self.until
        if not len(samples):
            return None, None
        gap = (self.until, start) if start - self.until > GAP else None
        chunk = AudioChunk(SPEECH_RATE, start, samples)
        self.until = chunk.end
        return chunk, gap
