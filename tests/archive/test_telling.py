"""A worker tells who speaks in a film, by sherpa-onnx itself."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sherpa_onnx", reason="the extra sdh is not installed")

from tests.speech.test_speakers import HIGH, LOW, RATE, models, voice

from studio.archive._work import Refused, Sight, Tell, Told, do, outcome, pack
from studio.speech import speakers_identity
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["models"]


def test_turns_are_on_the_films_own_clock(
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("STUDIO_MODELS", str(tmp_path))
    (tmp_path / "speakers").symlink_to(models)
    quiet = np.zeros(RATE * 2, np.float32)
    sound = np.concatenate([quiet, voice(HIGH, 4), quiet, voice(HIGH, 4), quiet, voice(LOW, 5), quiet])
    film = tmp_path / "film.wav"
    with wave.open(str(film), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    told: list[Ms] = []
    task = Tell(Sight(str(film), None, "mix", Ms(6000), None), speakers_identity())
    found = outcome(do(pack(task), told.append))
    assert isinstance(found, Told)
    for turn, (start, end) in zip(found.turns, ((8000, 12_000), (14_000, 19_000)), strict=True):
        assert abs(turn.start - start) <= 150
        assert abs(turn.end - end) <= 150
    assert told[-1] == 21_000
    (models / "embedding.onnx").write_bytes(b"others")
    assert "are not those that were asked for" in getattr(outcome(do(pack(task))), "reason", "")
    (models / "embedding.onnx").unlink()
    found = outcome(do(pack(task)))
    assert isinstance(found, Refused)
    assert "as embedding.onnx into" in found.reason
