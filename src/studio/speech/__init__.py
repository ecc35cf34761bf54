"""Sound → words: models, where somebody speaks, Whisper (the only import of it), and what is settled."""

from studio.speech._bench import Bench, Pace, bench
from studio.speech._layout import Layout
from studio.speech._listener import SKIPPED, Hearing, Listener, Revision
from studio.speech._models import ModelStatus, fetch, lacks, models, resolve
from studio.speech._sounds import Heard, lacks_sounds, sounds
from studio.speech._speakers import Turn, lacks_speakers, speakers, speakers_identity
from studio.speech._survey import Stretch, Survey, chunks, survey
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
    "models",
    "resolve",
    "sounds",
    "speakers",
    "speakers_identity",
    "survey",
]
