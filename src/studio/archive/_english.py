"""A subtitle file in English: what is said under its cues, translated by Whisper out of the film's sound."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from studio import media
from studio.archive._paper import sentences, untranslated
from studio.archive._work import Heard, even, joined
from studio.spoken import Word
from studio.subtitles import Track, composed
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.speech import Archivist
    from studio.subtitles import Rules

AT_ONCE = Ms(600_000)
"""So much sound is in the memory at a time, 40 MB; a sentence that lasts longer is there whole."""

Spoken = tuple[Ms, Ms, str]


def english(
    text: Track,
    film: Path,
    ears: Archivist,
    rules: Rules,
    *,
    track: int | None = None,
    told: Callable[[Ms, Ms], None] = lambda _at, _length: None,
    say: Callable[[str], None] = lambda _sentence: None,
) -> tuple[Track, tuple[str, ...]]:
    """Return `text` in English, composed by `rules`, and a sentence where some of it has none.

    Cues are joined into sentences and each is translated by itself, as it is heard in `film` in the time of its cues:
    so they must fit the sound. `track`: which sound track, from 1; `None`: the one with speech in the language of
    `text`. `told` is called with how far it is, and where it ends. Raises MediaError.
    """
    ordered = sorted(text.cues, key=lambda cue: (cue.start, cue.end))
    words = tuple(Word(" ".join(cue.lines), cue.start, cue.end) for cue in ordered)
    spoken = sentences(Heard(words), text.language)
    said: list[Word] = []
    for begin, until, some in _in_pieces(spoken):
        sound = media.film_sound(
            os.fspath(film), track=track, language=text.language, begin=begin, until=until, say=say
        )
        try:
            samples = joined(even(sound.chunks(), begin))
        finally:
            sound.stop()
        for one in some:
            said += ears.translate(samples, begin, (one,))
            told(one[1], spoken[-1][1])
    cues = tuple(one.cue for one in composed(said, rules))
    return Track(cues, "en"), untranslated(spoken, said)


def _in_pieces(spoken: list[Spoken]) -> Iterator[tuple[Ms, Ms, list[Spoken]]]:
    """Sentences that are translated with the same sound in the memory, and its bounds."""
    piece: list[Spoken] = []
    for one in spoken:
        if piece and one[1] - piece[0][0] > AT_ONCE:
            yield piece[0][0], max(end for _start, end, _language in piece), piece
            piece = []
        piece.append(one)
    if piece:
        yield piece[0][0], max(end for _start, end, _language in piece), piece
