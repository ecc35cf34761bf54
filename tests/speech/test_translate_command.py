"""`studio subtitle translate`, as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from studio.spoken import Cue
from studio.subtitles import Track, read, save
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from studio.sound import AudioChunk


def translate(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "studio", "subtitle", "translate", *map(str, words)]
    here = {**os.environ, "LANGUAGE": "en"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=here)


def test_a_file_is_translated_by_the_sound_under_its_cues(talk: AudioChunk, base: Path, tmp_path: Path) -> None:
    """The voice speaks English, which Whisper takes for what it is told: what counts is what is written, and when."""
    film = tmp_path / "film.wav"
    soundfile.write(film, np.concatenate([np.zeros(3 * talk.rate, np.float32), talk.samples]), talk.rate)
    second = 3000 + 1000 * int(np.flatnonzero(np.abs(talk.samples) > 0.02)[-1]) // talk.rate
    pause = 3000 + 1000 * int(np.argmax(np.convolve(np.abs(talk.samples) < 0.02, np.ones(talk.rate // 2)))) // talk.rate
    said = (
        Cue(1, Ms(3000), Ms(4500), ("Dobry wieczór państwu,",)),
        Cue(2, Ms(4600), Ms(pause - 400), ("witamy w domu", "kultury.")),
        Cue(3, Ms(pause), Ms(second), ("Dziś posłuchamy o naszym mieście.",)),
    )
    save(Track(said, "pl"), tmp_path / "film.pl.srt")
    done = translate(tmp_path / "film.pl.srt", "--film", film, "--model", base)
    assert done.returncode == 0, done.stderr
    english = read(tmp_path / "film.en.srt").cues
    words = " ".join(cue.text for cue in english).casefold()
    assert "town" in words or "history" in words or "culture" in words, words
    assert english[0].start >= 2900
    assert english[-1].end <= second + 2000
    assert translate(tmp_path / "film.pl.srt", "--film", film, "--model", base).stdout.endswith("is so already.\n")
    (tmp_path / "film.en.srt").write_text("by hand", encoding="utf-8")
    again = translate(tmp_path / "film.pl.srt", "--film", film, "--model", base)
    assert (again.returncode, "--overwrite replaces it" in again.stderr) == (1, True)


def test_what_cannot_be_translated_is_one_sentence(tmp_path: Path) -> None:
    save(Track((Cue(1, Ms(0), Ms(900), ("Yes.",)),), "en"), tmp_path / "film.en.srt")
    save(Track((Cue(1, Ms(0), Ms(900), ("12",)),), ""), tmp_path / "film.srt")
    for name, why in (("film.en.srt", "is in English already"), ("film.srt", "does not tell its language")):
        done = translate(tmp_path / name, "--film", tmp_path / "film.wav")
        assert (done.returncode, done.stdout) == (1, "")
        assert why in done.stderr
        assert done.stderr.count("\n") == 1
