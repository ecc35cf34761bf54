"""The pixels of a picture, for numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray


def pixels(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """Return the planes of an 8-bit planar picture, rows with their padding: writing there writes the picture."""
    return [np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
