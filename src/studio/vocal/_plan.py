"""What the recorder is told before it starts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import msgspec

REFUSED = 3
"""What the recorder ends with when starting it again would not help; its last line on standard error says why."""
TakeForm = Literal["wav", "flac"]
"""What a take is written as: Broadcast Wave (RF64 where it grows beyond 4 GB), or FLAC, which holds eight tracks."""


class RecorderPlan(msgspec.Struct, frozen=True):
    """Everything the process needs to know; `to_json` is what it reads on its standard input."""

    folder: Path
    """Of the session."""
    socket: Path
    """Where the recorder listens for those who tell it what to do."""
    device: str = ""
    """A part of the input's name, its number, or empty for the system's own choice."""
    rate: int = 48_000
    """Hertz, 44100 to 96000."""
    channels: int = 0
    """Of the input that are heard, 1 to 32; 0: as many as it has, 32 at most."""
    form: TakeForm = "wav"
    output: str | None = None
    """A part of the output's name, its number, or empty for the system's own choice; `None`: nothing is played."""
    outputs: int = 2
    """Channels of the output."""
    session: str = ""
    """What the session is called, for the files."""
    patience: float = 10.0
    """Seconds that a take waits for an input that is gone."""
    interface: str = "en"
    """Language of the sentences for the user."""

    def to_json(self) -> bytes:
        """Return it as the process reads it."""
        return msgspec.json.encode(self, enc_hook=_write)

    @classmethod
    def from_json(cls, text: bytes) -> RecorderPlan:
        """Read it. Raises msgspec.MsgspecError where `text` is none."""
        return msgspec.json.decode(text, type=cls, dec_hook=_read)


def command() -> list[str]:
    """Return how to start the recorder."""
    return [sys.executable, "-m", "studio.vocal"]


def _write(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _read(kind: type[Any], value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected a {kind.__name__}")
