"""How right and how soon the pitch of a microphone is told: voices whose pitch is known, a song, a clock."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil
from benchmarks.vocal_ears import Curve, praat, reference, swift_stream, yin
from benchmarks.vocal_voices import RATE, VOICES, Voice, sung
from tests.vocal.hall import CHANNELS, Hall

from studio.events import FollowPitch, Levels, PitchHeard
from studio.media import read_sound
from studio.vocal import Recorder, RecorderPlan, socket_of
from studio.vocal._pitch import VOICES as KINDS
from studio.vocal._pitch import PitchEar

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from benchmarks.relay_stage import Book
    from numpy.typing import NDArray

    Ear = Callable[[NDArray[np.float32], int], Curve | None]

SONG = Path(__file__).resolve().parents[2] / "shared/data/other/song_fishin_vocals.ogg"
BLOCK = 1024
"""Frames that come at once, as to the recorder."""
MEDIAN = 5.0
"""Cents of median error that are asked for."""
SOON = 80.0
"""Milliseconds from sound to value that are asked for."""
OCTAVE = 600
"""Cents from which a value belongs to another octave."""
CLOCK = 20
"""Seconds that are followed by the clock."""


OURS, ANY = "ours", "ours, any voice"
VOICE_OF_SONG = KINDS["alto"]
SHORT = 30
"""Seconds that no synthesised voice lasts."""


class Errors(NamedTuple):
    """Of the values that were told."""

    cents: NDArray[np.float64]
    told: float
    """Share of the moments at which somebody sang that got a value."""

    @property
    def octaves(self) -> int:
        """Values in another octave."""
        return int((np.abs(self.cents) > OCTAVE).sum())

    def words(self) -> str:
        """Median, 95 of 100, octaves, told."""
        size = np.abs(self.cents)
        return (
            f"median {np.median(size):.1f} cents, 95 of 100 within {np.percentile(size, 95):.0f}, "
            f"{self.octaves} of {len(size)} in another octave, {100 * self.told:.0f} % told"
        )


def measure(options: argparse.Namespace, book: Book) -> None:
    """Measure voices, song and clock."""
    ears: dict[str, Ear] = {
        OURS: ours,
        "ours, any voice": any_voice,
        "YIN": yin,
        "swift-f0, its own stream": at_16000,
        "Praat": praat,
    }
    for name in ears if options.all_ears else (OURS, "ours, any voice"):
        if name == OURS or options.all_ears:
            voices(name, ears[name], book)
        song(name, ears[name], book)
        book.save()
    asyncio.run(clock(book))


def ours(sound: NDArray[np.float32], rate: int) -> Curve:
    """Hear as the studio does that was told which voice sings the song; synthesised voices are heard as any voice."""
    return _followed(sound, PitchEar(rate, *VOICE_OF_SONG) if len(sound) > SHORT * rate else PitchEar(rate), rate)


def any_voice(sound: NDArray[np.float32], rate: int) -> Curve:
    """Hear as the studio does that was told nothing."""
    return _followed(sound, PitchEar(rate), rate)


def _followed(sound: NDArray[np.float32], ear: PitchEar, rate: int) -> Curve:
    told = [pitch for at in range(0, len(sound), BLOCK) for pitch in ear.take(sound[at : at + BLOCK], at)]
    return Curve(
        np.array([pitch.frame / rate for pitch in told]),
        np.array([np.nan if pitch.hertz is None else pitch.hertz for pitch in told]),
    )


def at_16000(sound: NDArray[np.float32], rate: int) -> Curve:
    """Hear by swift-f0's stream, at its own rate."""
    if rate != RATE:
        raise ValueError(rate)
    taps = np.sinc(np.arange(-36, 37) / 3) * np.hanning(75)[1:-1]
    return swift_stream(np.convolve(sound, taps / taps.sum(), "same")[::3].astype(np.float32), RATE // 3)


def voices(name: str, ear: Ear, book: Book) -> None:
    """Hear what was synthesised."""
    found = {}
    for voice in VOICES:
        sound, truth = sung(voice)
        heard = ear(sound, RATE)
        if heard is None:
            book.tell(f"{name}: voices", "not installed")
            return
        found[voice] = _errors(heard, Curve(np.arange(len(truth)) / RATE, truth))
    everything = Errors(
        np.concatenate([each.cents for each in found.values()]), float(np.mean([each.told for each in found.values()]))
    )
    asked = name == OURS
    if asked:
        book.at_most("synthesised voices: median error", float(np.median(np.abs(everything.cents))), MEDIAN, "cents", 1)
        book.at_most("synthesised voices: values in another octave", float(everything.octaves), 0, "", 0)
    book.tell(f"{name}: all voices", everything.words())
    for voice, errors in found.items():
        book.tell(f"{name}: {voice.name}{_range(voice)}", errors.words())


def song(name: str, ear: Ear, book: Book) -> None:
    """Hear the singer among the instruments."""
    if not SONG.exists():
        book.tell(f"{name}: song", f"{SONG.name} is not there")
        return
    truth = _reference()
    heard = ear(read_sound(SONG, RATE, channels=1)[:, 0], RATE)
    if heard is None:
        return
    errors = _errors(heard, truth)
    if name == OURS:
        book.tell("song: reference", f"{0.01 * np.isfinite(truth.hertz).sum():.0f} s in which the singer stands out")
        book.at_most("song: values in another octave", float(errors.octaves), 0, "", 0)
    book.tell(f"{name}: song", errors.words())


def _reference(kept: list[Curve] = []) -> Curve:  # noqa: B006 - one for all ears
    if not kept:
        kept.append(reference(read_sound(SONG, 22_050, channels=1)[:, 0], 22_050))
    return kept[0]


async def clock(book: Book) -> None:
    """Record 18 channels, follow one, and look at the clock when each value comes out of the recorder."""
    with tempfile.TemporaryDirectory(prefix="vocal-") as name, Hall(Path(name)) as hall:
        hall.count()
        folder = hall.folder / "session"
        folder.mkdir()
        plan = RecorderPlan(folder, socket_of(folder), "desk", RATE, CHANNELS)
        async with Recorder(plan, env=hall.added) as recorder:
            process = psutil.Process(recorder.pid)
            await asyncio.sleep(3)
            without = await _spends(process)
            recorder.send(FollowPitch(1))
            await asyncio.sleep(3)
            following = asyncio.create_task(_spends(process))
            came = await _arrivals(recorder)
            late = np.array([1000 * each for each in came])
            book.at_most("from sound to value, median", float(np.median(late)), SOON, "ms", 0)
            worst = f"99 of 100 within {np.percentile(late, 99):.0f} ms, worst {late.max():.0f} of {len(late)} values"
            book.tell("from sound to value", worst)
            book.tell("what following costs", f"{100 * (await following - without):.0f} % of a core")


async def _spends(process: psutil.Process) -> float:
    """Cores that it takes for `CLOCK` seconds."""
    before, began = process.cpu_times(), time.perf_counter()
    await asyncio.sleep(CLOCK)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.perf_counter() - began)


async def _arrivals(recorder: Recorder) -> list[float]:
    """Seconds by which values come later than the sound of their moment may at the earliest."""
    heard, told = [], []
    ends = time.perf_counter() + CLOCK
    async with recorder.messages() as messages:
        async for message in messages:
            now = time.perf_counter()
            if isinstance(message, Levels):
                heard.append(now - (message.frame + message.frames) / RATE)
            elif isinstance(message, PitchHeard):
                told.append(now - message.frame / RATE)
            if now > ends:
                break
    return [each - min(heard) for each in told]


def _errors(heard: Curve, truth: Curve) -> Errors:
    """Compare each value with the truth of its moment."""
    step = truth.seconds[1] - truth.seconds[0]
    at = np.clip(np.round(heard.seconds / step).astype(int), 0, len(truth.hertz) - 1)
    sings = np.isfinite(truth.hertz[at])
    both = sings & np.isfinite(heard.hertz)
    return Errors(1200 * np.log2(heard.hertz[both] / truth.hertz[at][both]), both.sum() / max(1, sings.sum()))


def _range(voice: Voice) -> str:
    low, high = (round(440 * 2 ** ((note - 69) / 12)) for note in (min(voice.notes), max(voice.notes)))
    return f" ({low} to {high} Hz)"
