"""Where somebody speaks: Silero's detector on a stream, and where an utterance begins and ends."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from studio.sound import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studio.speech._tuning import Tuning
    from studio.units import Ms

BLOCK = 512
"""Samples the detector judges at once: 32 ms."""

_MEMORY = 64
"""Samples of the block before that it wants to see again."""

Verdict = Literal["quiet", "opens", "goes on", "ends"]


@cache
def _session() -> Any:  # noqa: ANN401 - onnxruntime ships no types
    import faster_whisper  # noqa: PLC0415 - heavy: only who listens pays for it
    import onnxruntime  # noqa: PLC0415

    weights = next((Path(faster_whisper.__file__).parent / "assets").glob("silero_vad*.onnx"))
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that wait by spinning would cost a core in silence.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


class Detector:
    """How likely each block of a stream is speech. Remembers what it heard until `forget`."""

    def __init__(self) -> None:
        self._run = _session().run
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a gap in the sound."""
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._tail = np.zeros(_MEMORY, np.float32)

    def judge(self, sound: NDArray[np.float32]) -> list[float]:
        """Probability of speech in [0..1] for each `BLOCK` of `sound`, whose length is a multiple of it."""
        count = len(sound) // BLOCK
        if not count:
            return []
        whole = np.concatenate([self._tail, sound])
        self._tail = whole[-_MEMORY:]
        blocks = np.stack([whole[at * BLOCK : (at + 1) * BLOCK + _MEMORY] for at in range(count)])
        likely, self._hidden, self._cell = self._run(None, {"input": blocks, "h": self._hidden, "c": self._cell})
        return [float(value) for value in likely.reshape(-1)]


class EndPointer:
    """Where an utterance begins and ends, from probabilities of speech."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._pause = blocks(tuning.pause)
        self.speaking = False
        self.silent = 0
        """Blocks of silence since speech was last heard in this utterance."""
        self.voiced = 0
        """Blocks of speech in this utterance."""

    def follow(self, likely: float) -> Verdict:
        """Take the next block's probability; `ends` is said of the last block of an utterance."""
        if not self.speaking:
            if likely < self._tuning.opens:
                return "quiet"
            self.speaking, self.silent, self.voiced = True, 0, 1
            return "opens"
        if likely < self._tuning.closes:
            self.silent += 1
        else:
            self.silent = 0
            self.voiced += likely >= self._tuning.opens
        if self.silent < self._pause:
            return "goes on"
        self.speaking = False
        return "ends"

    def stop(self) -> None:
        """End the utterance here, as at a gap in the sound."""
        self.speaking = False


def blocks(length: Ms) -> int:
    """Blocks in `length`, at least one."""
    return max(1, round(length * SPEECH_RATE / 1000 / BLOCK))
