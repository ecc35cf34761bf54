"""What sounds in a film, with a tagger of four kinds that is made here: the real one is the user's to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.speech.onnx_by_hand import model, node, tensor, value

from studio.errors import SpeechError
from studio.speech import lacks_sounds, lacks_speakers, sounds, speakers

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16_000
NAMES = ("Silence", "Music", "Speech", "Applause")


@pytest.fixture
def tagger(tmp_path: Path) -> Path:
    """ONNX: Sigmoid(Flatten(patch) x weights + bias). Low mels are Music, high ones Applause, none is Silence."""
    weights = np.zeros((96, 64, 4), np.float32)
    weights[:, :24, 1] = weights[:, 40:, 3] = 1 / 24 / 96 * 4
    weights[:, :24, 3] = weights[:, 40:, 1] = -1 / 24 / 96 * 4
    weights[:, :, 0] = -1 / 64 / 96 * 4
    bias = np.array([-16.0, -4.0, -9.0, -4.0], np.float32)
    nodes = [
        node("Flatten", ("audio",), "flat"),
        node("MatMul", ("flat", "weights"), "summed"),
        node("Add", ("summed", "bias"), "logits"),
        node("Sigmoid", ("logits",), "class_scores"),
    ]
    constants = [tensor("weights", weights.reshape(-1, 4)), tensor("bias", bias)]
    ends = value("audio", 1, 1, 96, 64), value("class_scores", 1, 4)
    (tmp_path / "model.onnx").write_bytes(model(nodes, constants, ends))
    rows = "".join(f"{at},/m/{at},{name}\n" for at, name in enumerate(NAMES))
    (tmp_path / "yamnet_class_map.csv").write_text("index,mid,display_name\n" + rows, encoding="utf-8")
    return tmp_path


def tone(hertz: float, seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def film() -> np.ndarray:
    noise = np.random.default_rng(7).normal(0, 0.2, RATE * 4).astype(np.float32)
    hiss = np.diff(noise, prepend=0).astype(np.float32)
    low = sum(tone(hertz, 5) for hertz in range(130, 1100, 35)) / 9
    quiet = np.zeros(RATE * 3, np.float32)
    return np.concatenate([quiet, low, quiet, hiss, quiet]).astype(np.float32)


def test_what_sounds_is_found_with_its_time_whatever_the_pieces(tagger: Path) -> None:
    whole = sounds([film()], {"Music", "Applause"}, tagger)
    assert [one.sound for one in whole] == ["Music", "Applause"]
    for one, (start, end) in zip(whole, ((3000, 8000), (11_000, 15_000)), strict=True):
        assert abs(one.start - start) <= 1000
        assert abs(one.end - end) <= 1000
        assert 0.4 <= one.share <= 1
    heard: list[int] = []
    cut = np.split(film(), range(777, len(film()), 1600))
    assert sounds(cut, {"Music", "Applause"}, tagger, heard.append) == whole
    assert heard == sorted(heard)


def test_only_what_is_wanted_is_told_and_nothing_where_nothing_is(tagger: Path) -> None:
    assert [one.sound for one in sounds([film()], {"Applause"}, tagger)] == ["Applause"]
    assert {one.sound for one in sounds([film()], None, tagger)} >= {"Silence", "Music"}
    assert sounds([], None, tagger) == ()
    assert sounds([np.zeros(100, np.float32)], {"Music"}, tagger) == ()


def test_without_a_model_one_sentence_says_what_to_do(tagger: Path, tmp_path: Path) -> None:
    (tagger / "model.onnx").write_bytes(b"\x08\x08no model")
    with pytest.raises(SpeechError, match=r"is no YAMNet that takes 96 by 64 spectra"):
        sounds([film()], None, tagger)
    (tagger / "model.onnx").unlink()
    assert "put YAMNet as model.onnx into" in lacks_sounds(tagger)
    with pytest.raises(SpeechError, match=r"Sounds cannot be tagged"):
        sounds([film()], None, tmp_path / "none")
    sentence = lacks_speakers(tmp_path / "none")
    assert "pip install 'studio[sdh]'" in sentence or "segmentation.onnx, embedding.onnx" in sentence
    with pytest.raises(SpeechError, match="Speakers cannot be told apart"):
        speakers(film(), None, tmp_path / "none")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "wanted"),
    [("other/noise_esc50_thunderstorm.flac", "Thunderstorm"), ("en/jfk_inaugural.flac", "Speech")],
)
def test_yamnet_itself_hears_what_is_there(shared: Path, name: str, wanted: str) -> None:
    """With the real model among the models kept; skips aloud without it."""
    if sentence := lacks_sounds():
        pytest.skip(sentence)
    read, rate = soundfile.read(shared / "data" / name, dtype="float32")
    assert rate == RATE
    found = {one.sound for one in sounds([read])}
    assert wanted in found
    assert "Music" not in found
