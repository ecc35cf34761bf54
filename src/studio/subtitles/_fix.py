"""Somebody else's cues, mended as far as they can be without the sound."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from studio.spoken import Cue, Word
from studio.subtitles._breaks import glue
from studio.subtitles._check import Report, check
from studio.subtitles._formats.track import Track
from studio.subtitles._text import NEVER, Span, Text
from studio.subtitles._times import Frames, Placed, unblinking
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studio.subtitles._check import Kind
    from studio.subtitles._rules import Rules

_DASHED = re.compile(r"\s*([-\u2013\u2014])\s*(?=\S)")
"""A line of a dialogue."""
_OF_LINES: tuple[Kind, ...] = ("line", "lines", "bound", "clinging")
_TOGETHER = 0.5
"""Cues that share so much of the shorter one's time are said at once."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines with the time in which they are said, as far as one can tell."""

    start: int
    end: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)


def fix(track: Track, rules: Rules, *, rate: float | None = None) -> Track:
    """Return `track` so that it breaks no hard rule of `rules`, as far as its text allows; no word is lost.

    Lines are broken anew where they are too long, too many or end badly; cues too full or too long are split at the
    best places, their time shared out by characters; crumbs too short to be seen are joined; what overlaps gives way;
    what could not be read stays longer, as far as the rules let it. Cues that are right stay as they are. What is
    left, `check` reports. With `rate`, frames a second, all times are those of whole frames. Numbers begin at 1.
    """
    frames = None if rate is None else Frames(rate)
    if frames is not None:
        rules = frames.rules(rules)
    parts = sorted((_Part(*_span(cue), _lines(cue)) for cue in track.cues if _lines(cue)), key=lambda part: part.start)
    mended = [part for run in _runs(_joined(parts, rules), rules) for part in _mended(run, rules)]
    placed = unblinking(_placed(mended, rules), (), rules)
    if frames is not None:
        placed = frames.placed(placed, rules)
    cues = (
        Cue(number, when.start, when.end, part.lines)
        for number, (part, when) in enumerate(zip(mended, placed, strict=True), 1)
    )
    return replace(track, cues=tuple(cues))


def _span(cue: Cue) -> tuple[int, int]:
    return max(0, cue.start), max(0, cue.start + 1, cue.end)


def _lines(cue: Cue) -> tuple[str, ...]:
    return tuple(line for line in (" ".join(line.split(" ")).strip() for line in cue.lines) if line)


def _joined(parts: Sequence[_Part], rules: Rules) -> list[_Part]:
    """Cues that are said at once as one, where both have room in it."""
    joined: list[_Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        if before is not None and len(before.lines) + len(part.lines) <= rules.lines:
            shared = min(before.end, part.end) - part.start
            if shared >= _TOGETHER * min(before.end - before.start, part.end - part.start):
                joined[-1] = _Part(before.start, max(before.end, part.end), before.lines + part.lines)
                continue
        joined.append(part)
    return joined


def _runs(parts: Sequence[_Part], rules: Rules) -> Iterator[list[_Part]]:
    """Parts one by one; together where they follow so fast that one of them could not be seen."""
    run: list[_Part] = []
    for part in parts:
        if run and part.start - rules.gap - run[-1].start >= rules.shortest:
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _mended(run: Sequence[_Part], rules: Rules) -> Iterator[_Part]:
    """The text of `run` in cues of the right size, each in the time in which it is said."""
    if len(run) > 1:
        yield from _cut([word for part in run for word in _words(part)], rules)
        return
    part = run[0]
    too_long = part.end - part.start > rules.longest and len(part.text) > rules.line_characters
    if not too_long and _is_right(part, rules):
        yield part
    elif any(map(_DASHED.match, part.lines)) and len(_speakers(part)) > 1:
        for one in _speakers(part):
            yield from _mended([one], rules)
    else:
        words = _words(part)
        lines = None if too_long else _relined(words, rules)
        if lines:
            yield replace(part, lines=lines)
        else:
            yield from _cut(words, rules)


def _is_right(part: _Part, rules: Rules) -> bool:
    report: Report = check(Track((Cue(1, Ms(part.start), Ms(part.end), part.lines),)), rules)
    return not any(finding.kind in _OF_LINES for finding in report.findings)


def _speakers(part: _Part) -> list[_Part]:
    """A dialogue as one part for each who speaks, its time shared out by characters."""
    said: list[list[str]] = []
    for line in part.lines:
        if said and not _DASHED.match(line):
            said[-1].append(line)
        else:
            said.append([line])
    whole = sum(len(line) for lines in said for line in lines)
    parts: list[_Part] = []
    at, done = part.start, 0
    for lines in said:
        done += sum(map(len, lines))
        until = part.start + (part.end - part.start) * done // whole
        parts.append(_Part(at, max(until, at + 1), tuple(lines)))
        at = until
    return parts


def _words(part: _Part) -> list[Word]:
    """The words of `part`, its time shared out by characters; a dash that a line begins with stays with its word."""
    tokens: list[str] = []
    for line in part.lines:
        dashed = _DASHED.match(line)
        of_line = line[dashed.end() if dashed else 0 :].split()
        if dashed and of_line:
            of_line[0] = dashed.group().lstrip() + of_line[0]
        tokens += of_line
    whole = sum(len(token) + 1 for token in tokens)
    words: list[Word] = []
    done = 0
    for token in tokens:
        edges = [part.start + (part.end - part.start) * at // whole for at in (done, done + len(token) + 1)]
        words.append(Word(token, Ms(edges[0]), Ms(edges[1])))
        done += len(token) + 1
    return words


def _relined(words: Sequence[Word], rules: Rules) -> tuple[str, ...]:
    """`words` in the lines of one cue, or none where they do not fit."""
    text = Text(glue(words, rules), rules)
    if text.characters(0, len(text)) > rules.lines * rules.line_characters:
        return ()
    cost, breaks = text.lines(0, len(text))
    return text.written(Span(0, breaks, len(text))) if cost < NEVER else ()


def _cut(words: Sequence[Word], rules: Rules) -> Iterator[_Part]:
    turns = frozenset(at for at, word in enumerate(words) if _DASHED.match(word.text))
    text = Text(glue(words, rules, turns), rules, dashed=True)
    for span in text.cut():
        yield _Part(text.pieces[span.begin].start, text.pieces[span.end - 1].end, text.written(span))


def _placed(parts: Sequence[_Part], rules: Rules) -> list[Placed]:
    """Each part in a time of its own, as near as possible to the one that it had."""
    placed: list[Placed] = []
    earliest = 0
    for part, following in zip_longest(parts, parts[1:]):
        start = max(part.start, earliest)
        needed = max(rules.shortest, min(rules.reading(len(part.text), len(part.text.split())), rules.longest))
        free = following.start - rules.gap if following is not None else part.end + rules.overstay
        end = min(max(part.end, min(start + needed, part.end + rules.overstay)), free, start + rules.longest)
        if end - start < needed:
            # To be seen at all, a cue may come as early as a blink lasts; to be read, as early as the rules say.
            most = rules.chain if end - start < rules.shortest else rules.borrow
            start -= max(0, min(needed - (end - start), most, start - earliest))
        end = min(max(end, start + rules.shortest), start + rules.longest)
        placed.append(Placed(Ms(start), Ms(end), Ms(part.start), Ms(min(part.end, end)), needed))
        earliest = end + rules.gap
    return placed
