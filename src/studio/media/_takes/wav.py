"""Broadcast Wave as EBU Tech 3285 and 3306 have it: the head of a file of many tracks, made and mended.

A file begins as RIFF with room for a `ds64` chunk (`JUNK`), and becomes RF64 where it grows beyond 4 GB. `bext` says
when it began and who made it, `iXML` what the tracks are.
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from studio.errors import MediaError
from studio.language import _

if TYPE_CHECKING:
    from pathlib import Path

BYTES = 3
"""Of one sample."""
_WHOLE = 0xFFFF_FFFF
"""A size of 32 bits that says: look into `ds64`."""
_DS64 = struct.Struct("<QQQI")
_PCM = bytes.fromhex("0100000000001000800000aa00389b71")
"""Plain PCM, as WAVE_FORMAT_EXTENSIBLE writes it."""
_BEXT = struct.Struct("<256s32s32s10s8sQH64s5h180s")
_UNKNOWN_LOUDNESS = (0x7FFF,) * 5


@dataclass(frozen=True, slots=True)
class TakeNotes:
    """What a file says of the take in it."""

    number: int
    at: datetime
    """When its first sample was heard, with its time zone."""
    session: str = ""
    song: str = ""
    singers: Sequence[str] = ()
    """Of each track; empty where nobody was named."""


@dataclass(frozen=True, slots=True)
class WavHead:
    """Where what stands in a file."""

    rate: int
    channels: int
    bytes_a_frame: int
    data: int
    """Byte at which sound begins."""


def head(rate: int, tracks: Sequence[str], notes: TakeNotes) -> bytes:
    """Return all that stands before the sound, with sizes of a file without any."""
    chunks = [
        _chunk(b"JUNK", bytes(_DS64.size)),
        _chunk(b"bext", _bext(rate, len(tracks), notes)),
        _chunk(b"iXML", _ixml(rate, tracks, notes)),
        _chunk(b"fmt ", _format(rate, len(tracks))),
    ]
    return b"RIFF" + bytes(4) + b"WAVE" + b"".join(chunks) + b"data" + bytes(4)


def sized(head: bytes, bytes_of_sound: int, frames: int) -> bytes:
    """Return `head` as it is right for so much sound."""
    padded = bytes_of_sound + bytes_of_sound % 2
    riff = len(head) - 8 + padded
    if riff <= _WHOLE:
        wide = b"JUNK" + head[16:20] + bytes(_DS64.size)
        form, outer, inner = b"RIFF", riff, bytes_of_sound
    else:
        wide = b"ds64" + head[16:20] + _DS64.pack(riff, bytes_of_sound, frames, 0)
        form, outer, inner = b"RF64", _WHOLE, _WHOLE
    first = form + struct.pack("<I", outer) + b"WAVE" + wide
    return first + head[len(first) : -4] + struct.pack("<I", inner)


def read_head(file: BinaryIO, path: Path) -> WavHead:
    """Find the sound in a file that may not have been closed. Raises MediaError where it is none of ours."""
    file.seek(0)
    form, _size, wave = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
    place, rate, channels, width = 12, 0, 0, 0
    while form in (b"RIFF", b"RF64") and wave == b"WAVE":
        file.seek(place)
        name, size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
        if name == b"fmt ":
            _tag, channels, rate, _per_second, width, _bits = struct.unpack("<HHIIHH", file.read(16).ljust(16, b"\0"))
        elif name == b"data" and rate and width:
            return WavHead(rate, channels, width, place + 8)
        if not size:
            break
        place += 8 + size + size % 2
    raise _no_take(path)


def _no_take(path: Path) -> MediaError:
    return MediaError(_("{file} is no take: its beginning is missing or damaged.").format(file=path))


def mend(path: Path) -> tuple[WavHead, int]:
    """Let the head of a file say what is in it, and return how many frames that are; sound is never touched.

    Raises MediaError.
    """
    with path.open("r+b") as file:
        found = read_head(file, path)
        frames = (file.seek(0, 2) - found.data) // found.bytes_a_frame
        file.seek(0)
        old = file.read(found.data)
        if old[12:16] not in (b"JUNK", b"ds64"):  # of others: our head has no place in it
            raise _no_take(path)
        new = sized(old, frames * found.bytes_a_frame, frames)
        if new != old:
            file.seek(0)
            file.write(new)
    return found, frames


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body


def _even(text: bytes) -> bytes:
    """Fill up with white space: libsndfile loses its way after an odd chunk in RF64."""
    return text + b"\n" * (len(text) % 2)


def _format(rate: int, channels: int) -> bytes:
    frame = channels * BYTES
    plain = struct.pack("<HHIIHH", 0xFFFE, channels, rate, rate * frame, frame, BYTES * 8)
    speakers = {1: 0x4, 2: 0x3}.get(channels, 0)  # more are tracks, not loudspeakers
    return plain + struct.pack("<HHI", 22, BYTES * 8, speakers) + _PCM


def _since_midnight(rate: int, at: datetime) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * rate + at.microsecond * rate // 1_000_000


def _bext(rate: int, channels: int, notes: TakeNotes) -> bytes:
    at = notes.at
    told = " / ".join(filter(None, (notes.session, notes.song, f"take {notes.number}")))
    reference = f"studio {at:%Y%m%d%H%M%S} {notes.number:03}"
    mode = {1: "mono", 2: "stereo"}.get(channels, "multi")
    return _BEXT.pack(
        _letters(told, 256), b"studio", _letters(reference, 32), f"{at:%Y-%m-%d}".encode(), f"{at:%H:%M:%S}".encode(),
        _since_midnight(rate, at), 2, b"", *_UNKNOWN_LOUDNESS, b"",
    ) + _even(f"A=PCM,F={rate},W={BYTES * 8},M={mode},T=studio\r\n".encode())  # fmt: skip


def _letters(text: str, most: int) -> bytes:
    """As many whole letters as there is room for."""
    return text.encode()[:most].decode(errors="ignore").encode()


def _ixml(rate: int, tracks: Sequence[str], notes: TakeNotes) -> bytes:
    root = ET.Element("BWFXML")
    midnight = _since_midnight(rate, notes.at)

    def say(parent: ET.Element, **words: object) -> None:
        for name, word in words.items():
            ET.SubElement(parent, name).text = str(word)

    say(
        root,
        IXML_VERSION="2.10",
        PROJECT=notes.session,
        SCENE=notes.song,
        TAKE=notes.number,
        TAPE=f"{notes.at:%Y-%m-%d}",
    )
    say(
        ET.SubElement(root, "SPEED"),
        FILE_SAMPLE_RATE=rate,
        AUDIO_BIT_DEPTH=BYTES * 8,
        DIGITIZER_SAMPLE_RATE=rate,
        TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI=midnight >> 32,
        TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO=midnight & _WHOLE,
        TIMESTAMP_SAMPLE_RATE=rate,
    )
    listed = ET.SubElement(root, "TRACK_LIST")
    say(listed, TRACK_COUNT=len(tracks))
    singers = [*notes.singers, *[""] * (len(tracks) - len(notes.singers))]
    for number, (name, singer) in enumerate(zip(tracks, singers, strict=False), 1):
        say(ET.SubElement(listed, "TRACK"), CHANNEL_INDEX=number, INTERLEAVE_INDEX=number, NAME=name, FUNCTION=singer)
    return _even(b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode())
