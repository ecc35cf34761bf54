"""A film, or a part of one, heard with all the care there is: what an archive wants, and nobody waits for."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._edges import Levels, snap
from studio.speech._settle import average, cut_echo, flat
from studio.speech._stretch import Stretch, Survey, chunks
from studio.speech._survey import clip, survey
from studio.speech._translate import translated
from studio.speech._whisper import Batch, Guess, Whisper
from studio.speech._windows import Window, halves, windows
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.speech._settle import Piece
    from studio.speech._whisper import Timing

BEAM = 3
CAREFUL_BEAM = 5
AT_ONCE = 4
"""Windows decoded together: the model's weights are read once for all of them. More would take more memory."""
LONGEST = Ms(14_000)
"""Of a window. Whisper takes 30 s, but short windows are decoded as well, and cost less to look at."""
APART = Ms(2000)
"""A longer pause ends a window."""
GROUP = Ms(240_000)
"""Sound that is held encoded at a time, about 30 MB."""
LEAD_IN = Ms(200)
"""Silence before who speaks at once where the sound begins: with less, Whisper leaves out the first sentence."""
PADDING = Ms(1200)
"""Silence after a window: with less, Whisper loops on a word that is cut."""
LATE = Ms(130)
"""Whisper's alignment comes so much early, as measured."""

