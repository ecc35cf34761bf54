"""The sound that is heard again at each pass, what of it is settled, and where it stands on the show clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.sound import SPEECH_RATE
from studio.speech._settle import Piece
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence


_EARLY = SPEECH_RATE * 80 // 1000
"""A word's end is told early: the next one is looked for 80 ms later."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a pass is given."""

    begin: int
    """The window's sample where `sound` begins."""
    sound: NDArray[np.float32]
    """Context, then what is to be decoded."""
    skip: int
    """Samples of context."""
    said: list[Piece]
    """The words that are known to come first after the context."""


class Window:
    """The running utterance and the sound before it; grows at its end, forgets at its begin."""

    def __init__(self) -> None:
        self.sound = np.zeros(0, np.float32)
        self.words: list[Piece] = []
        """What is settled of the running utterance."""
        self._ends: list[int] = []
        self._places: list[tuple[int, Ms]] = []
        self._own = 0

    def open(self, sound: NDArray[np.float32], start: Ms) -> None:
        """Begin an utterance with `sound` that began at `start`; what stands before it is context from now on."""
        self._own = len(self.sound)
        self.words, self._ends = [], []
        self._places.append((len(self.sound), start))
        self.grow(sound)

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

    def sample(self, moment: Ms) -> int:
        """Where `moment` of the show clock stands in the window."""
        begins, start = next((place for place in reversed(self._places) if place[1] <= moment), self._places[0])
        return max(0, begins + round((moment - start) * SPEECH_RATE / 1000))

    def view(self, context: Ms, back: int) -> View:
        """Show what is not settled, the `back` words before it, and `context` before these."""
        first = max(0, len(self.words) - back)
        view = self.view_after(context, self._decoded_from(first))
        return replace(view, said=self.words[first:])

    def view_after(self, context: Ms, sample: int) -> View:
        """Show what comes after `sample`, and `context` before it."""
        begin = max(0, sample - context * SPEECH_RATE // 1000)
        return View(begin, self.sound[begin:], sample - begin, [])

    def whole(self) -> View:
        """Show the whole utterance, as far as it was not forgotten."""
        return self.view_after(Ms(0), self._own)

    @property
    def settled_until(self) -> int:
        """The sample where the last settled word of the utterance ends; where it begins, if there is none."""
        return self._decoded_from(len(self.words))

    def unsettled(self, back: int) -> Ms:
        """Length of what `view` decodes."""
        return Ms((len(self.sound) - self._decoded_from(max(0, len(self.words) - back))) * 1000 // SPEECH_RATE)

    def forget(self, context: Ms, back: int) -> None:
        """Cut off what no view will show again."""
        cut = self.view(context, back).begin
        place = self.at(cut)
        later = [(sample - cut, start) for sample, start in self._places if sample > cut]
        self._places = [(0, place), *later]
        self.sound = self.sound[cut:]
        self._ends = [max(0, end - cut) for end in self._ends]
        self._own = max(0, self._own - cut)

    def _decoded_from(self, word: int) -> int:
        return min(self._ends[word - 1] + _EARLY, len(self.sound)) if word else self._own
