"""The sound that is heard again at each pass, what of it is settled, and where it stands on the show clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.sound import SPEECH_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from studio.speech._settle import Piece

_AFTER = SPEECH_RATE // 50
"""A cut comes 20 ms after the end of the last word before it."""


@dataclass(frozen=True, slots=True)
class View:
    """Where a pass begins: a sample of the window, and the first settled word after it."""

    sample: int
    word: int


class Window:
    """Grows at its end, is cut at its begin, both at words."""

    def __init__(self) -> None:
        self.sound = np.zeros(0, np.float32)
        self.words: list[Piece] = []
        """Settled."""
        self._ends: list[int] = []
        self._places: list[tuple[int, Ms]] = []
        self.own = View(0, 0)
        """Where the running utterance begins; before it stands context."""

    def open(self, sound: NDArray[np.float32], start: Ms) -> None:
        """Begin an utterance with `sound` that began at `start`."""
        self.own = View(len(self.sound), len(self.words))
        self._places.append((len(self.sound), start))
        self.sound = np.concatenate([self.sound, sound])

    def grow(self, sound: NDArray[np.float32]) -> None:
        """Let the utterance go on."""
        self.sound = np.concatenate([self.sound, sound])

    def settle(self, words: Sequence[Piece], ends: Sequence[int]) -> None:
        """Believe `words`; `ends` are their last samples in the window."""
        for word, end in zip(words, ends, strict=True):
            self.words.append(word)
            self._ends.append(max(end, self._ends[-1] if self._ends else 0))

    def at(self, sample: int) -> Ms:
        """`sample` on the show clock."""
        begins, start = next((place for place in reversed(self._places) if place[0] <= sample), self._places[0])
        return Ms(start + round((sample - begins) * 1000 / SPEECH_RATE))

    def length(self, view: View | None = None) -> Ms:
        """How long the window is, or what `view` shows of it."""
        return Ms((len(self.sound) - (view.sample if view else 0)) * 1000 // SPEECH_RATE)

    def widest(self, limit: Ms) -> View:
        """Return the widest view not longer than `limit` that begins with the window or after a settled word.

        Where there is none, the whole utterance is shown, without context.
        """
        fits = (view for view in self._views() if self.length(view) <= limit and view.sample <= self.own.sample)
        return next(fits, self.own)

    def narrow(self, keep: Ms) -> View | None:
        """Return the narrowest view of at least `keep`, rather at a sentence's end; `None` where no word is settled."""
        wide = [view for view in self._views() if view.word and self.length(view) >= keep]
        ended = [view for view in wide if self.words[view.word - 1].ends_sentence]
        fitting = ended or wide
        return fitting[-1] if fitting else None

    def cut(self, view: View) -> None:
        """Forget what stands before `view`."""
        place = self.at(view.sample) if self._places else Ms(0)
        self.sound = self.sound[view.sample :]
        self.words = self.words[view.word :]
        self._ends = [max(0, end - view.sample) for end in self._ends[view.word :]]
        later = [(sample - view.sample, start) for sample, start in self._places if sample > view.sample]
        self._places = [(0, place), *later]
        self.own = View(max(0, self.own.sample - view.sample), max(0, self.own.word - view.word))

    def _views(self) -> list[View]:
        after = (View(min(end + _AFTER, len(self.sound)), at + 1) for at, end in enumerate(self._ends))
        return [View(0, 0), *after]
