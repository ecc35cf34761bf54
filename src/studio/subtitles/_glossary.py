"""Names as they are to be written: what a file of `subtitles/glossaries` says, and finding them in what was heard."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEAR_LETTERS = 6
"""Shorter words are never taken for a name that they only resemble."""
ENDING = 3
"""So many last letters must be the same in a word that resembles a name: Polish and Lithuanian cases differ in them."""
LETTERS_AN_EDIT = 5
"""One letter in so many may be wrong …"""
MOST_EDITS = 2
"""… but no more than these."""
LONGEST = 40
"""Letters. What is longer resembles nothing."""
ABBREVIATION = 4
"""Letters. A full stop after so short a word does not part it from the next one: `św. Anny`, `op. 22`."""
REMEMBERED = 10_000
"""Words of which it is remembered what they resemble."""

_PLAIN = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "\u0131": "i", "\u2019": "'", "\u2011": "-"}
)


def parts(text: str) -> tuple[str, str, str]:
    """What clings to a word before it, the word, and what clings to it behind."""
    first = next((place for place, letter in enumerate(text) if letter.isalnum()), None)
    if first is None:
        return "", text, ""
    last = next(place for place in range(len(text), first, -1) if text[place - 1].isalnum())
    return text[:first], text[first:last], text[last:]


def fold(text: str) -> str:
    """Return `text` without capitals and diacritics."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(_PLAIN)


def _refuse_empty(name: str, texts: Iterable[str]) -> None:
    if not all(any(letter.isalnum() for letter in text) for text in texts):
        raise ValueError(_("{name} holds a text without a letter").format(name=name))


