"""Which session is meant: options and arguments of all `studio vocal …`, and what opens it."""

from __future__ import annotations

import contextlib
import math
import os
from datetime import date
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from studio.cli._screen import err
from studio.errors import VocalError
from studio.language import _
from studio.units import parse_timecode
from studio.vocal import Consent, Piece, Session, SessionState, Span, Take, Until, in_folder

SessionOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--session", metavar="FOLDER", help=_("The session; else this folder's, or the last one opened.")),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help=_("Write JSON, for other programs."))]
TakesArgument: TypeAlias = Annotated[list[int], typer.Argument(metavar="TAKE…", min=1, help=_("Numbers of takes."))]


def opened(asked: Path | None) -> Session:
    """Open the session that is meant, and say what is to be known of it."""
    session = Session.open(asked or _meant())
    for sentence in session.said:
        err.print(sentence, markup=False, soft_wrap=True)
    return session


def _meant() -> Path:
    if named := os.environ.get("STUDIO_SESSION"):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if in_folder(folder):
            return folder
    with contextlib.suppress(OSError):
        last = Path(_note().read_text("utf-8"))
        if in_folder(last):
            return last
    raise VocalError(_("No session is open; `studio vocal session new FOLDER` makes one, and --session names one."))


def remember(session: Session) -> None:
    """Let later commands mean this one."""
    with contextlib.suppress(OSError):  # a convenience: --session is there
        _note().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _note().write_text(str(session.folder.absolute()), "utf-8")


def _note() -> Path:
    from studio.show import state_folder  # noqa: PLC0415 - loads for a third of a second

    return state_folder() / "vocal-session"


def seconds_of(text: str) -> float:
    """Read `12.5`, `1:05` or `1:05.250`."""
    with contextlib.suppress(ValueError):
        seconds = float(text.replace(",", "."))
        if math.isfinite(seconds):
            return seconds
    try:
        return parse_timecode(text) / 1000
    except ValueError:
        raise typer.BadParameter(_("“{text}” is no time; write 12.5 or 1:05.5.").format(text=text)) from None


def span_of(text: str | None) -> Span | None:
    """Read `1:05-1:20`."""
    if text is None:
        return None
    begin, dash, end = text.partition("-")
    if not dash:
        raise typer.BadParameter(
            _("“{text}” is no part of a song; write FROM-TO, such as 1:05-1:20.").format(text=text)
        )
    span = Span(seconds_of(begin), seconds_of(end))
    if not 0 <= span.start < span.end:
        raise typer.BadParameter(_("“{text}” ends before it begins.").format(text=text))
    return span


def piece_of(text: str, state: SessionState) -> Piece:
    """Read `3:0-12.5`; without a time, the take begins or ends there."""
    number, colon, rest = text.partition(":")
    begin, dash, end = rest.partition("-")
    if not (number.isdecimal() and colon and dash):
        raise typer.BadParameter(
            _("“{text}” is no piece of a take; write TAKE:FROM-TO, such as 3:0-12.5.").format(text=text)
        )
    take = state.takes.get(int(number))
    first, last = edges(take) if take else (0.0, 0.0)
    return Piece(int(number), seconds_of(begin) if begin else first, seconds_of(end) if end else last)


def edges(take: Take) -> tuple[float, float]:
    """From which to which second of the song a take goes."""
    first = take.offset or 0.0
    return first, first + take.seconds


def consent_of(text: str | None) -> Consent | Until | None:
    """Read `yes`, `no`, or the last day of a consent."""
    if text is None:
        return None
    if text == "yes":
        return "yes"
    if text == "no":
        return "no"
    try:
        return Until(date.fromisoformat(text))
    except ValueError:
        raise typer.BadParameter(
            _("Consent is yes, no, or the last day of it, such as 2027-06-30, not “{text}”.").format(text=text)
        ) from None
