"""Reading profiles: the numbers of a broadcaster, with the lists of the language that is read."""

from __future__ import annotations

from dataclasses import replace

from studio.catalogue import Catalogue
from studio.subtitles._rules import LISTS, Breaks, Rules
from studio.units import Ms

RULES, BREAKS = "subtitles/rules", "subtitles/breaks"
_OF_LANGUAGE = {"pl": "polish", "lt": "lithuanian", "en": "english"}
_MIXED = "mixed"
"""File of both drawers for languages that we know nothing of."""
_LIVE_OVERSTAY, _LIVE_BORROW = Ms(1000), Ms(240)
"""Live nobody goes back to a cue, and nobody measures it against the lips: being read counts for more."""


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


def rules_for(catalogue: Catalogue, language: str) -> Rules:
    """Rules for live captions in a language's code; `auto` and unknown ones get `mixed`. Raises DrawerError."""
    rules = profile(profile_of(language), language, catalogue)
    overstay, borrow = max(rules.overstay, _LIVE_OVERSTAY), max(rules.borrow, _LIVE_BORROW)
    return replace(rules, overstay=Ms(overstay), borrow=Ms(borrow))
