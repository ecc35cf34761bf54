"""Pictures and sound into x264 and AAC, stamped with the show clock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Literal

import av
import numpy as np
from av.video.frame import PictureType

from studio.media._clock import RATE, Ticks, ticks
from studio.media._tape import AIR_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studio.media._plan import EncodePreset

TICK = Fraction(1, RATE)
_SOUND = Fraction(1, AIR_RATE)
AAC_FRAME = 1024
_MOST_THREADS = 4
"""More delay the picture by more frames than a recording may lose."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A packet of the programme, ready to be muxed."""

    kind: Literal["picture", "sound", "small"]
    """`small`: the small picture, which HLS has besides."""
    stamp: Ticks
    """When it is shown, in the time of the air or, before the hold, of the show."""
    key: bool
    """A player may begin here."""
    data: bytes
    """Annex B with its own headers, or AAC in ADTS frames."""
    duration: Ticks
    due: Ticks | None = None
    """When it is to be decoded, where that is earlier than it is shown: in a programme with B-frames that is passed on
    as it came. `None`: when it is shown, as all that we encode."""

    @property
    def decoded(self) -> Ticks:
        """When it is to be decoded: the order in which packets come."""
        return self.stamp if self.due is None else self.due

    def packet(self) -> av.Packet[av.stream.Stream]:
        """Make a packet of it; muxers change what they are given, so each gets its own."""
        packet: av.Packet[av.stream.Stream] = av.Packet(self.data)
        packet.time_base = TICK
        packet.pts, packet.dts = self.stamp, self.decoded
        packet.duration = self.duration
        packet.is_keyframe = self.key
        return packet


class PictureEncoder:
    """x264 without B-frames and lookahead: a relay that is killed loses what its encoder holds back.

    That is one frame less than it has threads.
    """

    def __init__(self, preset: EncodePreset, like: av.VideoFrame, fps: float) -> None:
        """Encode pictures of the size and colours of `like`."""
        self._anew = partial(PictureEncoder, preset, like, fps)
        self.fps = min(preset.fps, fps) if preset.fps and fps else preset.fps or fps or 25.0
        self._every = ticks(preset.keyframe_seconds)
        self._next_key: int | None = None
        self._key_now = False
        self._last = -1
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = like.width, like.height, "yuv420p"
        context.time_base, context.framerate = TICK, Fraction(self.fps).limit_denominator(1001)
        context.colorspace = like.colorspace
        context.thread_count = preset.threads or min(_MOST_THREADS, os.cpu_count() or 1)
        context.options = {
            "preset": preset.preset,
            "forced-idr": "1",
            "crf": str(preset.quality),
            "maxrate": str(preset.video_bitrate * 1000),
            "bufsize": str(round(preset.video_bitrate * preset.buffer_seconds * 1000)),
            "x264-params": "bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:scenecut=0:keyint=infinite",
        }
        self._context = context
        self._duration = ticks(1 / self.fps)

    def encode(self, frame: av.VideoFrame, at: Ticks) -> list[Coded]:
        """Encode the frame that airs `at`; one that does not come after the last one is left out."""
        if at <= self._last:
            return []
        self._last = at
        key = self._next_key is None or at >= self._next_key
        if key:  # counted from the first, so that every HLS segment but the last has its full length
            began = at if self._next_key is None else self._next_key
            self._next_key = began + self._every * ((at - began) // self._every + 1)
        frame.pts, frame.time_base = at, TICK
        frame.pict_type = PictureType.I if key or self._key_now else PictureType.NONE
        self._key_now = False
        return self._coded(self._context.encode(frame))

    def anew(self) -> PictureEncoder:
        """Return another one like this."""
        return self._anew()

    @property
    def begun(self) -> bool:
        """Whether any picture was encoded."""
        return self._last >= 0

    def force_key(self) -> None:
        """Let the next picture be a keyframe, besides those that come by themselves: it will show something else."""
        self._key_now = True

    def flush(self) -> list[Coded]:
        """Return what is held back."""
        return self._coded(self._context.encode(None)) if self._context.is_open else []

    def _coded(self, packets: list[av.Packet[av.VideoStream]]) -> list[Coded]:
        return [
            Coded("picture", Ticks(packet.pts or 0), packet.is_keyframe, bytes(packet), self._duration)
            for packet in packets
        ]


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
