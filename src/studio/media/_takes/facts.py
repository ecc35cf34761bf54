"""What is in the file of a take, and a glance at how loud it is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from studio.errors import MediaError, why
from studio.language import _

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK = 1 << 16
GLANCE = 8192
"""Frames of each column that are looked at: a hundred columns of an hour are read in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class TakeFacts:
    """What a take's file holds."""

    frames: int
    rate: int
    channels: int


def facts(path: Path, *, through: bool = False) -> TakeFacts:
    """Return what is in it; read it to its end with `through`. Raises MediaError."""
    try:
        with soundfile.SoundFile(path) as file:
            frames = sum(len(block) for block in file.blocks(BLOCK, dtype="int32")) if through else len(file)
            return TakeFacts(frames, file.samplerate, file.channels)
    except (OSError, soundfile.LibsndfileError) as problem:
        raise unread(path, problem) from problem


def peaks(path: Path, columns: int) -> NDArray[np.float32]:
    """Return the highest sample of any channel in each of `columns` equal parts, 0 to 1. Raises MediaError."""
    highest = np.zeros(columns, dtype=np.float32)
    try:
        with soundfile.SoundFile(path) as file:
            edges = np.linspace(0, len(file), columns + 1).astype(int)
            for column, (begin, end) in enumerate(itertools.pairwise(edges)):
                if end > begin:
                    file.seek(int(begin))
                    heard = file.read(min(int(end - begin), GLANCE), dtype="float32", always_2d=True)
                    highest[column] = np.abs(heard).max(initial=0.0)
    except (OSError, soundfile.LibsndfileError) as problem:
        raise unread(path, problem) from problem
    return highest


def unread(path: Path, problem: Exception) -> MediaError:
    """Return what to say of a take that cannot be read."""
    if not path.exists():
        return MediaError(_("The take {file} is not there; was it moved?").format(file=path))
    reason = why(problem) if isinstance(problem, OSError) else str(problem).rpartition(": ")[2].strip(" .")
    return MediaError(_("The take {file} cannot be read: {reason}.").format(file=path, reason=reason))
