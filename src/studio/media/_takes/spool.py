"""A mix on the disk while it is measured and written in one form after the other: an hour does not fit into memory."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import numpy as np

from studio.media._takes.measure import measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

BLOCK = 1 << 18
"""Frames that are read at once."""


class Spool:
    """Stereo in a file without a name to people; goes when it is closed."""

    def __init__(self, folder: Path, rate: int) -> None:
        self.rate = rate
        self.frames = 0
        self._path = folder / f".mix.{os.getpid()}.{id(self)}.part"
        self._file = self._path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def fill(self, blocks: Iterable[NDArray[np.float32]]) -> None:
        """Take all of a mix, and measure it. Raises OSError where the disk refuses."""
        self.measured = measured(self._written(blocks), self.rate)
        self._file.flush()

    def _written(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        for block in blocks:
            self._file.write(np.ascontiguousarray(block, np.float32).tobytes())
            self.frames += len(block)
            yield block

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield it from its beginning: (frames, 2)."""
        with self._path.open("rb") as file:
            while read := file.read(BLOCK * 8):
                yield np.frombuffer(read, np.float32).reshape(-1, 2)
