"""EBU STL, the binary exchange file of EBU Tech 3264-E (1991): one GSI block, then TTI blocks of 128 bytes.

Written as open subtitling (DSC "0"): a teletext row has 36 characters left for text, our rows up to 42.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
from typing import TYPE_CHECKING

from studio.errors import SubtitlesError
from studio.language import _, plural
from studio.subtitles._formats import iso6937
from studio.subtitles._formats.track import Programme, Track, Written, cues, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.spoken import Cue

RATES = (24, 25, 30, 50)
"""Frames a second that can be written. The standard itself knows 25 and 30; 24 and 50 are common usage."""

_GSI = struct.Struct("3s8s1s2s2s32s32s32s32s32s32s16s6s6s2s5s5s3s2s2s1s8s8s1s1s3s32s32s32s75s576s")
"""CPN DFC DSC CCT LC OPT OET TPT TET TN TCD SLR CD RD RN TNB TNS TNG MNC MNR TCS TCP TCF TND DSN CO PUB EN ECD, spare,
UDA: table 1 of the standard."""
_TTI = struct.Struct("<BHBB4B4BBBB112s")
"""SGN SN EBN CS TCI TCO VP JC CF TF: table 2 of the standard."""
_NEWLINE, _UNUSED, _LAST, _USER = 0x8A, 0x8F, 0xFF, 0xEF
_EXTENSIONS = 0xF0
"""Extension blocks that may come before a subtitle's last one: 00h to EFh."""
_NUMBERS = 0x10000
_BLOCKS = 99_999
"""What five digits of the GSI block count."""
_ROWS = 23
_DAY = 24 * 3600

_LANGUAGES = (  # noqa: SIM905 - in the order of the appendix, to be compared with it
    "- sq br ca hr cy cs da de en es eo et eu fo fr fy ga gd gl is it se la lv lb lt hu mt nl no oc pl pt ro rm sr sk "
    "sl fi sv tr"
).split()
"""Language codes 00h to 29h, in their order: appendix 3 of the standard."""
_FURTHER = {"be": 0x79, "bg": 0x77, "el": 0x70, "he": 0x6C, "mk": 0x63, "ru": 0x56, "uk": 0x49}
_CODES = {language: code for code, language in enumerate(_LANGUAGES) if code} | _FURTHER
_COUNTRIES = {"pl": b"POL", "lt": b"LTU"}

_LOW_QUOTES = re.compile("„([^„“”]*)[“”]")


def write(track: Track, programme: Programme) -> Written:
    """Raises SubtitlesError for what the form cannot hold at all."""
    rate = programme.rate
    if rate not in RATES:
        raise SubtitlesError(
            _("EBU STL counts {rates} frames a second, not {rate}; choose one of them.").format(
                rates=", ".join(map(str, RATES)), rate=rate
            )
        )
    said: list[str] = []
    timed = _one_at_a_time(track.cues, rate, said)
    if len(timed) > _NUMBERS or (timed and timed[-1][1] >= _DAY * rate):
        raise _too_many()
    table = iso6937.table_for("".join(line for cue in timed for line in cue[2]))
    blocks: list[bytes] = []
    instead: dict[str, str] = {}
    longest = 0
    for number, (begin, end, lines) in enumerate(timed):
        rows = []
        for line in lines:
            raw, near = iso6937.encode(_LOW_QUOTES.sub(r"“\1”", line) if "„" in line else line, table)
            instead |= near | ({"„": "“"} if "„" in line else {})
            rows.append(_parts(raw, table))
            longest = max(longest, len(rows[-1]))
        blocks += _tti(number, begin, end, rows, rate)
    if len(blocks) > _BLOCKS:
        raise _too_many()
    if instead:
        pairs = ", ".join(f"{letter} → {near or '∅'}" for letter, near in sorted(instead.items()))
        said.append(
            _("EBU STL lacks some letters; what is nearest stands in their place: {letters}.").format(letters=pairs)
        )
    head = _gsi(track.language, programme, table, len(blocks), len(timed), longest, timed[0][0] if timed else 0)
    return Written(head + b"".join(blocks), tuple(said))


