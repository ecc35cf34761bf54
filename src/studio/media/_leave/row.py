"""One picture of the programme in an HLS folder: its packets are cut into segments, its playlist lists them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.files import write_aside
from studio.media._leave.playlist import Entry, Playlist
from studio.media._leave.segments import FORMS

if TYPE_CHECKING:
    from pathlib import Path

    from studio.media._ground.coded import Coded
    from studio.media._plan import EncodePreset

LEAVING = 60.0
"""Seconds for which a segment that is listed no more can still be fetched, by those who have just read the list."""
MOST_SOUND = 1500
"""Packets of sound, half a minute, that wait for a picture which does not come."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the master playlist says about one picture of the programme."""

    width: int
    height: int
    fps: float
    bandwidth: int
    """Bits a second at most, with sound; more is said where a segment turns out to have more."""
    closed_captions: bool = False
    """The pictures carry CEA-608, channel CC1."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a segment begins: at a keyframe."""

    at: Ticks
    number: int
    wall: float
    """The same moment, in seconds since 1970."""
    broken: bool
    """It does not follow from the segment before."""


class Row:
    """The segments `seg-00000.ts`, `seg-00001.ts` …, which are made when the next one begins."""

    def __init__(self, folder: Path, name: str, mark: str, look: Look, preset: EncodePreset, *, target: int) -> None:
        """Go on with the playlist `name` in `folder`; `mark` stands in the names of the files.

        `target`: seconds that no segment is longer than, rounded.
        """
        self.look = look
        self._folder = folder
        self._index = folder / name
        self._mark = mark
        self._form = FORMS[preset.segment_type]()
        self._half = target / 2
        self.most = Ticks(RATE * target + RATE // 2 - 1)
        """Of a segment: what comes later is lost, where no keyframe began another one."""
        self.playlist = Playlist(mark, preset.playlist_segments, target)
        self.playlist.resume(_read(self._index), self._form.ending)
        self.begun = self.playlist.last >= 0
        """Whether anything was ever listed here."""
        self._leaving: deque[Entry] = deque()
        self._keep = math.ceil(LEAVING / preset.segment_seconds)
        self.start: Start | None = None
        """Of the segment that is gathered; `None` before the first keyframe."""
        self._pictures: list[Coded] = []
        self._sounds: deque[Coded] = deque(maxlen=MOST_SOUND)
        self.setup: bytes | None = None
        """Of the pictures that are gathered."""
        self._head = ""
        self._headed: bytes | None = None
        """What the file `_head` says."""
        self.bandwidth = look.bandwidth
        """Most bits a second that a segment had, or is to have."""
        self.shift: int | None = None
        """What players find added to the programme's time, as read from the first segment of this life."""

    def add(self, coded: Coded) -> None:
        """Gather a packet; a picture belongs to the segment that has been begun."""
        if coded.kind == "sound":
            self._sounds.append(coded)
        elif self.start is not None:
            self._pictures.append(coded)

    def begin(self, start: Start, setup: bytes | None, end: Ticks | None = None) -> Entry | None:
        """Begin a segment, whose pictures carry `setup`; return the one before it, written and not yet listed.

        It ends where this one begins, or at `end`: what came between is lost. A keyframe that was gathered may begin
        one, too.
        """
        own = next((at for at, picture in enumerate(self._pictures) if picture.stamp == start.at), len(self._pictures))
        self._pictures, later = self._pictures[:own], self._pictures[own:]
        made = self.finish(start.at if end is None else end)
        self._pictures = later
        while (made is not None or end is not None) and self._sounds and self._sounds[0].stamp < start.at:
            self._sounds.popleft()
        self.start, self.setup = start, setup or self.setup
        return made

    @property
    def gathers(self) -> bool:
        """Whether there are pictures for a segment."""
        return bool(self._pictures)

    @property
    def end(self) -> Ticks:
        """Where the pictures that were gathered end."""
        return Ticks(max(picture.stamp + picture.duration for picture in self._pictures))

    def finish(self, end: Ticks | None = None) -> Entry | None:
        """Write the segment that was begun; `end` is where the next one begins, `None`: nothing follows."""
        start, pictures = self.start, self._pictures
        if start is None or not pictures or self.setup is None:
            return None
        whole = self.end if end is None else end
        finish = Ticks(min(whole, start.at + self.most))
        if end is not None or finish < whole:
            pictures = [picture for picture in pictures if picture.stamp < finish]
        sounds: list[Coded] = []
        while self._sounds and ((finish == whole and end is None) or self._sounds[0].stamp < finish):
            sounds.append(self._sounds.popleft())
        self._pictures = []
        if self.setup != self._headed:
            head = self._form.head(self.setup, (self.look.width, self.look.height))
            self._head = f"init-{start.number:05}{self._mark}.mp4" if head else ""
            if head:
                write_aside(self._folder / self._head, head)
            self._headed = self.setup
        packets = sorted((*pictures, *sounds), key=lambda coded: coded.decoded)
        piece = self._form.piece(start.number, packets, finish)
        seconds = (finish - start.at) / RATE
        entry = Entry(start.number, seconds, self._form.ending, start.wall, self._head, start.broken)
        write_aside(self._folder / entry.name(self._mark), piece)
        if seconds >= self._half:  # shorter ones do not count for what a line must carry (RFC 8216, 4.3.4.2)
            self.bandwidth = max(self.bandwidth, math.ceil(len(piece) * 8 / seconds))
        if self.shift is None and (stamp := self._form.first_stamp(piece)) is not None:
            self.shift = stamp - pictures[0].stamp
        return entry

    def tell_of(self, entry: Entry, *, ended: bool = False) -> list[Entry]:
        """Let players know of `entry`, and return what none of them needs any more: its files here are gone."""
        self.begun = True
        self._leaving += self.playlist.add(entry)
        self.tell(ended=ended)
        gone = []
        while len(self._leaving) > self._keep:
            gone.append(self._leaving.popleft())
            (self._folder / gone[-1].name(self._mark)).unlink(missing_ok=True)
            after = self._leaving[0] if self._leaving else self.playlist.entries[0]
            if gone[-1].head not in {"", after.head}:
                (self._folder / gone[-1].head).unlink(missing_ok=True)
        return gone

    def skip(self, entries: list[Entry]) -> None:
        """List `entries`, which another row has, as left out here; players are told of it with the next one."""
        head = self.playlist.entries[-1].head if self.playlist.entries else ""
        for entry in entries:
            gap = Entry(entry.number, entry.seconds, self._form.ending, entry.begins, head, entry.broken, gap=True)
            self._leaving += self.playlist.add(gap)

    def tell(self, *, ended: bool = False) -> None:
        """Write the playlist."""
        write_aside(self._index, self.playlist.text(ended=ended))


def _read(index: Path) -> str:
    try:
        return index.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
