"""Fragmented MP4 (ISO 14496-12) of H.264 and AAC, as browsers take it piece by piece.

An `opening` says once what follows; each packet is then a `fragment` of its own, which nobody has to wait for, or many
are a `piece` of HLS.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SCALE = 90_000
"""Ticks a second of a picture's track; a sound's track counts its samples."""
PICTURE, SOUND = 1, 2
"""Numbers of the two tracks."""
_START = b"\x00\x00\x01"
"""Before each unit of Annex B; the noughts before it belong to it (ISO 14496-10, B.1.1)."""
_SPS, _PPS = 7, 8
_SHORTEST = 6
"""Bytes that a setup, or the parameter set that it needs, has more than."""
_HIGH = frozenset((100, 110, 122, 144))
"""Profiles whose setup says what colours they have."""
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_KEY, _OTHER = 0x02000000, 0x01010000
"""Flags of a sample: needs no other; needs another, and is none to begin with (8.8.3.1)."""
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""By their index in the header of an ADTS frame."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the pictures are like."""

    width: int
    height: int
    setup: bytes
    """AVCDecoderConfigurationRecord."""
    shape: tuple[int, int] = (1, 1)
    """Of a pixel: its width to its height."""

    @property
    def codec(self) -> str:
        """Their name by RFC 6381."""
        return avc_codec(self.setup)


@dataclass(frozen=True, slots=True)
class Sound:
    """What the sound is like."""

    rate: int
    """Samples a second."""
    channels: int
    setup: bytes
    """AudioSpecificConfig."""

    @property
    def codec(self) -> str:
        """Its name by RFC 6381."""
        return f"mp4a.40.{self.setup[0] >> 3}"


