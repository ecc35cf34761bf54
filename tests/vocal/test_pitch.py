"""Pitch of voices whose pitch is known, in blocks as a sound card gives them, and what melodies are made of."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import mido
import numpy as np
import pytest
from benchmarks.vocal_voices import RATE, VOICES, Voice, sung

from studio.errors import VocalError
from studio.vocal._follow import Follower
from studio.vocal._melody import Melody, midi_melody, midi_parts, note_of, semitone_cents, sung_melody
from studio.vocal._pitch import AHEAD, HOP, MODEL_RATE, PitchEar, _Settling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.events import PitchHeard
    from studio.vocal._pitch import Pitch

BASS = Voice("bass", (38, 43, 40), size=0.9, vowels="ao")
CHILD = Voice("child", (72, 76, 74), size=1.3, vowels="ae", breath=0.06, vibrato=(0, 0))


def followed(sound: NDArray[np.float32], rate: int = RATE, block: int = 480) -> list[Pitch]:
    ear = PitchEar(rate)
    return [pitch for at in range(0, len(sound), block) for pitch in ear.take(sound[at : at + block], at)]


def off(told: Sequence[Pitch], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([1200 * np.log2(pitch.hertz / truth[pitch.frame]) for pitch in told if pitch.hertz is not None])


@pytest.mark.parametrize(("voice", "rate"), [(BASS, 48_000), (CHILD, 48_000), (CHILD, 44_100), (CHILD, 96_000)])
def test_voices_are_followed_to_a_few_cents(voice: Voice, rate: int) -> None:
    sound, truth = sung(voice, rate=rate)
    cents = off(followed(sound, rate), truth)
    assert len(cents) > 70
    assert np.median(np.abs(cents)) < 5
    assert np.max(np.abs(cents)) < 200, "no other octave"


def test_a_neighbour_in_the_microphone_is_not_followed() -> None:
    voice = next(voice for voice in VOICES if voice.bleed == -12)
    sound, truth = sung(replace(voice, notes=voice.notes[:3]))
    assert np.median(np.abs(off(followed(sound), truth))) < 5


def test_a_value_comes_with_the_sound_32_ms_behind_it() -> None:
    sound, _truth = sung(BASS)
    ear = PitchEar(RATE)
    for at in range(0, RATE // 2, 480):
        for pitch in ear.take(sound[at : at + 480], at):
            heard = at + 480 - pitch.frame
            assert heard <= AHEAD * HOP * RATE // MODEL_RATE + 480 + RATE // 1000


def test_blocks_of_any_length_give_the_same() -> None:
    sound, _truth = sung(CHILD)
    assert followed(sound, block=333) == followed(sound, block=4800)


def test_silence_and_noise_have_no_pitch() -> None:
    noise = 0.05 * np.random.default_rng(3).standard_normal(RATE).astype(np.float32)
    assert all(pitch.hertz is None for pitch in followed(np.zeros(RATE, np.float32)))
    told = followed(noise)
    assert sum(pitch.hertz is not None for pitch in told) <= len(told) // 20


def test_after_lost_sound_the_ear_begins_anew() -> None:
    sound, truth = sung(BASS)
    ear = PitchEar(RATE)
    ear.take(sound[:20_000], 0)
    told = ear.take(sound[30_000:], 30_000)
    assert told[0].frame == 30_000
    assert np.max(np.abs(off(told, truth))) < 200


def test_a_leap_of_one_value_is_not_believed_and_one_that_stays_is() -> None:
    settling = _Settling()
    told = [settling.believed(hertz) for hertz in (220, 220, 220, 441, 219, 440, 441, 440, 439, np.nan, 440)]
    assert told == [None, None, 220, None, 219, None, None, 440, 439, None, 440]


def test_the_follower_hears_one_channel_in_its_own_thread() -> None:
    sound, truth = sung(CHILD)
    block = np.zeros((len(sound), 3), np.int32)
    block[:, 1] = (sound * 2**31).astype(np.int32)
    told: list[PitchHeard] = []
    enough = threading.Event()

    def tell(pitch: PitchHeard) -> None:
        told.append(pitch)
        if pitch.frame > RATE:
            enough.set()

    follower = Follower(RATE, tell)
    follower.hear(block, 0)
    follower.follow(2)
    follower.hear(block, 0)
    assert enough.wait(60)
    follower.close()
    assert {pitch.channel for pitch in told} == {2}
    cents = [1200 * np.log2(pitch.hertz / truth[pitch.frame]) for pitch in told if pitch.hertz]
    assert np.median(np.abs(cents)) < 5


# ── melodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def midi(path: Path, tracks: Mapping[str, Sequence[tuple[int, int, int]]], tempo: int = 500_000) -> Path:
    """Write tracks of (note, ticks of rest before it, ticks that it lasts); 480 ticks a beat."""
    file = mido.MidiFile()
    for name, notes in tracks.items():
        track = file.add_track(name)
        track.append(mido.MetaMessage("set_tempo", tempo=tempo))
        for note, rest, lasts in notes:
            track.append(mido.Message("note_on", note=note, time=rest, channel=9 if name == "drums" else 0))
            track.append(mido.Message("note_off", note=note, time=lasts, channel=9 if name == "drums" else 0))
    file.save(path)
    return path


def test_the_melody_of_a_midi_file_is_the_track_named_so(tmp_path: Path) -> None:
    tracks = {
        "Piano": [(48, 0, 480)] * 8,
        "Melodia": [(60, 0, 480), (62, 480, 480)],
        "drums": [(36, 0, 100)] * 20,
    }
    song = midi(tmp_path / "song.mid", tracks)
    melody = midi_melody(song)
    assert midi_parts(song) == ["Piano", "Melodia"]
    assert melody.name == "Melodia"
    assert [melody.at(second) for second in (0.25, 0.75, 1.25, 1.75, -1)] == [60, None, 62, None, None]
    assert midi_melody(song, "Piano").at(3.9) == 48
    assert melody.transposed(-2).at(0.25) == 58
    with pytest.raises(VocalError, match='has no track "Flet"; it has: Piano, Melodia'):
        midi_melody(song, "Flet")


def test_tempo_changes_count(tmp_path: Path) -> None:
    file = mido.MidiFile(ticks_per_beat=96)
    tempo, line = file.add_track("tempo"), file.add_track("lead")
    tempo.append(mido.MetaMessage("set_tempo", tempo=1_000_000))
    tempo.append(mido.MetaMessage("set_tempo", tempo=250_000, time=96))
    line.append(mido.Message("note_on", note=70, time=96))
    line.append(mido.Message("note_on", note=70, velocity=0, time=192))
    file.save(tmp_path / "song.mid")
    melody = midi_melody(tmp_path / "song.mid")
    assert [melody.at(second) for second in (0.95, 1.05, 1.45, 1.55)] == [None, 70, 70, None]


@pytest.mark.parametrize("content", [b"", b"MThd", b"RIFF....WAVE", b"MThd\0\0\0\6\0\1\0\0\0\0", b"\xff" * 300])
def test_what_is_no_melody_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "song.mid"
    file.write_bytes(content)
    with pytest.raises(VocalError, match=r"^[^\n]*song.mid[^\n]*\.$"):
        midi_melody(file)


def test_a_melody_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(VocalError, match=r"none.mid cannot be read as a melody: there is no such file"):
        midi_melody(tmp_path / "none.mid")


def test_cents_are_told_in_the_singers_own_octave_and_time() -> None:
    melody = Melody(np.array([np.nan] * 50 + [60.0] * 50 + [64.0] * 50))
    c4 = 440 * 2 ** (-9 / 12)
    assert melody.cents(c4 * 2 ** (20 / 1200), 0.7) == pytest.approx(20)
    assert melody.cents(c4 / 2, 0.7) == pytest.approx(0)
    assert melody.cents(c4, 0.45) == pytest.approx(0), "a little early"
    assert melody.cents(c4, 0.2) is None
    assert melody.cents(c4, 1.3) == pytest.approx(-400)
    assert semitone_cents(c4 * 2 ** (-30 / 1200)) == pytest.approx(-30)
    assert note_of(442, tuning=442) == 69


def test_the_first_keeper_is_a_melody_too() -> None:
    sound, truth = sung(CHILD)
    silence = np.zeros(RATE // 2, np.float32)
    melody = sung_melody(np.concatenate([silence, sound]), RATE, starts=10.0, name="take 1")
    assert melody.at(10.2) is None
    there = [second for second in np.arange(0.1, 1.4, 0.05) if melody.at(10.5 + second) is not None]
    assert len(there) > 20
    cents = [melody.cents(truth[int(second * RATE)], 10.5 + second) for second in there]
    assert np.median(np.abs([each for each in cents if each is not None])) < 5
    assert melody.seconds == pytest.approx(12, abs=0.1)
