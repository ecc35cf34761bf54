"""A take that can be read anywhere, to the sample, without being in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile

from studio.errors import MediaError
from studio.language import _
from studio.media._takes.facts import facts, unread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

_UNKNOWN = 1 << 40
"""Frames: libsndfile says more of a FLAC whose recorder was killed."""


class TakeSound:
    """The tracks of a WAV or FLAC file."""

    def __init__(self, path: Path, tracks: Sequence[str] = ()) -> None:
        """See `studio.media.open_take`."""
        self._path = path
        try:
            self._file = soundfile.SoundFile(path)
        except (OSError, soundfile.LibsndfileError) as problem:
            raise unread(path, problem) from problem
        self.rate: int = self._file.samplerate
        self.tracks = _names(tracks, self._file.channels)
        frames = len(self._file)
        self.frames = frames if frames < _UNKNOWN else facts(path, through=True).frames
        if not self.frames:
            self.close()
            raise MediaError(_("{file} has no sound that can be read; choose another take.").format(file=path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back. Idempotent."""
        self._file.close()

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the frames [start, stop), which lie inside: (frames, tracks), full scale ±1.

        What is cut off is silent. Raises MediaError for what is damaged.
        """
        out = np.zeros((stop - start, len(self.tracks)), np.float32)
        try:
            if self._file.tell() != start:
                self._file.seek(start)
            self._file.read(dtype="float32", out=out)
        except (OSError, RuntimeError) as problem:
            raise unread(self._path, problem) from problem
        return out


def _names(given: Sequence[str], channels: int) -> tuple[str, ...]:
    names: list[str] = []
    for number in range(channels):
        name = given[number] if number < len(given) else ""
        names.append(name if name and name not in names else f"{name} {number + 1}".strip())
    return tuple(names)
