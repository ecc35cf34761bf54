from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import mutagen
import numpy as np
import pytest
from PIL import Image
from tests.vocal.sung import RATE, voice

from studio import media
from studio.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.media import DeliveryForm

FORMS: tuple[DeliveryForm, ...] = ("wav", "flac", "mp3")
TAGS = {"title": "Zółć", "artist": "Chór", "album": "Wieczór", "date": "2026-11-27", "comment": "Take 3"}


def blocks(sound: np.ndarray, size: int = 50_001) -> Iterator[np.ndarray]:
    for start in range(0, len(sound), size):
        yield sound[start : start + size]


def sung(seconds: float = 8.0) -> np.ndarray:
    one = voice(seconds, level=0.1)
    for start in range(0, len(one) - 500, RATE // 2):  # peaks far above the loudness
        one[start : start + 500] += 0.5 * np.hanning(500)
    return np.stack([one, 0.7 * one], axis=1).astype(np.float32)


def ebur128(path: Path) -> tuple[float, float]:
    """What the FFmpeg of the system measures: LUFS, dBTP."""
    options = "-hide_banner -nostats -af ebur128=peak=true -f null -"
    command = ["ffmpeg", "-nostdin", "-i", str(path), *options.split()]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"I:\s+(\S+) LUFS", said)[-1]), float(re.findall(r"Peak:\s+(\S+) dBFS", said)[-1])


@pytest.mark.parametrize("loudness", [-14.0, -23.0])
def test_every_form_is_as_loud_as_it_shall_be(tmp_path: Path, loudness: float) -> None:
    files: dict[DeliveryForm, Path] = {form: tmp_path / f"a.{form}" for form in FORMS}
    made = media.deliver(blocks(sung()), RATE, files, loudness=loudness, tags=TAGS)
    assert made.files == tuple(files.values())
    for path in made.files:
        integrated, peak = ebur128(path)
        assert integrated == pytest.approx(loudness, abs=0.3), path
        assert peak <= -1.0, path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "a.mp3", "a.wav"]


def test_what_needs_no_limiter_is_only_turned(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    sound = np.stack([voice(5), voice(5)], axis=1)
    made = media.deliver(blocks(sound), RATE, {"wav": tmp_path / "a.wav"}, loudness=-23, tags=TAGS)
    written, rate = soundfile.read(made.files[0], dtype="float32")
    assert (rate, len(written)) == (RATE, len(sound))
    assert np.abs(written - sound * 10 ** (made.gain / 20)).max() < 2**-22


@pytest.mark.parametrize("form", FORMS)
def test_tags_and_cover_are_read_back(tmp_path: Path, form: DeliveryForm) -> None:
    Image.new("RGBA", (3000, 2000), (200, 30, 30, 255)).save(tmp_path / "cover.png")
    path = tmp_path / f"a.{form}"
    media.deliver(
        blocks(sung(2)),
        RATE,
        {form: path},
        loudness=-16,
        tags=TAGS,
        cover=tmp_path / "cover.png",
    )
    read = mutagen.File(path)
    if form == "flac":
        said = {name: read.tags["description" if name == "comment" else name][0] for name in TAGS}
        pictures = [picture.data for picture in read.pictures]
    else:
        frames = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "date": "TDRC"}
        said = {name: str(read.tags[frame].text[0]) for name, frame in frames.items()}
        said["comment"] = str(read.tags.getall("COMM")[0].text[0])
        pictures = [picture.data for picture in read.tags.getall("APIC")]
    assert said == TAGS
    assert [data[:2] for data in pictures] == [b"\xff\xd8"]


def test_silence_stays_silent(tmp_path: Path) -> None:
    made = media.deliver(
        blocks(np.zeros((RATE, 2), np.float32)), RATE, {"flac": tmp_path / "a.flac"}, loudness=-14, tags={}
    )
    assert made.loudness is None
    assert made.gain == 0


def test_a_cover_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_text("a picture")
    with pytest.raises(MediaError, match=r"cover\.png is no picture"):
        media.deliver(
            blocks(sung(1)), RATE, {"wav": tmp_path / "a.wav"}, loudness=-14, tags={}, cover=tmp_path / "cover.png"
        )
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110 - a device, no file
@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_is_one_sentence(tmp_path: Path, form: DeliveryForm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 7)
    (tmp_path / f".a.7.part.{form}").symlink_to("/dev/full")
    with pytest.raises(MediaError, match="cannot be written"):
        media.deliver(blocks(sung(4)), RATE, {form: tmp_path / f"a.{form}"}, loudness=-14, tags={})
    assert list(tmp_path.iterdir()) == []


def test_whoever_stops_it_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        media.deliver(blocks(sung(1)), RATE, {"wav": tmp_path / "a.wav"}, loudness=-14, tags={}, progress=stop)
    assert list(tmp_path.iterdir()) == []
