from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.vocal.sung import RATE, Held, noise, voice

from studio.catalogue import Catalogue
from studio.vocal import PRESETS, VoicePreset
from studio.vocal._chain import BLOCK_SECONDS, Strip, mixed, strips
from studio.vocal._preset import Compressor, Gate, Highpass, Reverb


def mix(sound: np.ndarray, *how: Strip) -> np.ndarray:
    tracks = tuple(str(number) for number in range(sound.shape[1]))
    return np.concatenate(list(mixed(Held(sound, tracks), how)))


def decibels(sound: np.ndarray) -> float:
    return float(10 * np.log10((sound.astype(np.float64) ** 2).mean()))


def test_plain_is_the_sum_with_pan_and_level() -> None:
    sound = noise(1, 3)
    plain = VoicePreset()
    out = mix(sound, Strip(plain, pan=-1), Strip(plain, pan=1), Strip(plain, level=-6))
    middle = sound[:, 2] * 10 ** (-6 / 20) * np.sqrt(0.5)
    assert out[:, 0] == pytest.approx(sound[:, 0] + middle, abs=1e-6)
    assert out[:, 1] == pytest.approx(sound[:, 1] + middle, abs=1e-6)


def test_no_block_is_heard() -> None:
    preset = Catalogue().load(PRESETS, "adult-solo", VoicePreset)
    long = voice(BLOCK_SECONDS * 2.3)[:, None]
    cut = round(BLOCK_SECONDS * 1.4 * RATE)
    short, whole = mix(long[:cut], Strip(preset)), mix(long, Strip(preset))
    assert (short[:cut] == whole[:cut]).all()


def test_a_room_sounds_on_and_is_as_loud_as_it_says() -> None:
    for size in (0.1, 0.9):
        preset = VoicePreset(reverb=Reverb(size, level=-12))
        sound = noise(4)
        dry, wet = mix(sound, Strip(replace(preset, reverb=None))), mix(sound, Strip(preset))
        only = wet[: len(dry)] - dry
        assert decibels(only[2 * RATE :]) - decibels(dry[2 * RATE :]) == pytest.approx(-12, abs=1.5)
        assert len(wet) > len(dry)
        assert decibels(wet[-RATE // 20 :]) < decibels(dry) - 60


def test_a_gate_closes_and_a_highpass_leaves_the_floor_out() -> None:
    at = np.arange(RATE) / RATE
    hum = (0.01 * np.sin(2 * np.pi * 50 * at)).astype(np.float32)[:, None]
    for preset in (VoicePreset(gate=Gate(-30, ratio=4)), VoicePreset(eq=(Highpass(200),))):
        assert decibels(mix(hum, Strip(preset))) < decibels(mix(hum, Strip(VoicePreset()))) - 10


def test_a_compressor_brings_loud_and_quiet_together() -> None:
    preset = VoicePreset(compressor=Compressor(-30, ratio=4))
    loud, quiet = noise(1, level=0.3), noise(1, level=0.01)
    apart = decibels(mix(loud, Strip(preset))) - decibels(mix(quiet, Strip(preset)))
    assert apart < decibels(loud) - decibels(quiet) - 10


def test_tracks_are_spread_from_left_to_right() -> None:
    wide = VoicePreset(spread=0.8)
    assert [strip.pan for strip in strips(wide, 3)] == pytest.approx([-0.8, 0, 0.8])
    assert [strip.pan for strip in strips(wide, 1)] == [0]
