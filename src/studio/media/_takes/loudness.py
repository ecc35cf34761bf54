"""How loud a take is, by EBU R128: the meter of the air, for sound of any rate."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import soundfile

from studio.media._air.loudness import STEP, Meter
from studio.media._ground.tape import AIR_RATE
from studio.media._takes.facts import BLOCK, unread

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.events import Loudness


class LoudnessMeter:
    """See `studio.media.loudness_meter`."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._at = 0
        self._meter = Meter()
        self._resampler = av.AudioResampler(format="s16", layout="stereo", rate=AIR_RATE)

    def take(self, sound: NDArray[np.float32]) -> None:
        """Measure `sound`, (frames, 1 or 2), full scale [-1..1], that follows what came before.

        One channel is measured as one, as FFmpeg and EBU R128 do, not as the same in two loudspeakers.
        """
        if sound.shape[1] == 1:
            sound = np.concatenate([sound, np.zeros_like(sound)], axis=1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), "flt", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._at
        self._at += len(sound)
        self._measure(frame)

    def finish(self) -> Loudness:
        """Return what all of it was; the last 100 ms are filled up with silence. Nothing can be measured after it."""
        self._measure(None)
        self._meter.take(np.zeros((STEP, 2), np.int16))
        return self._meter.read

    def _measure(self, frame: av.AudioFrame | None) -> None:
        for resampled in self._resampler.resample(frame):
            self._meter.take(np.asarray(resampled.to_ndarray(), np.int16).reshape(-1, 2))


def take_loudness(path: Path) -> tuple[Loudness, ...]:
    """See `studio.media.take_loudness`."""
    try:
        with soundfile.SoundFile(path) as file:
            meters = [LoudnessMeter(file.samplerate) for _track in range(file.channels)]
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                for track, meter in enumerate(meters):
                    meter.take(block[:, track : track + 1])
    except (OSError, soundfile.LibsndfileError) as problem:
        raise unread(path, problem) from problem
    return tuple(meter.finish() for meter in meters)