def read(raw: bytes, name: str, rate: int | None) -> Track:
    """Cues of a file called `name`; `rate` holds where it tells none. Raises SubtitlesError that names the place."""
    if len(raw) < _GSI.size:
        raise SubtitlesError(
            _("{file} is cut off within its first {bytes} bytes; get it once more from where it came.").format(
                file=name, bytes=_GSI.size
            )
        )
    gsi = _GSI.unpack_from(raw)
    told = re.fullmatch(rb"STL(\d\d)\.01", gsi[1])
    rate = {23: 24, 29: 30}.get(int(told[1]), int(told[1])) if told else rate or 25
    remarks: list[str] = []
    whole, rest = divmod(len(raw) - _GSI.size, _TTI.size)
    if rest:
        raise SubtitlesError(
            _("{file} is cut off in block {block} of {blocks}; get it once more from where it came.").format(
                file=name, block=whole + 1, blocks=gsi[15].decode("ascii", "replace").strip().lstrip("0") or "?"
            )
        )
    if gsi[15].strip().isdigit() and int(gsi[15]) > whole:
        remarks.append(
            _("{file} says that it has {said} blocks and has {blocks}; its end may be missing.").format(
                file=name, said=int(gsi[15]), blocks=whole
            )
        )
    found = list(_subtitles(raw, name, rate, gsi[3].decode("ascii", "replace")))
    start = _frames(gsi[21].decode("ascii", "replace"), rate)
    if any(begin < start for begin, _end, _lines in found):
        start = 0  # times count from the programme already
    code = int(gsi[4], 16) if re.fullmatch(rb"[0-9A-Fa-f]{2}", gsi[4]) else 0
    language = next((language for language, number in _CODES.items() if number == code), "")
    times = (((begin - start) * 1000 / rate, (end - start) * 1000 / rate, lines) for begin, end, lines in found)
    return Track(cues((round(begin), round(end), lines) for begin, end, lines in times), language, tuple(remarks))


def _too_many() -> SubtitlesError:
    return SubtitlesError(
        _("EBU STL holds {most} cues within 24 hours and no more; write it in another format.").format(most=_NUMBERS)
    )


def _one_at_a_time(track: tuple[Cue, ...], rate: int, said: list[str]) -> list[tuple[int, int, list[str]]]:
    """Begin and end in frames, and lines, of cues none of which shows while another does."""
    timed: list[tuple[int, int, list[str]]] = []
    touched = 0
    for cue in sorted(track, key=lambda cue: cue.start):
        lines = shown(cue.lines)
        begin = max(0, _nearest(cue.start, rate))
        end = max(begin + 1, _nearest(cue.end, rate))
        if not lines:
            continue
        if timed and timed[-1][1] > begin:
            touched += 1
            before, until, above = timed.pop()
            if begin <= before:
                timed.append((before, max(until, end), above + lines))
                continue
            timed.append((before, begin, above))
        timed.append((begin, end, lines))
    if touched:
        said.append(
            plural(
                "{n} cue began while another was still shown; EBU STL shows one at a time, so that one ends earlier.",
                "{n} cues began while another was still shown; EBU STL shows one at a time, so those end earlier.",
                touched,
            ).format(n=touched)
        )
    return timed


def _nearest(at: int, rate: int) -> int:
    return (at * rate + 500) // 1000


def _parts(raw: bytes, table: str) -> list[bytes]:
    """What must not be parted: a letter, with its mark before it."""
    if table != iso6937.LATIN:
        return [raw[at : at + 1] for at in range(len(raw))]
    return re.findall(rb"[\xc1-\xcf].|.", raw, re.DOTALL)


def _tti(number: int, begin: int, end: int, rows: list[list[bytes]], rate: int) -> Iterator[bytes]:
    """The blocks of one subtitle: extension blocks 00h, 01h …, then FFh, each filled up with 8Fh."""
    parts = [part for row in rows for part in (*row, bytes([_NEWLINE]))][:-1]
    fields = [b""]
    for part in parts:
        if len(fields[-1]) + len(part) > 111:  # noqa: PLR2004 - of 112: the last field of a text ends with 8Fh
            fields.append(b"")
        fields[-1] += part
    if len(fields) > _EXTENSIONS:
        raise SubtitlesError(
            _("The cue at {at} is too long for EBU STL; split it.").format(at=_timecode(begin, rate, ":"))
        )
    place = max(1, _ROWS - len(rows))
    times = (*_clock(begin, rate), *_clock(end, rate))
    for extension, field in enumerate(fields):
        block = _LAST if extension == len(fields) - 1 else extension
        yield _TTI.pack(0, number, block, 0, *times, place, 2, 0, field.ljust(112, bytes([_UNUSED])))


