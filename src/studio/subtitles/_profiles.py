"""Reading profiles: the numbers of a broadcaster, with the lists of the language that is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from studio.catalogue import Catalogue
from studio.language import LANGUAGES
from studio.subtitles._breaks import core
from studio.subtitles._rules import LISTS, Breaks, Rules
from studio.units import Ms

if TYPE_CHECKING:
    from studio.subtitles._formats.track import Track

RULES, BREAKS = "subtitles/rules", "subtitles/breaks"
_OF_LANGUAGE = {"pl": "polish", "lt": "lithuanian", "en": "english"}
_MIXED = "mixed"
"""File of both drawers for languages that we know nothing of."""
_LIVE_OVERSTAY, _LIVE_BORROW = Ms(1000), Ms(240)
"""Live nobody goes back to a cue, and nobody measures it against the lips: being read counts for more."""

_LEAST_SMALL, _CLEARLY = 0.1, 1.3
"""What share of a text must be small words of a language, and how many times more than of any other."""


def profile_of(language: str) -> str:
    """Name of the profile that a language's own broadcasters use; `mixed` for those that we know nothing of."""
    return _OF_LANGUAGE.get(language, _MIXED)


def profiles(catalogue: Catalogue | None = None) -> list[str]:
    """Return the names that `profile` knows."""
    return [name for name in (catalogue or Catalogue()).names(RULES) if name != _MIXED]


def profile(name: str, language: str, catalogue: Catalogue | None = None) -> Rules:
    """Return the profile `name` for text in `language`, a code. Raises DrawerError.

    Lists and dash are those of the language, and no cue is shorter than its broadcasters allow. A language that we know
    nothing of, and `auto`, is cut by what Polish, Lithuanian and English all bear.
    """
    catalogue = catalogue or Catalogue()
    rules = catalogue.load(RULES, name, Rules)
    known = catalogue.names(BREAKS)
    breaks = catalogue.load(BREAKS, language if language in known else _MIXED, Breaks)
    lists = {key: getattr(rules, key) or getattr(breaks, key) for key in LISTS}
    shortest = Ms(max(rules.shortest, breaks.shortest))
    return replace(rules, language=breaks.language, shortest=shortest, dash=breaks.dash, **lists)


def language_of(track: Track, catalogue: Catalogue | None = None) -> str | None:
    """Which of our languages the text is in, by its small words; `None` where it has too few of them to tell."""
    catalogue = catalogue or Catalogue()
    words = [core(word) for cue in track.cues for line in cue.lines for word in line.split()]
    known: dict[str, float] = {}
    for language in LANGUAGES:
        breaks = catalogue.load(BREAKS, language, Breaks)
        small = {*breaks.bound, *breaks.clinging, *breaks.staying, *breaks.loose, *breaks.openers}
        known[language] = sum(word in small for word in words) / max(1, len(words))
    best, second = sorted(known, key=lambda language: known[language], reverse=True)[:2]
    return best if known[best] > _LEAST_SMALL and known[best] > _CLEARLY * known[second] else None


def rules_for(catalogue: Catalogue, language: str) -> Rules:
    """Rules for live captions in a language's code; `auto` and unknown ones get `mixed`. Raises DrawerError."""
    rules = profile(profile_of(language), language, catalogue)
    overstay, borrow = max(rules.overstay, _LIVE_OVERSTAY), max(rules.borrow, _LIVE_BORROW)
    return replace(rules, overstay=Ms(overstay), borrow=Ms(borrow))
