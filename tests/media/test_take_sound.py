from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio.errors import MediaError
from studio.media import open_take

if TYPE_CHECKING:
    from pathlib import Path

RATE = 48_000


@pytest.mark.parametrize(
    ("form", "kind", "channels"),
    [("RF64", "PCM_24", 18), ("WAV", "PCM_16", 2), ("FLAC", "PCM_24", 6), ("FLAC", "PCM_16", 1)],
)
def test_every_sample_is_where_it_was_written(tmp_path: Path, form: str, kind: str, channels: int) -> None:
    chance = np.random.default_rng(1)
    sound = (0.3 * chance.standard_normal((3 * RATE + 123, channels))).clip(-1, 1)
    path = tmp_path / "001.take"
    soundfile.write(path, sound, RATE, format=form, subtype=kind)
    want, _rate = soundfile.read(path, dtype="float32", always_2d=True)
    with open_take(path) as take:
        assert (take.rate, take.frames, len(take.tracks)) == (RATE, len(want), channels)
        assert (take.read(0, take.frames) == want).all()
        for start in chance.integers(0, len(want), 12):
            stop = min(int(start) + int(chance.integers(1, RATE)), len(want))
            assert (take.read(int(start), stop) == want[start:stop]).all(), (start, stop)


def test_tracks_have_one_name_each(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "001.wav", np.zeros((100, 4)), RATE, subtype="PCM_24")
    with open_take(tmp_path / "001.wav", ("Anna", "", "Anna")) as take:
        assert take.tracks == ("Anna", "2", "Anna 3", "4")


def test_what_is_cut_off_is_silent_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "001.wav"
    soundfile.write(path, np.full((RATE, 2), 0.5), RATE, subtype="PCM_24")
    path.write_bytes(path.read_bytes()[:-60_000])
    with open_take(path) as take:
        sound = take.read(0, take.frames)
        assert (sound[: RATE - 10_000] == 0.5).all()
        assert not sound[RATE - 10_000 + 6 :].any()


def test_what_is_no_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is not there"):
        open_take(tmp_path / "001.wav")
    (tmp_path / "002.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(MediaError, match=r"002\.wav cannot be read"):
        open_take(tmp_path / "002.wav")
    soundfile.write(tmp_path / "003.wav", np.zeros((0, 2)), RATE, subtype="PCM_24")
    with pytest.raises(MediaError, match=r"003\.wav"):
        open_take(tmp_path / "003.wav")
