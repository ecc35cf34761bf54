"""CEA-608 closed captions: text to byte pairs, cues to the pairs of each frame, pairs to what H.264 carries. Pure.

Captions pop on: a cue is known ahead of its time, so it is loaded unseen while the one before it stands, and shown
whole on the frame on which it begins. Rolling up would show every cue a second or two late, letter by letter.
There is one unseen memory: a cue that stands for less time than the next one takes to load makes that one late.

The codes are those of CTA-608-E; a frame carries them as ATSC A/53 Part 4 says. Only the channel CC1 is used.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections import Counter, deque
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studio.spoken import Cue

COLUMNS = 32
"""Letters in a row."""
ROWS = 15
"""On the picture; decoders must show four at a time."""
PAIRS_A_SECOND = 30
"""What one channel may carry: one pair a frame at 29.97 frames a second (60 bytes a second)."""

# ── letters ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_MOVED = {
    "á": 0x2A, "é": 0x5C, "í": 0x5E, "ó": 0x5F, "ú": 0x60, "ç": 0x7B, "÷": 0x7C, "Ñ": 0x7D, "ñ": 0x7E, "█": 0x7F,
}  # fmt: skip
"""What stands where ASCII has something else."""
BASIC = {chr(code): code for code in range(0x20, 0x7F) if code not in _MOVED.values()} | _MOVED | {"’": 0x27}  # noqa: RUF001 - an apostrophe, which shares its code
"""Letters of one byte."""
SPECIAL = dict(zip("®°½¿™¢£♪à", range(0x30, 0x39), strict=True)) | dict(zip("èâêîôû", range(0x3A, 0x40), strict=True))
"""Letters of the pair 11 xx; 39 is a see-through space."""
_SPANISH_FRENCH = dict(zip("ÁÉÓÚÜü‘¡*", range(0x20, 0x29), strict=True)) | dict(  # noqa: RUF001 - a single quote
    zip("—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»", range(0x2A, 0x40), strict=True)
)
_PORTUGUESE_GERMAN = dict(zip("ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘", range(0x20, 0x40), strict=True))
EXTENDED = {letter: (0x12, code) for letter, code in _SPANISH_FRENCH.items()} | {
    letter: (0x13, code) for letter, code in _PORTUGUESE_GERMAN.items()
}
"""Letters of a pair that wipes out the plain letter before it: old decoders show that one."""
_STAND_INS = {
    "‘": "'", "¡": "!", "*": ".", "—": "-", "©": "c", "℠": "s", "•": ".", "“": '"', "”": '"', "«": '"', "»": '"',  # noqa: RUF001
    "{": "(", "}": ")", "\\": "/", "^": " ", "_": "-", "|": "/", "~": "-", "ß": "s", "¥": "Y", "¤": "o", "¦": "/",
    "Ø": "O", "ø": "o", "┌": "+", "┐": "+", "└": "+", "┘": "+",
}  # fmt: skip
"""What stands before an extended letter that is no plain letter with a mark."""
_PLAIN = {
    "–": "-", "−": "-", "‐": "-", "‑": "-", "„": "“", "‚": "‘", "…": "...", "\u00a0": " ", "\u202f": " ", "`": "'",  # noqa: RUF001
}  # fmt: skip
"""Signs that lose nothing worth telling."""
_BASES = {
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "æ": "ae", "Æ": "Ae",
    "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "€": "EUR",
}  # fmt: skip
"""Letters that Unicode does not take apart."""


def fold(text: str) -> tuple[str, tuple[str, ...]]:
    """Return `text` in letters that CEA-608 has, and the letters, in order, that lost their mark or more by it.

    What has no likeness at all becomes a question mark. Dashes and low quotation marks change without being told.
    """
    written: list[str] = []
    lost: list[str] = []
    for letter in unicodedata.normalize("NFC", text):
        if letter in BASIC or letter in SPECIAL or letter in EXTENDED:
            written.append(letter)
        elif letter in _PLAIN:
            written.append(_PLAIN[letter])
        else:
            written.append(_BASES.get(letter) or _bare(letter))
            lost.append(letter)
    return "".join(written), tuple(lost)


def _bare(letter: str) -> str:
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if part in BASIC)
    return bare or "?"


# ── pairs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parity(first: int, second: int) -> bytes:
    """Return the pair as it is sent: seven bits and one that makes the number of ones odd."""
    return bytes(code | (0x80 if code.bit_count() % 2 == 0 else 0) for code in (first & 0x7F, second & 0x7F))


NOTHING = parity(0, 0)
LOAD = parity(0x14, 0x20)
"""Resume caption loading: what follows goes into the memory that is not shown."""
ERASE_UNSEEN = parity(0x14, 0x2E)
ERASE_SHOWN = parity(0x14, 0x2C)
SHOW = parity(0x14, 0x2F)
"""End of caption: what was loaded and what is shown change places."""

_ROWS = (
    (0x11, 0x40), (0x11, 0x60), (0x12, 0x40), (0x12, 0x60), (0x15, 0x40), (0x15, 0x60), (0x16, 0x40), (0x16, 0x60),
    (0x17, 0x40), (0x17, 0x60), (0x10, 0x40), (0x13, 0x40), (0x13, 0x60), (0x14, 0x40), (0x14, 0x60),
)  # fmt: skip
_INDENT = 4
"""Columns of one step of an indent."""


def place(row: int, column: int = 0) -> bytes:
    """Return the pair that begins white letters in `row` [1..15] at `column` [0..31], rounded down to a fourth one."""
    first, second = _ROWS[row - 1]
    return parity(first, second | 0x10 | min(column, COLUMNS - 1) // _INDENT << 1)


def is_control(pair: bytes) -> bool:
    """Whether `pair` is a command or a letter of two bytes: those are sent twice, in case one is lost."""
    return 0x10 <= pair[0] & 0x7F < 0x20  # noqa: PLR2004 - the range of CTA-608-E


def encode(text: str) -> list[bytes]:
    """Return the pairs that write `text`, each once. ValueError for a letter without a code: see `fold`."""
    pairs: list[bytes] = []
    half: int | None = None

    def one(code: int) -> None:
        nonlocal half
        if half is None:
            half = code
        else:
            pairs.append(parity(half, code))
            half = None

    def two(first: int, second: int) -> None:
        if half is not None:
            one(0)
        pairs.append(parity(first, second))

    for letter in text:
        if letter in BASIC:
            one(BASIC[letter])
        elif letter in SPECIAL:
            two(0x11, SPECIAL[letter])
        elif letter in EXTENDED:
            one(BASIC[_STAND_INS.get(letter) or _bare(letter)])
            two(*EXTENDED[letter])
        else:
            raise ValueError(f"CEA-608 has no {letter!r}")
    if half is not None:
        one(0)
    return pairs


def doubled(pairs: Iterable[bytes]) -> list[bytes]:
    """Return `pairs` as they are sent: every command, and every letter of two bytes, twice."""
    return list(chain.from_iterable((pair, pair) if is_control(pair) else (pair,) for pair in pairs))


def rows(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return `lines`, folded, as rows of at most 32 letters: as they are where they fit, else broken anew, evenly."""
    folded = [fold(line)[0].strip() for line in lines]
    if all(len(line) <= COLUMNS for line in folded):
        return tuple(line for line in folded if line)
    text, width = " ".join(folded), COLUMNS
    best = textwrap.wrap(text, width, break_on_hyphens=False)
    while width > 1 and len(narrower := textwrap.wrap(text, width - 1, break_on_hyphens=False)) == len(best):
        best, width = narrower, width - 1
    return tuple(best[:ROWS])


