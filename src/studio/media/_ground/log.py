"""The relay's log: it lies on the show's disk, and a disk that hangs must hold nobody who has something to say."""

from __future__ import annotations

import logging
import queue
import threading
from logging.handlers import QueueHandler, QueueListener
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 10_000
"""Records that wait; more than that are lost."""
PATIENCE = 1.0
"""Seconds that the end waits for the disk."""


class _Aside(QueueHandler):
    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:  # a disk that hangs has been said elsewhere
            return


def log_aside(form: str) -> Callable[[], None]:
    """Log in `form` to standard error from a thread of its own; return what waits for the last of it, a moment."""
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(MOST)
    written = logging.StreamHandler()
    written.setFormatter(logging.Formatter(form))
    listener = QueueListener(waiting, written)
    logging.basicConfig(level=logging.INFO, handlers=[_Aside(waiting)], format="%(message)s")
    listener.start()

    def finish() -> None:
        last = threading.Thread(target=listener.stop, name="last words", daemon=True)
        last.start()
        last.join(PATIENCE)

    return finish
