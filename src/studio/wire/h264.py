"""H.264 as it travels: units after their lengths, as in files and RTMP, or after start codes, as in MPEG-TS. Pure.

Both are of ISO 14496: the lengths and the setup that goes with them of part 15, the start codes of part 10, annex B.
"""

from __future__ import annotations

import re
from itertools import pairwise

START = b"\x00\x00\x00\x01"
_UNIT = re.compile(rb"\x00\x00\x01")
_KIND = 31
_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8
_SETUP = 7
"""Bytes of the shortest setup."""


def kinds(picture: bytes) -> list[int]:
    """Return the types of the units of `picture` (Annex B), in order, up to the first of the picture itself."""
    found = []
    for start in _UNIT.finditer(picture):
        if start.end() == len(picture):
            break
        found.append(picture[start.end()] & _KIND)
        if _SLICE <= found[-1] <= _IDR:
            break
    return found


def is_key(picture: bytes) -> bool:
    """Whether a player may begin with `picture` (Annex B), and nothing after it needs anything before it."""
    return _IDR in kinds(picture)


def sets_of(setup: bytes) -> bytes:
    """Return the parameter sets that `setup` has, as Annex B: an AVCDecoderConfigurationRecord, or Annex B itself."""
    if setup[:1] != b"\x01":
        return setup
    found, at = b"", 5
    for mask in (31, 255):
        if at >= len(setup):
            break
        count, at = setup[at] & mask, at + 1
        for _each in range(count):
            size = int.from_bytes(setup[at : at + 2], "big")
            found += START + setup[at + 2 : at + 2 + size]
            at += 2 + size
    return found


def annex_b(picture: bytes, setup: bytes) -> bytes:
    """Return `picture` as Annex B; a key frame with the parameter sets of `setup`, where it has none of its own."""
    if setup[:1] == b"\x01" and len(setup) >= _SETUP and (units := _measured(picture, (setup[4] & 3) + 1)) is not None:
        picture = b"".join(START + unit for unit in units)
    found = kinds(picture)
    if _IDR not in found or {_SPS, _PPS} <= set(found):
        return picture
    first = _UNIT.search(picture)
    delimited = first is not None and found[0] == 9  # noqa: PLR2004 - the delimiter comes before all else
    if not delimited:
        return sets_of(setup) + picture
    after = next(later.start() for _first, later in pairwise(_UNIT.finditer(picture)))
    after -= picture[after - 1 : after] == b"\x00"
    return picture[:after] + sets_of(setup) + picture[after:]


def _measured(picture: bytes, size: int) -> list[bytes] | None:
    """Return the units of a picture that has lengths of `size` bytes; `None` where they do not lead to its end."""
    units, at = [], 0
    while at + size <= len(picture):
        length = int.from_bytes(picture[at : at + size], "big")
        units.append(picture[at + size : at + size + length])
        at += size + length
    return units if at == len(picture) else None
