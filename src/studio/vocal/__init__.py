"""The vocal studio: record, listen, keep.

The recorder is a process of its own: run `command()` with a `RecorderPlan` as JSON on standard input, or let `Recorder`
do it.
"""

from __future__ import annotations

import sys

from studio.vocal._plan import RecorderPlan

__all__ = ["REFUSED", "RecorderPlan", "command"]

REFUSED = 3
"""What the recorder ends with when starting it again would not help; its last `Trouble` says why."""


def command() -> list[str]:
    """Return how to start the recorder."""
    return [sys.executable, "-m", "studio.vocal"]
