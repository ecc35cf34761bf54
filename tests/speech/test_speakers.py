"""Who speaks when, by sherpa-onnx itself and two models that are made here: they tell a low voice from a high one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.speech.onnx_by_hand import model, node, tensor, value

from studio.errors import SpeechError
from studio.speech import lacks_speakers, speakers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 16_000
LOW, HIGH = 300, 2500
FIELD, SHIFT = 991, 270

pytest.importorskip("sherpa_onnx", reason="the extra sdh is not installed")


def voice(hertz: int, seconds: float) -> NDArray[np.float32]:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    at = np.arange(FIELD) / RATE
    waves = [wave(2 * np.pi * hertz * at) / FIELD for hertz in (LOW, HIGH) for wave in (np.sin, np.cos)]
    mixed = np.zeros((7, 4, 1), np.float32)
    mixed[1, :2] = mixed[2, 2:] = 1
    bias = np.array([0.003, 0, 0, -1, -1, -1, -1], np.float32)
    nodes = [
        node("Conv", ("x", "waves"), "heard", strides=[SHIFT]),
        node("Mul", ("heard", "heard"), "power"),
        node("Conv", ("power", "mixed", "bias"), "classes"),
        node("Transpose", ("classes",), "y", perm=[0, 2, 1]),
    ]
    constants = [tensor("waves", np.array(waves, np.float32)[:, None]), tensor("mixed", mixed), tensor("bias", bias)]
    told = {"num_speakers": 3, "powerset_max_classes": 2, "num_classes": 7, "sample_rate": RATE, "window_size": 160_000}
    told |= {"receptive_field_size": FIELD, "receptive_field_shift": SHIFT}
    ends = value("x", "n", 1, "t"), value("y", "n", "f", 7)
    (tmp_path / "segmentation.onnx").write_bytes(
        model(nodes, constants, ends, {key: str(said) for key, said in told.items()})
    )
    notes = {"framework": "wespeaker", "language": "any", "normalize_samples": "1", "output_dim": "80"}
    notes |= {"sample_rate": str(RATE), "feature_normalize_type": ""}
    (tmp_path / "embedding.onnx").write_bytes(
        model(
            [node("ReduceMean", ("x",), "y", axes=[1], keepdims=0)],
            [],
            (value("x", "n", "t", 80), value("y", "n", 80)),
            notes,
        )
    )
    return tmp_path


def test_two_people_take_turns(models: Path) -> None:
    quiet = np.zeros(RATE * 2, np.float32)
    film = np.concatenate([quiet, voice(HIGH, 4), quiet, voice(LOW, 5), quiet, voice(HIGH, 3), quiet])
    told: list[tuple[int, int]] = []
    turns = speakers(film, 2, models, lambda done, in_all: told.append((done, in_all)))
    assert [turn.speaker for turn in turns] == [1, 2, 1]
    for turn, (start, end) in zip(turns, ((2000, 6000), (8000, 13_000), (15_000, 18_000)), strict=True):
        assert abs(turn.start - start) <= 100
        assert abs(turn.end - end) <= 100
    assert told[-1][0] == told[-1][1]


def test_where_nobody_speaks_nobody_is_named(models: Path) -> None:
    assert speakers(np.zeros(RATE * 12, np.float32), None, models) == ()


def test_models_that_are_none_do_not_take_us_down_with_them(models: Path) -> None:
    """sherpa-onnx ends the process where a model does not say what it is."""
    (models / "segmentation.onnx").write_bytes((models / "embedding.onnx").read_bytes())
    with pytest.raises(SpeechError, match="are not what sherpa-onnx tells speakers apart with"):
        speakers(voice(LOW, 1), None, models)
    (models / "embedding.onnx").write_bytes(b"none")
    with pytest.raises(SpeechError, match="fetch them again"):
        speakers(voice(LOW, 1), None, models)
    (models / "embedding.onnx").unlink()
    assert "as embedding.onnx into" in lacks_speakers(models)
