"""Sound → words: models, where somebody speaks, Whisper (the only import of it), and what is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.later import later

if TYPE_CHECKING:
    from studio.speech._bench import Bench, Pace, bench
    from studio.speech._layout import Layout, layout_for
    from studio.speech._listener import SKIPPED, Hearing, Listener, Revision
    from studio.speech._models import ModelStatus, fetch, lacks, models, resolve
    from studio.speech._sounds import Heard, lacks_sounds, sounds
    from studio.speech._speakers import Turn, lacks_speakers, speakers, speakers_identity
    from studio.speech._stretch import Stretch, Survey, chunks
    from studio.speech._survey import survey
    from studio.speech._sync import Fit, fit
    from studio.speech._tuning import Tuning
    from studio.speech._whole import Archivist, Tongue, Transcript

__all__ = [
    "SKIPPED",
    "Archivist",
    "Bench",
    "Fit",
    "Heard",
    "Hearing",
    "Layout",
    "Listener",
    "ModelStatus",
    "Pace",
    "Revision",
    "Stretch",
    "Survey",
    "Tongue",
    "Transcript",
    "Tuning",
    "Turn",
    "bench",
    "chunks",
    "fetch",
    "fit",
    "lacks",
    "lacks_sounds",
    "lacks_speakers",
    "layout_for",
    "models",
    "resolve",
    "sounds",
    "speakers",
    "speakers_identity",
    "survey",
]

_BEHIND = {
    "Bench": "_bench",
    "Pace": "_bench",
    "bench": "_bench",
    "Layout": "_layout",
    "layout_for": "_layout",
    "SKIPPED": "_listener",
    "Hearing": "_listener",
    "Listener": "_listener",
    "Revision": "_listener",
    "ModelStatus": "_models",
    "fetch": "_models",
    "lacks": "_models",
    "models": "_models",
    "resolve": "_models",
    "Heard": "_sounds",
    "lacks_sounds": "_sounds",
    "sounds": "_sounds",
    "Turn": "_speakers",
    "lacks_speakers": "_speakers",
    "speakers": "_speakers",
    "speakers_identity": "_speakers",
    "Stretch": "_stretch",
    "Survey": "_stretch",
    "chunks": "_stretch",
    "survey": "_survey",
    "Fit": "_sync",
    "fit": "_sync",
    "Tuning": "_tuning",
    "Archivist": "_whole",
    "Tongue": "_whole",
    "Transcript": "_whole",
}
"""Which file has what: each is read when somebody asks, for whoever only asks for a model needs no NumPy."""

if not TYPE_CHECKING:
    __getattr__ = later(__name__, _BEHIND)
