"""A backend of mido whose port takes messages until `full` is set, and then holds whoever sends, as a driver may."""

from __future__ import annotations

import threading
from typing import Any

NAME = "APC MINI:APC MINI MIDI 1"
full = threading.Event()
"""Nobody empties the port's buffer."""
emptied = threading.Event()
"""Somebody did: whoever is held goes on."""
closed: list[str] = []


class Output:
    """The port to the lights."""

    def __init__(self, name: str, **_more: object) -> None:
        self.name = name
        self._rt = self

    def get_ports(self) -> list[str]:
        return [NAME]

    def send(self, _message: object) -> None:
        if full.is_set():
            emptied.wait()

    def close(self) -> None:
        closed.append(self.name)


class Input(Output):
    """The port from the pads, that nobody hits."""


def get_devices(**_more: object) -> list[dict[str, Any]]:
    return [{"name": NAME, "is_input": True, "is_output": True}]
