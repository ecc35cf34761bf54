"""Names, numbers and swearing: what is put right in words before they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from studio.subtitles._glossary import Term
from studio.subtitles._numbers import Numbers
from studio.subtitles._swearing import Swearing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.catalogue import Catalogue


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
        """Names to tell Whisper beforehand, as many as its prompt has room for; several words count as such."""
        return ()


class Corrector:
    """Puts words right. It remembers nothing from call to call: the same words always come out the same."""

    def __init__(self, corrections: Corrections) -> None:
        self._corrections = corrections
        self.reach = 1
        """Most words that one correction looks at together: so many neighbours may change what a word becomes."""

    def correct(self, texts: Sequence[str]) -> list[str]:
        """Return `texts`, words with the punctuation that clings to them, as they are to be written: as many as given.

        Where a written form takes the place of several words, and has not as many itself, it stands in the first
        place, and the others are empty.
        """
        return list(texts)


def corrections_for(
    catalogue: Catalogue,
    language: str,
    glossaries: Sequence[str] = (),
    swearing: Literal["show", "mask"] = "show",
    numbers: bool = True,  # noqa: FBT001, FBT002 - as `studio.toml` says it
) -> Corrections:
    """Read what is to be put right where `language`, a code or `auto`, is spoken. Raises DrawerError."""
    del catalogue, language, glossaries, swearing, numbers
    return Corrections()
