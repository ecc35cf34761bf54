"""A take as FLAC, which holds eight tracks at most: each piece of sound is in the file as soon as it is encoded."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError

from studio.errors import MediaError, why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.media._takes.wav import TakeNotes

MOST = 8
"""Tracks that the form holds."""
_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
_TOTAL_AT = 8 + 13
"""Byte of the file where STREAMINFO counts samples, in 36 bits of which the first four share a byte."""


class FlacWriter:
    """Writes FLAC, 24 bits; the rest as `TakeWriter`."""

    def __init__(self, path: Path, rate: int, tracks: Sequence[str], notes: TakeNotes) -> None:
        """Begin a new file; never over an old one. Raises MediaError."""
        self.path = path
        self.frames = 0
        self._rate = rate
        self._layout = _LAYOUTS[len(tracks) - 1]
        self._closed = False
        try:
            path.open("xb").close()
            self._out = av.open(str(path), "w", format="flac", options={"flush_packets": "1"})
        except (OSError, FFmpegError) as problem:
            raise _refused(path, problem) from problem
        self._out.metadata.update(_told(tracks, notes))
        self._stream = self._out.add_stream("flac", rate=rate, layout=self._layout, format="s32")

    def write(self, block: NDArray[np.int32]) -> None:
        """See `Takes`."""
        interleaved = np.ascontiguousarray(block).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="s32", layout=self._layout)
        frame.sample_rate = self._rate
        frame.pts = self.frames
        frame.time_base = Fraction(1, self._rate)
        try:
            self._out.mux(self._stream.encode(frame))
        except (OSError, FFmpegError) as problem:
            raise _refused(self.path, problem) from problem
        self.frames += len(block)

    def silence(self, frames: int, pieces: int = 0) -> None:  # noqa: ARG002 - nothing is kept
        """See `Takes`."""
        for begin in range(0, frames, self._rate):
            self.write(np.zeros((min(self._rate, frames - begin), _LAYOUTS.index(self._layout) + 1), np.int32))

    def keep(self, block: NDArray[np.int32]) -> None:
        """See `Takes`; what is encoded cannot be taken back."""

    def sync(self) -> None:
        """See `Takes`; the system does it in its own time."""

    def close(self) -> None:
        """See `Takes`."""
        if self._closed:
            return
        self._closed = True
        try:
            if self.frames:
                self._out.mux(self._stream.encode(None))
            self._out.close()
        except (OSError, FFmpegError) as problem:
            raise _refused(self.path, problem) from problem


def mend(path: Path) -> tuple[int, int, int]:
    """Let the head say how long the file is; return frames, rate and channels. Raises MediaError."""
    frames = 0
    try:
        with av.open(str(path), "r") as file:
            stream = file.streams.audio[0]
            rate, channels = stream.rate, stream.channels
            try:
                for frame in file.decode(stream):
                    frames += frame.samples
            except FFmpegError:  # the last piece, which was not written to its end
                pass
    except (OSError, FFmpegError, IndexError) as problem:
        sentence = _("{file} is no take: its beginning is missing or damaged.")
        raise MediaError(sentence.format(file=path)) from problem
    with path.open("r+b") as raw:
        raw.seek(_TOTAL_AT)
        first = raw.read(1)[0]
        raw.seek(_TOTAL_AT)
        raw.write(bytes([first & 0xF0 | frames >> 32]) + (frames & 0xFFFF_FFFF).to_bytes(4, "big"))
    return frames, rate, channels


def _told(tracks: Sequence[str], notes: TakeNotes) -> dict[str, str]:
    told = {
        "TITLE": notes.song,
        "ALBUM": notes.session,
        "TRACKNUMBER": str(notes.number),
        "DATE": notes.at.isoformat(timespec="milliseconds"),
        "ARTIST": ", ".join(dict.fromkeys(filter(None, notes.singers))),
        "ENCODER": "studio",
    }
    told |= {f"TRACK{number}": name for number, name in enumerate(tracks, 1)}
    return {name: word for name, word in told.items() if word}


def _refused(path: Path, problem: BaseException) -> MediaError:
    return MediaError(_("{file} cannot be written: {problem}.").format(file=path, problem=why(problem)))
