"""Who speaks when: sherpa-onnx, an extra, with models that the user puts into a folder."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._models import models_folder
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SPEAKERS = "speakers"
"""Name of the folder among the models that holds the two that are needed."""
SEGMENTATION, EMBEDDING = "segmentation.onnx", "embedding.onnx"
_FILES = {
    SEGMENTATION: (
        *("sample_rate", "window_size", "receptive_field_size", "receptive_field_shift"),
        *("num_speakers", "powerset_max_classes", "num_classes"),
    ),
    EMBEDDING: ("framework", "language", "normalize_samples", "output_dim", "sample_rate"),
}
"""A segmentation model of pyannote's kind and one that tells voices apart, both as sherpa-onnx publishes them, and what
they have to say of themselves."""
_ALIKE = 0.5
"""Distance from which two voices are two people, where nobody says how many there are: the library's own value."""
_LEAST_ON, _LEAST_OFF = 0.3, 0.5
"""Seconds: a shorter turn is none, and a shorter pause parts none."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one person speaks; another may speak at the same time."""

    start: Ms
    """On the film's clock."""
    end: Ms
    """On the film's clock."""
    speaker: int
    """Counts from 1, by who speaks first."""


def speakers(
    sound: NDArray[np.float32],
    people: int | None = None,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Turn, ...]:
    """Who speaks when in `sound`, all of it at once: 16 kHz, mono.

    `people`: how many there are, `None` where nobody knows. `folder` holds the models, `None` is the one among the
    models kept. `progress` is told chunks done and chunks in all. Raises SpeechError where the extra or a model is not
    there.
    """
    folder = folder or models_folder() / SPEAKERS
    if sentence := lacks_speakers(folder):
        raise SpeechError(sentence)
    found = _diariser(folder, people).process(sound, callback=_told(progress)).sort_by_start_time()
    names: dict[int, int] = {}
    return tuple(Turn(ms(one.start), ms(one.end), names.setdefault(one.speaker, len(names) + 1)) for one in found)


def speakers_identity(folder: Path | None = None) -> str:
    """Fingerprint of the two models, which must be there (`lacks_speakers`). Raises OSError."""
    folder = folder or models_folder() / SPEAKERS
    digest = hashlib.blake2b(digest_size=16)
    for name in _FILES:
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def lacks_speakers(folder: Path | None = None) -> str:
    """Say what keeps `speakers` from working; empty: nothing."""
    folder = folder or models_folder() / SPEAKERS
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if importlib.util.find_spec("sherpa_onnx") is None:
        if missing:
            return _(
                "Speakers cannot be told apart: put the models of sherpa-onnx as {files} into {folder}, "
                "and run: pip install 'studio[sdh]'"
            ).format(files=", ".join(missing), folder=folder)
        return _("Speakers cannot be told apart: an extra is not installed; run: pip install 'studio[sdh]'")
    if missing:
        return _("Speakers cannot be told apart: put the models of sherpa-onnx as {files} into {folder}.").format(
            files=", ".join(missing), folder=folder
        )
    return ""


def _diariser(folder: Path, people: int | None) -> Any:  # noqa: ANN401 - sherpa-onnx ships no types
    import sherpa_onnx  # noqa: PLC0415 - an extra

    if not all(_says(folder / name, keys) for name, keys in _FILES.items()):
        raise _no_models(folder)
    config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
        segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
            pyannote=sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(model=str(folder / SEGMENTATION)),
        ),
        embedding=sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(folder / EMBEDDING)),
        clustering=sherpa_onnx.FastClusteringConfig(num_clusters=people or -1, threshold=_ALIKE),
        min_duration_on=_LEAST_ON,
        min_duration_off=_LEAST_OFF,
    )
    diariser = sherpa_onnx.OfflineSpeakerDiarization(config) if config.validate() else None
    if diariser is None or diariser.sample_rate != SPEECH_RATE:
        raise _no_models(folder)
    return diariser


def _says(model: Path, keys: tuple[str, ...]) -> bool:
    """Whether a model says of itself what sherpa-onnx wants to know: where it does not, that ends the whole process."""
    import onnxruntime  # noqa: PLC0415 - heavy: only who listens pays for it

    try:
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - onnxruntime raises types of its own, none of them public
        return False
    return all(key in session.get_modelmeta().custom_metadata_map for key in keys)


def _no_models(folder: Path) -> SpeechError:
    return SpeechError(
        _("The models in {folder} are not what sherpa-onnx tells speakers apart with; fetch them again.").format(
            folder=folder
        )
    )


def _told(progress: Callable[[int, int], None] | None) -> Callable[[int, int], int]:
    def told(done: int, in_all: int) -> int:
        if progress:
            progress(done, in_all)
        return 0

    return told
