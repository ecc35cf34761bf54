"""The `studio.toml` of a rehearsal: there while it runs, gone afterwards, and never in place of somebody's own."""

from __future__ import annotations

import fcntl
import hashlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from studio.errors import DrawerError, why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.rehearsal._hall import PretendHall

MARK = "# Written by `studio rehearse`: leads to the pretend devices while that runs. "


@contextmanager
def venue_file(hall: PretendHall, file: Path) -> Iterator[None]:
    """Keep the hall's `studio.toml` as `file` until the block ends, and longer where somebody changed it meanwhile.

    One that a rehearsal left which was killed is replaced, unless it was changed: the one that runs holds a lock of
    its file. DrawerError where anything else stands there, or it cannot be written.
    """
    text = _marked(hall.toml())
    with _new(file) as out:
        out.write(text)
        out.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                if file.read_text(encoding="utf-8") == text:
                    file.unlink()


def _new(file: Path) -> TextIO:
    try:
        _tidy(file)
        out = file.open("x", encoding="utf-8")
        fcntl.flock(out, fcntl.LOCK_EX)
    except FileExistsError:
        raise DrawerError(
            _("{file} is there already and is not overwritten; delete it, or name another with --write.").format(
                file=file
            )
        ) from None
    except OSError as problem:
        raise DrawerError(_("{file} cannot be written: {reason}").format(file=file, reason=why(problem))) from None
    return out


def _tidy(file: Path) -> None:
    """Remove `file` where a rehearsal wrote it that is not there any more."""
    try:
        with file.open(encoding="utf-8") as left:
            text = left.read()
            if _marked(text.partition("\n")[2]) != text:
                return
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.unlink()
    except FileNotFoundError:
        return
    except BlockingIOError:
        raise DrawerError(
            _("{file} belongs to a rehearsal that runs; end that, or name another file with --write.").format(file=file)
        ) from None
    except UnicodeDecodeError:
        return


def _marked(text: str) -> str:
    """`text` below a line by which it is known again, unchanged."""
    return f"{MARK}({hashlib.sha256(text.encode()).hexdigest()[:16]})\n{text}"
