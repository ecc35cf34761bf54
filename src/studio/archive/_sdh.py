"""Subtitles for people who cannot hear: who speaks, and what sounds. Pure, but for `listen_for_sounds`.

Speakers are noted in `FilmCue.speaker` of cues that nobody has touched. Sounds are only ever suggested: a suggestion is
no cue, stands in no file that is delivered, waits in the library (`_suggested`) and becomes a `person`'s cue when
somebody confirms it.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from studio.archive._edits import insert
from studio.errors import SpeechError
from studio.spoken import Cue
from studio.subtitles import SoundLabels, Track
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from studio.archive._document import Document, FilmCue
    from studio.speech import Heard, Turn
    from studio.spoken import Word

_MOST = 0.6
"""Share of a cue that one person must speak for it to be that person's."""
_GAP = Ms(80)
"""Between a label and the cues around it: two frames."""
_SHORTEST, _LONGEST = Ms(1000), Ms(3000)
"""How long a label stands."""
_READ = Ms(1500)
"""A label of a shorter sound stands so long, where there is room: nobody reads in the time of a laugh."""
AGAIN = Ms(20_000)
"""The same label is not suggested twice in so long a time."""


class SoundCue(Struct, frozen=True):
    """A label that a person may confirm."""

    start: Ms
    end: Ms
    label: str
    """As the language of the subtitles writes it, brackets and all."""
    sound: str
    """The kind of sound, as AudioSet names it."""
    share: float
    """How sure the tagger was, in [0..1]."""
    id: int = 0
    """As the library numbers it; 0 where none keeps it."""


def label(document: Document, turns: Sequence[Turn], labels: SoundLabels) -> Document:
    """`document` with the speakers of `turns` in cues of the machine's that have none.

    A cue that several people share, none of them for most of it, is left to a person: `compose` gives each a line.
    """
    cues = tuple(
        replace(cue, speaker=labels.person(who))
        if cue.by == "machine" and cue.speaker is None and (who := _speaker(cue, turns))
        else cue
        for cue in document.cues
    )
    return document if cues == document.cues else replace(document, cues=cues)


def changes(words: Sequence[Word], turns: Sequence[Turn]) -> frozenset[int]:
    """Places in `words` at which another person begins to speak, as `subtitles.composed` wants them."""
    found: set[int] = set()
    before: int | None = None
    for at, word in enumerate(words):
        middle = (word.start + word.end) // 2
        here = [turn for turn in turns if turn.start <= middle < turn.end]
        if not here or any(turn.speaker == before for turn in here):
            continue  # where two speak at once, the one who spoke goes on
        who = min(here, key=lambda turn: turn.start).speaker
        if before is not None:
            found.add(at)
        before = who
    return frozenset(found)


def suggest(document: Document, heard: Iterable[Heard], labels: SoundLabels) -> tuple[SoundCue, ...]:
    """Labels for what was `heard`, by time, where no cue stands; where there is no room for a second, there is none."""
    written = labels.of
    found: list[SoundCue] = []
    last: dict[str, Ms] = {}
    for one in sorted(heard, key=lambda one: (one.start, -one.share)):
        text = written.get(one.sound)
        if text is None or one.start < last.get(text, -AGAIN) + AGAIN:
            continue
        room = _room(document.cues, one.start, Ms(max(one.end, one.start + _READ)), found)
        if room is not None:
            found.append(SoundCue(*room, text, one.sound, one.share))
            last[text] = one.end
    return tuple(sorted(found, key=lambda one: one.start))


def free(document: Document, suggestions: Iterable[SoundCue]) -> tuple[SoundCue, ...]:
    """Those of `suggestions` in whose time no cue stands."""
    starts = [cue.start for cue in document.cues]
    ends = list(accumulate((cue.end for cue in document.cues), max))

    def stands(one: SoundCue) -> bool:
        before = bisect_left(starts, one.end)
        return before > 0 and ends[before - 1] > one.start

    return tuple(one for one in suggestions if not stands(one))


def confirm(document: Document, suggestion: SoundCue, new: int = 0) -> Document:
    """Put a suggestion in as a cue of a person's; its id is the first not used from `new` on. Raises EditError."""
    return insert(document, suggestion.start, suggestion.end, [suggestion.label], new)


def as_track(suggestions: Iterable[SoundCue], language: str) -> Track:
    """Suggestions alone, as a file to be looked at beside the film."""
    return Track(tuple(Cue(at, one.start, one.end, (one.label,)) for at, one in enumerate(suggestions, 1)), language)


def listen_for_sounds(
    film: Path,
    labels: SoundLabels,
    say: Callable[[str], None],
    progress: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
) -> tuple[Heard, ...]:
    """What sounds in a film and has a label; `folder` holds the tagger, `None` is the one among the models kept.

    `say` is told what is missing or damaged in the sound, `progress` milliseconds done and in all. Raises MediaError
    and SpeechError.
    """
    from studio import media, speech  # noqa: PLC0415 - both load libraries that a document does without

    if sentence := speech.lacks_sounds(folder):
        raise SpeechError(sentence)
    sound = media.film_sound(film, say=say)

    def told(done: Ms) -> None:
        if progress:
            progress(done, sound.length or 0)

    try:
        return speech.sounds((chunk.samples for chunk in sound.chunks()), labels.of, folder, told)
    finally:
        sound.stop()


def _speaker(cue: FilmCue, turns: Sequence[Turn]) -> int | None:
    spoken: dict[int, int] = {}
    for turn in turns:
        shared = min(cue.end, turn.end) - max(cue.start, turn.start)
        if shared > 0:
            spoken[turn.speaker] = spoken.get(turn.speaker, 0) + shared
    who = max(spoken, key=lambda one: (spoken[one], -one), default=None)
    return who if who is not None and spoken[who] >= _MOST * sum(spoken.values()) else None


def _room(cues: Sequence[FilmCue], start: Ms, end: Ms, taken: Sequence[SoundCue]) -> tuple[Ms, Ms] | None:
    """The first stretch of [start, end) that is free for a second or more, and not longer than a label stands."""
    stands = [*((one.start, one.end) for one in cues), *((one.start, one.end) for one in taken)]
    busy = sorted((begin, over) for begin, over in stands if begin < end + _GAP and over + _GAP > start)
    at = start
    for begin, over in (*busy, (Ms(end + _GAP), end)):
        until = Ms(min(begin - _GAP, at + _LONGEST, end))
        if until - at >= _SHORTEST:
            return at, until
        at = Ms(max(at, over + _GAP))
    return None
