"""Sound that is played to the singers: any form, at the session's rate, each sample where players have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.media import films

from studio import media
from studio.errors import MediaError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 48_000


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of stereo at 44.1 kHz: a burst of 3 kHz on the left at 1.0 s and on the right at 2.0 s."""
    folder = tmp_path_factory.mktemp("song")
    burst = "if(between(t,{0},{0}+0.02),0.5*sin(2*PI*3000*(t-{0})),0)"
    sides = "|".join(burst.format(at) for at in (1, 2))
    films.ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{sides}':s=44100:d=3:c=stereo", "-c:a", "pcm_s24le", folder / "a.wav")
    return folder / "a.wav"


def begins(sound: NDArray[np.float32]) -> float:
    """Return where the burst begins, in milliseconds."""
    shape = np.sin(2 * np.pi * 3000 * np.arange(960) / RATE)
    return int(np.argmax(np.correlate(sound, shape, "valid"))) * 1000 / RATE


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("b.wav", ("-c:a", "pcm_f32le")),
        ("b.flac", ()),
        ("b.mp3", ("-b:a", "192k")),
        ("b.m4a", ("-c:a", "aac", "-b:a", "192k")),
        ("b.ogg", ("-c:a", "libvorbis")),
        ("b.opus", ("-c:a", "libopus", "-b:a", "128k")),
        ("b.aiff", ("-ar", "96000")),
        ("b.mkv", ("-c:a", "flac")),
    ],
)
def test_any_form_is_where_it_was_at_another_rate(song: Path, tmp_path: Path, name: str, how: tuple[str, ...]) -> None:
    films.ffmpeg("-i", song, *how, tmp_path / name)
    sound = media.read_sound(tmp_path / name, RATE)
    assert sound.dtype == np.float32
    assert sound.shape[1] == 2
    assert abs(len(sound) - 3 * RATE) < RATE // 10
    assert begins(sound[:, 0]) == pytest.approx(1000, abs=0.1)
    assert begins(sound[:, 1]) == pytest.approx(2000, abs=0.1)
    assert 0.4 < np.abs(sound).max() < 0.6


def test_a_film_gives_its_sound_where_its_pictures_have_it(tmp_path: Path) -> None:
    sound = media.read_sound(films.delayed(tmp_path / "late.mp4"), RATE)
    loud = int(np.argmax(np.abs(sound[:, 0]) > 0.1))
    assert loud / RATE == pytest.approx(1.5, abs=0.01)
    assert not sound[: int(1.4 * RATE)].any()


def test_six_channels_become_two_and_one_stays_one(tmp_path: Path) -> None:
    films.ffmpeg("-f", "lavfi", "-i", "sine=d=1:r=48000", "-ac", "6", tmp_path / "six.wav")
    films.ffmpeg("-f", "lavfi", "-i", "sine=d=1:r=22050", "-ac", "1", tmp_path / "one.wav")
    assert media.read_sound(tmp_path / "six.wav", RATE).shape == (RATE, 6)
    assert media.read_sound(tmp_path / "six.wav", RATE, channels=2).shape == (RATE, 2)
    assert media.read_sound(tmp_path / "one.wav", RATE, channels=2).shape[1] == 1


def test_what_is_damaged_keeps_its_place(tmp_path: Path) -> None:
    sound = media.read_sound(films.corrupt(tmp_path / "scratched.mkv"), RATE)
    loud = np.abs(sound[:, 0]) > 0.1
    for second in (0, 1, 4, 5):
        assert loud[second * RATE : second * RATE + RATE // 50].any(), second


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, song: Path) -> None:
    (tmp_path / "score.pdf").write_bytes(b"%PDF-1.4 no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    cut = tmp_path / "header.wav"
    cut.write_bytes(song.read_bytes()[:60])
    for path in ("nowhere.wav", "score.pdf", "empty.wav", "header.wav"):
        with pytest.raises(MediaError, match=path.replace(".", r"\.")) as refused:
            media.read_sound(tmp_path / path, RATE)
        assert str(refused.value).count("\n") == 0
    with pytest.raises(MediaError, match="no sound"):
        media.read_sound(films.no_sound(tmp_path / "silent.mp4"), RATE)
    with pytest.raises(MediaError, match="lasts longer than 0 minutes"):
        media.read_sound(song, RATE, longest=2)
