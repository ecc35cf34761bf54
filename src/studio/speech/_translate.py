"""What was said, in English: Whisper's own translation of each utterance, as far as there is time for it."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

from studio.sound import SPEECH_RATE
from studio.speech._tuning import Tuning
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from studio.speech._whisper import Whisper
    from studio.speech._window import Window

logger = logging.getLogger(__name__)

MOST = 2
"""Utterances that may wait; of more the oldest is left untranslated, for the machine cannot keep up."""
_BEAM = 2
_LEAST_LOGPROB = -1.0
"""Average log probability of a token below which a translation is made up rather than heard."""
_REPEATED = 3
"""So many words, said again as they stand, are what Whisper says when it has understood nothing."""
_REMEMBERED = 6
"""Translations back to which such repetition is looked for."""
_SHORTEST = Ms(400)
"""An utterance shorter than this says nothing that can be translated."""
_SENTENCE, _PHRASE = Ms(5000), Ms(9000)
"""So much of an utterance that goes on is translated when a sentence ends, or at any word. The window still has it."""
_INTO = "en"
"""The one language Whisper translates into."""


class Translator:
    """Translates utterances one after the other, in the thread of `pool`, or at once where there is none."""

    def __init__(self, whisper: Whisper, tuning: Tuning, pool: Executor | None) -> None:
        self._whisper = whisper
        self._tuning = tuning
        self._pool = pool
        self._waiting: deque[tuple[NDArray[np.float32], Ms, Ms, str]] = deque(maxlen=MOST)
        self._running: Future[list[Word]] | None = None
        self._said: deque[str] = deque(maxlen=_REMEMBERED)
        self._had = Ms(-(1 << 62))

    def follow(self, window: Window, heard: Ms, language: str, *, ended: bool) -> None:
        """Take what it has not had of the utterance in `window`: of one that goes on, a sentence or a phrase.

        `heard`: what the window holds ends there.
        """
        begin = max(window.whole().begin, window.sample(self._had))
        until = len(window.sound) if ended else window.settled_until
        length = (until - begin) * 1000 // SPEECH_RATE
        if not ended and length < (_SENTENCE if window.words[-1].ends_sentence else _PHRASE):
            return
        self._had = heard if ended else window.at(until)
        self.take(window.sound[begin:until], window.at(begin), self._had, language)

    def take(self, sound: NDArray[np.float32], start: Ms, end: Ms, language: str) -> None:
        """Translate an utterance from `start` to `end` when there is time, unless it is English.

        Of too many that wait the oldest goes.
        """
        if language != _INTO and end - start >= _SHORTEST:
            if len(self._waiting) == MOST:
                logger.warning("no time to translate what was said from %d to %d ms", *self._waiting[0][1:3])
            self._waiting.append((sound, start, end, language))

    def step(self, *, free: bool) -> list[Word]:
        """Return words that are ready, and begin the next utterance where the thread is `free`."""
        words: list[Word] = []
        if self._running is not None and self._running.done():
            words, self._running = self._running.result(), None
        if self._running is None and self._waiting and free:
            self._running = self._begin(self._waiting.popleft())
        return words

    def finish(self) -> list[Word]:
        """Return the words of all that waits."""
        words = self._running.result() if self._running else []
        self._running = None
        while self._waiting:
            words += self._translate(*self._waiting.popleft())
        return words

    def _begin(self, utterance: tuple[NDArray[np.float32], Ms, Ms, str]) -> Future[list[Word]]:
        if self._pool is not None:
            return self._pool.submit(self._translate, *utterance)
        done: Future[list[Word]] = Future()
        done.set_result(self._translate(*utterance))
        return done

    def _translate(self, sound: NDArray[np.float32], start: Ms, end: Ms, language: str) -> list[Word]:
        try:
            encoded = self._whisper.encode(sound, self._tuning.padding)
            guess = self._whisper.follow(encoded, language, (), _BEAM, task="translate")
        except Exception:
            logger.exception("a translation failed")
            return []
        if guess.silence > self._tuning.most_silence and guess.logprob < self._tuning.least_logprob:
            return []
        if guess.logprob < _LEAST_LOGPROB or guess.ran_away:
            return []
        plain = " ".join(piece.plain for piece in guess.words if piece.said)
        if plain.count(" ") >= _REPEATED - 1 and plain in self._said:
            return []
        self._said.append(plain)
        texts = [piece.text for piece in guess.words if piece.said]
        return _spread(texts, start, end)


def translated(
    whisper: Whisper, sound: NDArray[np.float32], start: Ms, spoken: Sequence[tuple[Ms, Ms, str]]
) -> list[Word]:
    """What is said in each of `spoken` of `sound`, which begins at `start`, in English; none is left waiting."""
    translator = Translator(whisper, Tuning(), None)
    words: list[Word] = []
    for begin, end, language in spoken:
        first, last = ((at - start) * SPEECH_RATE // 1000 for at in (begin, end))
        translator.take(sound[max(0, first) : last], begin, end, language)
        words += translator.finish()
    return words


def _spread(texts: list[str], start: Ms, end: Ms) -> list[Word]:
    """Give words times in [start, end] by their lengths: a translation's order is not the speaker's."""
    letters = sum(len(text) + 1 for text in texts)
    words, before = [], 0
    for text in texts:
        after = before + len(text) + 1
        begin, stop = (Ms(start + (end - start) * count // letters) for count in (before, after))
        words.append(Word(text, begin, stop))
        before = after
    return words
