"""Which pages other programs of this user serve on this machine, so that each page leads to them.

Each server keeps a note in one folder, locked for as long as it lives: a note that nobody has locked is left behind by
one that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from typing import TYPE_CHECKING, Literal

import msgspec

from studio.web._guard import EVERY_ADDRESS, LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 20
"""Notes that are read at a time."""


class Door(msgspec.Struct, frozen=True):
    """One server."""

    pages: list[str]
    """Paths of those that others may lead to."""
    port: int
    where: str
    """`here`: this machine alone reaches it; `any`: by each of the machine's addresses; else by this address."""


class Doors:
    """The doors of one user; all of it blocks for a disk, briefly. A folder that cannot be used is none."""

    def __init__(self, folder: Path | None) -> None:
        """`None`: nobody is told, and nobody is found."""
        self._folder = folder
        self._own = ""

    @contextlib.contextmanager
    def open(self, pages: list[str], host: str, port: int) -> Iterator[None]:
        """Let others know until the block ends."""
        with contextlib.ExitStack() as kept:
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    self._note(self._folder, Door(pages, port, _where(host)), kept)
            yield

    def others(self) -> list[Door]:
        """Those that are open now, but for our own."""
        if self._folder is None:
            return []
        try:
            notes = sorted(self._folder.glob("*.json"))[:MOST]
        except OSError:
            return []
        return [door for note in notes if note.name != self._own and (door := _read(note)) is not None]

    def _note(self, folder: Path, door: Door, kept: contextlib.ExitStack) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{os.getpid()}-{door.port}.json"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        kept.callback(os.close, file)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        os.write(file, msgspec.json.encode(door))
        kept.callback(path.unlink, missing_ok=True)
        self._own = path.name


def _where(host: str) -> str:
    kind: Literal["any", "here", ""] = "any" if host in EVERY_ADDRESS else "here" if host.lower() in LOOPBACK else ""
    if kind:
        return kind
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == 6:  # noqa: PLR2004 - as addresses of pages write it
            return f"[{host}]"
    return host


def _read(note: Path) -> Door | None:
    """`None`: nobody is behind it any more."""
    try:
        file = os.open(note, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # its server lives
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(os.read(file, 4096), type=Door)
        return None
    else:
        with contextlib.suppress(OSError):
            note.unlink()
        return None
    finally:
        os.close(file)
