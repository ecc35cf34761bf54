"""How a take was sung: its pitch along its length, and how far that is from the melody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio import media
from studio.errors import VocalError
from studio.language import _
from studio.vocal._melody import Melody, midi_melody, note_of, semitone_cents, sung_melody
from studio.vocal._mend import file_of
from studio.vocal._pitch import curve

if TYPE_CHECKING:
    from studio.vocal._session import Session
    from studio.vocal._state import Take

NEAR = 25.0
"""Cents beside a note that nobody hears as wrong in singing."""
_PIECE = 1 << 18
"""Frames of all tracks that are read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One microphone of a take, a value for each 16 ms."""

    track: str
    melody: Melody | None
    """`None`: held against the nearest semitone."""
    seconds: NDArray[np.float64]
    """Since the take began."""
    notes: NDArray[np.float64]
    """MIDI notes with parts of semitones; NaN: nobody sang, or it could not be told."""
    cents: NDArray[np.float64]
    """Above what was to be sung; NaN where there is nothing to compare."""

    @property
    def median(self) -> float | None:
        """Cents by which it is too high, below 0 too low; `None` where nothing could be compared."""
        there = self._compared()
        return float(np.median(there)) if len(there) else None

    @property
    def apart(self) -> float | None:
        """The median of how far it is off, whichever way, in cents."""
        there = self._compared()
        return float(np.median(np.abs(there))) if len(there) else None

    @property
    def near(self) -> float | None:
        """Which share is within `NEAR` cents, in [0..1]."""
        there = self._compared()
        return float(np.mean(np.abs(there) <= NEAR)) if len(there) else None

    def _compared(self) -> NDArray[np.float64]:
        return self.cents[~np.isnan(self.cents)]


def trace(session: Session, number: int, track: str = "") -> Trace:
    """Follow one track of a take from its beginning to its end; `track` is its name, by default the first.

    It is held against the melody of its song where something was played to it, for then it is known which moment of the
    song is sung. Raises StudioError: there is no such take or track, no file, or a melody that cannot be read.
    """
    take = session.state.takes.get(number)
    if take is None:
        raise VocalError(_("There is no take {number} in this session.").format(number=number))
    name, sound, rate = _microphone(session, take, track)
    melody = None if take.offset is None else melody_of(session, take.song, name, but=number)
    seconds, hertz = curve(sound, rate)
    sung = np.isfinite(hertz)
    notes, cents = np.full(len(hertz), np.nan), np.full(len(hertz), np.nan)
    notes[sung] = [note_of(one) for one in hertz[sung]]
    begins = take.offset or 0.0
    compared = [
        semitone_cents(one) if melody is None else melody.cents(one, begins + second)
        for one, second in zip(hertz[sung].tolist(), seconds[sung].tolist(), strict=True)
    ]
    cents[sung] = [np.nan if one is None else one for one in compared]
    return Trace(name, melody, seconds, notes, cents)


def melody_of(session: Session, song: str, track: str = "", *, but: int | None = None) -> Melody | None:
    """Return what is to be sung in a song: its MIDI file, else its first keeper that was sung to something.

    Of a keeper the track of that name counts, else the first; take `but` is none. `None`: there is neither. Blocks,
    for a keeper a quarter of its length on a slow machine. Raises StudioError where a file cannot be read.
    """
    known = session.state.songs.get(song)
    if known is not None and known.melody:
        return midi_melody(session.folder / known.melody)
    keeper = next(
        (
            take
            for take in session.state.takes.values()
            if take.keeper and take.song == song and take.offset is not None and take.number != but and take.frames
        ),
        None,
    )
    if keeper is None:
        return None
    there = track if any(one.name == track for one in keeper.tracks) else ""
    _name, sound, rate = _microphone(session, keeper, there)
    return sung_melody(sound, rate, keeper.offset or 0.0, _("take {number}").format(number=keeper.number))


def _microphone(session: Session, take: Take, track: str) -> tuple[str, NDArray[np.float32], int]:
    """Name, sound (n,) and rate of one track."""
    names = [one.name for one in take.tracks]
    if track and track not in names:
        raise VocalError(
            _("Take {number} has no track {track}; it has: {tracks}.").format(
                number=take.number, track=track, tracks=", ".join(names)
            )
        )
    path = file_of(session.folder, take)
    if path is None:
        raise VocalError(_("Take {number} has no file any more; was it moved?").format(number=take.number))
    column = names.index(track) if track else 0
    with media.open_take(path, names) as sound:
        pieces = [
            sound.read(at, min(at + _PIECE, sound.frames))[:, column].copy() for at in range(0, sound.frames, _PIECE)
        ]
        return names[column] if names else sound.tracks[0], np.concatenate(pieces), sound.rate