@lru_cache(maxsize=64)
def load(lines: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the pairs, each once, that put `lines` into the memory that is not shown: at the bottom, in the middle."""
    pairs = [ERASE_UNSEEN, LOAD]
    written = rows(lines)
    for number, row in enumerate(written):
        pairs.append(place(ROWS - len(written) + 1 + number, (COLUMNS - len(row)) // 2))
        pairs += encode(row)
    return tuple(pairs)


# ── cues to frames ────────────────────────────────────────────────────────────────────────────────────────────────────

_MARGIN = 200.0
"""Milliseconds for which a caption is loaded before its time: frames may come unevenly."""
_SLOWEST = 70.0
"""Milliseconds a pair: what is counted with after a break in the pictures."""
_MOST = 10
"""Pairs of one frame."""


class Feed:
    """What each frame of a programme carries, asked frame by frame in the order in which they are seen."""

    def __init__(self) -> None:
        self._last: Ms | None = None
        """When a pair was sent last."""
        self._step = 1000 / PAIRS_A_SECOND
        self._again: bytes | None = None
        """The second half of a command that is sent twice."""
        self._shown: tuple[int, tuple[str, ...]] | None = None
        self._target: Cue | None = None
        """What is being loaded, or is loaded."""
        self._waiting: deque[bytes] = deque()
        self.late: Ms | None = None
        """How long after its start the last cue was shown, or given up; `None` before the first."""
        self.latest: int | None = None
        """The number of that cue."""
        self.folded: Counter[str] = Counter()
        """The letters without a code, of all that was shown."""

    def frame(self, at: Ms, cues: Sequence[Cue]) -> list[bytes]:
        """Return the pairs of the frame that is seen `at`; none on frames above 30 a second, that carry none.

        `cues` are all that are known and not over; what changes among them before it is shown is loaded anew.
        """
        return [self._pair(at, cues) for _slot in range(self._room(at))]

    def _room(self, at: Ms) -> int:
        """How many pairs the frame may carry, so that a second of any programme carries as many."""
        gap = 1000 / PAIRS_A_SECOND if self._last is None else at - self._last
        room = min(_MOST, int(gap * PAIRS_A_SECOND / 1000 + 0.1))  # 33 ms of 29.97 frames a second are one
        if room:
            self._last = at
            self._step = min(_SLOWEST, gap / room)
        return room

    def _pair(self, at: Ms, cues: Sequence[Cue]) -> bytes:
        if self._again is not None:
            pair, self._again = self._again, None
            return pair
        pair = self._next(at, cues)
        if is_control(pair):
            self._again = pair
        return pair

    def _next(self, at: Ms, cues: Sequence[Cue]) -> bytes:
        standing = max(
            (cue for cue in cues if cue.lines and cue.start <= at < cue.end),
            key=lambda cue: (cue.start, cue.number),
            default=None,
        )
        fresh = standing if standing is not None and _key(standing) != self._shown else None
        if fresh and self._target and _key(fresh) == _key(self._target) and not self._waiting:
            return self._show(fresh, at)
        if self._shown is not None and (standing is None or fresh is not None):
            self._shown = None
            return ERASE_SHOWN
        self._aim(at, fresh or self._coming(at, cues))
        return self._waiting.popleft() if self._waiting else NOTHING

    def _show(self, cue: Cue, at: Ms) -> bytes:
        self._shown, self._target = _key(cue), None
        self.late, self.latest = Ms(max(0, at - cue.start)), cue.number
        lost = Counter(chain.from_iterable(fold(line)[1] for line in cue.lines))
        self.folded = self.folded + lost  # a new one: another thread may be reading the old
        return SHOW

    def _coming(self, at: Ms, cues: Sequence[Cue]) -> Cue | None:
        """Return the next cue, once it is time to load it."""
        cue = min(
            (cue for cue in cues if cue.lines and cue.start > at),
            key=lambda cue: (cue.start, cue.number),
            default=None,
        )
        if cue is None:
            return None
        if self._target is not None and _key(cue) == _key(self._target):
            return cue
        return cue if cue.start - at <= len(doubled(load(cue.lines))) * self._step + _MARGIN else None

    def _aim(self, at: Ms, cue: Cue | None) -> None:
        """Load `cue`, unless it is what is being loaded."""
        target, self._target = self._target, cue
        if target is not None and cue is not None and _key(target) == _key(cue):
            return
        if target is not None and target.end <= at:  # its time was too short to load it
            self.late, self.latest = Ms(at - target.start), target.number
        self._waiting = deque(load(cue.lines) if cue else ())


def _key(cue: Cue) -> tuple[int, tuple[str, ...]]:
    return cue.number, cue.lines


def schedule(cues: Sequence[Cue], frames: Iterable[Ms]) -> list[list[bytes]]:
    """Return the pairs of each of `frames`, for cues that are all known from the beginning."""
    feed = Feed()
    return [feed.frame(at, [cue for cue in cues if cue.end > at]) for at in frames]


# ── frames to H.264 ───────────────────────────────────────────────────────────────────────────────────────────────────

_USER_DATA = 4
"""SEI payload type `user_data_registered_itu_t_t35` (H.264, annex D)."""
_ATSC = bytes.fromhex("b5 0031 47413934 03")
"""United States, ATSC, `GA94`, cc_data (A/53 Part 4, 6.2.3)."""
_FIELD_1 = 0xFC
"""Marker bits, valid, CEA-608 of field 1."""
_SLICE = re.compile(rb"\x00?\x00\x00\x01[\x01\x05\x21\x25\x41\x45\x61\x65]")
"""Start code and header of the first bytes of a picture: NAL types 1 and 5."""
_EMULATED = re.compile(rb"\x00\x00(?=[\x00-\x03])")


def sei(pairs: Sequence[bytes]) -> bytes:
    """Return the NAL unit, without start code, that carries `pairs`, 31 at most."""
    triplets = b"".join(bytes((_FIELD_1,)) + pair for pair in pairs)
    data = _ATSC + bytes((0xC0 | len(pairs), 0xFF)) + triplets + b"\xff"
    return b"\x06" + escape(bytes((_USER_DATA, len(data))) + data + b"\x80")


def escape(payload: bytes) -> bytes:
    """Return `payload` with the bytes that keep it from looking like a start code (H.264, 7.4.1)."""
    return _EMULATED.sub(b"\x00\x00\x03", payload)


def insert(picture: bytes, nal: bytes) -> bytes:
    """Return the coded `picture` (Annex B) with `nal` where it belongs: before the first slice."""
    found = _SLICE.search(picture)
    if found is None:
        return picture
    return picture[: found.start()] + b"\x00\x00\x00\x01" + nal + picture[found.start() :]
