"""Words from sound, by the real model."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.errors import SpeechError
from studio.sound import AudioChunk
from studio.speech import Listener, Tuning
from studio.speech._listener import SKIPPED
from studio.speech._settle import plain
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.speech import Hearing
    from studio.spoken import Word

    MakeListener = Callable[..., Listener]


def parts(sound: AudioChunk, length: int = 40) -> Iterator[AudioChunk]:
    """`sound` as it arrives, so many milliseconds at a time."""
    size = sound.rate * length // 1000
    for at in range(0, len(sound.samples), size):
        start = Ms(sound.start + round(at * 1000 / sound.rate))
        yield AudioChunk(sound.rate, start, sound.samples[at : at + size])


def play(listener: Listener, *sounds: AudioChunk) -> list[Hearing]:
    """Let `listener` hear `sounds` as live, and all it says of them."""
    hearings = []
    for sound in sounds:
        for part in parts(sound):
            listener.hear(part)
            hearing = listener.step()
            if hearing is not None:
                hearings.append(hearing)
    return [*hearings, listener.finish()]


def first_seconds(sound: AudioChunk, count: int) -> AudioChunk:
    return AudioChunk(sound.rate, sound.start, sound.samples[: count * sound.rate])


def settled(hearings: list[Hearing]) -> list[Word]:
    return [word for hearing in hearings for word in hearing.settled]


def spoken(words: list[Word]) -> list[str]:
    return [plain(word.text) for word in words]


def expected(*sentences: str) -> list[str]:
    return [plain(word) for sentence in sentences for word in sentence.split()]


def test_every_word_is_heard_at_its_time(listener: MakeListener, talk: AudioChunk, text: tuple[str, ...]) -> None:
    moved = AudioChunk(talk.rate, Ms(60_000), talk.samples)
    hearings = play(listener(), moved)
    words = settled(hearings)
    assert spoken(words) == expected(*text)

    assert all(earlier.end <= later.start for earlier, later in itertools.pairwise(words))
    assert all(word.start <= word.end and word.confidence is not None and word.confidence > 0 for word in words)
    # The second sentence begins after the second of silence that follows the first one.
    loud = np.flatnonzero(np.abs(talk.samples) > 0.02)
    gap = loud[np.argmax(np.diff(loud))], loud[np.argmax(np.diff(loud)) + 1]
    last, first = (60_000 + sample * 1000 / talk.rate for sample in gap)
    count = len(text[0].split())
    assert words[count - 1].end == pytest.approx(last, abs=250)
    assert words[count].start == pytest.approx(first, abs=250)

    assert any(hearing.tentative for hearing in hearings)
    assert hearings[-1].tentative == ""
    assert hearings[-1].quiet_since == pytest.approx(words[-1].end, abs=300)
    assert any(hearing.quiet_since is None for hearing in hearings)


def test_words_come_while_somebody_speaks(listener: MakeListener, talk: AudioChunk) -> None:
    ears = listener()
    talk = first_seconds(talk, 4)
    heard_when: dict[str, Ms] = {}
    for part in parts(talk):
        ears.hear(part)
        hearing = ears.step()
        if hearing is not None:
            assert hearing.speaking == (hearing.quiet_since is None)
            for word in hearing.settled:
                heard_when.setdefault(plain(word.text), part.end)
    assert heard_when["good"] < heard_when["ladies"]
    assert not ears.finish().speaking


def test_the_same_sound_gives_the_same_words(listener: MakeListener, talk: AudioChunk) -> None:
    first = first_seconds(talk, 2)
    assert play(listener(), first) == play(listener(), first)


@pytest.mark.parametrize("loudness", [0.0, 0.001, 0.3])
def test_nothing_is_invented_in_noise(listener: MakeListener, loudness: float) -> None:
    noise = np.random.default_rng(7).normal(0, loudness, 48_000 * 10).astype(np.float32)
    assert settled(play(listener(), AudioChunk(48_000, Ms(0), noise))) == []


def test_a_click_is_no_word(listener: MakeListener) -> None:
    samples = np.zeros(16_000 * 3, np.float32)
    samples[20_000:20_400] = 1.0
    assert settled(play(listener(), AudioChunk(16_000, Ms(0), samples))) == []


def test_a_gap_ends_the_utterance(listener: MakeListener, talk: AudioChunk, text: tuple[str, ...]) -> None:
    """The source goes away in the middle of a word and comes back ten seconds later with the second sentence."""
    before = AudioChunk(talk.rate, Ms(0), talk.samples[: talk.rate * 2])
    loud = np.flatnonzero(np.abs(talk.samples) > 0.02)
    second = loud[np.argmax(np.diff(loud)) + 1] - talk.rate // 5
    after = AudioChunk(talk.rate, Ms(12_000), talk.samples[second:])
    words = settled(play(listener(), before, after))
    early = [word for word in words if word.end <= 2100]
    late = [word for word in words if word.start >= 12_000]
    assert len(early) + len(late) == len(words)
    assert spoken(early)[:2] == ["good", "evening"]
    assert spoken(late) == expected(text[1])


def test_a_clock_that_jumps_back_loses_no_words(
    listener: MakeListener, sentence: AudioChunk, text: tuple[str, ...]
) -> None:
    forward = AudioChunk(sentence.rate, Ms(30_000), sentence.samples)
    back = AudioChunk(sentence.rate, Ms(20_000), sentence.samples)
    words = settled(play(listener(), forward, back))
    assert spoken(words) == expected(text[0]) * 2
    assert all(earlier.end <= later.start for earlier, later in itertools.pairwise(words))


def test_bad_samples_do_no_harm(listener: MakeListener, sentence: AudioChunk, text: tuple[str, ...]) -> None:
    samples = sentence.samples * np.float32(4)
    samples[: sentence.rate // 20] = np.nan
    samples[-sentence.rate // 4 :] = np.nan
    heard = spoken(settled(play(listener(), AudioChunk(sentence.rate, Ms(0), samples))))
    assert len(set(expected(text[0])) - set(heard)) <= 1


def test_what_waits_is_caught_up_with(listener: MakeListener, talk: AudioChunk, text: tuple[str, ...]) -> None:
    """After a restart the relay sends all it kept at once."""
    ears = listener()
    for part in parts(talk):
        ears.hear(part)
    behind: list[Ms] = []
    words: list[Word] = []
    while (hearing := ears.step()) is not None:
        behind.append(hearing.behind)
        words += hearing.settled
    words += ears.finish().settled
    assert spoken(words) == expected(*text)
    assert behind == sorted(behind, reverse=True)
    assert len(behind) < 10


def test_a_slow_machine_hears_every_word(base: Path, talk: AudioChunk, text: tuple[str, ...]) -> None:
    """Every reading of the meter is four seconds later: less is heard again, and at times nothing with care."""
    now = iter(range(0, 100_000, 4))
    words = settled(play(Listener(base, "en", Tuning(), meter=lambda: next(now)), talk))
    assert spoken(words) == expected(*text)


def test_a_quick_machine_hears_as_much_as_it_may(base: Path, sentence: AudioChunk) -> None:
    now = iter(range(0, 100_000, 2))
    ears = Listener(base, "en", Tuning(), meter=lambda: next(now) / 10)  # 0.2 s between two readings
    play(ears, first_seconds(sentence, 2))
    assert ears._wide == Tuning().wide


def test_what_is_hopelessly_late_is_skipped(base: Path, talk: AudioChunk) -> None:
    """Every reading of the meter is ten seconds later: no machine is slower."""
    now = iter(range(0, 100_000, 10))
    ears = Listener(base, "en", Tuning(), meter=lambda: next(now))
    words: list[Word] = []
    for again in range(3):
        for part in parts(AudioChunk(talk.rate, Ms(again * talk.end), talk.samples)):
            ears.hear(part)
    hearing = ears.step()
    while hearing is not None:
        words += hearing.settled
        hearing = ears.step()
    words += ears.finish().settled
    assert SKIPPED in [word.text for word in words]
    assert all(earlier.end <= later.start for earlier, later in itertools.pairwise(words))


def test_a_language_nobody_knows_is_refused(base: Path) -> None:
    with pytest.raises(SpeechError, match="does not know the language tlh"):
        Listener(base, "tlh", Tuning())


def test_a_broken_model_is_refused(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(SpeechError, match="cannot be loaded"):
        Listener(tmp_path, "en", Tuning())


def test_a_model_that_is_gone_or_half_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"There is no speech model in .*gone; is the path right"):
        Listener(tmp_path / "gone", "en", Tuning())
    (tmp_path / "model.bin").write_text("")
    with pytest.raises(SpeechError, match=r"is incomplete: config.json, tokenizer.json, vocabulary.json missing"):
        Listener(tmp_path, "en", Tuning())


def test_the_language_is_found(listener: MakeListener, sentence: AudioChunk, text: tuple[str, ...]) -> None:
    assert spoken(settled(play(listener("auto"), sentence))) == expected(text[0])


@pytest.mark.shared
def test_speech_without_a_pause_is_translated_from_its_beginning(base: Path, shared: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    samples, rate = soundfile.read(shared / "data" / "pl" / "nemo_kd0_neutral.flac", dtype="float32")
    tuning = Tuning(pause=ms(5), step=ms(2))  # so that nobody pauses, and few passes are made
    ears = Listener(base, "pl", tuning, translate=True, aside=False, meter=lambda: 0.0)
    hearings = play(ears, AudioChunk(rate, Ms(0), samples[: rate * 40]))
    times = [word.start for hearing in hearings for word in hearing.translated]
    assert times == sorted(times)
    assert times[0] < ms(20)  # what it is not sure of it leaves out; the window has the last 14 s
    assert times[-1] > ms(30)


@pytest.mark.shared
def test_polish_as_it_is_spoken(listener: MakeListener, shared: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    samples, rate = soundfile.read(shared / "data" / "pl" / "nemo_kd0_neutral.flac", dtype="float32")
    words = settled(play(listener("pl"), AudioChunk(rate, Ms(0), samples[: rate * 10])))
    heard = spoken(words)
    text = (shared / "data" / "pl" / "nemo_kd0_neutral.txt").read_text(encoding="utf-8")
    said = expected(text)[: len(heard)]
    assert len(heard) > 10
    assert sum(word in heard for word in said) / len(said) > 0.7
    assert any(letter in " ".join(heard) for letter in "ąęłżźśćń")


@pytest.mark.shared
def test_film_music_is_not_speech(listener: MakeListener, shared: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    samples, rate = soundfile.read(shared / "data" / "other" / "music_vibe_ace.ogg", dtype="float32")
    music = AudioChunk(rate, Ms(0), samples[: rate * 20])
    assert settled(play(listener("auto"), music)) == []


def test_tuning_refuses_what_cannot_work() -> None:
    with pytest.raises(ValueError, match="beam is between 1 and 10"):
        Tuning(beam=0)
    with pytest.raises(ValueError, match="hopeless is longer than behind"):
        Tuning(behind=ms(9))
