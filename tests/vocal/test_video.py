from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import soundfile
from tests.vocal.sung import RATE, voice

from studio import media
from studio.errors import MediaError

if TYPE_CHECKING:
    from pathlib import Path

    from studio.media._takes.video import Filmed

CAMERA = voice(24, seed=5)
BEGIN, SECONDS = 9, 8


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with a keyframe every two seconds whose microphone hears the voice, softly and with noise."""
    folder = tmp_path_factory.mktemp("camera")
    noisy = 0.1 * CAMERA + 0.005 * np.random.default_rng(1).standard_normal(len(CAMERA))
    soundfile.write(folder / "heard.wav", noisy, RATE)
    made = "-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac"
    command = f"ffmpeg -nostdin -v error -i heard.wav -f lavfi -i testsrc2=s=320x180:r=25:d=24 {made} camera.mp4"
    subprocess.run(command.split(), check=True, cwd=folder)
    return folder / "camera.mp4"


def made(camera: Path, out: Path, sound: np.ndarray) -> Filmed:
    mix = np.stack([sound, sound], axis=1).astype(np.float32)
    return media.film_take(iter([mix]), RATE, camera, out, loudness=-16, tags={"title": "Take 1"}, say=print)


def test_the_mix_lies_where_the_camera_heard_it(camera: Path, tmp_path: Path) -> None:
    take = CAMERA[BEGIN * RATE : (BEGIN + SECONDS) * RATE]
    film = made(camera, tmp_path / "take.mp4", take)
    assert film.offset == pytest.approx(BEGIN, abs=0.03)  # an AAC encoder of the camera delays what it heard
    assert [path.name for path in tmp_path.iterdir()] == ["take.mp4"]
    heard = media.read_sound(film.file, 8000, channels=1)[:, 0]
    place = media.alike(media.read_sound(film.file, 8000, channels=1)[: 16 * 8000, 0], heard)
    assert place is not None
    reference = CAMERA.reshape(-1, 6).mean(axis=1)
    whole = media.alike(heard[2 * 8000 : 7 * 8000], reference.astype(np.float32))
    assert whole is not None
    assert whole.offset - 2 == pytest.approx(8, abs=0.03)  # it begins with the keyframe at 8 s
    with av.open(str(film.file)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.metadata["title"] == "Take 1"
        frames = list(container.decode(video=0))
    assert len(frames) == pytest.approx(25 * (SECONDS + 1), abs=3)
    with av.open(str(camera)) as container:
        at_eight = list(container.decode(video=0))[200]
    assert (frames[0].to_ndarray() == at_eight.to_ndarray()).all()


def test_what_has_no_sound_or_another_one_is_refused(camera: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"Nothing in .* sounds like this take"):
        made(camera, tmp_path / "take.mp4", voice(8, seed=77))
    mute = tmp_path / "mute.mp4"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", camera, "-an", "-c", "copy", mute], check=True)
    with pytest.raises(MediaError, match="has no sound"):
        made(mute, tmp_path / "take.mp4", voice(8))
    soundfile.write(tmp_path / "sound.wav", CAMERA, RATE)
    with pytest.raises(MediaError, match="has no picture"):
        made(tmp_path / "sound.wav", tmp_path / "take.mp4", CAMERA[: 8 * RATE])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mute.mp4", "sound.wav"]
