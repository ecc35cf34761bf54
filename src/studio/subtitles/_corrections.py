"""Names, numbers and swearing: what is put right in words before they are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from studio.subtitles._glossary import Glossary, Names, Term
from studio.subtitles._numbers import Numbers
from studio.subtitles._swearing import Mask, Swearing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.catalogue import Catalogue
    from studio.spoken import Word

GLOSSARIES, NUMBERS, SWEARING = "subtitles/glossaries", "subtitles/numbers", "subtitles/swearing"
"""Drawers."""
NUMBERS_FILES = {"pl": "polish", "lt": "lithuanian", "en": "english"}
HOTWORDS = 40
"""Words. Whisper's prompt holds 224 tokens; a Polish or Lithuanian name takes three to five."""
THOUSANDS = 4
"""Words of a number such as `25 000 000 %`."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Everything that is to be put right this evening; plain data, so that it travels as JSON in a plan."""

    terms: tuple[Term, ...] = ()
    """Of all glossaries, in their order."""
    never: tuple[str, ...] = ()
    """Words that no glossary may touch."""
    numbers: Numbers | None = None
    """`None`: numbers stay as they were heard."""
    swearing: tuple[Swearing, ...] = ()
    """None: swear words stay."""

    def corrector(self) -> Corrector:
        """Return what does it."""
        return Corrector(self)

    def hotwords(self) -> tuple[str, ...]:
        """Names to tell Whisper beforehand, in the order of the glossaries, as many as its prompt has room for."""
        chosen: dict[str, None] = {}
        room = HOTWORDS
        for term in self.terms:
            words = len(term.write.split())
            if term.hint and term.write not in chosen and words <= room:
                chosen[term.write] = None
                room -= words
        return tuple(chosen)


class Corrector:
    """Puts words right. It remembers nothing from call to call: the same words always come out the same."""

    def __init__(self, corrections: Corrections) -> None:
        self._names = Names(corrections.terms, corrections.never)
        self._numbers = corrections.numbers
        self._mask = Mask(corrections.swearing)
        self.reach = max(self._names.reach, THOUSANDS if self._numbers else 1)
        """Most words that one correction looks at together: so many neighbours may change what a word becomes."""

    def correct(self, texts: Sequence[str]) -> list[str]:
        """Return `texts`, words with the punctuation that clings to them, as they are to be written: as many as given.

        Where a written form takes the place of several words, and has not as many itself, it stands in the first
        place, and the others are empty. Empty texts stay, and part nothing. What was put right already stays as it is.
        """
        written = list(texts)
        names = self._names.write(written)
        if self._numbers is not None:
            self._numbers.write(written, names)
        return [text if place in names else self._mask.hide(text) for place, text in enumerate(written)]


def put_right(words: Sequence[Word], corrector: Corrector) -> list[Word]:
    """Return `words` as they are to be written; what stands for several of them lasts as long as they do."""
    written: list[Word] = []
    for word, text in zip(words, corrector.correct([word.text for word in words]), strict=True):
        if text:
            written.append(replace(word, text=text))
        elif written:
            written[-1] = replace(written[-1], end=max(written[-1].end, word.end))
    return written


def corrections_for(
    catalogue: Catalogue,
    language: str,
    glossaries: Sequence[str] = (),
    swearing: Literal["show", "mask"] = "show",
    numbers: bool = True,  # noqa: FBT001, FBT002 - as `studio.toml` says it
) -> Corrections:
    """Read what is to be put right where `language`, a code or `auto`, is spoken.

    A glossary of another language is left out; with `auto`, every one counts, swear words are those of all languages,
    and numbers stay. Raises DrawerError.
    """
    read = [catalogue.load(GLOSSARIES, name, Glossary) for name in glossaries]
    used = [glossary for glossary in read if language == "auto" or glossary.language in (language, "any")]
    masked = [code for code in NUMBERS_FILES if language in (code, "auto")] if swearing == "mask" else []
    style = NUMBERS_FILES.get(language) if numbers else None
    return Corrections(
        terms=tuple(term for glossary in used for entry in glossary.entries for term in entry.terms()),
        never=tuple(dict.fromkeys(word for glossary in used for word in glossary.never)),
        numbers=catalogue.load(NUMBERS, style, Numbers) if style else None,
        swearing=tuple(catalogue.load(SWEARING, code, Swearing) for code in masked),
    )