@dataclass(frozen=True, slots=True)
class Entry:
    """A person, a place, a work, or a word of the trade."""

    write: str
    """As it is to be written; one word or several."""
    heard: tuple[str, ...] = ()
    """What a recogniser makes of it instead; one word or several each."""
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other cases of it, as they are to be written, each with what a recogniser makes of that one instead."""
    hint: bool = False
    """Tell Whisper beforehand that this is likely to be said."""

    def __post_init__(self) -> None:
        _refuse_empty("write", [self.write])
        _refuse_empty("heard", self.heard)
        _refuse_empty("forms", [*self.forms, *(text for heard in self.forms.values() for text in heard)])

    def terms(self) -> tuple[Term, ...]:
        """Return each of its written forms by itself."""
        others = (Term(_one_spaced(form), heard) for form, heard in self.forms.items())
        return (Term(_one_spaced(self.write), self.heard, self.hint), *others)


@dataclass(frozen=True, slots=True)
class Glossary:
    """A file of the drawer `subtitles/glossaries`."""

    name: str
    """What these words are about, for people."""
    language: Literal["pl", "lt", "en", "any"]
    """Spoken where this glossary is of use."""
    entries: tuple[Entry, ...]
    """Where two of them claim the same word, the first one has it."""
    never: tuple[str, ...] = ()
    """Words that are right as they were heard, however near they come to a name; compared with their diacritics."""

    def __post_init__(self) -> None:
        _refuse_empty("name", [self.name])
        _refuse_empty("never", self.never)


@dataclass(frozen=True, slots=True)
class Term:
    """One written form and all that stands for it, as the corrector takes it."""

    write: str
    heard: tuple[str, ...] = ()
    hint: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """A written form, and the words that it is found by."""

    spoken: str
    """In small letters, with diacritics."""
    write: str


@dataclass(slots=True)
class _Node:
    """What may follow the words that lead here, and what is found where nothing does."""

    after: dict[str, _Node] = field(default_factory=dict)
    """By the folded word."""
    readings: list[_Reading] = field(default_factory=list)


class Names:
    """Finds terms in words.

    A term is found by its own spelling and by what it is heard as, both without regard to capitals and diacritics. A
    word that Whisper wrote as a name (with a capital) is also taken for a term's own spelling that it resembles: it
    begins with the same letter, ends with the same three, is no shorter than six, and has one letter in five wrong,
    two at most. Of two terms that it resembles alike it is taken for neither.
    """

    def __init__(self, terms: Sequence[Term], never: Sequence[str]) -> None:
        self._never = {word.casefold() for word in never}
        self._root = _Node()
        self._words: set[str] = set()
        self._near: dict[tuple[str, str], list[str]] = {}
        self._seen: dict[str, str | None] = {}
        self.reach = 1
        """Most words that are looked at together."""
        for term in terms:
            self._learn(term.write, term.write)
            self._resemble(term.write)
        for term in terms:
            for heard in term.heard:
                self._learn(heard, term.write)

    def _learn(self, spoken: str, write: str) -> None:
        words = [parts(word)[1] for word in spoken.split()]
        node = self._root
        for word in words:
            self._words.add(fold(word))
            node = node.after.setdefault(fold(word), _Node())
        node.readings.append(_Reading(" ".join(words).casefold(), write))
        self.reach = max(self.reach, len(words))

    def _resemble(self, write: str) -> None:
        for word in write.split():
            name, folded = parts(word)[1], fold(parts(word)[1])
            if name[:1].isupper() and NEAR_LETTERS <= len(folded) <= LONGEST:
                known = self._near.setdefault((folded[0], folded[-ENDING:]), [])
                if folded not in known:
                    known.append(folded)

    def write(self, texts: list[str]) -> set[int]:
        """Put the terms into `texts`, and return the places where one stands now."""
        places = [place for place, text in enumerate(texts) if text]
        split = [parts(texts[place]) for place in places]
        found: set[int] = set()
        here = 0
        while here < len(places):
            count, write = self._longest(split, here)
            if write is not None:
                self._put(texts, places[here : here + count], split[here : here + count], write)
                found.update(places[here : here + count])
            here += count
        return found

    def _longest(self, split: Sequence[tuple[str, str, str]], here: int) -> tuple[int, str | None]:
        """How many words from `here` on make up the longest term, and how it is written; 1 and `None` for no term."""
        node = self._root
        best: tuple[int, str | None] = (1, None)
        spoken: list[str] = []
        for count, (before, word, behind) in enumerate(split[here:][: self.reach], 1):
            if count > 1 and before:
                break
            following = self._follow(node, word, alone=count == 1)
            if following is None:
                break
            node = following
            spoken.append(word.casefold())
            if node.readings and not (count == 1 and spoken[0] in self._never):
                best = (count, self._reading(node, " ".join(spoken)))
            if behind and not (behind == "." and len(word) <= ABBREVIATION):
                break
        return best

    def _follow(self, node: _Node, word: str, *, alone: bool) -> _Node | None:
        folded = fold(word)
        if folded in node.after:
            return node.after[folded]
        if alone and word.casefold() in self._never:
            return None
        near = self._nearest(word, folded)
        return node.after.get(near) if near else None

    @staticmethod
    def _reading(node: _Node, spoken: str) -> str:
        """Of several terms that are the same without diacritics, the one that is the same with them, else the first."""
        exact = (reading.write for reading in node.readings if reading.spoken == spoken)
        return next(exact, node.readings[0].write)

    def _nearest(self, word: str, folded: str) -> str | None:
        if not word[:1].isupper() or not NEAR_LETTERS <= len(folded) <= LONGEST or folded in self._words:
            return None
        if folded not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            self._seen[folded] = self._look(folded)
        return self._seen[folded]

    def _look(self, folded: str) -> str | None:
        best, least, alike = None, MOST_EDITS + 1, False
        for known in self._near.get((folded[0], folded[-ENDING:]), ()):
            most = min(MOST_EDITS, min(len(known), len(folded)) // LETTERS_AN_EDIT)
            edits = distance(known, folded, most)
            if edits > most or edits > least:
                continue
            best, least, alike = known, edits, edits == least
        return None if alike else best

    @staticmethod
    def _put(texts: list[str], places: Sequence[int], split: Sequence[tuple[str, str, str]], write: str) -> None:
        before, word, behind = split[0][0], split[0][1], split[-1][2]
        if word[:1].isupper() and write[:1].islower():
            write = write[:1].upper() + write[1:]
        if write.endswith(".") and behind.startswith("."):
            behind = behind[1:]
        written = write.split(" ")
        if len(written) != len(places):
            written = [write] + [""] * (len(places) - 1)
            texts[places[0]] = before + write + behind
            for place in places[1:]:
                texts[place] = ""
            return
        written[0] = before + written[0]
        written[-1] += behind
        for place, text in zip(places, written, strict=True):
            texts[place] = text


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be changed, put in or left out to make `other` of `one`; `most` + 1 where it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        first, last = max(1, row - most), min(len(other), row + most)
        line = [most + 1] * (len(other) + 1)
        line[0] = row
        for column in range(first, last + 1):
            changed = above[column - 1] + (letter != other[column - 1])
            line[column] = min(changed, above[column] + 1, line[column - 1] + 1)
        if min(line[first - 1 : last + 1]) > most:
            return most + 1
        above = line
    return min(above[-1], most + 1)


def _one_spaced(text: str) -> str:
    return " ".join(text.split())
