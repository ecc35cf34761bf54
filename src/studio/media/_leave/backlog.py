"""What waits for one destination: bounded in bytes and in seconds, so that whoever takes slowly harms only itself."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from typing import TYPE_CHECKING

from studio.media._ground.clock import ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.media._ground.coded import Coded

MOST_SECONDS = 8.0
"""Longer than a network's hiccup, and than the time after which a destination that takes nothing is called again."""
MOST_BYTES = 16 << 20
"""Eight seconds of 16 Mb/s. Packets are shared with the other outputs, so that little of this is memory of our own."""


class Backlog:
    """The air puts packets in and never waits; the destination's thread takes them out.

    What is too much goes from the oldest to the next keyframe, and is counted.
    """

    def __init__(self, seconds: float = MOST_SECONDS, size: int = MOST_BYTES, *, at_once: bool = False) -> None:
        """Hold `seconds` and `size` bytes at the most; `at_once`: from the first packet on, not the first keyframe."""
        self._most_ticks = ticks(seconds)
        self._most_bytes = size
        self._lock = threading.Lock()
        self._queue: deque[Coded] = deque()
        self._size = 0
        self._number = 0
        """Of the packet that is put next."""
        self._key = -1
        """Number of the last keyframe."""
        self._since: list[Coded] = []
        """Everything from the last keyframe on, for whoever begins now; empty while it was too much."""
        self._since_size = 0
        self._gap = not at_once
        """The queue goes on at the next keyframe only."""
        self._begun = at_once
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closed = False
        self.ended = False
        """Nothing more will be put."""
        self.dropped = 0
        """Packets that nobody took."""

    # ── for the air ───────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, packets: Sequence[Coded]) -> None:
        """Add `packets`; never waits for anyone but a thread that is just taking some."""
        with self._lock:
            if self.ended:
                return
            for coded in packets:
                self._add(coded)
            self._ring()

    def end(self, *, at_once: bool = False) -> None:
        """Take no more; `at_once`: what waits is thrown away, too."""
        with self._lock:
            self.ended = True
            if at_once:
                self._queue.clear()
                self._since = []
                self._size = 0
            self._ring()

    # ── for the destination's thread ──────────────────────────────────────────────────────────────────────────────────

    def fileno(self) -> int:
        """Becomes readable when something was put, or it ended."""
        return self._wake

    def wait(self, seconds: float | None) -> None:
        """Return when something was put or it ended, after so many seconds at the latest."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)
        self.heard()

    def heard(self) -> None:
        """Be not readable until something is put."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def take(self, size: int) -> list[Coded]:
        """Return the oldest packets, `size` bytes or a little more; they are gone from here."""
        with self._lock:
            taken: list[Coded] = []
            while self._queue and size > 0:
                coded = self._queue.popleft()
                self._size -= len(coded.data)
                size -= len(coded.data)
                taken.append(coded)
            return taken

    def again(self) -> None:
        """Begin anew with the last keyframe, whether it was taken before or not."""
        with self._lock:
            self.dropped += max(0, len(self._queue) - len(self._since))
            self._queue = deque(self._since)
            self._size = self._since_size
            self._gap = not self._since

    def __len__(self) -> int:
        return len(self._queue)

    def close(self) -> None:
        """Give the descriptor back; nothing can be put any more."""
        with self._lock:
            self.ended = True
            if not self._closed:
                self._closed = True
                os.close(self._wake)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ring(self) -> None:
        if not self._closed:
            os.eventfd_write(self._wake, 1)

    def _add(self, coded: Coded) -> None:
        length = len(coded.data)
        if coded.kind == "picture" and coded.key:
            self._key = self._number
            self._since, self._since_size = [], 0
            self._gap = False
            self._begun = True
        self._number += 1
        if self._key >= 0:
            self._since.append(coded)
            self._since_size += length
            if self._since_size > self._most_bytes:
                self._key, self._since, self._since_size = -1, [], 0
        if self._gap:
            self.dropped += self._begun
            return
        self._queue.append(coded)
        self._size += length
        while self._queue and self._too_much():
            self._shorten()

    def _too_much(self) -> bool:
        return self._size > self._most_bytes or self._queue[-1].decoded - self._queue[0].decoded > self._most_ticks

    def _shorten(self) -> None:
        """Drop what comes before the last keyframe, or all where none can be kept."""
        first = self._number - len(self._queue)
        if self._key > first:
            for _turn in range(self._key - first):
                self._size -= len(self._queue.popleft().data)
                self.dropped += 1
            return
        self.dropped += len(self._queue)
        self._queue.clear()
        self._size = 0
        self._gap = True
