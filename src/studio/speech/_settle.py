"""Which words may be believed: pure functions over what Whisper guessed, tried with plain asserts."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from studio.spoken import Word

T = TypeVar("T")

_LONGEST_LOOP = 12
_COPY = 4
"""Words in a row that nobody says twice in one utterance by chance."""
_ECHO = 3
"""Words in a row, or more, that come twice …"""
_FASTEST = 35
"""… and one time at more letters a second than anybody speaks: who hurries comes to 25."""
_LEAST = 1e-4
"""A share below this counts as this."""
_SIGNS = frozenset("%&+=€$£§°")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word as Whisper writes it, with its tokens."""

    text: str
    """With the punctuation that clings to it; no spaces around."""
    tokens: tuple[int, ...]

    @property
    def plain(self) -> str:
        """What is compared: no case, no punctuation; empty for punctuation alone."""
        return plain(self.text)

    @property
    def said(self) -> bool:
        """Whether somebody would pronounce it: a dash alone is no word, a `%` is."""
        return bool(self.plain) or any(sign in _SIGNS for sign in self.text)

    @property
    def ends_sentence(self) -> bool:
        """Whether a sentence or clause ends with it."""
        return self.text.rstrip("\"'”»)")[-1:] in {".", "?", "!", "…", ";", ",", ":"}


def plain(text: str) -> str:
    """`text` without case and punctuation."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", text).casefold())


def average(confidences: Sequence[float]) -> float:
    """Geometric mean of shares in [0..1]: one word that is hardly likely counts more than one that is certain."""
    logs = [math.log(max(_LEAST, share)) for share in confidences]
    return math.exp(sum(logs) / len(logs)) if logs else 0.0


def pieces(tokens: Sequence[int], read: Callable[[Sequence[int]], str], opens: Callable[[int], bool]) -> list[Piece]:
    """Part `tokens` into words; `opens` says of a token whether a word begins with it.

    Tokens that open no word cling to what stands before them, the first ones to nothing.
    """
    words: list[list[int]] = []
    for token in tokens:
        if words and not opens(token):
            words[-1].append(token)
        else:
            words.append([token])
    return [Piece(read(word).strip(), tuple(word)) for word in words]


def flat(words: Iterable[Piece]) -> list[int]:
    """The tokens of `words`, one after the other."""
    return [token for word in words for token in word.tokens]


def cut_loop(tokens: Sequence[T]) -> list[T]:
    """Stop where the same run of tokens is about to come the third time in a row; one copy stays."""
    for size in range(1, _LONGEST_LOOP + 1):
        for at in range(len(tokens) - 3 * size + 1):
            if tokens[at : at + size] == tokens[at + size : at + 2 * size] == tokens[at + 2 * size : at + 3 * size]:
                # What is left may end in a longer run that came three times.
                return cut_loop(tokens[: at + size])
    return list(tokens)


def cut_copy(before: Sequence[Piece], guess: Sequence[Piece]) -> list[Piece]:
    """Stop where `guess` ends in saying again what was just said, as Whisper does when a window is cut.

    What somebody repeats and goes on from (`mass hysteria, mass hysteria: what do they think`) is left alone; so are
    two or three words that come twice, unless they repeat what stands directly before them, or close the guess with the
    words the whole began with.
    """
    words = [word.plain for word in (*before, *guess)]
    first = len(before)
    for second in range(max(first, 2), len(words) - 1):
        size = len(words) - second
        wanted = words[second:]
        for at in range(second - 1, -1, -1):
            if words[at : at + size] != wanted:
                continue
            if size >= _COPY or at + size >= second or at == 0:
                return list(guess[: second - first])
    return list(guess)


def cut_echo(words: Sequence[Word]) -> list[Word]:
    """Leave out what is written twice in a row where there was time to say it once.

    Whisper says a short sentence again now and then, and alignment finds no sound for one of the two. What is repeated
    in speech or in a song has its own time, and stays.
    """
    kept = list(words)
    said = [plain(word.text) for word in kept]
    at = 0
    while at < len(kept):
        for size in range((len(kept) - at) // 2, _ECHO - 1, -1):
            if said[at : at + size] != said[at + size : at + 2 * size]:
                continue
            first, second = kept[at : at + size], kept[at + size : at + 2 * size]
            once, again = (copy[-1].end - copy[0].start for copy in (first, second))
            letters = sum(map(len, said[at : at + size]))
            if letters * 1000 <= _FASTEST * min(once, again) or 2 * min(once, again) > max(once, again):
                continue
            if again < once:
                whole = [*first[:-1], replace(first[-1], end=second[-1].end)]
            else:
                whole = [replace(second[0], start=first[0].start), *second[1:]]
            kept[at : at + 2 * size] = whole
            del said[at : at + size]
            break
        else:
            at += 1
    return kept


def agreed(previous: Sequence[Piece], guess: Sequence[Piece]) -> int:
    """How many words from the start both passes heard alike, never counting the last of `guess`: it may be cut."""
    same = 0
    for earlier, later in zip(previous, guess[:-1], strict=False):
        if earlier.plain != later.plain:
            break
        same += 1
    return same


def continues(settled: Sequence[Piece], again: Sequence[Piece]) -> list[Piece] | None:
    """What follows `settled` in `again`, or `None` where `again` begins otherwise."""
    if [word.plain for word in again[: len(settled)]] != [word.plain for word in settled]:
        return None
    return list(again[len(settled) :])


def shown(guess: Sequence[Piece]) -> str:
    """What a viewer may see of a guess: all but its last word, which is most likely cut."""
    return " ".join(word.text for word in guess[:-1] if word.said)
