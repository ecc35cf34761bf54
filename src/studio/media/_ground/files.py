"""Small files that somebody else reads while we write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_aside(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content`, text as UTF-8, so that nobody sees half of it; OSError where that fails.

    It survives this process, not a power cut: a playlist is written every two seconds and not worth an `fsync` each.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def settle(path: Path, aside: Path) -> None:
    """Make `aside`, which is complete, be `path`, also after a power cut."""
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
