"""Sound → words: models, where somebody speaks, Whisper (the only import of it), and what is settled."""

from studio.speech._bench import Bench, Pace, bench
from studio.speech._listener import SKIPPED, Hearing, Listener, Revision
from studio.speech._models import ModelStatus, fetch, lacks, models, resolve
from studio.speech._tuning import Tuning
from studio.speech._whole import Archivist

__all__ = [
    "SKIPPED",
    "Archivist",
    "Bench",
    "Hearing",
    "Listener",
    "ModelStatus",
    "Pace",
    "Revision",
    "Tuning",
    "bench",
    "fetch",
    "lacks",
    "models",
    "resolve",
]
