"""The vocal studio: record, listen, keep.

The recorder is a process of its own: run `command()` with a `RecorderPlan` as JSON on standard input, or let `Recorder`
do it.
"""

from __future__ import annotations

from studio.vocal._check import Finding, check
from studio.vocal._client import Recorder
from studio.vocal._entries import Comment, Comp, Consent, Exported, Piece, Singer, Song, Span, TakeTrack, Until
from studio.vocal._mend import file_of
from studio.vocal._plan import REFUSED, RecorderPlan, command
from studio.vocal._session import Session, in_folder
from studio.vocal._state import SessionState, Take

__all__ = [
    "REFUSED",
    "Comment",
    "Comp",
    "Consent",
    "Exported",
    "Finding",
    "Piece",
    "Recorder",
    "RecorderPlan",
    "Session",
    "SessionState",
    "Singer",
    "Song",
    "Span",
    "Take",
    "TakeTrack",
    "Until",
    "check",
    "command",
    "file_of",
    "in_folder",
]
