"""How text is cut: what `subtitles/rules` (a reading profile) and `subtitles/breaks` (a language) may say."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from studio.language import _
from studio.subtitles._style import within
from studio.units import Ms

FRAME = Ms(40)
"""One frame of European television, 1/25 s: what reading profiles count in."""


@dataclass(frozen=True, slots=True)
class Breaks:
    """Where a language lets a line end: a file of the drawer `subtitles/breaks`.

    Words in the lists are compared without capitals and without the punctuation around them.
    """

    language: str
    """Code of the language, or `auto` for what several of them bear."""
    shortest: Ms = Ms(0)
    """Least time of a cue that its broadcasters ask for, whatever the profile says; 0 where they ask for none."""
    dash: str = "\u2013 "
    """Before each line of a cue that two people share, with its space; empty: two people never share a cue."""
    bound: tuple[str, ...] = ()
    """Words that never end a line, whatever it costs: in Polish those of one letter."""
    clinging: tuple[str, ...] = ()
    """Words that end no line where that can be helped, and that a check reports: short prepositions, conjunctions."""
    staying: tuple[str, ...] = ()
    """Words that stay with the next one nearly as firmly, unreported: longer prepositions, *aby*, *prof.*, *ulica*."""
    loose: tuple[str, ...] = ()
    """Words that had rather stand with the next one: auxiliaries, pronouns, particles, numerals."""
    openers: tuple[str, ...] = ()
    """Words before which a line is well broken: conjunctions, relative pronouns."""
    leaning: tuple[str, ...] = ()
    """Words that begin no line where that can be helped, since they lean on the one before: Polish *się*."""
    units: tuple[str, ...] = ()
    """Words that stay with the number before them."""
    abbreviations: tuple[str, ...] = ()
    """Words whose full stop ends no sentence, written without it."""


LISTS = ("bound", "clinging", "staying", "loose", "openers", "leaning", "units", "abbreviations")
"""What `Rules` has of its language."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How words become cues: a file of the drawer `subtitles/rules`, with the lists of one language's `Breaks`.

    A list that the file itself has is taken instead of the language's.
    """

    language: str = "en"
    """Code of the language these rules are for, or `auto` for a house that hears several."""
    line_characters: int = 42
    """Longest line. Only a single word that is longer passes it."""
    lines: int = 2
    """Most lines of a cue."""
    characters_per_second: float = 17.0
    """Reading speed that a cue keeps wherever the speaker leaves the time, spaces counted."""
    words_per_minute: float | None = None
    """The same in words, for profiles that count so; the slower of both is kept. `None`: only characters count."""
    shortest: Ms = Ms(840)
    """Least time of a cue: 5/6 s, in whole frames."""
    longest: Ms = Ms(7000)
    """Most time of a cue."""
    gap: Ms = Ms(2 * FRAME)
    """Least time between two cues, so that the eye sees the change: two frames."""
    chain: Ms = Ms(12 * FRAME)
    """A longer gap up to this one is closed to `gap`: a blink disturbs. So long a cue may stand after its last word."""
    lead: Ms = Ms(40)
    """How long before its first word a cue appears: one frame."""
    borrow: Ms = Ms(240)
    """How much earlier still it may appear when it could not be read in time otherwise."""
    late: Ms = Ms(40)
    """How much after its first word it may appear, and before the end of its last one go, where two cues meet."""
    linger: Ms = Ms(6 * FRAME)
    """How long after its last word a cue stands where nothing else asks for more or less."""
    overstay: Ms = Ms(1000)
    """How long after its last word it may stand when it could not be read in time otherwise."""
    pause: Ms = Ms(600)
    """A silence within a cue that is longer makes it a bad cue."""
    dash: str = "\u2013 "
    """See `Breaks`, as for the lists below."""
    bound: tuple[str, ...] = ()
    clinging: tuple[str, ...] = ()
    staying: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    openers: tuple[str, ...] = ()
    leaning: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("line_characters", self.line_characters, 10, 120)
        within("lines", self.lines, 1, 3)
        within("characters_per_second", self.characters_per_second, 5, 60)
        if self.words_per_minute is not None:
            within("words_per_minute", self.words_per_minute, 40, 600)
        within("shortest", self.shortest, 200, 5000)
        within("longest", self.longest, 1000, 20_000)
        for name in ("gap", "chain", "lead", "borrow", "late", "linger", "overstay"):
            within(name, getattr(self, name), 0, 5000)
        within("pause", self.pause, 100, 5000)
        if self.longest < self.shortest:
            raise ValueError(_("longest is shorter than shortest; no cue could be made"))
        if self.overstay < self.linger:
            raise ValueError(_("overstay is shorter than linger; it is the longer of the two"))

    def reading(self, characters: int, words: int) -> int:
        """Milliseconds that it takes to read so much at the profile's speed."""
        time = characters * 1000 / self.characters_per_second
        if self.words_per_minute is not None:
            time = max(time, words * 60_000 / self.words_per_minute)
        return ceil(time)
