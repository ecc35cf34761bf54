"""Words that a hall may want hidden: what a file of `subtitles/swearing` says, and hiding them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from studio.language import _

HIDDEN = "***"
"""Stands for all letters but the first, however many they are."""
_WORDS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Swearing:
    """A file of the drawer `subtitles/swearing`. Words are compared without capitals, but with their diacritics."""

    language: Literal["pl", "lt", "en"]
    stems: tuple[str, ...]
    """Beginnings of swear words, whatever follows."""
    words: tuple[str, ...] = ()
    """Swear words whose beginning other words share."""
    prefixes: tuple[str, ...] = ()
    """What may stand before a stem: `wy`, `za`."""
    innocent: tuple[str, ...] = ()
    """Beginnings of words that are none, though a stem fits them."""

    def __post_init__(self) -> None:
        """ValueError where every word would be hidden, or where a word could never be found."""
        for name in ("stems", "words", "prefixes", "innocent"):
            for word in getattr(self, name):
                if not _WORDS.fullmatch(word):
                    raise ValueError(_('{name}: "{word}" is not one word of letters').format(name=name, word=word))
        for word in self.stems:
            if len(word) < 3:  # noqa: PLR2004 - too many words begin with two given letters
                raise ValueError(_('stems: "{word}" is too short; at least three letters').format(word=word))


class Mask:
    """Hides the swear words of one or several languages."""

    def __init__(self, lists: tuple[Swearing, ...]) -> None:
        self._words = {word.casefold() for each in lists for word in each.words}
        self._innocent = tuple(word.casefold() for each in lists for word in each.innocent)
        self._stems = tuple(
            before.casefold() + stem.casefold()
            for each in lists
            for before in ("", *each.prefixes)
            for stem in each.stems
        )

    def hide(self, text: str) -> str:
        """Return `text` with every swear word in it as its first letter and asterisks."""
        return _WORDS.sub(self._hidden, text) if self._stems or self._words else text

    def _hidden(self, found: re.Match[str]) -> str:
        word = found[0].casefold()
        swears = word in self._words or (word.startswith(self._stems) and not word.startswith(self._innocent))
        return found[0][0] + HIDDEN if swears else found[0]
