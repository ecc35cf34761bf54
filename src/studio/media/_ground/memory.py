"""Memory that goes back to the system when a picture is done with."""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""Names of glibc's malloc.h."""
BY_ITSELF = 256 << 10
"""Bytes from which a piece of memory is the system's own mapping. glibc raises this to the largest that was ever given
back, up to 32 MB: the pictures of each encoder that came back then lay between others in the heaps of FFmpeg's threads,
and half of 200 MB was holes."""
HEAPS = 2
"""Heaps for all threads together, instead of eight for each core."""


def give_back() -> None:
    """Keep what is let go of small from now on, where the C library is glibc; call it before there are threads."""
    try:
        set_to = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl, macOS, Windows
        return
    if not (set_to(_MMAP_THRESHOLD, BY_ITSELF) and set_to(_ARENA_MAX, HEAPS)):
        logger.info("memory is kept as the C library likes")
