"""The user's language, from the first string on.

`_("…")` looks a sentence up in the catalogue that Babel made of `src/studio/locale/<language>/LC_MESSAGES/studio.po`.
English is the source language and needs no catalogue.
"""

from __future__ import annotations

import gettext
import os
from pathlib import Path

LANGUAGES = ("pl", "lt", "en")
"""What the house speaks."""

LOCALE = Path(__file__).parent / "locale"

_translations: gettext.NullTranslations = gettext.NullTranslations()
_spoken = "en"


def wanted() -> str:
    """The language asked for by STUDIO_LANG, else by the system's locale; `en` where that is none of ours."""
    for name in ("STUDIO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        code = os.environ.get(name, "")[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"


def speak(language: str) -> None:
    """Answer in `language` from now on; a language that is not ours, or has no catalogue, is answered in English."""
    global _translations, _spoken  # noqa: PLW0603 - a process has one user
    _spoken = language if language in LANGUAGES else "en"
    _translations = gettext.translation("studio", LOCALE, [_spoken], fallback=True)


def spoken() -> str:
    """The language of this process: `pl`, `lt` or `en`."""
    return _spoken


def _(text: str) -> str:
    """`text` in the user's language; itself where nobody has translated it."""
    return _translations.gettext(text)


def plural(one: str, many: str, count: int) -> str:
    """Return the form for `count`, as Polish and Lithuanian need: 1 kadr, 2 kadry, 5 kadrów."""
    return _translations.ngettext(one, many, count)


def decimal(value: float, form: str = "g") -> str:
    """`value` by one of Python's formats (`.1f`), with the decimal comma that Polish and Lithuanian have (CLDR)."""
    text = format(value, form)
    return text if _spoken == "en" else text.replace(".", ",")
