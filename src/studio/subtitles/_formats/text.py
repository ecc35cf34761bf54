"""Forms that are plain text: SubRip, WebVTT, ASS, and what else pysubs2 reads."""

from __future__ import annotations

import html
import re
import warnings
from typing import TYPE_CHECKING

from studio.errors import SubtitlesError
from studio.language import _
from studio.subtitles._formats.track import Track, Written, cues, shown
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pysubs2 import SSAFile

    from studio.spoken import Cue
    from studio.subtitles._formats.track import Programme

VTT_HEAD = "WEBVTT\n\n"
"""First lines of every WebVTT file; cues of `vtt` are appended to it."""

_PTS_WRAP = 1 << 33
"""MPEG time stamps have 33 bits."""

_OVERRIDES = re.compile(r"\{[^}]*\}")
"""What stands in braces in an ASS file is not text."""
_MADE_OVERRIDES = re.compile(r"\{\\[^}]*\}")
"""In any other file only what is written like an override of ASS is not."""
_OPEN, _CLOSE = "\\{", "\\}"
"""Braces that libass shows."""
_BACKSLASH = "\\\u2060"
"""ASS cannot escape a backslash; with a word joiner after it, it begins no override, and nobody sees that."""

_TIME = r"(-?\d+):(\d{1,2}):(\d{1,2})[.,:](\d{1,3})"
_SRT_TIMES = re.compile(rf"\s*{_TIME}\s*-+>\s*{_TIME}(?:\s.*)?")
_VTT_TIME = r"(?:(\d{2,}):)?(\d\d):(\d\d)\.(\d{3})"
_VTT_TIMES = re.compile(rf"\s*{_VTT_TIME}\s+-->\s+{_VTT_TIME}(?:\s.*)?")
_SRT_TAGS = re.compile(r"</?\s*(?:i|b|u|s|em|strong|font|span|c|v|ruby|rt)\b[^<>]*>", re.IGNORECASE)
_VTT_TAGS = re.compile(r"<[^<>]*>")
_VTT_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
"""How blocks of a WebVTT file begin that are no cues."""


def srt(cue: Cue) -> str:
    """`cue` as a block of a SubRip file, with the blank line after it."""
    times = f"{timecode(cue.start, ',')} --> {timecode(cue.end, ',')}"
    return "\n".join([str(cue.number), times, *shown(cue.lines)]) + "\n\n"


def vtt(cue: Cue) -> str:
    """`cue` as a block of a WebVTT file, with the blank line after it; its number is its identifier."""
    times = f"{timecode(cue.start)} --> {timecode(cue.end)}"
    return "\n".join([str(cue.number), times, *(html.escape(line, quote=False) for line in shown(cue.lines))]) + "\n\n"


def vtt_segment(cues: Iterable[Cue], start: Ms, end: Ms, mpegts: int, local: Ms) -> str:
    """One segment of the WebVTT rendition of an HLS stream: every cue that shows within [start, end).

    `mpegts` (90 kHz) is the time stamp that the pictures carry at `local` on the cues' own clock. A cue that shows in
    several segments stands in each of them, with the same identifier and times, as HLS asks.
    """
    head = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{mpegts % _PTS_WRAP},LOCAL:{timecode(local)}\n\n"
    return head + "".join(vtt(cue) for cue in cues if cue.start < end and cue.end > start)


def write_srt(track: Track, _programme: Programme) -> Written:
    """A SubRip file; of no cues, an empty one."""
    return Written("".join(map(srt, track.cues)).encode())


def write_vtt(track: Track, _programme: Programme) -> Written:
    """A WebVTT file (W3C, 2019)."""
    return Written((VTT_HEAD + "".join(map(vtt, track.cues))).encode())


def write_ass(track: Track, _programme: Programme) -> Written:
    """A file of Advanced SubStation Alpha."""
    import pysubs2  # noqa: PLC0415 - whoever only asks which forms there are does without

    file = pysubs2.SSAFile()
    if track.language:
        file.info["Language"] = track.language
    for cue in track.cues:
        lines = (line.replace("\\", _BACKSLASH).replace("{", _OPEN).replace("}", _CLOSE) for line in shown(cue.lines))
        file.append(pysubs2.SSAEvent(start=cue.start, end=cue.end, text="\\N".join(lines)))
    return Written(file.to_string("ass").encode())


