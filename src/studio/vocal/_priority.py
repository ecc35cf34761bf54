"""The recorder goes before others: singers do not sing twice alike."""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)

FIRST = 10
"""Of 99; sound servers take 5 to 20."""
NICE = -11
"""As sound servers take it."""


def go_first() -> str:
    """Take real-time priority for this process and the threads that it starts from now on; return what was given.

    `realtime`, `nice`, or empty where the system gives none; call it before there are threads.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(FIRST))
    except (OSError, AttributeError):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
        except OSError:
            logger.info("the system gives the recorder no priority; `ulimit -r` and `ulimit -e` say what it may have")
            return ""
        return "nice"
    return "realtime"
