"""Fonts by their names: which file has them, and which letters that file has."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from functools import lru_cache

from PIL import ImageFont

from studio.language import _

logger = logging.getLogger(__name__)

FONTS_MAY_TAKE = 2.0
"""Seconds: fontconfig reads every font anew when its cache is stale, and the air waits for it."""
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LETTERS = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻąčęėįšųūžĄČĘĖĮŠŲŪŽ„”–"  # noqa: RUF001 - what Polish and Lithuanian write


def font_for(family: str, text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the family's font at `size` pixels, or another that has every letter of `text`."""
    for pattern in (family, "DejaVu Sans", _wanting(text)):
        file, index = find_font(pattern)  # asked one by one: the last question is another one for each text
        if not missing(file, text):
            return ImageFont.truetype(file, size, index, layout_engine=ImageFont.Layout.BASIC)
    file, index = find_font(family)
    logger.warning("no font has all of %r", text)
    return ImageFont.truetype(file, size, index, layout_engine=ImageFont.Layout.BASIC)


def _wanting(text: str) -> str:
    return ":charset=" + " ".join(sorted({f"{ord(letter):x}" for letter in text if not letter.isspace()}))


@lru_cache(maxsize=64)
def find_font(pattern: str) -> tuple[str, int]:
    """Return file and number of the font that fontconfig finds for `pattern`; DejaVu Sans where it finds none."""
    if shutil.which("fc-match"):
        asked = ["fc-match", "-f", "%{file}\n%{index}", pattern]
        found = _ask(asked).split("\n")
        if len(found) == 2 and found[0]:  # noqa: PLR2004 - file and index
            return found[0], int(found[1]) & 0xFFFF  # the upper half numbers a variable font's instances
    return DEJAVU, 0


def lacks(family: str) -> str:
    """Say in one sentence what is wrong with a font of that name on this machine; empty: nothing."""
    if not is_here(family):
        return _(
            'the font "{name}" is not on this machine, so another one stands in; install it, or name one that is here'
        ).format(name=family)
    lacking = missing(find_font(family)[0], LETTERS)
    if lacking:
        return _(
            'the font "{name}" has no {letters}, so text with such letters is written in another one; name one that has'
            " them, such as DejaVu Sans"
        ).format(name=family, letters=", ".join(lacking[:6]) + (" …" if len(lacking) > 6 else ""))  # noqa: PLR2004
    return ""


def is_here(family: str) -> bool:
    """Whether this machine has a font of that name; True where fontconfig is not there to tell."""
    if not shutil.which("fc-match"):
        return True
    known = _ask(["fc-match", "-f", "%{family}", family]).lower().split(",")
    return known == [""] or family.partition(":")[0].strip().lower() in known


def _ask(command: list[str]) -> str:
    """Return what fontconfig says; nothing where it does not answer in time."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=FONTS_MAY_TAKE,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        logger.warning("fontconfig gives no answer: %s", problem)
        return ""
    return done.stdout


def missing(file: str, text: str) -> str:
    """Return the letters of `text` that the font in `file` cannot draw."""
    has = _letters(file)
    return "".join(
        letter
        for letter in text
        if has and not letter.isspace() and not any(first <= ord(letter) <= last for first, last in has)
    )


@lru_cache(maxsize=64)
def _letters(file: str) -> tuple[tuple[int, int], ...]:
    """Ranges of the letters that a font has; empty where fontconfig is not there to tell."""
    if not shutil.which("fc-query"):
        return ()
    asked = ["fc-query", "-f", "%{charset}\n", file]
    said = _ask(asked).split("\n")[0]
    found = re.findall(r"([0-9a-f]+)(?:-([0-9a-f]+))?", said)
    return tuple((int(first, 16), int(last or first, 16)) for first, last in found)
