"""Any sound that FFmpeg reads, whole and at the session's rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.probe import can_decode, open_file
from studio.media._arrive.sound import BARE, MOST_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray

_SLIP = 0.1
"""Seconds by which a stamp may lie beside the end of the sound before it: containers round."""
_PRIMING = -0.1
"""Seconds: what begins so little before 0 is what an encoder puts before the sound, which nobody hears."""
_LAYOUTS = {1: "mono", 2: "stereo"}
"""What sound is mixed down to where fewer channels are wanted than it has."""


def read_sound(
    path: Path, rate: int, *, channels: int | None = None, longest: float | None = None
) -> NDArray[np.float32]:
    """See `studio.media.read_sound`."""
    with open_file(path) as container:
        stream = next((one for one in container.streams.audio if _can_be_heard(one)), None)
        if stream is None:
            raise MediaError(_("{file} has no sound that can be read; choose another file.").format(file=path))
        laid = _Laid(rate, _wanted_layout(stream, channels), None if longest is None else round(longest * rate))
        bare = container.format.name in BARE
        zero = (container.start_time or 0) / 1_000_000
        zero = 0.0 if _PRIMING < zero < 0 else zero
        for frame in _frames(container, stream):
            at = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base) - zero
            laid.add(frame, None if bare and laid.rate else at)
            if laid.too_long:
                raise MediaError(
                    _("{file} lasts longer than {minutes} minutes; cut out the part that you need.").format(
                        file=path, minutes=round((longest or 0) / 60)
                    )
                )
        sound = laid.whole()
    if not len(sound):
        raise MediaError(_("{file} has no sound that can be read; choose another file.").format(file=path))
    return sound


def _can_be_heard(stream: AudioStream) -> bool:
    return can_decode(stream) and bool(stream.codec_context.sample_rate)


def _wanted_layout(stream: AudioStream, channels: int | None) -> str:
    layout = stream.codec_context.layout
    if channels in _LAYOUTS and layout.nb_channels > channels:
        return _LAYOUTS[channels]
    return layout.name


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
    """Decode all; what cannot be decoded is left out, and found again by its place."""
    faults = 0
    while faults <= MOST_FAULTS:
        try:
            for packet in container.demux(stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    continue
                faults = 0
        except (av.FFmpegError, OSError):
            faults += 1
        else:
            return


class _Laid:
    """Frames laid one after the other, those that come later than they should behind silence."""

    def __init__(self, rate: int, layout: str, most: int | None) -> None:
        self._to = rate
        self._layout = layout
        self._most = most
        self._resampler: av.AudioResampler | None = None
        self.rate = 0
        """Of what came last; 0 before anything came."""
        self._end = 0.0
        self._parts: list[NDArray[np.float32]] = []
        self._count = 0
        self._form = ("", "")

    @property
    def too_long(self) -> bool:
        return self._most is not None and self._count > self._most

    def add(self, frame: av.AudioFrame, at: float | None) -> None:
        form = (frame.layout.name, frame.format.name)
        late = at is not None and at - self._end > (_SLIP if self.rate else 0.5 / frame.sample_rate)
        if late or frame.sample_rate != self.rate or form != self._form:
            self._drain()
            if late and at is not None:
                self._silence(round(at * self._to) - self._count)
                self._end = at
            self._resampler = av.AudioResampler("fltp", self._layout, self._to)
            self.rate, self._form = frame.sample_rate, form
        skipped = 0
        if not self._count and at is not None and at < 0:  # before players begin
            skipped = min(frame.samples, round(-at * frame.sample_rate))
        self._end = (at if not self._parts and at is not None else self._end) + frame.samples / frame.sample_rate
        frame.pts = None
        if skipped == frame.samples:
            return
        self._put(frame, skipped)

    def _put(self, frame: av.AudioFrame | None, skipped: int = 0) -> None:
        if self._resampler is None:
            return
        for ready in self._resampler.resample(frame):
            sound = np.nan_to_num(ready.to_ndarray().T.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
            sound = sound[round(skipped * self._to / self.rate) :] if skipped else sound
            self._parts.append(sound)
            self._count += len(sound)

    def _drain(self) -> None:
        self._put(None)
        self._resampler = None

    def _silence(self, count: int) -> None:
        if count > 0:
            self._parts.append(np.zeros((count, av.AudioLayout(self._layout).nb_channels), np.float32))
            self._count += count

    def whole(self) -> NDArray[np.float32]:
        self._drain()
        if not any(len(part) for part in self._parts):
            return np.zeros((0, 1), np.float32)
        return np.concatenate(self._parts)
