"""A comp: the best of several takes, one after the other, without anybody hearing where they meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import VocalError
from studio.language import _, decimal
from studio.vocal._material import Material

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EDGE = 0.002
"""Seconds in which a voice comes and goes where no other one follows: too short to be heard, too long for a click."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a take. Places are frames of the song."""

    take: int
    """Its number, for people."""
    sound: Material
    begin: int
    end: int
    offset: int = 0
    """Where in the song the take's first frame is."""

    @property
    def reach(self) -> tuple[int, int]:
        """From where to where the take has sound."""
        return self.offset, self.offset + self.sound.frames


@dataclass(frozen=True, slots=True)
class _Faded:
    piece: Piece
    comes: tuple[int, int]
    """Between which frames of the song it is faded in …"""
    goes: tuple[int, int]
    """… and out."""

    def envelope(self, start: int, stop: int) -> NDArray[np.float32]:
        at = np.arange(start, stop) + 0.5
        up = (at - self.comes[0]) / (self.comes[1] - self.comes[0])
        down = (self.goes[1] - at) / (self.goes[1] - self.goes[0])
        return np.sin(np.clip(np.minimum(up, down), 0, 1) * (np.pi / 2)).astype(np.float32)


class Comp:
    """Pieces put together; frame 0 is where the first one begins.

    Where one piece begins as another ends they are crossfaded at equal power over `crossfade` frames around the cut, or
    beside it where a take does not reach over, or as short as the takes and the pieces allow. Elsewhere every sample is
    that of its take. What no piece covers is silent, and so is a track that a take does not have.
    """

    def __init__(self, pieces: Sequence[Piece], crossfade: int) -> None:
        """Raise VocalError where pieces overlap, are empty, reach beyond their takes, or have different rates."""
        if not pieces:
            raise VocalError(_("The comp has no pieces; choose stretches of takes for it."))
        _check(pieces)
        self._pieces = _fade(_merged(pieces), crossfade)
        self.rate = pieces[0].sound.rate
        self.tracks = tuple(dict.fromkeys(name for piece in pieces for name in piece.sound.tracks))
        self._zero = pieces[0].begin
        self.frames = pieces[-1].end - self._zero

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """See `Material`."""
        out = np.zeros((stop - start, len(self.tracks)), np.float32)
        start, stop = start + self._zero, stop + self._zero
        for faded in self._pieces:
            low, high = max(start, faded.comes[0]), min(stop, faded.goes[1])
            if low >= high:
                continue
            piece = faded.piece
            sound = piece.sound.read(low - piece.offset, high - piece.offset)
            if low < faded.comes[1] or high > faded.goes[0]:
                sound = sound * faded.envelope(low, high)[:, None]
            columns = [self.tracks.index(name) for name in piece.sound.tracks]
            out[low - start : high - start, columns] += sound
        return out


def _check(pieces: Sequence[Piece]) -> None:
    rate = pieces[0].sound.rate
    for piece in pieces:
        if piece.sound.rate != rate:
            raise VocalError(
                _("Take {number} has {other} Hz and not {rate}; a comp needs takes of one rate.").format(
                    number=piece.take, other=piece.sound.rate, rate=rate
                )
            )
        if piece.begin >= piece.end:
            raise VocalError(
                _("The piece of take {number} at {at} s is empty; let it end after it begins.").format(
                    number=piece.take, at=decimal(piece.begin / rate, ".2f")
                )
            )
        low, high = piece.reach
        if piece.begin < low or piece.end > high:
            raise VocalError(
                _("Take {number} has sound from {begin} s to {end} s; a piece of it lies between them.").format(
                    number=piece.take, begin=decimal(low / rate, ".2f"), end=decimal(high / rate, ".2f")
                )
            )
    for before, after in pairwise(pieces):
        if after.begin < before.end:
            raise VocalError(
                _("At {at} s the comp wants take {one} and take {other} at once; let one end before.").format(
                    at=decimal(after.begin / rate, ".2f"), one=before.take, other=after.take
                )
            )


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """A take that goes on as it was is one piece: fading it into itself would be heard."""
    whole = [pieces[0]]
    for piece in pieces[1:]:
        last = whole[-1]
        if piece.begin == last.end and piece.sound is last.sound and piece.offset == last.offset:
            whole[-1] = replace(last, end=piece.end)
        else:
            whole.append(piece)
    return whole


def _fade(pieces: Sequence[Piece], crossfade: int) -> list[_Faded]:
    edge = max(1, round(EDGE * pieces[0].sound.rate))
    faded = [_alone(piece, edge) for piece in pieces]
    for number, (before, after) in enumerate(pairwise(pieces)):
        if before.end != after.begin:
            continue
        cut = after.begin
        room_before = min(cut - after.reach[0], (before.end - before.begin) // 2)
        room_after = min(before.reach[1] - cut, (after.end - after.begin) // 2)
        early = min(room_before, max(crossfade // 2, crossfade - room_after))
        late = min(room_after, crossfade - early)
        if early + late >= edge:
            across = cut - early, cut + late
            faded[number] = replace(faded[number], goes=across)
            faded[number + 1] = replace(faded[number + 1], comes=across)
    return faded


def _alone(piece: Piece, edge: int) -> _Faded:
    edge = max(1, min(edge, (piece.end - piece.begin) // 2))
    return _Faded(piece, (piece.begin, piece.begin + edge), (piece.end - edge, piece.end))