_DOUBT = -0.45
"""Log probability of a token under which a window is heard once more …"""
_BETTER = 0.03
"""… and what is heard then taken, if it is likelier by so much."""
_SPARSE = 0.7
"""Words a second of speech under which something was left out."""
_MOST_SILENCE, _LEAST_LOGPROB = 0.6, -0.8
"""A window that Whisper takes for silence, and is not sure of, was never said."""
_NOISE = 0.25
"""Average confidence under which a few words are laughter or applause …"""
_FEW = 4
"""… if they are no more than so many."""
_MURMUR = 0.55
"""Average confidence that words need where the detector heard nobody."""
_UNSURE = 0.4
"""Average confidence of a window under which a person should listen to it."""
_LANGUAGES = ("pl", "lt", "en")
"""What is spoken in our films, where nobody said which."""
_SURE_OF_LANGUAGE = 0.85
"""Share that another language than that around it needs to be believed of a window …"""
_LANGUAGE_KNOWN = Ms(3000)
"""… which is not shorter than this."""


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


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a window came to."""

    window: Window
    language: str
    words: tuple[Word, ...]
    """On the clock of the sound."""
    unsure: bool


class Archivist:
    """A loaded model that transcribes one stretch after the other.

    The same sound gives the same words, whoever hears it, on a processor of the same kind: nothing is drawn by lot.
    """

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

        `auto` finds out which of our languages is spoken, window by window. `hotwords` are names to be expected.
        """
        whisper = Whisper(model, threads=threads, compute=compute, device=device)
        self._whisper = whisper
        self._languages = _languages(whisper, language)
        self._hint = ", ".join(hotwords)

    def speaking(self, language: str) -> Archivist:
        """Return one that hears another language (or `auto`) with the same model. Raises SpeechError."""
        other = copy.copy(self)
        other._languages = _languages(self._whisper, language)  # noqa: SLF001 - one of us
        return other

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
        heard: list[_Heard] = []
        silent: list[Stretch] = []
        for begin, end in chunks(found, GROUP):
            group, rejected = self._group(clean, found.part(begin, end), begin, end)
            heard += group
            silent += rejected
            if progress:
                progress(end, length)
        if progress:
            progress(length, length)
        return _transcript(heard, silent, start)

    def translate(
        self, sound: NDArray[np.float32], start: Ms, spoken: Sequence[tuple[Ms, Ms, str]]
    ) -> tuple[Word, ...]:
        """Return in English what is said in `spoken`, each with begin, end and the code of its language, in order.

        `sound` begins at `start`, on the same clock. Whisper translates into English only, and each of `spoken` by
        itself; words are spread over its time by their length. What is made up rather than heard is left out.
        """
        return tuple(translated(self._whisper, clip(sound), start, spoken))

    def _group(
        self, sound: NDArray[np.float32], found: Survey, begin: Ms, end: Ms
    ) -> tuple[list[_Heard], list[Stretch]]:
        """Hear [begin, end) of `sound`; `found` has its clock there."""
        own = sound[begin * SPEECH_RATE // 1000 : end * SPEECH_RATE // 1000]
        plan = windows(found.voiced, own, LONGEST, APART)
        heard = self._hear(own, plan, murmured=False)
        murmurs = [one for one in found.quiet if not any(w.start < one.end and one.start < w.end for w in plan)]
        heard += self._hear(own, windows(murmurs, own, LONGEST, APART), murmured=True)
        heard.sort(key=lambda one: one.window.start)
        levels = Levels.of(own) if heard else None
        snapped, silent = [], []
        for one in heard:
            if one.words and levels is not None:
                words = snap(one.words, one.window.voiced, levels)
                snapped.append(
                    replace(
                        one,
                        window=_shifted(one.window, begin),
                        words=tuple(
                            replace(word, start=Ms(word.start + begin), end=Ms(word.end + begin)) for word in words
                        ),
                    )
                )
            else:
                silent.append(Stretch(Ms(one.window.start + begin), Ms(one.window.end + begin)))
        return snapped, silent

    def _hear(self, sound: NDArray[np.float32], plan: Sequence[Window], *, murmured: bool) -> list[_Heard]:
        """Hear all windows, those of one length together."""
        rows = sorted(range(len(plan)), key=lambda row: (plan[row].end - plan[row].start, row))
        batches = [rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE)]
        if len(self._languages) == 1:
            encoded: Iterator[Batch] = (self._encode(sound, [plan[row] for row in batch]) for batch in batches)
            languages = dict.fromkeys(rows, self._languages[0])
        else:
            kept = [self._encode(sound, [plan[row] for row in batch]) for batch in batches]
            shares = [share for batch in kept for share in self._whisper.languages(batch, self._languages)]
            languages = _spoken([plan[row] for row in rows], dict(zip(rows, shares, strict=True)), self._languages)
            encoded = iter(kept)
        heard: list[_Heard] = []
        for batch, view in zip(batches, encoded, strict=True):
            for language in self._languages:
                which = [at for at, row in enumerate(batch) if languages[row] == language]
                if which:
                    part = [plan[batch[at]] for at in which]
                    heard += self._told(sound, part, view.rows(which), language, murmured=murmured)
        return heard

    def _encode(self, sound: NDArray[np.float32], plan: Sequence[Window]) -> Batch:
        cut = [
            np.pad(
                sound[one.start * SPEECH_RATE // 1000 : one.end * SPEECH_RATE // 1000],
                (_lead_in(one) * SPEECH_RATE // 1000, 0),
            )
            for one in plan
        ]
        return self._whisper.encode_all(cut, PADDING)

    def _told(
        self, sound: NDArray[np.float32], plan: Sequence[Window], view: Batch, language: str, *, murmured: bool
    ) -> Iterator[_Heard]:
        """What is said in the windows of a batch, in one language; what is doubtful is heard once more."""
        guesses = self._whisper.follow_all(view, language, BEAM, hint=self._hint)
        placed = self._placed(plan, view, language, guesses, murmured=murmured)
        for window, guess, heard in zip(plan, guesses, placed, strict=True):
            if murmured or not _doubtful(guess, window):
                yield heard
            else:
                yield from self._again(sound, window, guess, heard)

    def _again(self, sound: NDArray[np.float32], window: Window, first: Guess, heard: _Heard) -> list[_Heard]:
        """Hear a doubtful window once more, in halves and with more care; what is likelier counts."""
        parts = halves(window) or (window,)
        view = self._encode(sound, parts)
        # What looped must not loop again; what did not may repeat itself, for people do. No names are hinted at: where
        # little is understood, Whisper says the hint again.
        guesses = self._whisper.follow_all(view, heard.language, CAREFUL_BEAM, calm=first.ran_away)
        if _likely(guesses) < _likely([first]) + _BETTER:
            return [heard]
        return self._placed(parts, view, heard.language, guesses)

    def _placed(
        self, plan: Sequence[Window], view: Batch, language: str, guesses: Sequence[Guess], *, murmured: bool = False
    ) -> list[_Heard]:
        timings = self._whisper.align_all(view, language, [guess.words for guess in guesses])
        return [
            _judged(window, language, guess, cut_echo(_words(guess.words, times, window)), murmured=murmured)
            for window, guess, times in zip(plan, guesses, timings, strict=True)
        ]


def _lead_in(window: Window) -> Ms:
    """Silence that is put before a window: none where there is sound of its own to lead in."""
    return Ms(0 if window.start else max(0, LEAD_IN - window.voiced[0].start))


def _likely(guesses: Sequence[Guess]) -> float:
    """Log probability of a token over several windows; less where one ran away."""
    count = sum(len(flat(guess.words)) + 1 for guess in guesses)
    mean = sum(guess.logprob * (len(flat(guess.words)) + 1) for guess in guesses) / count
    return mean - sum(guess.ran_away for guess in guesses)


def _languages(whisper: Whisper, asked: str) -> tuple[str, ...]:
    """Which languages may be spoken."""
    if asked == "auto":
        return tuple(code for code in _LANGUAGES if whisper.speaks(code))
    if not whisper.speaks(asked):
        raise SpeechError(
            _("The speech model does not know the language {code}; take another one: studio models list").format(
                code=asked
            )
        )
    return (asked,)


def _doubtful(guess: Guess, window: Window) -> bool:
    sparse = len(guess.words) * 1000 < _SPARSE * window.speech
    return guess.ran_away or guess.logprob < _DOUBT or sparse


def _judged(window: Window, language: str, guess: Guess, words: list[Word], *, murmured: bool) -> _Heard:
    """Believe the words, or none of them."""
    share = average([word.confidence or 0.0 for word in words])
    silent = guess.silence > _MOST_SILENCE and guess.logprob < _LEAST_LOGPROB
    noise = share < (_MURMUR if murmured else _NOISE) and (murmured or len(words) <= _FEW)
    believed = () if silent or noise or not words else tuple(words)
    return _Heard(window, language, believed, share < _UNSURE or guess.ran_away)


def _words(said: Sequence[Piece], times: Sequence[Timing], window: Window) -> list[Word]:
    """Words with times on the clock of the sound that the window was cut from; what nobody pronounces joins them."""
    words: list[Word] = []
    begin = window.start - _lead_in(window)
    for piece, time in zip(said, times, strict=True):
        if not piece.text:
            continue
        if not piece.said:
            if words and piece.text not in {"-", "–", "—"}:  # noqa: RUF001
                words[-1] = replace(words[-1], text=words[-1].text + piece.text)
            continue
        start = max(window.start, min(window.end, begin + time.start * 1000 // SPEECH_RATE + LATE))
        until = max(start, min(window.end, begin + time.end * 1000 // SPEECH_RATE + LATE))
        words.append(Word(piece.text, Ms(start), Ms(until), round(time.confidence, 3)))
    return words


def _spoken(plan: Sequence[Window], shares: dict[int, dict[str, float]], known: Sequence[str]) -> dict[int, str]:
    """Which language each window is in: that of all of them, unless one is long enough and clearly of another."""
    lengths = {row: float(window.speech) for row, window in zip(shares, plan, strict=True)}
    votes = {
        code: sum(np.log(max(1e-4, share.get(code, 0.0))) * lengths[row] for row, share in shares.items())
        for code in known
    }
    common = max(known, key=lambda code: votes[code])
    chosen = {}
    for row, share in shares.items():
        likeliest = max(known, key=lambda code: share.get(code, 0.0))
        sure = share.get(likeliest, 0.0) > _SURE_OF_LANGUAGE * sum(share.values()) and lengths[row] >= _LANGUAGE_KNOWN
        chosen[row] = likeliest if sure else common
    return chosen


def _shifted(window: Window, by: Ms) -> Window:
    return Window(Ms(window.start + by), Ms(window.end + by), window.voiced)


def _transcript(heard: Sequence[_Heard], silent: Sequence[Stretch], start: Ms) -> Transcript:
    """Put together what the windows came to, on the film's clock."""
    words: list[Word] = []
    after = Ms(0)
    for word in (word for one in heard for word in one.words):
        begin = max(after, word.start)
        after = Ms(max(begin, word.end))
        words.append(Word(word.text, Ms(begin + start), Ms(after + start), word.confidence))
    tongues: list[Tongue] = []
    for one in heard:
        begin, end = Ms(one.window.start + start), Ms(one.window.end + start)
        if tongues and tongues[-1].language == one.language:
            tongues[-1] = replace(tongues[-1], end=end)
        else:
            tongues.append(Tongue(begin, end, one.language))
    unsure = (one.window for one in heard if one.unsure)
    return Transcript(
        tuple(words),
        tuple(tongues),
        tuple(Stretch(Ms(one.start + start), Ms(one.end + start)) for one in unsure),
        tuple(Stretch(Ms(one.start + start), Ms(one.end + start)) for one in silent),
    )
