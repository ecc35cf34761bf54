"""A media playlist of HLS (RFC 8216) that grows at its end, and loses at its beginning what left the window."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 60
"""Seconds; a list that says more of its segments is none of ours."""
_NAME = re.compile(r"seg-(\d+)((?:\.\w+)?)(\.ts|\.m4s)")
_MAP = re.compile(r'URI="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment."""

    number: int
    seconds: float
    ending: str
    """`.ts`, `.m4s`."""
    begins: float
    """When its first picture aired, in seconds since 1970; 0 where nobody knows."""
    head: str = ""
    """Name of the file that is read before it; empty where none is needed."""
    broken: bool = False
    """Its stamps or its pictures' form do not follow from the segment before."""
    gap: bool = False
    """There is no such file: it was left out."""

    def name(self, mark: str = "", ending: str = "") -> str:
        """`seg-00012.ts`; of another row, or what stands beside it: `seg-00012.small.ts`, `seg-00012.vtt`."""
        return f"seg-{self.number:05}{mark}{ending or self.ending}"


class Playlist:
    """What one playlist lists. Its lines are kept as text: an evening has thousands, and all are written every time."""

    def __init__(self, mark: str, window: int, target: int) -> None:
        """`mark` stands in its segments' names. `window`: how many are listed, 0 all.

        `target`: seconds that none of them is longer than, rounded; it never changes (RFC 8216, 6.2.1).
        """
        self._mark = mark
        self._window = window
        self._target = target
        self._entries: deque[Entry] = deque()
        self._pictures: deque[str] = deque()
        """The lines of each entry …"""
        self._words: deque[str] = deque()
        """… and those of the caption segment beside it."""
        self.last = -1
        """Number of the last segment that was ever listed; -1 where none was."""
        self._breaks = 0
        """How many entries left the list that were broken."""

    @property
    def entries(self) -> deque[Entry]:
        """What is listed, oldest first; not to be changed."""
        return self._entries

    def add(self, entry: Entry) -> list[Entry]:
        """List `entry`, too, and return what is listed no more."""
        before = self._entries[-1].head if self._entries else ""
        lead = ("#EXT-X-DISCONTINUITY\n" + _clock(entry)) if entry.broken else ""
        head = _map(entry) if entry.head != before else ""
        length = ("#EXT-X-GAP\n" if entry.gap else "") + f"#EXTINF:{entry.seconds:.6f},\n"
        self._pictures.append(f"{lead}{head}{length}{entry.name(self._mark)}\n")
        self._words.append(f"{lead}{length}{entry.name('', '.vtt')}\n")
        self._entries.append(entry)
        self.last = entry.number
        left = []
        while self._window and len(self._entries) > self._window:
            left.append(self._entries.popleft())
            self._pictures.popleft()
            self._words.popleft()
            self._breaks += left[-1].broken
        return left

    def resume(self, text: str, ending: str) -> None:
        """List what the playlist `text` of an earlier life lists; its segments do not end in `ending`: only go on.

        What it promised stands, unless other settings need more.
        """
        entries, self._breaks, told = _read(text)
        for entry in entries:
            self.add(entry)
            told = max(told, math.floor(entry.seconds + 0.5))
        self._target = max(self._target, told)
        if entries and entries[-1].ending != ending:  # players cannot change from one to the other within a list
            self._breaks += sum(entry.broken for entry in self._entries)
            for kept in (self._entries, self._pictures, self._words):
                kept.clear()

    def text(self, *, ended: bool = False) -> str:
        """The playlist."""
        first = self._entries[0] if self._entries else None
        head = _map(first) if first is not None and "#EXT-X-MAP" not in self._pictures[0] else ""
        return self._whole(head, self._pictures, ended=ended)

    def words(self, mark: str, *, ended: bool = False) -> str:
        """The playlist of the caption segments that stand beside, which are named with `mark`."""
        text = self._whole("", self._words, ended=ended)
        return text.replace(".vtt\n", f"{mark}.vtt\n") if mark else text

    def _whole(self, head: str, lines: Iterable[str], *, ended: bool) -> str:
        first = self._entries[0] if self._entries else None
        return (
            "#EXTM3U\n#EXT-X-VERSION:6\n"
            f"#EXT-X-TARGETDURATION:{self._target}\n"
            f"#EXT-X-MEDIA-SEQUENCE:{first.number if first else 0}\n"
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._breaks}\n"
            "#EXT-X-INDEPENDENT-SEGMENTS\n"
            + (_clock(first) if first is not None and not first.broken else "")
            + head
            + "".join(lines)
            + ("#EXT-X-ENDLIST\n" if ended else "")
        )


def _clock(entry: Entry) -> str:
    if not entry.begins:
        return ""
    return f"#EXT-X-PROGRAM-DATE-TIME:{datetime.fromtimestamp(entry.begins, UTC).isoformat(timespec='milliseconds')}\n"


def _map(entry: Entry) -> str:
    return f'#EXT-X-MAP:URI="{entry.head}"\n' if entry.head else ""


def _read(text: str) -> tuple[list[Entry], int, int]:
    """Return the segments of a playlist of ours, its discontinuity sequence and its target; not ours is left out."""
    entries: list[Entry] = []
    target, breaks, seconds, begins, head, broken, gap = 0, 0, 0.0, 0.0, "", False, False
    for line in text.splitlines():
        tag, _colon, value = line.partition(":")
        match tag:
            case "#EXTINF":
                seconds = _number(value.partition(",")[0])
            case "#EXT-X-DISCONTINUITY":
                broken = True
            case "#EXT-X-TARGETDURATION":
                target = min(int(_number(value)), LONGEST)
            case "#EXT-X-DISCONTINUITY-SEQUENCE":
                breaks = int(_number(value))
            case "#EXT-X-PROGRAM-DATE-TIME":
                begins = _seconds(value)
            case "#EXT-X-GAP":
                gap = True
            case "#EXT-X-MAP":
                found = _MAP.search(value)
                head = found.group(1) if found else ""
        named = _NAME.fullmatch(line)
        if named and seconds > 0 and (not entries or int(named.group(1)) > entries[-1].number):
            entries.append(Entry(int(named.group(1)), seconds, named.group(3), begins, head, broken, gap))
            begins = begins and begins + seconds
            broken = gap = False
    return entries, breaks, target


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
