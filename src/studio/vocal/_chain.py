"""The quick mix: each track through its chain, then all of them side by side in one room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.vocal._preset import Highpass, HighShelf, Lowpass, LowShelf, Reverb, VoicePreset

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from pedalboard._pedalboard import Pedalboard

    from studio.vocal._material import Material
    from studio.vocal._preset import Band

BLOCK_SECONDS = 5
_LONGEST_ROOM = 12.0
"""Seconds: JUCE's largest room has died away by then."""
_DIED = 1e-6
"""Share of a room's energy that is still to come when nobody hears it: -60 dB."""


@dataclass(frozen=True, slots=True)
class Strip:
    """How one track goes into the mix."""

    preset: VoicePreset
    level: float = 0.0
    """Decibels, after its chain."""
    pan: float = 0.0
    """From -1, left, to 1, right, at the same power everywhere."""


def strips(preset: VoicePreset, count: int) -> tuple[Strip, ...]:
    """Return `count` tracks of one kind, from left to right as far as the preset spreads them."""
    across = np.linspace(-preset.spread, preset.spread, count) if count > 1 else np.zeros(count)
    return tuple(Strip(preset, pan=float(pan)) for pan in across)


def mixed(material: Material, how: Sequence[Strip]) -> Iterator[NDArray[np.float32]]:
    """Yield the mix in stereo, (frames, 2), from the first frame of `material` on, then what the room still sounds.

    There is one of `how` for each track. Levels are free: peaks may lie above 1.
    """
    desk = _Desk(how, material.rate)
    step = BLOCK_SECONDS * material.rate
    for start in range(0, material.frames, step):
        yield desk.take(material.read(start, min(material.frames, start + step)))
    for start in range(0, desk.tail, step):
        yield desk.take(np.zeros((min(step, desk.tail - start), len(how)), np.float32))


class _Desk:
    def __init__(self, how: Sequence[Strip], rate: int) -> None:
        self._rate = rate
        self._chains = [_chain(strip.preset) for strip in how]
        self._gains = [_gains(strip) for strip in how]
        self._rooms = {room: _Room(room, rate) for room in (strip.preset.reverb for strip in how) if room}
        self._how = how
        self.tail = max((room.tail for room in self._rooms.values()), default=0)
        """Frames that the longest of its rooms sounds after the voices."""

    def take(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        mix = np.zeros((2, len(block)), np.float32)
        sends = {room: np.zeros((2, len(block)), np.float32) for room in self._rooms}
        for number, (strip, chain) in enumerate(zip(self._how, self._chains, strict=True)):
            track = np.ascontiguousarray(block[:, number])[None]
            voice = self._gains[number] * chain.process(track, self._rate, reset=False)
            mix += voice
            if strip.preset.reverb:
                sends[strip.preset.reverb] += voice
        for room, sent in sends.items():
            mix += self._rooms[room].process(sent)
        return mix.T


def _gains(strip: Strip) -> NDArray[np.float32]:
    turn = (strip.pan + 1) * math.pi / 4
    return np.array([[math.cos(turn)], [math.sin(turn)]], np.float32) * np.float32(10 ** (strip.level / 20))


def _chain(preset: VoicePreset) -> Pedalboard:
    import pedalboard  # noqa: PLC0415 - loads JUCE, which nobody needs to record

    parts: list[Any] = []
    if preset.gain:
        parts.append(pedalboard.Gain(preset.gain))
    if gate := preset.gate:
        parts.append(pedalboard.NoiseGate(gate.threshold, gate.ratio, gate.attack, gate.release))
    parts += [_band(band) for band in preset.eq]
    if squeeze := preset.compressor:
        parts.append(pedalboard.Compressor(squeeze.threshold, squeeze.ratio, squeeze.attack, squeeze.release))
    return pedalboard.Pedalboard(parts)  # type: ignore[attr-defined]


def _band(band: Band) -> Any:  # noqa: ANN401 - a plugin, whose type pedalboard does not export
    import pedalboard  # noqa: PLC0415 - as above

    if isinstance(band, Highpass):
        return pedalboard.HighpassFilter(band.highpass)
    if isinstance(band, Lowpass):
        return pedalboard.LowpassFilter(band.lowpass)
    if isinstance(band, LowShelf):
        return pedalboard.LowShelfFilter(band.lowshelf, band.gain, band.q)
    if isinstance(band, HighShelf):
        return pedalboard.HighShelfFilter(band.highshelf, band.gain, band.q)
    return pedalboard.PeakFilter(band.peak, band.gain, band.q)


class _Room:
    """A reverb whose level is measured: JUCE's own is louder the larger the room is."""

    def __init__(self, how: Reverb, rate: int) -> None:
        import pedalboard  # noqa: PLC0415 - as above

        self._rate = rate
        self._plugin = pedalboard.Reverb(how.room, how.damping, wet_level=1.0, dry_level=0.0, width=how.width)
        impulse = np.zeros((2, round(_LONGEST_ROOM * rate)), np.float32)
        impulse[:, 0] = 1.0
        energy = (self._plugin.process(impulse, rate).astype(np.float64) ** 2).sum(axis=0)
        to_come = np.cumsum(energy[::-1])[::-1]
        self.tail = int(np.argmax(to_come < _DIED * to_come[0])) if to_come[-1] < _DIED * to_come[0] else len(energy)
        self._gain = np.float32(10 ** (how.level / 20) * math.sqrt(2 / to_come[0]))
        self._plugin.reset()

    def process(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._gain * self._plugin.process(sound, self._rate, reset=False)
