# ruff: noqa: RUF001 - letters that look alike are what this file is about
"""Letters as EBU STL has them: ISO 6937 (Tech 3264, table 00), and ISO 8859-5 for Cyrillic (table 01)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

Codes = Callable[[str], bytes | None]
"""Gives the bytes of one letter, or `None` where a table has none."""

LATIN, CYRILLIC = "00", "01"
"""Code tables, as the GSI block names them (CCT)."""
_OTHER = {CYRILLIC: "iso8859_5", "02": "iso8859_6", "03": "iso8859_7", "04": "iso8859_8"}

_DELETE, _NO_BREAK = 0x7F, 0xA0
_SYMBOLS = dict(
    zip(range(0xA1, 0xC0), "¡¢£$¥\0§¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿", strict=True)  # A6 is not used
) | dict(zip(range(0xD0, 0xD8), "—¹®©™♪¬¦", strict=True))
_SYMBOLS |= dict(zip(range(0xDC, 0x100), "⅛⅜⅝⅞ΩÆÐªĦ\0ĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ\u00ad", strict=True))  # E5 is not used
_SYMBOLS = {code: letter for code, letter in _SYMBOLS.items() if letter != "\0"}

_MARKS = {
    0xC1: ("\u0300", "AEIOUaeiou"),
    0xC2: ("\u0301", "ACEILNORSUYZaceilnorsuyz"),
    0xC3: ("\u0302", "ACEGHIJOSUWYaceghijosuwy"),
    0xC4: ("\u0303", "AINOUainou"),
    0xC5: ("\u0304", "AEIOUaeiou"),
    0xC6: ("\u0306", "AGUagu"),
    0xC7: ("\u0307", "CEGIZcegz"),
    0xC8: ("\u0308", "AEIOUYaeiouy"),
    0xCA: ("\u030a", "AUau"),
    0xCB: ("\u0327", "CGKLNRSTcgklnrst"),
    0xCD: ("\u030b", "OUou"),
    0xCE: ("\u0328", "AEIUaeiu"),
    0xCF: ("\u030c", "CDELNRSTZcdelnrstz"),
}
"""The marks, each written before its letter, and the letters that the standard has with it."""

_LETTERS = {
    unicodedata.normalize("NFC", letter + mark): bytes([code, ord(letter)])
    for code, (mark, letters) in _MARKS.items()
    for letter in letters
}
_BYTES = (
    {chr(code): bytes([code]) for code in range(0x20, 0x7F)}
    | {letter: bytes([code]) for code, letter in _SYMBOLS.items() if letter != "$"}
    | _LETTERS
    # The comma below of Romanian is the standard's cedilla; its Ð is the capital of đ, too.
    | {"Ș": b"\xcbS", "ș": b"\xcbs", "Ț": b"\xcbT", "ț": b"\xcbt", "Đ": b"\xe2", "\u03a9": b"\xe0"}
)

_NEAREST = {
    "„": '“"', "‟": '“"', "“": '"', "”": '"', "«": '"', "»": '"', "‹": "‘'", "›": "’'", "‚": "‘'",
    "‘": "'", "’": "'", "ʼ": "’'", "…": ("...",), "–": "-", "—": "-", "―": "—-", "‑": "-", "‐": "-", "−": "-",
    "•": "·*", "·": ".", "♫": "♪#", "♬": "♪#", "♪": "#", "€": ("EUR",), "№": ("Nr",), "×": "x", "÷": ":",
    "°": ("o",), "Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d", "ß": ("ss",), "ẞ": ("SS",), "Æ": ("AE",),
    "æ": ("ae",), "Œ": ("OE",), "œ": ("oe",), "ı": "i", "Ħ": "H", "ħ": "h", "Þ": ("Th",), "þ": ("th",), "ґ": "г",
    "Ґ": "Г",
}  # fmt: skip
"""What is nearest to a letter that a table does not have; the first that it has is taken."""
_QUIET = {
    "\u00a0": " ",
    "\u202f": " ",
    "\u2009": " ",
    "\u2007": " ",
    "\u2060": "",
    "\u200b": "",
    "\ufeff": "",
    "\u00ad": "",
}
"""What nobody sees: it changes without a word."""


def encode(text: str, table: str) -> tuple[bytes, dict[str, str]]:
    """Bytes of `text` in code table LATIN or CYRILLIC, and what was written in place of what that has not."""
    return written(unicodedata.normalize("NFC", text), lambda letter: _code(letter, table))


def decode(raw: bytes, table: str) -> str:
    """Read letters of any code table of the standard; what means nothing is U+FFFD."""
    if table in _OTHER:
        return raw.decode(_OTHER[table], "replace")
    text: list[str] = []
    at = 0
    while at < len(raw):
        code = raw[at]
        if code in _MARKS:
            letter = raw[at + 1 : at + 2].decode("ascii", "replace")
            text.append(unicodedata.normalize("NFC", letter + _MARKS[code][0]) if letter.isalpha() else "\ufffd")
            at += 2
        else:
            text.append(
                "\u00a0" if code == _NO_BREAK else chr(code) if code < _DELETE else _SYMBOLS.get(code, "\ufffd")
            )
            at += 1
    return "".join(text)


def table_for(text: str) -> str:
    """The code table that carries most of `text`."""
    cyrillic = sum("\u0400" <= letter <= "\u045f" for letter in text)
    return CYRILLIC if cyrillic > sum(letter.isalpha() for letter in text) / 2 else LATIN


def written(text: str, code: Codes) -> tuple[bytes, dict[str, str]]:
    """Bytes of `text` where `code` gives those of a letter or `None`; with what stands in place of what has none."""
    raw = bytearray()
    instead: dict[str, str] = {}
    for letter in text:
        own = code(letter)
        if own is None:
            near = _QUIET[letter] if letter in _QUIET else _near(letter, code)
            if letter not in _QUIET:
                instead[letter] = near
            own = b"".join(code(one) or b"" for one in near)
        raw += own
    return bytes(raw), instead


def _near(letter: str, code: Codes) -> str:
    for near in _NEAREST.get(letter, ()):
        if all(code(one) is not None for one in near):
            return near
    if unicodedata.combining(letter):
        return ""
    parts = unicodedata.normalize("NFD", letter)
    for kept in range(len(parts) - 1, 0, -1):  # one mark after the other goes
        fewer = unicodedata.normalize("NFC", parts[:kept])
        if code(fewer) is not None:
            return fewer
    plainer = unicodedata.normalize("NFKC", letter)  # signs that are made of letters, such as ﬁ or Ⅳ
    if plainer in {letter, ""}:
        return "?"
    return "".join(one if code(one) is not None else _near(one, code) for one in plainer)


def _code(letter: str, table: str) -> bytes | None:
    if table == LATIN:
        return _BYTES.get(letter)
    try:
        raw = letter.encode(_OTHER[table])
    except UnicodeEncodeError:
        return None
    return raw if (raw.isascii() and letter.isprintable()) or raw[0] > _NO_BREAK else None
