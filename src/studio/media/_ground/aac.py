"""Sound into AAC, stamped with the show clock."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.coded import AAC_FRAME, Coded
from studio.media._ground.tape import AIR_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studio.media._plan import EncodePreset

_SOUND = Fraction(1, AIR_RATE)


class SoundEncoder:
    """AAC-LC, 48 kHz stereo."""

    def __init__(self, preset: EncodePreset) -> None:
        context = av.CodecContext.create("aac", "w")
        context.sample_rate, context.layout, context.format = AIR_RATE, "stereo", "fltp"
        context.time_base = _SOUND
        context.bit_rate = preset.audio_bitrate * 1000
        self._context = context
        self._waiting: NDArray[np.int16] = np.zeros((0, 2), np.int16)
        self._next = 0

    def encode(self, samples: NDArray[np.int16], at: int) -> list[Coded]:
        """Encode samples, shape (n, 2), that follow those before them without a gap; `at` is the first one's number."""
        if not len(self._waiting):
            self._next = at
        self._waiting = np.concatenate((self._waiting, samples))
        coded: list[Coded] = []
        while len(self._waiting) >= AAC_FRAME:
            coded += self._frame(self._waiting[:AAC_FRAME])
            self._waiting = self._waiting[AAC_FRAME:]
        return coded

    def flush(self) -> list[Coded]:
        """Return what is held back; the last frame is filled up with silence."""
        coded: list[Coded] = []
        if len(self._waiting):
            coded = self._frame(np.pad(self._waiting, ((0, AAC_FRAME - len(self._waiting)), (0, 0))))
        if self._context.is_open:
            coded += self._coded(self._context.encode(None))
        return coded

    def _frame(self, samples: NDArray[np.int16]) -> list[Coded]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "s16", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = AIR_RATE, _SOUND, self._next
        self._next += AAC_FRAME
        return self._coded(self._context.encode(frame))

    def _coded(self, packets: list[av.Packet[av.AudioStream]]) -> list[Coded]:
        coded = []
        length = Ticks(AAC_FRAME * RATE // AIR_RATE)
        for packet in packets:
            # The stamp already accounts for the encoder's delay of one frame; before zero there is only that delay.
            stamp = round((packet.pts or 0) * (packet.time_base or _SOUND) * RATE)
            if stamp >= 0:
                coded.append(Coded("sound", Ticks(stamp), key=True, data=_adts(bytes(packet)), duration=length))
        return coded


def _adts(data: bytes) -> bytes:
    """AAC-LC, 48 kHz stereo with the header that says so (ISO 14496-3, 1.A.2): MPEG-TS needs nothing else then."""
    length = len(data) + 7
    return bytes((0xFF, 0xF1, 0x4C, 0x80 | length >> 11, length >> 3 & 255, (length & 7) << 5 | 0x1F, 0xFC)) + data
