"""`studio vocal pitch`: how a take was sung, against its melody."""

from __future__ import annotations

import csv
import io
import math
from typing import Annotated, Any

import typer

from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._vocal_open import JsonOption, SessionOption, opened
from studio.language import _
from studio.vocal import NEAR, Trace, trace

COLUMNS = ("seconds", "note", "cents")


def pitch(
    take: Annotated[int, typer.Argument(metavar="TAKE", min=1, help=_("Number of the take."))],
    *,
    track: Annotated[str, typer.Option("--track", metavar="NAME", help=_("Which microphone; else the first."))] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help=_("Write a table of seconds, note and cents."))] = False,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far a take is from its melody, or write all of its pitch."""
    opened_ = opened(session)
    with err.status(_("Listening to take {number} …").format(number=take)):
        found = trace(opened_, take, track)
    words = in_words(take, found)
    if as_json:
        shown.print_json(_facts(take, found, words))
    elif as_csv:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerows([COLUMNS, *_rows(found)])
        out.print(text.getvalue(), end="", markup=False, highlight=False, soft_wrap=True)
    else:
        out.print(words, markup=False, highlight=False, soft_wrap=True)


def in_words(take: int, found: Trace) -> str:
    """Whether it is too high or too low, by how much, and how much of it is right."""
    median, apart, near = found.median, found.apart, found.near
    begin = _("Take {number}, {track}:").format(number=take, track=found.track)
    if median is None or apart is None or near is None:
        silent = _("nothing was sung that could be compared.")
        return f"{begin} {silent}"
    if round(median) == 0:
        height = _("as high as it should be on the whole")
    elif median > 0:
        height = _("too high by {cents:.0f} cents on the whole").format(cents=median)
    else:
        height = _("too low by {cents:.0f} cents on the whole").format(cents=-median)
    against = (
        _("against the melody ({name})").format(name=found.melody.name)
        if found.melody
        else _("against the nearest semitones, for nothing that has a melody was played to it")
    )
    share = _("half of it within {apart:.0f} cents, {near} % within {wide:.0f} cents").format(
        apart=apart, near=round(100 * near), wide=NEAR
    )
    return f"{begin} {height}, {against}; {share}."


def _facts(take: int, found: Trace, words: str) -> dict[str, Any]:
    return {
        "take": take,
        "track": found.track,
        "melody": found.melody.name if found.melody else None,
        "median": _rounded(found.median, 1),
        "apart": _rounded(found.apart, 1),
        "near": _rounded(found.near, 3),
        "words": words,
        "trace": [dict(zip(COLUMNS, row, strict=True)) for row in _rows(found)],
    }


def _rows(found: Trace) -> list[tuple[float | None, float | None, float | None]]:
    values = zip(found.seconds.tolist(), found.notes.tolist(), found.cents.tolist(), strict=True)
    return [(round(second, 3), _rounded(note, 2), _rounded(cents, 1)) for second, note, cents in values]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