def _gsi(  # noqa: PLR0917 - the block has as many fields
    language: str, programme: Programme, table: str, blocks: int, subtitles: int, row: int, first: int
) -> bytes:
    day = f"{programme.made or dt.datetime.now().astimezone().date():%y%m%d}".encode()
    title, _near = iso6937.written(programme.title, _page850)
    base = language.partition("-")[0].lower()
    return _GSI.pack(
        b"850",
        f"STL{programme.rate}.01".encode(),
        b"0",  # open subtitling
        table.encode(),
        f"{_CODES.get(base, 0):02X}".encode(),
        title[:32].ljust(32),
        *[b" " * 32] * 5,
        b" " * 16,
        day,
        day,
        b"00",
        f"{blocks:05}".encode(),
        f"{subtitles:05}".encode(),
        b"001",
        f"{min(99, max(40, row))}".encode(),
        f"{_ROWS}".encode(),
        b"1",
        b"00000000",
        _timecode(first, programme.rate).encode(),
        b"1",
        b"1",
        _COUNTRIES.get(base, b"   "),
        *[b" " * 32] * 3,
        b" " * 75,
        b" " * 576,
    )


def _page850(letter: str) -> bytes | None:
    try:
        raw = letter.encode("cp850")
    except UnicodeEncodeError:
        return None
    return raw if letter.isprintable() else None


def _subtitles(raw: bytes, name: str, rate: int, table: str) -> Iterator[tuple[int, int, list[str]]]:
    text = b""
    standing: tuple[int, int, list[str]] | None = None
    for block, at in enumerate(range(_GSI.size, len(raw), _TTI.size), 1):
        _sgn, _sn, extension, cumulative, *rest, field = _TTI.unpack_from(raw, at)
        if _USER < extension < _LAST or rest[10]:  # user data, or a translator's comment
            continue
        text += field.rstrip(bytes([_UNUSED]))
        if extension != _LAST:
            continue
        lines, text = _lines(text, table), b""
        try:
            begin, end = _count(rest[0:4], rate), _count(rest[4:8], rate)
        except ValueError:
            raise SubtitlesError(
                _("{file}: the times of block {block} cannot be; is the file damaged?").format(file=name, block=block)
            ) from None
        if standing and cumulative in {2, 3}:  # lines that join what stands there already
            yield standing[0], begin, standing[2]
            lines = standing[2] + lines
        elif standing:
            yield standing
        standing = (begin, end, lines)
    if standing:
        yield standing
    if text:
        raise SubtitlesError(
            _("{file} ends in the middle of a cue (block {block}); get it once more from where it came.").format(
                file=name, block=(len(raw) - _GSI.size) // _TTI.size
            )
        )


def _lines(field: bytes, table: str) -> list[str]:
    """Rows of a text field; teletext's control codes take a cell each, those of open subtitling none."""
    spaced = re.sub(rb"[\x00-\x1f]", b" ", re.sub(rb"[\x80-\x89\x8b-\x9f]", b"", field))
    return [iso6937.decode(row, table) for row in spaced.split(bytes([_NEWLINE]))]


def _count(times: list[int], rate: int) -> int:
    hours, minutes, seconds, frames = times
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= rate:  # noqa: PLR2004 - a clock's own
        raise ValueError(times)
    return ((hours * 60 + minutes) * 60 + seconds) * rate + frames


def _clock(frames: int, rate: int) -> tuple[int, int, int, int]:
    seconds, rest = divmod(frames, rate)
    return seconds // 3600, seconds // 60 % 60, seconds % 60, rest


def _timecode(frames: int, rate: int, between: str = "") -> str:
    return between.join(f"{part:02}" for part in _clock(frames, rate))


def _frames(text: str, rate: int) -> int:
    if not re.fullmatch(r"\d{8}", text):
        return 0
    try:
        return _count([int(text[at : at + 2]) for at in range(0, 8, 2)], rate)
    except ValueError:
        return 0
