"""What is to be sung: a melody from a MIDI file or from somebody who sang it, and how far a voice is from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.errors import VocalError, why
from studio.language import _
from studio.vocal._pitch import curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mido import MidiFile

STEP = 0.01
"""Seconds from one value of a melody to the next."""
REACH = 0.12
"""Seconds by which a singer may be early or late and still be heard against the right note."""
GAP = 0.08
"""Seconds of a sung melody without pitch that are a consonant and no rest."""
TUNING = 440.0
"""Hertz of A4."""
_A4 = 69
_DRUMS = 9
_LONGEST = 4 * 3600.0
"""Seconds; a file that lasts longer is broken."""
_NAMED = ("melod", "vocal", "voice", "lead", "solo", "wokal", "głos", "śpiew", "bals", "vokal")
"""What the track of a melody is called, in the languages of the house."""


@dataclass(frozen=True, slots=True, eq=False)
class Melody:
    """Which note is to be sung when."""

    notes: NDArray[np.float64]
    """MIDI notes with parts of semitones, one for each `STEP` from the song's beginning on; NaN: a rest."""
    name: str = ""
    """Where it is from: a track's name, or the take's."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.notes) * STEP

    def transposed(self, semitones: float) -> Melody:
        """The same so much higher; below 0 lower."""
        return replace(self, notes=self.notes + semitones)

    def at(self, second: float) -> float | None:
        """The note of that moment; `None`: a rest, or there is nothing."""
        place = int(second / STEP)
        note = self.notes[place] if second >= 0 and place < len(self.notes) else math.nan
        return None if math.isnan(note) else float(note)

    def cents(self, hertz: float, second: float) -> float | None:
        """How far a voice is above the melody, in [-600..600]; `None` where nothing is to be sung.

        Men, women and children sing it in their own octave. Between two notes the nearer one counts.
        """
        first, last = (round((second + by) / STEP) for by in (-REACH, REACH))
        near = self.notes[max(0, first) : max(0, last + 1)]
        off = _folded(note_of(hertz) - near[~np.isnan(near)])
        return float(off[np.argmin(np.abs(off))]) if len(off) else None


def note_of(hertz: float, tuning: float = TUNING) -> float:
    """MIDI note with parts of semitones; `tuning`: hertz of A4."""
    return _A4 + 12 * math.log2(hertz / tuning)


def semitone_cents(hertz: float, tuning: float = TUNING) -> float:
    """How far a voice is above the nearest semitone, in [-50..50]: where there is no melody."""
    note = note_of(hertz, tuning)
    return 100 * (note - round(note))


def _folded(semitones: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((100 * semitones + 600) % 1200 - 600)


# ── as somebody sang it ───────────────────────────────────────────────────────────────────────────────────────────────


def sung_melody(sound: NDArray[np.float32], rate: int, starts: float = 0.0, name: str = "") -> Melody:
    """Return what was sung in a take; `sound` is one microphone, shape (n,).

    `starts` is the second of the song at which the take begins.
    """
    seconds, hertz = curve(sound, rate)
    grid = np.arange(0, len(sound) / rate, STEP)
    nearest = np.clip(np.searchsorted(seconds, grid), 0, len(seconds) - 1)
    notes = _without_gaps(_smoothed(_A4 + 12 * np.log2(hertz[nearest] / TUNING)))
    ahead = round(starts / STEP)
    rests = np.full(max(0, ahead), np.nan)
    return Melody(np.concatenate([rests, notes[max(0, -ahead) :]]), name)


def _smoothed(notes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of 50 ms: no single value mistaken by an octave stays."""
    if len(notes) < 5:  # noqa: PLR2004 - what a median of 50 ms needs
        return notes
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(notes, 2, mode="edge"), 5)
    voiced = ~np.isnan(windows)
    ordered = np.sort(windows, axis=1)  # NaN goes last
    count = voiced.sum(axis=1)
    middle = ordered[np.arange(len(notes)), np.maximum(count - 1, 0) // 2]
    return np.where((count > 2) & ~np.isnan(notes), middle, np.nan)  # noqa: PLR2004 - most of the window


def _without_gaps(notes: NDArray[np.float64]) -> NDArray[np.float64]:
    there = np.flatnonzero(~np.isnan(notes))
    filled = notes.copy()
    for before, after in pairwise(there.tolist()):
        if 1 < after - before <= round(GAP / STEP):
            filled[before + 1 : after] = np.interp(
                np.arange(before + 1, after), [before, after], [notes[before], notes[after]]
            )
    return filled


# ── from a MIDI file ──────────────────────────────────────────────────────────────────────────────────────────────────


class _Note(NamedTuple):
    start: float
    end: float
    pitch: int


def midi_melody(path: Path, part: str | None = None) -> Melody:
    """Read the melody of a MIDI file: of the track `part`, else of one that is named so, else of the most like one.

    VocalError where the file cannot be read, has no notes, or has no such track.
    """
    parts = _parts(path)
    if part is not None and part not in parts:
        sentence = _('{file} has no track "{part}"; it has: {parts}.')
        raise VocalError(sentence.format(file=path.name, part=part, parts=", ".join(parts)))
    chosen = part if part is not None else min(parts, key=lambda name: _unlike(name, parts[name]))
    notes = parts[chosen]
    line = np.full(math.ceil(max(note.end for note in notes) / STEP), np.nan)
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):  # of a chord the highest
        line[round(note.start / STEP) : round(note.end / STEP)] = note.pitch
    return Melody(line, chosen)


