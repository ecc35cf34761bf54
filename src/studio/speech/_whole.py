"""A whole stretch of sound at once, with all the care there is: what an archive wants, and nobody waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._survey import Stretch, Survey, clip, survey
from studio.speech._translate import translated
from studio.speech._whisper import Whisper
from studio.spoken import Word
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


BEAM = 5
LATE = Ms(130)
"""Whisper's alignment comes so much early, as measured."""
_MOST_SILENCE, _LEAST_LOGPROB = 0.6, -0.8
"""A segment that Whisper takes for silence, and is not sure of, was never said."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A stretch in one language."""

    start: Ms
    end: Ms
    language: str
    """Code of the language."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a stretch of a film, and how far it may be believed."""

    words: tuple[Word, ...] = ()
    """In order, with times on the film's clock."""
    languages: tuple[Tongue, ...] = ()
    """Which language is spoken where, in order."""
    unsure: tuple[Stretch, ...] = ()
    """Where the words are doubtful, also after a second try; in order."""
    rejected: tuple[Stretch, ...] = ()
    """Where it is not silent, but no word could be made out; in order."""


class Archivist:
    """A loaded model that transcribes one stretch after the other."""

    def __init__(
        self,
        model: Path,
        language: str,
        threads: int = 2,
        *,
        compute: str = "int8",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        hotwords: Sequence[str] = (),
    ) -> None:
        """Load the model in the folder `model`; SpeechError where it cannot be, or does not know `language`.

        `auto` finds the language of each stretch by itself.
        """
        whisper = Whisper(model, threads=threads, compute=compute, device=device)
        if language != "auto" and not whisper.speaks(language):
            raise SpeechError(_("The speech model does not know the language {code}").format(code=language))
        self._whisper = whisper
        self._language = None if language == "auto" else language
        self._hotwords = ", ".join(hotwords) or None

    def transcribe(
        self,
        sound: NDArray[np.float32],
        start: Ms,
        progress: Callable[[Ms, Ms], None] | None = None,
        *,
        surveyed: Survey | None = None,
    ) -> Transcript:
        """Return what is said in `sound`, 16 kHz mono that begins at `start`, with times on the same clock.

        `progress` is told how much of the sound is done, and its length. `surveyed` is what a survey of all the film
        found, on the same clock; without it the sound is surveyed once more. No sound, no words.
        """
        length = Ms(len(sound) * 1000 // SPEECH_RATE)
        clean = clip(sound)
        found = surveyed.part(start, Ms(start + length)) if surveyed else survey([clean])
        if not (found.voiced or found.quiet):
            return Transcript()
        words: list[Word] = []
        for segment in self._whisper.transcribe(clean, self._language, BEAM, self._hotwords):
            if segment.no_speech_prob <= _MOST_SILENCE or segment.avg_logprob >= _LEAST_LOGPROB:
                words += _words(segment.words or (), start, length, words[-1].end if words else start)
            if progress:
                progress(min(length, ms(segment.end)), length)
        if progress:
            progress(length, length)
        return Transcript(tuple(words))

    def translate(
        self, sound: NDArray[np.float32], start: Ms, spoken: Sequence[tuple[Ms, Ms, str]]
    ) -> tuple[Word, ...]:
        """Return in English what is said in `spoken`, each with begin, end and the code of its language, in order.

        `sound` begins at `start`, on the same clock. Whisper translates into English only, and each of `spoken` by
        itself; words are spread over its time by their length. What is made up rather than heard is left out.
        """
        return tuple(translated(self._whisper, clip(sound), start, spoken))


def _words(said: Sequence[Any], start: Ms, length: Ms, after: Ms) -> Iterator[Word]:
    """Whisper's words with their spaces as ours: what clings to the word before it joins it."""
    joined: list[tuple[str, float, float, list[float]]] = []
    for part in said:
        if joined and not part.word.startswith(" "):
            text, begin, _end, shares = joined[-1]
            joined[-1] = (text + part.word, begin, part.end, [*shares, part.probability])
        else:
            joined.append((part.word, part.start, part.end, [part.probability]))
    for text, begin, end, shares in joined:
        if not text.strip():
            continue
        first = max(after, min(Ms(ms(begin) + LATE), length) + start)
        after = Ms(max(first, min(Ms(ms(end) + LATE), length) + start))
        yield Word(text.strip(), Ms(first), after, round(float(np.mean(shares)), 3))
