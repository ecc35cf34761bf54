"""Which rules a language is written by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.subtitles._style import Rules

if TYPE_CHECKING:
    from studio.catalogue import Catalogue

DRAWER = "subtitles/rules"
PROFILES = {"pl": "polish", "lt": "lithuanian", "en": "english"}
"""Names of the files; any other language is cut by what all of them bear."""


def rules_for(catalogue: Catalogue, language: str) -> Rules:
    """Rules for a language's code, as the drawers say; `auto` and unknown ones get `mixed`. Raises DrawerError."""
    return catalogue.load(DRAWER, PROFILES.get(language, "mixed"), Rules)
