"""What the recogniser's process is told on its standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from studio.speech import Tuning
from studio.subtitles import Corrections, Rules
from studio.units import Ms


class CaptionsPlan(msgspec.Struct, frozen=True):
    """Everything the process needs to know; `to_json` is what it reads on its standard input."""

    folder: Path
    """The show folder: journal and subtitle files stand there, and are continued where they exist."""
    relay: Path
    """The relay's socket."""
    model: Path
    """Folder of the speech model."""
    language: str
    """Spoken on stage: a code Whisper knows, or `auto`."""
    hold: Ms
    """Between arriving and airing."""
    tuning: Tuning = Tuning()
    rules: Rules = Rules()
    corrections: Corrections = Corrections()
    """Names, numbers and swearing."""
    look: Ms | None = None
    """A second look has to be over so long after a word was said; `None`: there is none."""
    translate: bool = False
    """Whether there are English captions too, as long as the machine keeps up."""
    translation_rules: Rules = Rules()
    """By which those are cut."""
    hotwords: tuple[str, ...] = ()
    """Names to tell the model beforehand."""
    youtube: str | None = None
    """The environment variable that holds the address YouTube gave for captions; `None`: none are sent."""
    threads: int = 1
    """Processor threads of one pass; the second look has as many of its own."""
    interface: str = "en"
    """Language of the sentences for the user."""
    patience: int = 20
    """Seconds without a sign of the ears, though there is sound for them, after which they are started again."""
    niceness: int = 5
    """Added to the process's own: the picture wins."""

    def to_json(self) -> bytes:
        """Return it as the process reads it."""
        return msgspec.json.encode(self, enc_hook=_write)

    @classmethod
    def from_json(cls, text: bytes) -> CaptionsPlan:
        """Read it. Raises msgspec.MsgspecError where `text` is none."""
        return msgspec.json.decode(text, type=cls, dec_hook=_read)


def command() -> list[str]:
    """The program that a supervisor starts, with a `CaptionsPlan` on its standard input."""
    return [sys.executable, "-m", "studio.captions"]


def _write(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _read(kind: type[Any], value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected a {kind.__name__}")