def midi_parts(path: Path) -> list[str]:
    """Names of the tracks of a MIDI file that have notes. VocalError as `midi_melody` says."""
    return list(_parts(path))


def _unlike(name: str, notes: list[_Note]) -> tuple[bool, float, int]:
    """How little a track is like a melody: not named so, several notes at once, few notes."""
    named = any(word in name.casefold() for word in _NAMED)
    sounding = sum(note.end - note.start for note in notes)
    ordered = sorted(notes)
    over = sum(max(0.0, one.end - other.start) for one, other in pairwise(ordered))
    return not named, round(over / max(sounding, STEP), 1), -len(notes)


def _parts(path: Path) -> dict[str, list[_Note]]:
    import mido  # noqa: PLC0415 - a session without a melody need not load it

    try:
        file = mido.MidiFile(path, clip=True)
        found = dict(_tracks(file))
    except (OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError) as problem:
        reason = why(problem) if isinstance(problem, OSError) and problem.errno else _("it is no MIDI file")
        raise VocalError(
            _("{file} cannot be read as a melody: {reason}.").format(file=path, reason=reason)
        ) from problem
    if not found:
        raise VocalError(_("{file} has no notes; choose the file that holds the melody.").format(file=path))
    return found


def _tracks(file: MidiFile) -> Iterator[tuple[str, list[_Note]]]:
    """Each track and channel that has notes, by name."""
    if file.ticks_per_beat <= 0:
        raise ValueError(file.ticks_per_beat)
    clock = _Clock(file)
    for number, track in enumerate(file.tracks, 1):
        by_channel: dict[int, list[_Note]] = {}
        for channel, note in _notes(track, clock):
            by_channel.setdefault(channel, []).append(note)
        for channel, notes in by_channel.items():
            name = track.name.strip("\0 ") or _("track {number}").format(number=number)
            yield name if len(by_channel) == 1 else f"{name} ({channel + 1})", notes


def _notes(track: Iterable[object], clock: _Clock) -> Iterator[tuple[int, _Note]]:
    ticks = 0
    open_: dict[tuple[int, int], float] = {}
    for message in track:
        ticks += message.time  # type: ignore[attr-defined]
        kind = message.type  # type: ignore[attr-defined]
        if kind not in ("note_on", "note_off") or message.channel == _DRUMS:  # type: ignore[attr-defined]
            continue
        key, now = (message.channel, message.note), clock.seconds(ticks)  # type: ignore[attr-defined]
        began = open_.pop(key, None)
        if began is not None and now - began >= STEP:
            yield key[0], _Note(began, now, key[1])
        if kind == "note_on" and message.velocity:  # type: ignore[attr-defined]
            open_[key] = now


class _Clock:
    """Ticks as seconds, by the tempo changes of all tracks."""

    def __init__(self, file: MidiFile) -> None:
        self._beat = file.ticks_per_beat
        changes = [(0, 500_000)]
        for track in file.tracks:
            ticks = 0
            for message in track:
                ticks += message.time
                if message.type == "set_tempo":
                    changes.append((ticks, message.tempo))
        self._changes = sorted(changes, key=lambda change: change[0])

    def seconds(self, ticks: int) -> float:
        """ValueError where a file goes on for hours."""
        total = 0.0
        for (begins, tempo), (ends, _next) in zip(self._changes, [*self._changes[1:], (ticks, 0)], strict=True):
            total += max(0, min(ends, ticks) - begins) * tempo / self._beat / 1_000_000
        if total > _LONGEST:
            raise ValueError(total)
        return total
