"""What is played with a take, and when: backing and click on the song's own frames; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from studio.errors import VocalError
from studio.language import _
from studio.units import Decibels
from studio.vocal._click import Beats, Clicks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from studio.events import Backing, Click, StartTake

_FADE = 0.003
"""Seconds in which sound begins and ends where it is cut, so that it does not crack."""

Sound: TypeAlias = "NDArray[np.float32] | Callable[[int, int], NDArray[np.float32]]"
"""(frames, channels), or what gives the part from a frame on, of so many frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A sound that is scheduled."""

    kind: str
    """`backing` or `click`."""
    sound: Sound
    at: int
    """Frame of the song at which it begins."""
    frames: int | None
    """Of a sound that is given in parts; `None`: it goes on for ever."""
    outputs: tuple[int, ...]
    """Channels of the output, counted from 0."""
    gain: Decibels
    again: tuple[int, int] | None
    """Frames of the sound, [begin, end), that are repeated until it is stopped."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A take on the song's frames; the song's second 0 is its frame 0."""

    begin: int
    """Where playing begins."""
    first: int
    """The first that is recorded."""
    frames: int | None
    """Of the take, or of each pass of a loop."""
    loops: bool
    parts: tuple[Part, ...]
    backing_ends: int | None
    """Where there is no more backing, though the take may go on; `None`: there is none, or it is repeated."""


@dataclass(frozen=True, slots=True)
class _Span:
    """From where to where a take goes, in frames of the song; see `Score`."""

    begin: int
    first: int
    frames: int | None
    again: tuple[int, int] | None
    """What is repeated, counted from `begin`."""
    part: bool
    """Whether only a part of the song is recorded."""


def score(take: StartTake, backing: NDArray[np.float32] | None, rate: int) -> Score:
    """Lay out what is played with `take`; `backing` is the sound of its file at `rate`.

    Raises VocalError where nothing would be heard, or what is wished cannot be.
    """
    if backing is None and take.click is None:
        raise VocalError(_("A part of a song needs a backing or a click; choose one."))
    beats = Beats(take.click.tempo, take.click.beats, take.click.taps) if take.click is not None else None
    span = _span(take, beats, rate)
    parts = []
    ends = None
    if backing is not None and take.backing is not None:
        ends = round(take.backing.offset * rate) + len(backing)
        if ends <= span.first and beats is None:
            sentence = _("{file} ends at {end} s of the song, before the part that is recorded; choose another part.")
            raise VocalError(sentence.format(file=take.backing.path, end=round(ends / rate, 1)))
        parts.append(_backing(take.backing, backing, span, rate))
    if take.click is not None and beats is not None:
        parts += _click(take.click, beats, span, rate)
    ends = None if span.again else ends
    return Score(span.begin, span.first, span.frames, span.again is not None, tuple(parts), ends)


def _span(take: StartTake, beats: Beats | None, rate: int) -> _Span:
    stretch = take.punch or take.loop
    if stretch is None:
        begin = round(beats.count_in(take.click.count_in) * rate) if beats is not None and take.click else 0
        return _Span(begin, 0, None if take.seconds is None else round(take.seconds * rate), None, part=False)
    first, end = round(stretch.start * rate), round(stretch.end * rate)
    if end <= first:
        raise VocalError(_("A part of a song has to end after it begins."))
    begin = first - round(max(0.0, take.lead) * rate)
    again = (first - begin, end - begin) if take.punch is None else None
    return _Span(begin, first, end - first, again, part=True)


def _backing(backing: Backing, sound: NDArray[np.float32], span: _Span, rate: int) -> Part:
    at = round(backing.offset * rate)
    lowest = span.begin if span.part else 0
    sound = _cut(sound, lowest - at, rate)
    at = max(at, lowest)
    if span.again is not None:
        sound, at = _looped(sound, at - span.begin, span.again, rate), span.begin
    return Part("backing", sound, at, None, _outputs(backing.outputs), backing.gain, span.again)


def _click(click: Click, beats: Beats, span: _Span, rate: int) -> list[Part]:
    """Return the click: through the take, or up to it; where beats were tapped, up to the first of them."""
    until = max(span.first, round(beats.taps[0] * rate)) if beats.taps and not span.part else span.first
    if until <= span.begin and not click.through:
        return []
    clicks = Clicks(beats, rate)

    def part(start: int, count: int) -> NDArray[np.float32]:
        return clicks.part(span.begin + start, count)

    frames, again = (None, span.again) if click.through else (until - span.begin, None)
    return [Part("click", part, span.begin, frames, _outputs(click.outputs), click.gain, again)]


def _outputs(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if not numbers or min(numbers) < 1:
        raise VocalError(_("Choose the outputs that are played to; the first one is 1."))
    return tuple(dict.fromkeys(number - 1 for number in numbers))


def _cut(sound: NDArray[np.float32], start: int, rate: int) -> NDArray[np.float32]:
    """Return `sound` from frame `start` on; where that is in the middle of it, it fades in."""
    if start <= 0:
        return sound
    rest = sound[start:]
    short = round(_FADE * rate)
    if len(rest) <= short:
        return rest
    return np.concatenate([rest[:short] * _ramp(short), rest[short:]])


def _looped(sound: NDArray[np.float32], at: int, again: tuple[int, int], rate: int) -> NDArray[np.float32]:
    """Return what is heard up to the end of `again`, where it goes back to its beginning without a crack."""
    begin, end = again
    out = np.zeros((end, sound.shape[1]), np.float32)
    there = sound[: max(0, end - at)]
    out[at : at + len(there)] = there
    short = min(round(_FADE * rate), (end - begin) // 2)
    out[end - short :] *= _ramp(short)[::-1]
    out[begin : begin + short] *= _ramp(short)
    return out


def _ramp(frames: int) -> NDArray[np.float32]:
    return np.linspace(0, 1, frames, dtype=np.float32)[:, None]
