"""What was said, in English: Whisper's own translation of each utterance, as far as there is time for it."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from studio.speech._tuning import Tuning
    from studio.speech._whisper import Whisper

logger = logging.getLogger(__name__)

MOST = 2
"""Utterances that may wait; of more the oldest is left untranslated, for the machine cannot keep up."""
_BEAM = 2
_SHORTEST = Ms(400)
"""An utterance shorter than this says nothing that can be translated."""
_INTO = "en"
"""The one language Whisper translates into."""


class Translator:
    """Translates utterances one after the other, in the thread of `pool`, or at once where there is none."""

    def __init__(self, whisper: Whisper, tuning: Tuning, pool: Executor | None) -> None:
        self._whisper = whisper
        self._tuning = tuning
        self._pool = pool
        self._pending: deque[Future[list[Word]]] = deque()
        self.dropped = 0
        """Utterances that there was no time for."""

    def take(self, sound: NDArray[np.float32], start: Ms, end: Ms, language: str) -> None:
        """Translate an utterance that lasted from `start` to `end`, unless it is English already."""
        if language == _INTO or end - start < _SHORTEST:
            return
        if len(self._pending) >= MOST:
            # The one that runs cannot be cancelled; then the new one is not begun.
            waits = next((each for each in self._pending if each.cancel()), None)
            self.dropped += 1
            if waits is None:
                return
            self._pending.remove(waits)
        if self._pool is None:
            done: Future[list[Word]] = Future()
            done.set_result(self._translate(sound, start, end, language))
            self._pending.append(done)
        else:
            self._pending.append(self._pool.submit(self._translate, sound, start, end, language))

    def collect(self, *, wait: bool = False) -> list[Word]:
        """Words that are ready, in order; with `wait`, all that are under way."""
        words: list[Word] = []
        while self._pending and (wait or self._pending[0].done()):
            words += self._pending.popleft().result()
        return words

    def _translate(self, sound: NDArray[np.float32], start: Ms, end: Ms, language: str) -> list[Word]:
        try:
            encoded = self._whisper.encode(sound, self._tuning.padding)
            guess = self._whisper.follow(encoded, language, (), _BEAM, task="translate")
        except RuntimeError:  # CTranslate2's own: the original goes on
            logger.exception("a translation failed")
            return []
        if guess.silence > self._tuning.most_silence and guess.logprob < self._tuning.least_logprob:
            return []
        texts = [piece.text for piece in guess.words if piece.said]
        return _spread(texts, start, end)


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
