"""Films in the cupboard: find, plan, hear (here or on a cluster), compose, review, keep, search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.later import later

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from studio.archive._account import Account
    from studio.archive._again import merge_recognised
    from studio.archive._bring import bring, bring_subtitles
    from studio.archive._cluster import Cluster, OwnCluster, Tls, called
    from studio.archive._crew import Crew, CrewLost, Here
    from studio.archive._cupboard import Busy, Target, shown_name, targets
    from studio.archive._document import Document, FilmCue, Maker, Shift
    from studio.archive._edits import (
        EditError,
        delete,
        insert,
        merge,
        retime,
        reword,
        shift,
        speak,
        split,
    )
    from studio.archive._english import english
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
    from studio.archive._library import Library as Library
    from studio.archive._orders import Order, obey
    from studio.archive._place import default_path
    from studio.archive._replace import Pattern, Replacement, replace_in, replacements
    from studio.archive._report import report, save_report
    from studio.archive._sdh import SoundCue, as_track, changes, confirm, label, listen_for_sounds, suggest
    from studio.archive._settings import Burn, Hearing, Settings, Stopped, model_identity
    from studio.archive._transcript import TRANSCRIPTS, Paragraph, Transcript, save_transcript, transcript
    from studio.archive._watch import Fate, Result, Watch

__all__ = [
    "TRANSCRIPTS",
    "Account",
    "Burn",
    "Busy",
    "Chunk",
    "Cluster",
    "Conflict",
    "Correction",
    "Crew",
    "CrewLost",
    "Document",
    "EditError",
    "Fate",
    "Film",
    "FilmCue",
    "FilmState",
    "Found",
    "Head",
    "Hearing",
    "Here",
    "Hit",
    "Job",
    "JobState",
    "Kind",
    "LibraryError",
    "Maker",
    "NotThere",
    "Order",
    "OwnCluster",
    "Paragraph",
    "Pattern",
    "Replacement",
    "Result",
    "Settings",
    "Shift",
    "SoundCue",
    "Stopped",
    "Suggestion",
    "Target",
    "Tls",
    "Transcript",
    "Version",
    "Watch",
    "as_track",
    "bring",
    "bring_subtitles",
    "called",
    "changes",
    "confirm",
    "default_path",
    "delete",
    "english",
    "insert",
    "label",
    "listen_for_sounds",
    "merge",
    "merge_recognised",
    "model_identity",
    "obey",
    "open_library",
    "replace_in",
    "replacements",
    "report",
    "retime",
    "reword",
    "save_report",
    "save_transcript",
    "shift",
    "shown_name",
    "speak",
    "split",
    "subtitle",
    "suggest",
    "suggestions",
    "targets",
    "transcript",
]

_BEHIND = {
    "Account": "_account",
    "bring": "_bring",
    "bring_subtitles": "_bring",
    "Cluster": "_cluster",
    "OwnCluster": "_cluster",
    "Tls": "_cluster",
    "called": "_cluster",
    "Crew": "_crew",
    "CrewLost": "_crew",
    "Here": "_crew",
    "Busy": "_cupboard",
    "Target": "_cupboard",
    "shown_name": "_cupboard",
    "targets": "_cupboard",
    "Document": "_document",
    "FilmCue": "_document",
    "Shift": "_document",
    "Maker": "_document",
    "EditError": "_edits",
    "delete": "_edits",
    "insert": "_edits",
    "merge": "_edits",
    "merge_recognised": "_again",
    "retime": "_edits",
    "reword": "_edits",
    "shift": "_edits",
    "speak": "_edits",
    "split": "_edits",
    "english": "_english",
    "Chunk": "_facts",
    "Conflict": "_facts",
    "Correction": "_facts",
    "Film": "_facts",
    "FilmState": "_facts",
    "Found": "_facts",
    "Head": "_facts",
    "Hit": "_facts",
    "Job": "_facts",
    "JobState": "_facts",
    "Kind": "_facts",
    "LibraryError": "_facts",
    "NotThere": "_facts",
    "Version": "_facts",
    "Suggestion": "_learn",
    "suggestions": "_learn",
    "Order": "_orders",
    "obey": "_orders",
    "default_path": "_place",
    "Pattern": "_replace",
    "Replacement": "_replace",
    "replace_in": "_replace",
    "replacements": "_replace",
    "report": "_report",
    "save_report": "_report",
    "SoundCue": "_sdh",
    "as_track": "_sdh",
    "changes": "_sdh",
    "confirm": "_sdh",
    "label": "_sdh",
    "listen_for_sounds": "_sdh",
    "suggest": "_sdh",
    "Burn": "_settings",
    "Hearing": "_settings",
    "Settings": "_settings",
    "Stopped": "_settings",
    "model_identity": "_settings",
    "TRANSCRIPTS": "_transcript",
    "Paragraph": "_transcript",
    "Transcript": "_transcript",
    "save_transcript": "_transcript",
    "transcript": "_transcript",
    "Fate": "_watch",
    "Result": "_watch",
    "Watch": "_watch",
}
"""Which file has what: each is read when somebody asks, for most commands need none of them."""

if not TYPE_CHECKING:
    __getattr__ = later(__name__, _BEHIND)


def open_library(path: Path | None = None) -> Library:
    """Open the library of films at `path`, or make it; `None`: where the user's is.

    Raises LibraryError with a sentence for a file that is damaged, of another program, or of a newer studio; it is left
    as it is. Close it, or use it as a context.
    """
    from studio.archive._library import Library  # noqa: PLC0415 - loads SQLAlchemy

    return Library.open(path)


def subtitle(
    films: Sequence[Target],
    settings: Settings,
    library: Library,
    crews: Callable[[int, float], Crew],
    *,
    watch: Watch,
    stop: threading.Event,
    interface: str = "en",
) -> list[Result]:
    """Make subtitles of `films`; return what became of each, in the order in which they came to their ends.

    What was done before with these settings is not done again, and what was broken off goes on: the library knows.
    `crews` is asked for a crew, given how many films there are and milliseconds of sound as far as they are known,
    when there is something to hear, and for another one when it is lost. Once `stop` is set, raises Stopped; the
    library is true at any time. `interface` is the language of sentences. Raises StudioError for what stops all of
    them.
    """
    from studio.archive._run import Run  # noqa: PLC0415 - loads SQLAlchemy

    run = Run(settings, library, crews, watch=watch, stop=stop, interface=interface)
    return run.run(films)
