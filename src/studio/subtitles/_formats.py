"""Cues as text: one inner form, `Track`, and the files that it is read from and written to."""

from __future__ import annotations

import contextlib
import html
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pysubs2

from studio.errors import SubtitlesError, why
from studio.language import _
from studio.spoken import Cue
from studio.subtitles._breaks import single_spaced
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

VTT_HEAD = "WEBVTT\n\n"
"""First lines of every WebVTT file; cues of `vtt` are appended to it."""

FORMATS = (".srt", ".vtt", ".ass")
"""Endings of the files that `save` writes and `read` reads."""

_PTS_WRAP = 1 << 33
"""MPEG time stamps have 33 bits."""

_OVERRIDES = re.compile(r"\{[^}]*\}")
"""What stands in braces in an ASS file is not text."""
_MADE_OVERRIDES = re.compile(r"\{\\[^}]*\}")
"""In any other file only what pysubs2 made of tags such as `<i>` is not."""
_OPEN, _CLOSE = "\\{", "\\}"
"""Braces that libass shows."""
_BACKSLASH = "\\\u2060"
"""ASS cannot escape a backslash; with a word joiner after it, it begins no override, and nobody sees that."""


@dataclass(frozen=True, slots=True)
class Track:
    """All cues of a programme in one language, in order."""

    cues: tuple[Cue, ...]
    language: str = ""
    """Its code, or empty where a file did not tell."""


def _shown(cue: Cue) -> list[str]:
    """The lines without what would end a cue early: blank ones and line breaks inside them."""
    return [line for line in (single_spaced(line) for line in cue.lines) if line]


def srt(cue: Cue) -> str:
    """`cue` as a block of a SubRip file, with the blank line after it."""
    times = f"{timecode(cue.start, ',')} --> {timecode(cue.end, ',')}"
    return "\n".join([str(cue.number), times, *_shown(cue)]) + "\n\n"


def vtt(cue: Cue) -> str:
    """`cue` as a block of a WebVTT file, with the blank line after it; its number is its identifier."""
    times = f"{timecode(cue.start)} --> {timecode(cue.end)}"
    return "\n".join([str(cue.number), times, *(html.escape(line, quote=False) for line in _shown(cue))]) + "\n\n"


def vtt_segment(cues: Iterable[Cue], start: Ms, end: Ms, mpegts: int, local: Ms) -> str:
    """One segment of the WebVTT rendition of an HLS stream: every cue that shows within [start, end).

    `mpegts` (90 kHz) is the time stamp that the pictures carry at `local` on the cues' own clock. A cue that shows in
    several segments stands in each of them, with the same identifier and times, as HLS asks.
    """
    head = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{mpegts % _PTS_WRAP},LOCAL:{timecode(local)}\n\n"
    return head + "".join(vtt(cue) for cue in cues if cue.start < end and cue.end > start)


def read(path: Path) -> Track:
    """Read a subtitle file of any form that pysubs2 knows. Raises SubtitlesError."""
    try:
        file = pysubs2.load(str(path), encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pysubs2.exceptions.Pysubs2Error) as problem:
        raise SubtitlesError(
            _("{file} cannot be read as subtitles ({problem}); is it a subtitle file in UTF-8?").format(
                file=path, problem=problem
            )
        ) from problem
    overrides = _OVERRIDES if file.format in {"ass", "ssa"} else _MADE_OVERRIDES
    cues: list[Cue] = []
    for event in sorted((event for event in file if not event.is_comment), key=lambda event: event.start):
        text = _plain(event.text, overrides)
        if file.format == "vtt":
            text = html.unescape(text)
        lines = tuple(line for line in (single_spaced(line) for line in text.split("\n")) if line)
        if lines:
            cues.append(Cue(len(cues) + 1, Ms(event.start), Ms(event.end), lines))
    return Track(tuple(cues), file.info.get("Language", ""))


def save(track: Track, path: Path) -> None:
    """Write `track` in the form that `path` ends in, aside first, then renamed. Raises SubtitlesError."""
    kind = path.suffix.lower()
    if kind == ".srt":
        text = "".join(map(srt, track.cues))
    elif kind == ".vtt":
        text = VTT_HEAD + "".join(map(vtt, track.cues))
    elif kind == ".ass":
        text = _ass(track)
    else:
        raise SubtitlesError(
            _("{file} has an ending that is not known; use one of {endings}").format(
                file=path, endings=", ".join(FORMATS)
            )
        )
    write_whole(path, text)


def write_whole(path: Path, text: str) -> None:
    """Replace `path` by `text` so that nobody ever sees half of it. Raises SubtitlesError."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as problem:
        with contextlib.suppress(OSError):  # where writing failed, tidying may fail for the same reason
            aside.unlink()
        raise SubtitlesError(
            _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
                file=path, problem=why(problem)
            )
        ) from problem


def _plain(text: str, overrides: re.Pattern[str]) -> str:
    r"""The words of an event as pysubs2 gives it: overrides go, `\N` breaks the line, `\h` is a space."""
    text = text.replace(_OPEN, "\ue000").replace(_CLOSE, "\ue001")
    text = overrides.sub("", text)
    text = re.sub(r"\\[Nn]", "\n", text).replace("\\h", " ").replace(_BACKSLASH, "\\")
    return text.replace("\ue000", "{").replace("\ue001", "}")


def _ass(track: Track) -> str:
    file = pysubs2.SSAFile()
    if track.language:
        file.info["Language"] = track.language
    for cue in track.cues:
        lines = [line.replace("\\", _BACKSLASH).replace("{", _OPEN).replace("}", _CLOSE) for line in _shown(cue)]
        file.append(pysubs2.SSAEvent(start=cue.start, end=cue.end, text="\\N".join(lines)))
    return file.to_string("ass")
