"""A sound track as AAC, where the new film's form cannot hold it as it is."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from studio.media._arrive.sound import SLIP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from numpy.typing import NDArray

RATE = 48_000
_FRAME = 1024
_PIECE = 10 * RATE
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
"""By the number of channels; any other number is folded to two."""


class Recoder:
    """Decodes a track and encodes it as AAC, each sample at its time: gaps are silence."""

    def __init__(self, out: OutputContainer, stream: AudioStream, bitrate: int, layout: str = "") -> None:
        """`bitrate` in kilobits a second for two channels; `layout`: another than it has."""
        self._source = stream
        layout = layout or _LAYOUTS.get(stream.codec_context.layout.nb_channels, "stereo")
        self._channels = av.AudioLayout(layout).nb_channels
        self._layout = layout
        self._resampler: av.AudioResampler | None = None
        self._like: tuple[object, ...] | None = None
        self._held: NDArray[np.float32] = np.zeros((self._channels, 0), np.float32)
        self._at: int | None = None
        """Place of the first sample held."""
        self.stream: AudioStream = out.add_stream("aac", rate=RATE, layout=layout)
        self.stream.bit_rate = bitrate * 500 * self._channels

    def packets(self, packet: av.Packet[AudioStream], zero: Fraction) -> Iterator[av.Packet[AudioStream]]:
        """Give what is ready of a packet of the source; nothing of one that cannot be decoded."""
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        for frame in frames:
            at = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base - zero
            yield from self._take(frame, at)

    def rest(self) -> Iterator[av.Packet[AudioStream]]:
        """Give what is held back."""
        if self._resampler is not None:
            self._hold(self._resampler.resample(None))
        yield from self._encode(whole=False)
        yield from self.stream.encode(None)

    def _take(self, frame: av.AudioFrame, at: Fraction | None) -> Iterator[av.Packet[AudioStream]]:
        like = (frame.format.name, frame.layout.name, frame.sample_rate)
        if like != self._like:
            if self._resampler is not None:
                self._hold(self._resampler.resample(None))
            self._resampler = av.AudioResampler("fltp", self._layout, RATE)
            self._like = like
        place = None if at is None else round(at * RATE)
        if self._at is None:
            self._at = place or 0
        elif place is not None:
            yield from self._fill(place - (self._at + self._held.shape[1]))
        frame.pts = None  # time is counted here
        assert self._resampler is not None  # noqa: S101 - made above
        self._hold(self._resampler.resample(frame))
        yield from self._encode(whole=True)

    def _fill(self, gap: int) -> Iterator[av.Packet[AudioStream]]:
        """Silence for a gap that is heard; in pieces, for a damaged film may leap by hours."""
        while gap > SLIP * RATE // 1000:
            piece = min(gap, _PIECE)
            self._held = np.concatenate([self._held, np.zeros((self._channels, piece), np.float32)], axis=1)
            gap -= piece
            yield from self._encode(whole=True)

    def _hold(self, frames: list[av.AudioFrame]) -> None:
        parts = [np.asarray(frame.to_ndarray(), np.float32) for frame in frames]
        self._held = np.concatenate([self._held, *parts], axis=1)

    def _encode(self, *, whole: bool) -> Iterator[av.Packet[AudioStream]]:
        while self._held.shape[1] >= (_FRAME if whole else 1):
            part, self._held = self._held[:, :_FRAME], self._held[:, _FRAME:]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), "fltp", self._layout)
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), self._at
            self._at = (self._at or 0) + part.shape[1]
            yield from self.stream.encode(frame)
