# ruff: noqa: RUF001 - letters that look alike are what this file is about
"""Bytes of a text file as letters, where nobody says in which code they were written."""

from __future__ import annotations

from studio.errors import SubtitlesError
from studio.language import _

_POLISH = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ"
_LITHUANIAN = "ąčęėįšųūžĄČĘĖĮŠŲŪŽ"
_WESTERN = "äöüßéèêëàâçîïôùûñáíóúåæøœÄÖÜÉÈÊÀÂÇÎÔÑÁÍÓÚÅÆØŒ¿¡"
_CZECH = "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽľĺŕôäöüőűĽÖÜŐŰăâîşţß"
_CYRILLIC = "".join(map(chr, range(0x410, 0x450))) + "ёЁіІїЇєЄґҐўЎ"
_SHARED = "„”“‘’‚«»–—…°§€♪•©®´ \u00a0\u00ad"

_CODES = (
    ("cp1250", _POLISH),
    ("cp1257", _LITHUANIAN),
    ("iso8859_2", _POLISH),
    ("cp1252", _WESTERN),
    ("cp1251", _CYRILLIC),
    ("cp1250", _CZECH),
    ("iso8859_13", _LITHUANIAN),
    ("cp852", _POLISH),
    ("cp775", _LITHUANIAN),
    ("koi8_r", _CYRILLIC),
)
"""Codes of one byte a letter, each with the letters of the languages that were written in it; the likeliest first."""
_ENOUGH = 0.75
"""Share of the letters beyond ASCII that must belong to such a language. A pangram with every
Polish letter has 0.70 at most in a code that is not its own, a Lithuanian one 0.82 in one with the same letters."""
_ASCII = bytes(range(0x80))
_NAMES = {"iso8859_2": "ISO 8859-2", "iso8859_13": "ISO 8859-13", "koi8_r": "KOI8-R"}


def letters(raw: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """The text of a file called `name`, with lines that end in one line feed, and what had to be guessed.

    UTF-8 and UTF-16 need no guess. Raises SubtitlesError where nothing fits.
    """
    text, code = _decoded(raw, name)
    remarks: tuple[str, ...] = ()
    if code is not None:
        shown = _NAMES.get(code, code.replace("cp125", "Windows-125").replace("cp", "DOS "))
        remarks = (
            _("{file} is not in UTF-8; it was read as {code}. See whether every letter is right.").format(
                file=name, code=shown
            ),
        )
    return text.replace("\r\n", "\n").replace("\r", "\n"), remarks


def _decoded(raw: bytes, name: str) -> tuple[str, str | None]:
    try:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return raw.decode("utf-16"), None
        if b"\0" in raw:
            raise _none(name)
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as problem:
        share, code = max((_share(raw, code, expected), -at) for at, (code, expected) in enumerate(_CODES))
        if share < _ENOUGH:
            line = raw[: problem.start].count(b"\n") + 1
            raise SubtitlesError(
                _("{file} line {line}: these letters are in no code that is known here; save it in UTF-8.").format(
                    file=name, line=line
                )
            ) from problem
        return raw.decode(_CODES[-code][0], "replace"), _CODES[-code][0]


def _share(raw: bytes, code: str, expected: str) -> float:
    """How much of what is beyond ASCII belongs to the `expected` letters, in [0..1]."""
    beyond = raw.translate(None, _ASCII).decode(code, "replace")
    plain = sum(map(str.isalpha, raw.decode("ascii", "ignore")))
    if (expected is _CYRILLIC) != (sum(map(str.isalpha, beyond)) > 2 * plain):
        return 0.0  # Cyrillic words have no letters of ASCII among theirs; in Latin ones those are seldom the fewer
    found: float = sum(letter in expected or letter in _SHARED for letter in beyond)
    if expected is _CYRILLIC:  # KOI8-R and Windows-1251 are told apart by what is large and what small
        found -= sum(letter.isupper() for letter in beyond) / 5
    return found / max(1, len(beyond))


def _none(name: str) -> SubtitlesError:
    return SubtitlesError(_("{file} cannot be read as subtitles: it is no text.").format(file=name))