def opening(picture: Picture | None, sound: Sound | None) -> bytes:
    """Return what a player must read first."""
    tracks = [_track(each) for each in (picture, sound) if each is not None]
    numbers = [number for number, each in ((PICTURE, picture), (SOUND, sound)) if each is not None]
    extends = b"".join(_full("trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0)) for number in numbers)
    header = struct.pack(">4IIHHQ", 0, 0, 1000, 0, 0x10000, 0x100, 0, 0) + _MATRIX + bytes(24) + struct.pack(">I", 3)
    return _box("ftyp", b"iso5", struct.pack(">I", 0x200), b"iso5iso6mp41") + _box(
        "moov", _full("mvhd", 0, 0, header), *tracks, _box("mvex", extends)
    )


def fragment(number: int, track: int, at: int, length: int, data: bytes, *, shown: int = 0, key: bool = True) -> bytes:
    """Return one packet as a fragment of its own: the `number`th, decoded `at`, shown so much later, in its own ticks.

    `data` is H.264 by `with_lengths`, or AAC without a header.
    """
    base = _full("tfhd", 0, 0x020000, struct.pack(">I", track))  # places count from the fragment itself
    when = _full("tfdt", 1, 0, struct.pack(">Q", at))
    size = 8 + 16 + 8 + len(base) + len(when) + 36
    run = struct.pack(">IiIIIi", 1, size + 8, length, len(data), _KEY if key else _OTHER, shown)
    moof = _box(
        "moof", _full("mfhd", 0, 0, struct.pack(">I", number)), _box("traf", base, when, _full("trun", 1, 0xF01, run))
    )
    return moof + struct.pack(">I4s", 8 + len(data), b"mdat") + data


@dataclass(frozen=True, slots=True)
class Sample:
    """One packet of a piece."""

    at: int
    """When it is decoded, in ticks of its track; those of a track ascend."""
    data: bytes
    """H.264 by `with_lengths`, or AAC without a header."""
    key: bool = True
    shown: int = 0
    """How much later it is shown."""


def piece(number: int, pictures: Sequence[Sample], sounds: Sequence[Sample], end: int, sound_end: int) -> bytes:
    """Return the `number`th segment: what each track has up to its end, in its own ticks; a track may be empty."""
    tracks = [track for track in ((PICTURE, pictures, end), (SOUND, sounds, sound_end)) if track[1]]
    body = b"".join(sample.data for _number, samples, _end in tracks for sample in samples)
    head = _piece_head(number, tracks, 0)
    return (
        _box("styp", b"msdh", bytes(4), b"msdhmsix")
        + _piece_head(number, tracks, len(head) + 8)
        + struct.pack(">I4s", 8 + len(body), b"mdat")
        + body
    )


def _piece_head(number: int, tracks: list[tuple[int, Sequence[Sample], int]], at: int) -> bytes:
    """`at`: how far after the box's beginning the first packet stands."""
    parts = []
    for track, samples, end in tracks:
        times = [*(sample.at for sample in samples), end]
        entries = b"".join(
            struct.pack(">IIIi", after - time, len(sample.data), _KEY if sample.key else _OTHER, sample.shown)
            for (time, after), sample in zip(pairwise(times), samples, strict=True)
        )
        base = _full("tfhd", 0, 0x020000, struct.pack(">I", track))
        when = _full("tfdt", 1, 0, struct.pack(">Q", samples[0].at))
        run = _full("trun", 1, 0xF01, struct.pack(">Ii", len(samples), at) + entries)
        parts.append(_box("traf", base, when, run))
        at += sum(len(sample.data) for sample in samples)
    return _box("moof", _full("mfhd", 0, 0, struct.pack(">I", number)), *parts)


def first_picture(data: bytes) -> int | None:
    """Return when the first picture of a piece is decoded, in its ticks; `None` where there is none."""
    for name, traf in _boxes(_inside(data, b"moof")):
        if name == b"traf" and _inside(traf, b"tfhd")[4:8] == struct.pack(">I", PICTURE):
            return int.from_bytes(_inside(traf, b"tfdt")[4:12], "big")
    return None


# ── H.264 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_lengths(data: bytes) -> bytes:
    """Return a picture with each unit after its length, whether it came so or by Annex B."""
    if not data.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01")) or _is_measured(data):
        return data
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in _units(data))


def avc_setup(said: bytes) -> bytes | None:
    """Return the setup of `said`: one already, or parameter sets by Annex B. `None` where it is neither."""
    if said[:1] == b"\x01":
        return said if len(said) > _SHORTEST else None
    units = [unit for unit in _units(said) if unit]
    shapes = [unit for unit in units if unit[0] & 31 == _SPS and len(unit) > _SHORTEST]
    pictures = [unit for unit in units if unit[0] & 31 == _PPS]
    if not shapes or not pictures:
        return None
    record = b"\x01" + shapes[0][1:4] + b"\xff"
    for marked, sets in ((0xE0, shapes[:1]), (0, pictures)):
        record += bytes((marked | len(sets),)) + b"".join(struct.pack(">H", len(unit)) + unit for unit in sets)
    if shapes[0][1] in _HIGH:  # 4:2:0 of 8 bits, which is all that encoders send to the air
        record += b"\xfd\xf8\xf8\x00"
    return record


def avc_codec(setup: bytes) -> str:
    """Return the name by RFC 6381 of pictures with this `setup`: profile, constraints and level."""
    return "avc1." + setup[1:4].hex()


def _is_measured(data: bytes) -> bool:
    """Whether lengths that happen to look like a start code lead exactly to the end."""
    at = 0
    while at + 4 <= len(data):
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    return at == len(data)


def _units(data: bytes) -> list[bytes]:
    return [unit.rstrip(b"\x00") for unit in data.split(_START)[1:]]  # no unit ends in noughts


# ── AAC ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def without_header(data: bytes) -> bytes:
    """Return a frame of AAC without its ADTS header, if it has one (ISO 13818-7, 6.2)."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - the header and its mark
        return data
    return data[7 if data[1] & 1 else 9 :]


def aac_setup(said: bytes, rate: int, channels: int) -> bytes:
    """Return the setup of AAC: `said`, or where nothing was said, what `rate` and `channels` come to as AAC-LC."""
    if len(said) >= 2:  # noqa: PLR2004 - kind, rate and channels
        return said
    index = _RATES.index(rate) if rate in _RATES else 3
    return struct.pack(">H", 2 << 11 | index << 7 | min(channels, 7) << 3)


# ── boxes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _box(name: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name.encode()) + body


def _full(name: str, version: int, flags: int, body: bytes) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), body)


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        size = max(8, int.from_bytes(data[at : at + 4], "big"))
        found.append((data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += size
    return found


def _inside(data: bytes, name: bytes) -> bytes:
    return next((body for kind, body in _boxes(data) if kind == name), b"")


def _track(what: Picture | Sound) -> bytes:
    if isinstance(what, Picture):
        number, scale, kind, name, loud = PICTURE, SCALE, b"vide", b"picture\0", 0
        wide = what.width * what.shape[0] // max(1, what.shape[1])
        size = struct.pack(">II", wide << 16, what.height << 16)
        header, entry = _full("vmhd", 0, 1, bytes(8)), _avc1(what)
    else:
        number, scale, kind, name, loud = SOUND, what.rate, b"soun", b"sound\0", 0x100
        size = bytes(8)
        header, entry = _full("smhd", 0, 0, bytes(4)), _mp4a(what)
    top = struct.pack(">5I8xHHHH", 0, 0, number, 0, 0, 0, 0, loud, 0) + _MATRIX + size
    tables = [_full(table, 0, 0, bytes(4)) for table in ("stts", "stsc", "stco")]
    table = _box("stbl", _full("stsd", 0, 0, struct.pack(">I", 1) + entry), *tables, _full("stsz", 0, 0, bytes(8)))
    where = _box("dinf", _full("dref", 0, 0, struct.pack(">I", 1) + _full("url ", 0, 1, b"")))
    return _box(
        "trak",
        _full("tkhd", 0, 3, top),
        _box(
            "mdia",
            _full("mdhd", 0, 0, struct.pack(">4IHH", 0, 0, scale, 0, 0x55C4, 0)),  # language: undetermined
            _full("hdlr", 0, 0, struct.pack(">I4s12x", 0, kind) + name),
            _box("minf", header, where, table),
        ),
    )


def _avc1(picture: Picture) -> bytes:
    head = struct.pack(">6xH16xHHIIIH32sHh", 1, picture.width, picture.height, 72 << 16, 72 << 16, 0, 1, b"", 24, -1)
    return _box("avc1", head, _box("avcC", picture.setup), _box("pasp", struct.pack(">II", *picture.shape)))


def _mp4a(sound: Sound) -> bytes:
    head = struct.pack(">6xH8xHHIHH", 1, sound.channels, 16, 0, sound.rate & 0xFFFF, 0)
    decoder = struct.pack(">BBBHII", 0x40, 0x15, 0, 0, 0, 0) + _told(5, sound.setup)
    stream = struct.pack(">HB", SOUND, 0) + _told(4, decoder) + _told(6, b"\x02")
    return _box("mp4a", head, _full("esds", 0, 0, _told(3, stream)))


def _told(tag: int, body: bytes) -> bytes:
    """A descriptor of ISO 14496-1."""
    return bytes((tag, len(body))) + body
