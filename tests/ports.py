"""Ports for the servers of tests, where two files are tried at a time and every call out takes a port, too."""

from __future__ import annotations

import random
import socket

FIRST, LAST = 20_000, 32_000
"""Below those that Linux gives to whoever calls or asks for any: between our look and the server's, nobody has it."""
_given: set[int] = set()
_chance = random.SystemRandom()


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return one that nobody has on loopback, each time another."""
    while True:
        port = _chance.randrange(FIRST, LAST)
        with socket.socket(socket.AF_INET, kind) as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
