"""Films in the cupboard: find, plan, hear (here or on a cluster), compose, review, keep, search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.archive._account import Account
from studio.archive._document import Document, FilmCue, Maker
from studio.archive._edits import (
    EditError,
    delete,
    insert,
    merge,
    merge_recognised,
    retime,
    reword,
    shift,
    speak,
    split,
)
from studio.archive._facts import (
    Chunk,
    Conflict,
    Correction,
    Film,
    FilmState,
    Found,
    Head,
    Hit,
    Job,
    JobState,
    Kind,
    LibraryError,
    NotThere,
    Version,
)
from studio.archive._learn import Suggestion, suggestions
from studio.archive._orders import Order, obey
from studio.archive._place import default_path
from studio.archive._replace import Pattern, Replacement, replace_in, replacements
from studio.archive._report import report, save_report

if TYPE_CHECKING:
    from pathlib import Path

    from studio.archive._library import Library as Library

__all__ = [
    "Account",
    "Chunk",
    "Conflict",
    "Correction",
    "Document",
    "EditError",
    "Film",
    "FilmCue",
    "FilmState",
    "Found",
    "Head",
    "Hit",
    "Job",
    "JobState",
    "Kind",
    "LibraryError",
    "Maker",
    "NotThere",
    "Order",
    "Pattern",
    "Replacement",
    "Suggestion",
    "Version",
    "default_path",
    "delete",
    "insert",
    "merge",
    "merge_recognised",
    "obey",
    "open_library",
    "replace_in",
    "replacements",
    "report",
    "retime",
    "reword",
    "save_report",
    "shift",
    "speak",
    "split",
    "suggestions",
]


def open_library(path: Path | None = None) -> Library:
    """Open the library of films at `path`, or make it; `None`: where the user's is.

    Raises LibraryError with a sentence for a file that is damaged, of another program, or of a newer studio; it is left
    as it is. Close it, or use it as a context.
    """
    from studio.archive._library import Library  # noqa: PLC0415 - loads SQLAlchemy

    return Library.open(path)
