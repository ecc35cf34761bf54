"""The sound of a film on the film's own clock: 16 kHz mono, without a gap."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import MediaError
from studio.language import _
from studio.media._film.blocks import BLOCK, Blocks
from studio.media._film.facts import film
from studio.media._film.mono import Channel, Mono, check
from studio.media._film.source import Source, name_of
from studio.sound import SPEECH_RATE, AudioChunk
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studio.media._film.facts import Film, FilmSound

CHUNK = SPEECH_RATE
"""Samples handed on at once: a second."""
_PER_MS = SPEECH_RATE // 1000
_BLOCK = round(BLOCK * SPEECH_RATE)
MOST_SAID = 5
"""Damaged stretches that are told one by one."""


class TrackSound:
    """One track of a film, from `begin` to `until`. What is not there, or cannot be read, is silence."""

    live = False

    def __init__(
        self,
        source: Source,
        *,
        track: int | None = None,
        channel: Channel = "mix",
        begin: Ms = Ms(0),
        until: Ms | None = None,
        language: str = "",
        say: Callable[[str], None],
        facts: Film | None = None,
    ) -> None:
        """See `studio.media.film_sound`."""
        self._source = source
        self._say = say
        self._begin = max(0, begin)
        self._until = until
        self._stopping = threading.Event()
        self._said = 0
        facts = facts or film(source)
        self.track = _track(facts, name_of(source), track, language)
        """Which one is heard."""
        check(channel, self.track, name_of(source))
        self._mono = Mono(channel)
        ends = [end for end in (facts.length, until) if end is not None]
        self.length: Ms | None = Ms(max(0, min(ends) - self._begin)) if ends else None

    def chunks(self) -> Iterator[AudioChunk]:
        """Decode from `begin` on; times are the film's. It ends at `until`, or where the track does."""
        at = self._begin * _PER_MS
        end = None if self._until is None else self._until * _PER_MS
        blocks = Blocks(self._source, self.track.number, self._mono, self._hurt)
        try:
            while (end is None or at < end) and not self._stopping.is_set():
                number = at // _BLOCK
                block = blocks.block(number)
                sound = block.samples[at - number * _BLOCK : None if end is None else end - number * _BLOCK]
                silent = 0
                if block.more is not None:  # whole blocks in which nothing begins need not be read
                    silent = max(0, int(block.more / BLOCK - 0.01) - number - 1) * _BLOCK
                    silent = silent if end is None else min(silent, max(0, end - at - len(sound)))
                yield from self._cut(at, sound)
                at += len(sound)
                for quiet in range(at, at + silent, CHUNK):
                    yield from self._cut(quiet, np.zeros(min(CHUNK, at + silent - quiet), np.float32))
                at += silent
                if block.more is None:
                    return
        finally:
            blocks.close()

    def _cut(self, at: int, sound: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Iterator[AudioChunk]:
        for cut in range(0, len(sound), CHUNK):
            if self._stopping.is_set():
                return
            yield AudioChunk(SPEECH_RATE, Ms((at + cut) // _PER_MS), sound[cut : cut + CHUNK])

    def stop(self) -> None:
        """Decode no more."""
        self._stopping.set()

    def _hurt(self, begin: Ms, end: Ms) -> None:
        if self._until is not None and begin >= self._until:
            return
        self._said += 1
        if self._said <= MOST_SAID:
            self._say(
                _("The sound of {file} cannot be read from {begin} to {end}; it is taken for silence there.").format(
                    file=name_of(self._source), begin=timecode(begin), end=timecode(end)
                )
            )
        elif self._said == MOST_SAID + 1:
            self._say(_("More of the sound of {file} cannot be read.").format(file=name_of(self._source)))


def _track(facts: Film, name: str, number: int | None, language: str) -> FilmSound:
    heard = [track for track in facts.sounds if track.can_be_heard]
    if not heard:
        raise MediaError(_("{file} has no sound, so there is nothing to caption.").format(file=name))
    if number is None:
        chosen = facts.speech(language)
        return chosen if chosen is not None else heard[0]
    for track in facts.sounds:
        if track.number == number and track.can_be_heard:
            return track
    raise MediaError(
        _("{file} has no sound track {number} that can be heard; it has {known}.").format(
            file=name, number=number, known=", ".join(str(track.number) for track in heard)
        )
    )
