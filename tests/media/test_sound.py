"""Sound alone: whatever is wrong with it, what can be heard is heard, at its time."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio import media
from studio.errors import MediaError
from studio.media._arrive.sound_live import UrlSound
from studio.sound import SPEECH_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.sound import AudioChunk

RATE = 16_000


def tone(seconds: float, rate: int = RATE, pitch: float = 440) -> NDArray[np.float32]:
    return np.asarray(0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate), np.float32)


def heard(path: Path) -> tuple[list[AudioChunk], list[str]]:
    said: list[str] = []
    return list(media.open_sound(str(path), said.append).chunks()), said


def level(chunks: list[AudioChunk]) -> float:
    return float(np.sqrt(np.mean(np.concatenate([chunk.samples for chunk in chunks]) ** 2)))


def stamped(path: Path, *begins: float) -> None:
    """Three seconds at each of `begins`, as a broadcast's time stamps have it."""
    soundfile.write(path.with_suffix(".wav"), tone(3), RATE)
    whole = b""
    for begin in begins:
        made = [
            "ffmpeg",
            "-nostdin",
            "-v",
            "error",
            "-i",
            str(path.with_suffix(".wav")),
            "-c:a",
            "mp2",
            "-output_ts_offset",
            str(begin),
        ]
        whole += subprocess.run([*made, "-f", "mpegts", "-"], check=True, timeout=30, capture_output=True).stdout
    path.write_bytes(whole)


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000, 96_000])
def test_every_rate_comes_as_speech_is_listened_to(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(2, rate), rate)
    chunks, said = heard(tmp_path / "a.wav")
    assert {chunk.rate for chunk in chunks} == {SPEECH_RATE}
    assert abs(chunks[-1].end - 2000) <= 2
    assert level(chunks) == pytest.approx(0.3536, rel=0.02)
    assert said == []


def test_one_speaker_in_eight_channels_is_as_loud_as_alone(tmp_path: Path) -> None:
    sound = np.zeros((2 * RATE, 8), np.float32)
    sound[:, 5] = tone(2)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    assert level(heard(tmp_path / "a.wav")[0]) == pytest.approx(0.3536, rel=0.05)


def test_what_is_not_a_number_is_silence_and_what_is_too_loud_is_clipped(tmp_path: Path) -> None:
    sound = tone(1) * 20
    sound[4000:5000] = np.nan
    sound[6000:6100] = np.inf
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    samples = np.concatenate([chunk.samples for chunk in heard(tmp_path / "a.wav")[0]])
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
    assert not samples[4000:5000].any()


def test_a_jump_forward_stays_a_hole_in_time(tmp_path: Path) -> None:
    stamped(tmp_path / "a.ts", 20.0, 33.0)
    chunks, _said = heard(tmp_path / "a.ts")
    assert abs(chunks[-1].end - 16_000) <= 100
    assert abs(max(after.start - before.end for before, after in pairwise(chunks)) - 10_000) <= 100


def test_after_a_jump_back_time_goes_on_and_it_is_said_once(tmp_path: Path) -> None:
    stamped(tmp_path / "a.ts", 20.0, 10.0)
    chunks, said = heard(tmp_path / "a.ts")
    starts = [chunk.start for chunk in chunks]
    assert starts == sorted(starts)
    assert abs(chunks[-1].end - 6000) <= 100
    assert len(said) == 1
    assert "a.ts" in said[0]


def test_the_rate_may_change_in_the_middle(tmp_path: Path) -> None:
    whole = b""
    for name, rate in (("a", 16_000), ("b", 44_100)):
        soundfile.write(tmp_path / f"{name}.wav", tone(3, rate), rate)
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-i", tmp_path / f"{name}.wav", tmp_path / f"{name}.aac"],
            check=True,
            timeout=30,
        )
        whole += (tmp_path / f"{name}.aac").read_bytes()
    (tmp_path / "c.aac").write_bytes(whole)
    chunks, _said = heard(tmp_path / "c.aac")
    assert abs(chunks[-1].end - 6000) < 300
    assert all(after.start == before.end for before, after in pairwise(chunks))


def test_the_beginning_of_a_file_that_was_cut_off_is_heard(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(1).normal(0, 0.1, 4 * RATE), RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    chunks, said = heard(tmp_path / "a.flac")
    assert 1500 < chunks[-1].end < 2500
    assert len(said) <= 1


def test_a_stretch_of_a_file_has_the_times_of_the_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(10), RATE)
    chunks = list(media.sound_between(tmp_path / "a.wav", Ms(4000), Ms(6000), lambda _said: None).chunks())
    assert 3900 <= chunks[0].start <= 4000
    assert 5900 <= chunks[-1].end <= 6200


@pytest.mark.parametrize("source", ["ftp://host/name", "http://", "rtmp:///live", ""])
def test_what_is_no_address_is_refused(source: str) -> None:
    with pytest.raises(MediaError):
        media.open_sound(source, lambda _said: None)


def test_a_sentence_about_an_address_holds_no_secret() -> None:
    sound = media.open_sound("rtmp://user:word@127.0.0.1:9/live/secretkey?pass=word", lambda _said: None)
    with pytest.raises(MediaError) as refused:
        list(sound.chunks())
    assert "secretkey" not in str(refused.value)
    assert "word" not in str(refused.value)
    assert "127.0.0.1:9/live" in str(refused.value)


def test_no_address_that_ffmpeg_names_holds_a_secret() -> None:
    sound = UrlSound("rtmp://user:word@host/live/secret'key?pass=word", lambda _said: None)
    said = "[hls @ 0x1] Opening 'https://u:word@cdn.example:8443/a/seg-1.ts?token=word' for reading; "
    said += "rtmp://user:word@host/live/secret'key?pass=word: tcp://[half"
    assert sound._said(said) == (
        "[hls @ 0x1] Opening 'https://cdn.example:8443/a/seg-1.ts' for reading; rtmp://host/live: tcp://…"
    )
