"""The pitch of one chosen microphone, followed in a thread of its own beside the one that hears."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from studio.events import PitchHeard
from studio.vocal._pitch import HIGHEST, LOWEST, PitchEar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_FULL = np.float32(2.0**31)
_WAITING = 25
"""Blocks that may wait; on a machine that is too slow the oldest go, and the ear begins anew behind them."""


class _Voice(NamedTuple):
    channel: int
    lowest: float
    highest: float


class Follower:
    """`hear` is called by the thread that hears and never waits; `follow` by any."""

    def __init__(self, rate: int, tell: Callable[[PitchHeard], None]) -> None:
        self._rate = rate
        self._tell = tell
        self._voice: _Voice | None = None
        self._blocks: deque[tuple[_Voice, NDArray[np.int32], int]] = deque(maxlen=_WAITING)
        self._some = threading.Event()
        self._thread: threading.Thread | None = None
        self._over = False

    def follow(self, channel: int | None, lowest: float = LOWEST, highest: float = HIGHEST) -> None:
        """Follow `channel`, counted from 1, from now on, where a voice sings from `lowest` to `highest` hertz.

        `None`: follow none.
        """
        self._voice = None if channel is None else _Voice(channel, lowest, highest)
        if self._voice is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="vocal: pitch", daemon=True)
            self._thread.start()

    def hear(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Take (frames, channels), 24 bits on the left."""
        voice = self._voice
        if voice is not None and 1 <= voice.channel <= block.shape[1]:
            self._blocks.append((voice, block[:, voice.channel - 1].copy(), first_frame))
            self._some.set()

    def close(self) -> None:
        """Let the thread end."""
        self._over = True
        self._some.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        _go_last()
        followed, ear = None, None
        while self._some.wait() and not self._over:
            self._some.clear()
            while self._blocks and not self._over:
                voice, block, first_frame = self._blocks.popleft()
                if ear is None or voice != followed:
                    followed, ear = voice, PitchEar(self._rate, voice.lowest, voice.highest)
                for pitch in ear.take(np.divide(block, _FULL, dtype=np.float32), first_frame):
                    self._tell(PitchHeard(voice.channel, pitch.frame, pitch.hertz, pitch.sure))


def _go_last() -> None:
    """Recording goes before teaching: this thread alone has the priority of everybody."""
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 0)
    except (OSError, AttributeError) as problem:
        logger.info("the thread that follows the pitch keeps its priority: %s", problem)
