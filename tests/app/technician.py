"""What the tests see of a command that a technician ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    said: str
    """Both outputs together."""


Studio = Callable[..., Ended]
