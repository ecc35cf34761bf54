"""Voices whose pitch is known to the cent: pulses through formants, with vibrato, slides, breath and a room's noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RATE = 48_000
TOP = 10_000
"""Hertz that harmonics go up to; those above are 80 dB below."""
FORMANTS = {
    "a": ((800, 80), (1200, 90), (2700, 120), (3500, 130), (4950, 140)),
    "e": ((450, 70), (2000, 100), (2700, 120), (3500, 130), (4950, 140)),
    "i": ((300, 60), (2300, 100), (3000, 120), (3600, 130), (4950, 140)),
    "o": ((450, 70), (800, 80), (2800, 110), (3500, 120), (4950, 140)),
    "u": ((325, 50), (700, 60), (2700, 120), (3500, 130), (4950, 140)),
}
"""Hertz and bandwidth of a man's."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How somebody sings."""

    name: str
    notes: tuple[float, ...]
    """MIDI notes, one after the other."""
    seconds: float = 0.5
    """Of each."""
    vowels: str = "aeiou"
    size: float = 1.0
    """Formants are so much higher than a man's: 1.3 for a child."""
    vibrato: tuple[float, float] = (5.5, 50.0)
    """Hertz and cents to each side."""
    slide: float = 0.06
    """Seconds from one note to the next."""
    breath: float = 0.02
    """Noise of the breath beside the voice."""
    jitter: float = 0.0
    """Cents by which the pitch wavers, by chance, each 10 ms."""
    tilt: float = -12.0
    """Decibels an octave: soft voices are darker."""
    noise: float | None = None
    """Decibels of the room beside the voice, mostly low; `None`: none."""
    bleed: float | None = None
    """Decibels of a neighbour who sings a third above; `None`: nobody."""


VOICES = (
    Voice("bass", (40, 43, 45, 48, 52, 45, 41, 38, 36, 40), size=0.9),
    Voice("bass, dark vowels", (36, 38, 40, 41, 43, 45, 36), size=0.9, vowels="iu", tilt=-9),
    Voice("tenor", (48, 52, 55, 60, 64, 67, 64, 60)),
    Voice("alto", (55, 57, 60, 64, 67, 69, 72, 60), size=1.1, vowels="aeo"),
    Voice("soprano, wide vibrato", (60, 64, 67, 72, 76, 79, 84, 72), size=1.15, vowels="aou", vibrato=(6, 80)),
    Voice("child", (60, 62, 64, 67, 69, 72, 76, 67), size=1.3, vibrato=(0, 0), slide=0.03, breath=0.06, jitter=6),
    Voice(
        "child, high", (69, 72, 76, 79, 81, 84, 79, 72), size=1.35, vowels="aiu", vibrato=(0, 0), breath=0.06, jitter=6
    ),
    Voice("senior", (45, 48, 50, 52, 55, 57, 52, 48), vowels="aeo", vibrato=(4.5, 90), breath=0.1, jitter=12),
    Voice("breathy", (60, 62, 64, 65, 67, 65, 64, 62), size=1.1, vowels="aeo", breath=0.3),
    Voice("portamento", (48, 60, 55, 67, 52, 64), seconds=0.8, vowels="ao", vibrato=(0, 0), slide=0.4),
    Voice("noise 20 dB below", (48, 52, 55, 60, 64, 67, 64, 60), noise=-20),
    Voice("noise 10 dB below", (48, 52, 55, 60, 64, 67, 64, 60), noise=-10),
    Voice("neighbour 20 dB below", (48, 52, 55, 60, 64, 67, 64, 60), bleed=-20),
    Voice("neighbour 12 dB below", (48, 52, 55, 60, 64, 67, 64, 60), bleed=-12),
)


def sung(voice: Voice, level: float = -18.0, rate: int = RATE) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the sound, at `level` dBFS, and the pitch of each of its samples in hertz."""
    chance = np.random.default_rng(len(voice.name))
    pitch = _pitch(voice, voice.notes, rate, chance)
    sound = _pulses(voice, pitch, rate)
    if voice.bleed is not None:
        other = _pulses(voice, _pitch(voice, [note + 4 for note in voice.notes], rate, chance), rate)
        sound += 10 ** (voice.bleed / 20) * other
    sound += voice.breath * chance.standard_normal(len(sound))
    if voice.noise is not None:
        sound += 10 ** (voice.noise / 20) * _room(len(sound), rate, chance)
    return (10 ** (level / 20) * sound).astype(np.float32), pitch


def _pitch(voice: Voice, notes: Sequence[float], rate: int, chance: np.random.Generator) -> NDArray[np.float64]:
    length = round(voice.seconds * rate)
    seconds = np.arange(length * len(notes)) / rate
    score = np.repeat(np.asarray(notes, float), length)
    hand = np.hanning(round(voice.slide * rate) + 2)
    score = np.convolve(np.pad(score, len(hand), mode="edge"), hand / hand.sum(), "same")[len(hand) : -len(hand)]
    hertz, cents = voice.vibrato
    score += cents / 100 * np.sin(2 * np.pi * hertz * seconds) * np.clip((seconds % voice.seconds) / 0.3 - 0.5, 0, 1)
    wavers = chance.standard_normal(len(seconds) * 100 // rate + 2)
    score += voice.jitter / 100 * np.interp(seconds * 100, np.arange(len(wavers)), wavers)
    return np.asarray(440 * 2 ** ((score - 69) / 12))


def _pulses(voice: Voice, pitch: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Harmonics of `pitch`, each as loud as throat and mouth let it through; their mean square is 1."""
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    knots = np.arange(0, len(pitch), rate // 200)
    sound = np.zeros(len(pitch))
    for harmonic in range(1, int(TOP / pitch.min()) + 1):
        at = pitch[knots] * harmonic
        loud = np.where(at < TOP, _throat(voice, at, knots / len(pitch)), 0) * harmonic ** (voice.tilt / 6.02)
        sound += np.interp(np.arange(len(pitch)), knots, loud) * np.cos(harmonic * phase + 0.3 * harmonic**2)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)))


def _throat(voice: Voice, hertz: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    gains = np.zeros_like(hertz)
    for at, vowel in enumerate(voice.vowels):
        share = np.clip(1 - np.abs(place * len(voice.vowels) - at - 0.5), 0, 1) if len(voice.vowels) > 1 else 1.0
        shape = np.ones_like(hertz)
        for formant, width in FORMANTS[vowel]:
            centre = formant * voice.size
            shape *= centre**2 / np.hypot(centre**2 - hertz**2, width * voice.size * hertz)
        gains += share * shape
    return np.asarray(gains)


def _room(frames: int, rate: int, chance: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(chance.standard_normal(frames))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(frames, 1 / rate), 20))
    noise = np.fft.irfft(spectrum, frames)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))
