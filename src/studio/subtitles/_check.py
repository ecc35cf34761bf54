"""Cues held against a reading profile: what breaks it, and how many do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from studio.language import _, decimal
from studio.subtitles._breaks import core, is_bound
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studio.spoken import Cue
    from studio.subtitles._formats.track import Track
    from studio.subtitles._rules import Rules

Kind = Literal["fast", "line", "lines", "short", "long", "overlap", "gap", "bound", "clinging", "flicker"]
"""What may be wrong with a cue."""

SOFT: tuple[Kind, ...] = ("fast", "clinging", "flicker")
"""Kinds that cannot always be mended: speech may be faster than reading, and no better break may be there."""
NOTES: tuple[Kind, ...] = ("flicker",)
"""Kinds that do not count as broken."""

_SPEED, _TIME = 0.01, 1
"""What times in whole milliseconds may be off: characters a second, and milliseconds."""
_LEAST_TIME = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one cue."""

    cue: int
    """Its number in the track."""
    at: Ms
    """Where it begins."""
    kind: Kind
    value: float
    """What it is: characters a second (words a minute where `per_minute`), characters, lines, or milliseconds."""
    allowed: float
    """What it may be, in the same unit; 0 for words at a line's end."""
    word: str = ""
    """The word that ends a line, of `bound` and `clinging`."""
    per_minute: bool = False

    @property
    def hard(self) -> bool:
        """Whether it can always be mended, and so must be."""
        return self.kind not in SOFT

    @property
    def sentence(self) -> str:
        """What is wrong, in the user's language."""
        digits = 0 if self.value == int(self.value) else 1 if self.value >= self.allowed + 0.1 else 2
        value, allowed = decimal(self.value, f".{digits}f"), decimal(self.allowed)
        seconds, least = decimal(self.value / 1000, ".2f"), decimal(self.allowed / 1000, ".2f")
        told = {
            "fast": _("words a minute: {value}, at most {allowed}")
            if self.per_minute
            else _("characters a second: {value}, at most {allowed}"),
            "line": _("characters in a line: {value}, at most {allowed}"),
            "lines": _("lines: {value}, at most {allowed}"),
            "short": _("stands for {seconds} s, at least {least} s"),
            "long": _("stands for {seconds} s, at most {least} s"),
            "overlap": _("the next one begins {seconds} s before this one ends"),
            "gap": _("{seconds} s to the next one, at least {least} s"),
            "flicker": _("{seconds} s to the next one: a blink; close it, or leave more than {least} s"),
            "bound": _("a line ends in “{word}”, which never ends one"),
            "clinging": _("a line ends in “{word}”, which belongs to the next word"),
        }[self.kind]
        return told.format(value=value, allowed=allowed, seconds=seconds, least=least, word=self.word)

    def __str__(self) -> str:
        return f"{timecode(self.at)} {self.sentence}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a track comes to under a profile."""

    cues: int
    """How many were looked at: those with text."""
    findings: tuple[Finding, ...]
    """In the order of the cues."""

    @property
    def broken(self) -> float:
        """Share in [0..1] of cues with anything wrong but a `flicker`."""
        return self._share(finding.cue for finding in self.findings if finding.kind not in NOTES)

    @property
    def hard(self) -> float:
        """Share in [0..1] of cues with something wrong that can always be mended."""
        return self._share(finding.cue for finding in self.findings if finding.hard)

    def count(self, kind: Kind) -> int:
        """Return how many cues have it."""
        return len({finding.cue for finding in self.findings if finding.kind == kind})

    @property
    def counts(self) -> dict[Kind, int]:
        """How many cues have each kind that was found."""
        return dict(Counter(kind for _cue, kind in {(finding.cue, finding.kind) for finding in self.findings}))

    def of(self, cue: int) -> tuple[Finding, ...]:
        """Return what is wrong with the cue of that number."""
        return tuple(finding for finding in self.findings if finding.cue == cue)

    def _share(self, cues: Iterable[int]) -> float:
        return len(set(cues)) / self.cues if self.cues else 0.0


def check(track: Track, rules: Rules) -> Report:
    """Hold `track`, whose cues have numbers of their own each, against `rules`; cues without text are passed over."""
    cues = sorted((cue for cue in track.cues if cue.text.strip()), key=lambda cue: cue.start)
    findings: list[Finding] = []
    for cue, following in zip_longest(cues, cues[1:]):
        findings += _alone(cue, rules)
        if following is not None:
            findings += _between(cue, following, rules)
    return Report(len(cues), tuple(findings))


def _alone(cue: Cue, rules: Rules) -> list[Finding]:
    """What is wrong with `cue`, whatever stands around it."""
    return [*_speed(cue, rules), *_lines(cue, rules), *_stands(cue, rules)]


def _speed(cue: Cue, rules: Rules) -> Iterator[Finding]:
    stands = max(cue.end - cue.start, _LEAST_TIME)
    text = " ".join(line.strip() for line in cue.lines if line.strip())
    speed = len(text) * 1000 / stands
    per_minute = len(text.split()) * 60_000 / stands
    if speed > rules.characters_per_second + _SPEED:
        yield Finding(cue.number, cue.start, "fast", speed, rules.characters_per_second)
    elif rules.words_per_minute is not None and per_minute > rules.words_per_minute + _SPEED:
        yield Finding(cue.number, cue.start, "fast", per_minute, rules.words_per_minute, per_minute=True)


def _lines(cue: Cue, rules: Rules) -> Iterator[Finding]:
    lines = [line.strip() for line in cue.lines if line.strip()]
    longest = max(map(len, lines))
    if longest > rules.line_characters:
        yield Finding(cue.number, cue.start, "line", longest, rules.line_characters)
    if len(lines) > rules.lines:
        yield Finding(cue.number, cue.start, "lines", len(lines), rules.lines)
    for line in lines:
        last = line.split()[-1]
        if is_bound(line, rules):
            yield Finding(cue.number, cue.start, "bound", 1, 0, last)
        elif last[-1:].isalnum() and core(last) in rules.clinging:
            yield Finding(cue.number, cue.start, "clinging", 1, 0, last)


def _stands(cue: Cue, rules: Rules) -> Iterator[Finding]:
    stands = cue.end - cue.start
    if stands < rules.shortest - _TIME:
        yield Finding(cue.number, cue.start, "short", stands, rules.shortest)
    if stands > rules.longest + _TIME:
        yield Finding(cue.number, cue.start, "long", stands, rules.longest)


def _between(cue: Cue, following: Cue, rules: Rules) -> list[Finding]:
    """What is wrong between `cue` and the next one."""
    gap = following.start - cue.end
    if gap < 0:
        return [Finding(cue.number, cue.start, "overlap", -gap, 0)]
    if gap < rules.gap - _TIME:
        return [Finding(cue.number, cue.start, "gap", gap, rules.gap)]
    if rules.gap + rules.gap / 2 < gap <= rules.chain:
        return [Finding(cue.number, cue.start, "flicker", gap, rules.chain)]
    return []