def read(text: str, name: str, rate: float | None) -> Track:
    """Cues of a file called `name`; `rate` is for forms that count frames. Raises SubtitlesError."""
    lines = text.split("\n")
    if not text.strip():
        return Track(())
    if lines[0].startswith("WEBVTT"):
        return Track(cues(_vtt(lines, name)))
    if any("-->" in line for line in lines):
        return Track(cues(_srt(lines, name)))
    return _other(text, name, rate)


def _srt(lines: list[str], name: str) -> Iterator[tuple[int, int, list[str]]]:
    """A cue ends where the next line with times stands, less its number and the blank lines: texts may have some."""
    at = [index for index, line in enumerate(lines) if "-->" in line or _SRT_TIMES.fullmatch(line)]
    for index, following in zip(at, [*at[1:], None], strict=True):
        times = _SRT_TIMES.fullmatch(lines[index])
        if not times:
            raise _broken(name, index, lines[index])
        until = len(lines)
        if following is not None:
            until = following - 1 if lines[following - 1].strip().isdigit() else following
        text = "\n".join(lines[index + 1 : max(index + 1, until)])
        plain = _plain(_SRT_TAGS.sub("", text), _MADE_OVERRIDES)
        yield _clock(times.groups()[:4]), _clock(times.groups()[4:]), plain.split("\n")


def _vtt(lines: list[str], name: str) -> Iterator[tuple[int, int, list[str]]]:
    index = 1
    while index < len(lines):
        begin = index
        while index < len(lines) and lines[index].strip():
            index += 1
        block = lines[begin:index]
        index += 1
        at = next((at for at, line in enumerate(block[:2]) if "-->" in line), None)
        if at is None or _VTT_ASIDE.match(block[0]):
            continue
        times = _VTT_TIMES.fullmatch(block[at])
        if not times:
            raise _broken(name, begin + at, block[at])
        text = html.unescape(_VTT_TAGS.sub("", "\n".join(block[at + 1 :])))
        yield _clock(times.groups()[:4]), _clock(times.groups()[4:]), text.split("\n")


def _other(text: str, name: str, rate: float | None) -> Track:
    import pysubs2  # noqa: PLC0415 - as above

    remarks: tuple[str, ...] = ()
    try:
        try:
            file = _by_pysubs2(text, rate)
        except pysubs2.exceptions.UnknownFPSError:
            file = _by_pysubs2(text, 25)
            remarks = (_("{file} counts frames and does not say how many a second; 25 were taken.").format(file=name),)
    # pysubs2 lets through what Python says of a field that is missing or no number.
    except (pysubs2.exceptions.Pysubs2Error, ValueError, LookupError, AttributeError, SyntaxError) as problem:
        raise SubtitlesError(
            _("{file} cannot be read as subtitles: no form that is known begins like it, or it is cut off.").format(
                file=name
            )
        ) from problem
    overrides = _OVERRIDES if file.format in {"ass", "ssa"} else _MADE_OVERRIDES
    events = (event for event in file if not event.is_comment)
    found = ((event.start, event.end, _plain(event.text, overrides).split("\n")) for event in events)
    return Track(cues(found), file.info.get("Language", ""), remarks)


def _by_pysubs2(text: str, rate: float | None) -> SSAFile:
    from pysubs2 import SSAFile  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about margins and layers, which are not kept anyway
        return SSAFile.from_string(text, fps=rate)


def _clock(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = (part or "0" for part in parts)
    whole = (abs(int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return 0 if hours.startswith("-") else whole * 1000 + int(rest.ljust(3, "0"))


def _broken(name: str, index: int, line: str) -> SubtitlesError:
    return SubtitlesError(
        _('{file} line {line}: "{text}" says no times; is the file cut off or damaged there?').format(
            file=name, line=index + 1, text=line.strip()[:40]
        )
    )


def _plain(text: str, overrides: re.Pattern[str]) -> str:
    r"""The words of an event: overrides go, `\N` breaks the line, `\h` is a space."""
    text = text.replace(_OPEN, "\ue000").replace(_CLOSE, "\ue001")
    text = overrides.sub("", text)
    text = re.sub(r"\\[Nn]", "\n", text).replace("\\h", " ").replace(_BACKSLASH, "\\")
    return text.replace("\ue000", "{").replace("\ue001", "}")
