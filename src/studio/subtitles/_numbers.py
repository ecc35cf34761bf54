"""Numbers as a language writes them: what a file of `subtitles/numbers` says, and doing it.

Whisper writes English numbers into every language: `25,000`, `3.5%`. What is done here:

- Polish: a decimal comma; thousands parted by a space from five digits on, none in four; no space before the percent
  sign (Wielki słownik ortograficzny PWN, rules of spelling and punctuation; poradnia językowa PWN on `%`, `12 500`).
- Lithuanian: a decimal comma; thousands parted by a space that does not break, four digits mostly written together; a
  space before the percent sign (Valstybinė lietuvių kalbos komisija, consultations on skaičiai and procento ženklas).
- English: a decimal point, thousands parted by a comma, no space before the percent sign.

What could be something else is left as it was heard: `12.30` and `12:30` are both right hours in Polish and Lithuanian,
`2.05` may be a date, `3.11` a version, `600 700 800` a telephone. So a point becomes a comma only where a percent sign
or a measure follows, or where it parts a number that cannot be read otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

SPACES = (" ", "\u00a0", "\u202f", "\u2009")
_OPENS, _CLOSES = r"[„“”\"'(\[\u2013-]*", r"[.,;:!?…“”\"')\]\u2013-]*"
_NUMBER = re.compile(rf"({_OPENS})(\d(?:[\d.,]*\d)?)([ \u00a0\u202f\u2009]?%)?({_CLOSES})")
_PERCENT = re.compile(rf"%({_CLOSES})")
_GROUPED = {
    ",": re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"),
    ".": re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?"),
}
"""Numbers whose thousands are parted by the key."""
_CLOCK = re.compile(r"(\d{1,2})[.,](\d\d)")
_HOURS, _MINUTES = 24, 59
_VERSION = ("wersj", "versij", "version", "v")


@dataclass(frozen=True, slots=True)
class Numbers:
    """A file of the drawer `subtitles/numbers`."""

    language: Literal["pl", "lt", "en"]
    decimal: Literal[",", "."]
    """Between the whole and its parts."""
    group: str
    """Between thousands: a space that does not break, or a comma."""
    group_from: int = 5
    """Numbers with fewer digits are written without `group`."""
    percent: str = "%"
    """How a percent sign follows its number: with the space before it, if any."""
    units: tuple[str, ...] = ()
    """Beginnings of words that follow a measure, never a date, an hour or a version."""

    def __post_init__(self) -> None:
        """ValueError where a number written so could not be read."""
        if self.group not in (*SPACES, ",", "."):
            raise ValueError(_("group must be a space, a comma or a full stop"))
        if self.group == self.decimal:
            raise ValueError(_("group and decimal must differ"))
        if self.percent.strip() != "%":
            raise ValueError(_("percent must be % with or without a space before it"))

    def write(self, texts: list[str], but: set[int]) -> None:
        """Write the numbers in `texts` so, but for the places `but`."""
        places = [place for place, text in enumerate(texts) if text]
        words = ["" if place in but else texts[place] for place in places]
        here = 0
        while here < len(places):
            count, written = self._read(words, here)
            texts[places[here]] = written or texts[places[here]]
            for place in places[here + 1 : here + count]:
                texts[place] = ""
            here += count

    def _read(self, words: Sequence[str], here: int) -> tuple[int, str]:
        """How many words from `here` on are one number, and how it is written; 1 and no text where it stays."""
        found = _NUMBER.fullmatch(words[here])
        if found is None:
            return 1, ""
        before, number, sign, behind = found.groups()
        following, count = "", 1
        if not (sign or behind):
            if thousands := _thousands(words, here, number):
                last = _NUMBER.fullmatch(words[here + thousands])
                sign, behind = (last[3], last[4]) if last else (None, "")
                number, count = number + "000" * thousands, count + thousands
            following = words[here + count] if not (sign or behind) and here + count < len(words) else ""
            if alone := _PERCENT.fullmatch(following):
                sign, behind, count = "%", alone[1], count + 1
        if number.isdecimal():
            written = self._grouped(number) if count > 1 + bool(sign) or len(found[2]) < len(number) else number
        else:
            sure = bool(sign) or self._is_measure(number, following)
            written = self._spelled(number, words[here - 1] if here else "", sure=sure)
        return count, before + written + (self.percent if sign else "") + behind

    def _spelled(self, number: str, before: str, *, sure: bool) -> str:
        """Return how `number` is written; `sure`: it is no hour, no date and no version."""
        if self.group in _GROUPED and _GROUPED[self.group].fullmatch(number):
            return number
        for group, decimal in ((",", "."), (".", ",")):
            if _GROUPED[group].fullmatch(number) and self._surely_grouped(number, group, decimal):
                whole, _point, part = number.partition(decimal)
                return self._grouped(whole.replace(group, "")) + (self.decimal + part if part else "")
        whole, point, part = number.partition("." if self.decimal == "," else ",")
        parted = bool(point) and whole.isdecimal() and part.isdecimal()
        if parted and (sure or _is_below_one(whole, part, before)):
            return self._grouped(whole) + self.decimal + part
        return number

    def _surely_grouped(self, number: str, group: str, decimal: str) -> bool:
        """Whether it cannot be a decimal of three digits, a telephone or an address in a network."""
        if decimal in number:
            return True
        last = number.rpartition(group)[2]
        if self.decimal == ".":
            return False
        if group == ",":
            return number.count(group) > 1 or last.endswith("0")
        return self.group in SPACES and last == "000"

    def _is_measure(self, number: str, following: str) -> bool:
        """Whether a word of `units` follows; even so, `18.30` stays an hour."""
        clock = _CLOCK.fullmatch(number)
        hour = clock is not None and int(clock[1]) <= _HOURS and int(clock[2]) <= _MINUTES
        return not hour and bool(self.units) and following.casefold().startswith(self.units)

    def _grouped(self, digits: str) -> str:
        if len(digits) < self.group_from or digits.startswith("0"):
            return digits
        head = len(digits) % 3 or 3
        groups = [digits[:head], *(digits[at : at + 3] for at in range(head, len(digits), 3))]
        return self.group.join(groups)


def _thousands(words: Sequence[str], here: int, number: str) -> int:
    """How many words `000` follow `number` at `here` and belong to it; with other digits around it is a telephone."""
    if not number.isdecimal() or len(number) > len("000") or number.startswith("0"):
        return 0
    count, ended = 0, False
    for word in words[here + 1 :]:
        found = _NUMBER.fullmatch(word)
        if ended or not found or found[1] or found[2] != "000":
            break
        count += 1
        ended = bool(found[3] or found[4])
    around = [words[here - 1]] if here else []
    around += [] if ended else words[here + count + 1 : here + count + 2]
    return 0 if any(word[:1].isdigit() and word[-1:].isdigit() for word in around) else count


def _is_below_one(whole: str, part: str, before: str) -> bool:
    """Whether it is a number such as 0.5, which no date is; after a name or `version` it may be a version."""
    return whole == "0" and len(part) != 2 and before[:1].islower() and not before.startswith(_VERSION)  # noqa: PLR2004
