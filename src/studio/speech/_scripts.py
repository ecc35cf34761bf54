"""Which of a model's tokens write letters of another script than Latin: pure functions, tried with plain asserts."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LATIN = frozenset(
    "af az br bs ca cs cy da de en es et eu fi fo fr gl ha haw hr ht hu id is it jw la lb ln lt lv mg mi ms mt nl nn "  # noqa: SIM905 - a list would take a line for each
    "no oc pl pt ro sk sl sn so sq su sv sw tl tr vi yo".split()
)
"""Languages of Whisper that nobody writes but in Latin letters, by their codes."""
_AMONG_LATIN = ("LATIN", "FEMININE ORDINAL", "MASCULINE ORDINAL", "MICRO", "MODIFIER", "REPLACEMENT")
"""How Unicode begins the names of letters that may stand among Latin ones …"""
_SIGNS = 0x2E80
"""… and from where on all its signs are of East Asia …"""
_EMOJI = 0x1F000
"""… up to the emoji."""
_GOES_ON = range(0x80, 0xC0)


def foreign(tokens: Iterable[tuple[int, str]]) -> list[int]:
    """Return the numbers of those that write a letter which is not Latin, or begin one, in order.

    `tokens` are written as byte-level BPE writes them, a letter for each byte. What only goes on with a letter that
    another token began is left: it cannot stand by itself.
    """
    return [number for number, token in tokens if not token.isascii() and any(map(_is_foreign, _letters(token)))]


def _letters(token: str) -> Iterable[bytes]:
    """The UTF-8 of each letter in it that has its first byte there; the last one may be cut."""
    whole = bytes(_BYTES[sign] for sign in token if sign in _BYTES)
    at = 0
    while at < len(whole):
        length = _length(whole[at])
        if length > 1:
            yield whole[at : at + length]
        at += length or 1


def _length(first: int) -> int:
    """Bytes of a letter of UTF-8 that begins so; 0: none does."""
    return 1 if first < 0x80 else 0 if first < 0xC2 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4  # noqa: PLR2004 - UTF-8's own


@functools.lru_cache(maxsize=4096)
def _is_foreign(letter: bytes) -> bool:
    """Whether it is; of a letter that is cut, whether it is however it goes on."""
    missing = _length(letter[0]) - len(letter)
    if missing > 2:  # noqa: PLR2004 - such may go on as emoji do
        return False
    rest = itertools.product(_GOES_ON, repeat=missing)
    signs = [(letter + bytes(more)).decode("utf-8", "ignore") for more in rest]
    return all(_of_another_script(sign) for sign in signs if sign and unicodedata.category(sign)[0] != "C")


def _of_another_script(sign: str) -> bool:
    kind, name = unicodedata.category(sign)[0], unicodedata.name(sign, "")
    if kind == "L" or _SIGNS <= ord(sign) < _EMOJI:
        return not name.startswith(_AMONG_LATIN)
    return kind == "M" and not name.startswith("COMBINING")


def _alphabet() -> dict[str, int]:
    """Which byte each letter of byte-level BPE stands for: GPT-2's own table."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + nth): byte for nth, byte in enumerate(others)}


_BYTES = _alphabet()
