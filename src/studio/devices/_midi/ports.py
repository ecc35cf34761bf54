"""Leaving MIDI's ports without taking the whole program along."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAVING = 0.1
"""Seconds for a thread of the library to come out of Python, many times what one message takes. JACK ends its thread by
pthread_cancel: one that waits for Python just then keeps Python's lock, and everything stands for ever (seen once, in a
test at a flood of messages; stack in the commit)."""


def close_ports(ports: Iterable[Any]) -> None:
    """Close ports of mido over rtmidi; takes `LEAVING` seconds where one of them calls back."""
    ports = list(ports)
    heard = [port._rt for port in ports if hasattr(port._rt, "cancel_callback")]  # noqa: SLF001 - mido sets it anew
    # Whom to call back is let go of by `cancel_callback`, while a thread of the library may just wait for Python with
    # nothing but its address: at a flood of messages one in ten ports took the program along.
    kept = gc.get_referents(*heard)
    for one in heard:
        one.cancel_callback()
    if heard:
        time.sleep(LEAVING)
    del kept
    for port in ports:
        port.close()
