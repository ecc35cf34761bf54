"""A ping is found to a fraction of a frame, and nothing else is taken for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio import media
from studio.vocal._latency import BEGINS, find, ping

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 48_000
AT = 12_345.37


def room(at: float = AT, rate: int = RATE, seconds: float = 2.5) -> NDArray[np.float64]:
    """Return silence in which the ping begins at frame `at`, and its fraction."""
    sound = np.zeros(round(seconds * rate))
    whole = int(at)
    padded = np.r_[ping(rate), np.zeros(rate // 10)]
    turned = np.fft.rfft(padded) * np.exp(-2j * np.pi * np.fft.rfftfreq(len(padded)) * (at - whole))
    sound[whole : whole + len(padded)] = np.fft.irfft(turned, len(padded))
    return sound


def loud(sound: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def placed(sound: NDArray[np.float64], rate: int = RATE) -> float | None:
    found = find(sound.astype(np.float32), rate)
    return None if found is None else found.at


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_it_is_found_to_a_hundredth_of_a_frame(rate: int) -> None:
    assert placed(room(rate=rate), rate) == pytest.approx(AT, abs=0.01)
    assert placed(-0.001 * room(rate=rate), rate) == pytest.approx(AT, abs=0.01)  # soft, and turned upside down


def test_noise_twenty_decibels_above_it_does_not_hide_it() -> None:
    noise = np.random.default_rng(1).normal(size=len(room()))
    assert placed(room() + noise * 10 * loud(np.asarray(ping(RATE), np.float64))) == pytest.approx(AT, abs=1)


def test_what_comes_first_counts_and_not_what_the_wall_gives_back() -> None:
    sound = room()
    late = np.roll(sound, 700) * 1.4 - np.roll(sound, 1900) * 0.8
    assert placed(sound + late) == pytest.approx(AT, abs=0.5)


def test_through_a_small_loudspeaker_it_is_still_there() -> None:
    sound = room()
    pitch = np.fft.rfftfreq(len(sound), 1 / RATE)
    coloured = np.fft.irfft(np.fft.rfft(sound) * ((pitch > 900) & (pitch < 5000)), len(sound))
    assert placed(coloured) == pytest.approx(AT, abs=0.5)


def test_nothing_is_found_where_it_is_not() -> None:
    chance = np.random.default_rng(2)
    assert all(placed(chance.normal(size=2 * RATE)) is None for _ in range(20))
    assert placed(np.zeros(2 * RATE)) is None
    assert placed(np.zeros(10)) is None
    beat = np.zeros(3 * RATE)
    beat[:: RATE // 2] = 1.0
    assert placed(beat) is None


def test_a_ping_that_stumbled_or_came_twice_is_no_measurement() -> None:
    sound = room()
    middle = int(AT) + round((BEGINS[2] + 0.15) * RATE)
    assert placed(np.concatenate([sound[:middle], np.zeros(2000), sound[middle:]])) is None  # the output ran dry
    assert placed(sound + np.roll(sound, RATE // 4)) is None
    assert placed(sound[: int(AT) + RATE // 2]) is None


@pytest.mark.shared
@pytest.mark.parametrize("name", ["song_fishin_vocals.ogg", "music_vibe_ace.ogg", "noise_laughter.mp3"])
def test_music_neither_hides_it_nor_is_taken_for_it(shared: Path, name: str) -> None:
    music = media.read_sound(shared / "data" / "other" / name, RATE, channels=1)[:, 0].astype(np.float64)
    sound = room()
    for start in np.linspace(0, len(music) - len(sound), 6).astype(int):
        part = music[start : start + len(sound)]
        assert placed(part) is None
        beside = part * loud(np.asarray(ping(RATE), np.float64)) / max(1e-4, loud(part))
        assert placed(sound + beside) == pytest.approx(AT, abs=1)
