"""How loud takes are, against FFmpeg's own measurement of the same file."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from benchmarks.vocal_voices import Voice, sung

from studio.errors import MediaError
from studio.media import loudness_meter, take_loudness

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SINGER = Voice("tenor", (55, 57, 60, 62), seconds=0.5)


def by_ffmpeg(file: Path, track: int) -> tuple[float, float]:
    """Integrated loudness and true peak."""
    graph = f"pan=mono|c0=c{track},ebur128=peak=true"
    asked = ["ffmpeg", "-hide_banner", "-nostdin", "-i", str(file), "-af", graph, "-f", "null", "-"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    found = [re.search(rf"{name}:\s+(\S+)", told) for name in ("I", "Peak")]
    return tuple(float(each[1]) for each in found if each)  # type: ignore[return-value]


def take(seconds: int, rate: int, *levels: float) -> NDArray[np.float32]:
    voice = np.tile(sung(SINGER, rate=rate)[0], seconds // 2)
    return np.stack([voice * np.float32(10 ** (level / 20)) for level in levels], axis=1)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_each_track_is_as_loud_as_ffmpeg_says(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "take.wav"
    soundfile.write(file, take(6, rate, 0.0, -12.0, 6.0), rate, subtype="PCM_24")
    told = take_loudness(file)
    assert len(told) == 3
    for track, loudness in enumerate(told):
        assert loudness.integrated is not None
        assert loudness.true_peak is not None
        integrated, peak = by_ffmpeg(file, track)
        assert float(loudness.integrated) == pytest.approx(integrated, abs=0.2)
        assert float(loudness.true_peak) == pytest.approx(peak, abs=0.3)


def test_two_channels_are_measured_together_in_any_pieces() -> None:
    sound = take(4, 48_000, 0.0, 0.0)
    read = []
    for piece in (1000, 48_000):
        meter = loudness_meter(48_000)
        for at in range(0, len(sound), piece):
            meter.take(sound[at : at + piece])
        read.append(meter.finish())
    alone = loudness_meter(48_000)
    alone.take(sound[:, :1])
    one = alone.finish().integrated
    assert read[0] == read[1]
    assert one is not None
    assert read[0].integrated is not None
    assert float(read[0].integrated) == pytest.approx(one + 3.0, abs=0.2)


def test_silence_has_no_loudness_and_no_sound_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "take.wav"
    soundfile.write(file, np.zeros((48_000, 1), np.float32), 48_000, subtype="PCM_24")
    assert take_loudness(file)[0].integrated is None
    file.write_bytes(b"RIFF")
    with pytest.raises(MediaError, match=r"take.wav"):
        take_loudness(file)
