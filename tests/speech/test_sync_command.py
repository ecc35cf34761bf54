"""`studio subtitle sync`, as it is typed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio.spoken import Cue
from studio.subtitles import Track, read, save
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from studio.sound import AudioChunk


@pytest.fixture
def film(tmp_path: Path, talk: AudioChunk) -> Path:
    """The talk five times, with pauses of different lengths between."""
    parts = []
    for pause in (0.3, 2.1, 0.9, 3.4, 1.5):
        parts += [talk.samples, np.zeros(round(pause * talk.rate), np.float32)]
    soundfile.write(tmp_path / "film.wav", np.concatenate(parts), talk.rate)
    return tmp_path / "film.wav"


def speech_of(film: Path) -> list[tuple[int, int]]:
    """Where it is loud, as somebody would have timed it by hand."""
    sound, rate = soundfile.read(film, dtype="float32")
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    cuts = np.flatnonzero(np.diff(loud) > rate // 2)
    begins, ends = [loud[0], *loud[cuts + 1]], [*loud[cuts], loud[-1]]
    return [(int(a) * 1000 // rate, int(b) * 1000 // rate) for a, b in zip(begins, ends, strict=True)]


def sync(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "studio", "subtitle", "sync", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_file_that_is_late_is_brought_to_its_film_and_another_one_is_refused(film: Path, tmp_path: Path) -> None:
    spoken = speech_of(film)
    late = [Cue(n, Ms(a + 4200), Ms(b + 4200), (f"Sentence {n}.",)) for n, (a, b) in enumerate(spoken, 1)]
    save(Track(tuple(late), "en"), tmp_path / "late.srt")
    done = sync(tmp_path / "late.srt", "--to", film)
    assert done.returncode == 0, done.stderr
    assert "late.synced.srt: moved by -4." in done.stdout
    brought = read(tmp_path / "late.synced.srt").cues
    assert max(abs(cue.start - start) for cue, (start, _end) in zip(brought, spoken, strict=True)) <= 150
    (tmp_path / "late.synced.srt").write_text("by hand", encoding="utf-8")
    done = sync(tmp_path / "late.srt", "--to", film)
    assert (done.returncode, "--overwrite replaces it" in done.stderr) == (1, True)
    assert (tmp_path / "late.synced.srt").read_text(encoding="utf-8") == "by hand"

    random = np.random.default_rng(3)
    starts = np.cumsum(random.integers(900, 5000, 12))
    save(Track(tuple(Cue(n, Ms(int(at)), Ms(int(at) + 700), ("No.",)) for n, at in enumerate(starts, 1)), "en"),
         tmp_path / "other.srt")  # fmt: skip
    done = sync(tmp_path / "other.srt", "--to", film)
    assert done.returncode == 1
    assert "no place fits clearly" in done.stderr
    assert not (tmp_path / "other.synced.srt").exists()
