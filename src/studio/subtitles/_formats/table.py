"""The forms that are known, each with its ending, and the two ways through them: `read` and `save`."""

from __future__ import annotations

import contextlib
import importlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from studio.errors import SubtitlesError, why
from studio.language import _
from studio.subtitles._formats import text
from studio.subtitles._formats.track import Programme, Track, Written

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest file that is read: a day of subtitles has two or three million."""


PLAIN = Programme()
"""A programme of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Format:
    """A form of subtitle files."""

    name: str
    """What it is called in full, the same in every language."""
    ending: str
    """How names of its files end, with the dot."""
    write: Callable[[Track, Programme], Written]


def _in(file: str) -> Callable[[Track, Programme], Written]:
    """`write` of a file beside this one, which is loaded when it is called."""

    def write(track: Track, programme: Programme) -> Written:
        form = importlib.import_module(f"studio.subtitles._formats.{file}")
        return cast("Written", form.write(track, programme))

    return write


FORMATS: dict[str, Format] = {
    "srt": Format("SubRip", ".srt", text.write_srt),
    "vtt": Format("WebVTT", ".vtt", text.write_vtt),
    "ass": Format("Advanced SubStation Alpha", ".ass", text.write_ass),
    "ttml": Format("IMSC 1.1 Text (TTML)", ".ttml", _in("ttml")),
    "ebu-tt-d": Format("EBU-TT-D (EBU Tech 3380)", ".ebu-tt-d.xml", _in("ebu_tt_d")),
    "stl": Format("EBU STL (EBU Tech 3264)", ".stl", _in("stl")),
}
"""Every form that is written, by the name that people type. A new one is a row here, a file with its `write`, and in
`read` how a file of it begins."""


def form_of(kind: str) -> Format:
    """One of FORMATS. Raises SubtitlesError for what is none."""
    if kind not in FORMATS:
        raise SubtitlesError(
            _('There is no subtitle format "{kind}"; use one of {kinds}.').format(kind=kind, kinds=", ".join(FORMATS))
        )
    return FORMATS[kind]


def kind_of(path: Path) -> str:
    """Which of FORMATS a file called like `path` has. Raises SubtitlesError for an ending that none has."""
    for kind, form in FORMATS.items():
        if path.name.lower().endswith(form.ending):
            return kind
    raise SubtitlesError(
        _("{file} has an ending that is not known; use one of {endings}").format(
            file=path, endings=", ".join(form.ending for form in FORMATS.values())
        )
    )


def read(path: Path, rate: int | None = None) -> Track:
    """Read a subtitle file of any of FORMATS, or of one that pysubs2 knows; what is in it tells which, not its name.

    `rate`: frames a second for files that count frames without saying how many, `None` for 25. What had to be guessed
    is in `Track.remarks`. Raises SubtitlesError with a sentence that names the place.
    """
    from studio.subtitles._formats import stl, ttml  # noqa: PLC0415 - XML is loaded for whoever has some
    from studio.subtitles._formats.letters import letters  # noqa: PLC0415 - as above

    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as problem:
        raise SubtitlesError(
            _("{file} cannot be read ({problem}); is it a subtitle file, and may you read it?").format(
                file=path, problem=why(problem)
            )
        ) from problem
    if len(raw) > LARGEST:
        raise SubtitlesError(_("{file} is too large to be subtitles.").format(file=path))
    if raw[3:6] == b"STL":
        return stl.read(raw, str(path), rate)
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or (b"\0<" in raw[:4] or b"<\0" in raw[:4]):
        return ttml.read(raw, str(path))
    words, remarks = letters(raw, str(path))
    track = text.read(words, str(path), rate)
    return Track(track.cues, track.language, remarks + track.remarks)


def written(track: Track, kind: str, programme: Programme = PLAIN) -> Written:
    """A file of one of FORMATS as bytes. Raises SubtitlesError for what the form cannot hold at all."""
    return form_of(kind).write(track, programme)


def save(track: Track, path: Path, kind: str | None = None, programme: Programme = PLAIN) -> tuple[str, ...]:
    """Write `track` in form `kind` (`None`: the one that `path` ends in), aside first, then renamed.

    Returns a sentence for each kind of thing that the form cannot carry; none where all is there. Raises
    SubtitlesError.
    """
    made = written(track, kind or kind_of(path), programme)
    write_whole(path, made.content)
    return made.said


def is_stream(path: Path) -> bool:
    """Whether `path` leads to a device, a pipe or a socket: it keeps nothing, and no file may take its place."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` (text in UTF-8) so that nobody ever sees half of it. Raises SubtitlesError.

    Into what is no file (a pipe, `/dev/stdout`) it is written: root could put a file in its place.
    """
    data = content.encode() if isinstance(content, str) else content
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if is_stream(path):
            path.write_bytes(data)
            return
        with aside.open("wb") as file:
            file.write(data)
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
