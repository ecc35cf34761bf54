"""HLS: a folder of segments, with WebVTT segments beside them, in playlists of the same numbers."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.media._ground.airtime import AirTime
from studio.media._ground.clock import RATE, Ticks, ms_of, ticks, ticks_of
from studio.media._ground.cues import CueBoard
from studio.media._ground.files import write_aside
from studio.media._leave.row import LEAVING, Look, Row, Start
from studio.subtitles import vtt_segment
from studio.units import Ms
from studio.wire.fmp4 import avc_codec, avc_setup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from studio.media._ground.coded import Coded
    from studio.media._leave.playlist import Entry
    from studio.media._plan import EncodePreset

NAMES = {"pl": "Polski", "lt": "Lietuvių", "en": "English"}
"""How players call the captions of a language: each by its own name."""
SMALL = ".small"
"""Between the names and the endings of the small picture's files."""
BEHIND = 4
"""Segments that the small picture may be late; then they are listed as left out, and nobody is sent to it."""
WAIT_FOR_SMALL = 3
"""Segments after which the picture is announced without a small one, which mostly comes a moment later."""
KEPT_STARTS = 64
"""How many beginnings of segments are remembered for the small picture, which may be a little late."""
_OURS = re.compile(r"(?:seg|init)-(\d+)(?:\.\w+)?\.(?:ts|m4s|mp4|vtt)")
_UNFINISHED = re.compile(r"\.(?:(?:seg|init)-\d+(?:\.\w+)?\.(?:ts|m4s|mp4|vtt)|[\w.]+\.m3u8)\.\d+")
"""What a relay that was killed had not finished (`write_aside`)."""
_GROUP = "captions"
_CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A track of subtitles: a playlist of its own, beside each segment a WebVTT segment."""

    board: CueBoard
    language: str
    """As a code; `auto` where it is not known."""
    mark: str = ""
    """Between its files' names and their endings; empty for the words as they were said."""

    @property
    def playlist(self) -> str:
        """`captions.m3u8`, `captions.en.m3u8`."""
        return f"captions{self.mark}.m3u8"

    @property
    def named(self) -> str:
        """Its attributes NAME and, where it is known, LANGUAGE in a master playlist."""
        code = f',LANGUAGE="{self.language}"' if self.language in NAMES else ""
        return f'NAME="{NAMES.get(self.language, "Captions")}"{code}'


class Hls:
    """The folder `hls` of a show: `master.m3u8`, `index.m3u8` and the playlists of the renditions.

    Each file appears whole, and a playlist only when all that it lists is there.
    """

    def __init__(
        self,
        folder: Path,
        preset: EncodePreset,
        look: Look,
        renditions: Sequence[Rendition],
        time: AirTime | None = None,
        *,
        small: Look | None = None,
    ) -> None:
        """Go on with what is in `folder`; `time` tells when cues stand on the air; `None`: each at its own time.

        `small` is the small picture for weak connections, whose packets are of that kind; `None`: there is none.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._renditions = renditions
        self._time = time or AirTime(folder, Ms(0), continued=False)
        self.detail = str(folder / "master.m3u8")
        target = preset.target_seconds(look.fps)
        self._main = Row(folder, "index.m3u8", "", look, preset, target=target)
        self._small = Row(folder, "small.m3u8", SMALL, small, preset, target=target) if small else None
        self._number = self._main.playlist.last + 1
        """Of the segment that begins next."""
        self._length = ticks(preset.segment_seconds)
        self._first: Ticks | None = None
        """Show time of this life's first picture."""
        self._wall = 0.0
        """The same in seconds since 1970."""
        self._due = Ticks(0)
        """The first keyframe from here on begins a segment."""
        self._spare: Ticks | None = None
        """The last keyframe that came before it was due: it begins one where the next would come too late."""
        self._starts: dict[Ticks, Start] = {}
        self._master = ""
        self._listed = 0
        self._astray = False
        """The small picture does not come any more."""
        self._sweep(preset)

    def write(self, coded: Coded) -> None:
        """Take a packet; where it begins a segment, the one before it is written, and the captions beside it."""
        if coded.kind == "sound":
            for row in self._rows():
                row.add(coded)
            return
        if coded.kind == "picture":
            if coded.key:
                self._key(coded)
            self._main.add(coded)
        elif self._small is not None:
            if coded.key and coded.stamp in self._starts:
                self._small_key(coded, self._small)
            self._small.add(coded)

    def close(self) -> None:
        """Write the last segments and say that nothing follows."""
        if self._main.gathers:
            self._cut(self._main.end)
        made, start = self._main.finish(), self._main.start
        if made is not None and start is not None:
            self._list(start, made, ended=True)
        elif self._main.begun:
            self._main.tell(ended=True)
            self._tell_captions(ended=True)
        if self._small is not None:
            made = self._small.finish(self._end_of(self._small))
            if made is not None:
                self._list_small(made, self._small, ended=True)
            elif self._small.begun:
                self._small.tell(ended=True)
        self._announce(ended=True)

    def _rows(self) -> Iterator[Row]:
        yield self._main
        if self._small is not None:
            yield self._small

    # ── cutting ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _key(self, coded: Coded) -> None:
        """Begin a segment, if one is due, or if the pictures have another form from here on."""
        setup = avc_setup(coded.data)
        changed = None not in {setup, self._main.setup} and setup != self._main.setup
        if self._first is None:
            self._first, self._wall = coded.stamp, time.time()
            self._begin(coded.stamp, setup, broken=self._main.begun)
        elif coded.stamp >= self._due or changed:
            self._cut(coded.stamp)
            self._begin(coded.stamp, setup, broken=changed)
        else:
            self._spare = coded.stamp

    def _cut(self, end: Ticks) -> None:
        """Where what is gathered up to `end` is too long for one segment, make two of it."""
        start, spare = self._main.start, self._spare
        if start is not None and spare is not None and end - start.at > self._main.most:
            self._begin(spare, None, broken=False)

    def _begin(self, at: Ticks, setup: bytes | None, *, broken: bool) -> None:
        first = self._first or Ticks(0)
        self._due = Ticks(first + self._length * ((at - first) // self._length + 1))
        self._spare = None
        before = self._main.start
        lost = before is not None and at - before.at > self._main.most
        start = Start(at, self._number, self._wall + (at - first) / RATE, broken or lost)
        made = self._main.begin(start, setup)
        self._number += 1
        self._starts[at] = start
        if len(self._starts) > KEPT_STARTS:
            del self._starts[next(iter(self._starts))]
        if made is not None and before is not None:
            self._list(before, made)

    def _small_key(self, coded: Coded, row: Row) -> None:
        start = self._starts[coded.stamp]
        # where its keyframe is missing a segment is left out: the one before it is no longer for that
        made = row.begin(start, avc_setup(coded.data), start.at if row.start is None else self._end_of(row))
        if made is not None:
            self._list_small(made, row)

    def _end_of(self, row: Row) -> Ticks | None:
        """Where the segment that `row` gathers ends, as far as the next one was begun."""
        next_one = -1 if row.start is None else row.start.number + 1
        return next((other.at for other in self._starts.values() if other.number == next_one), None)

    def _list(self, start: Start, made: Entry, *, ended: bool = False) -> None:
        """Let players know of the segment that began with `start`."""
        self._captions(start, made)
        gone = self._main.tell_of(made, ended=ended)
        self._listed += 1
        self._tell_captions(ended=ended)
        for entry in gone:
            for rendition in self._renditions:
                (self._folder / entry.name(rendition.mark, ".vtt")).unlink(missing_ok=True)
        if self._small is not None and self._small.begun and made.number - self._small.playlist.last > BEHIND:
            last = self._small.playlist.last
            self._small.skip([entry for entry in self._main.playlist.entries if entry.number > last])
            self._small.tell(ended=ended)
            self._astray = True
        self._announce(ended=ended)

    def _list_small(self, made: Entry, row: Row, *, ended: bool = False) -> None:
        last = row.playlist.last
        if made.number <= last:  # too late: it was listed as left out
            (self._folder / made.name(SMALL)).unlink(missing_ok=True)
            return
        self._astray = False
        if 0 <= last < made.number - 1:  # a machine that could not keep up, or another life
            row.skip([entry for entry in self._main.playlist.entries if last < entry.number < made.number])
        row.tell_of(made, ended=ended)
        self._announce(ended=ended)

    # ── captions ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _captions(self, start: Start, made: Entry) -> None:
        begin, finish = ms_of(start.at), ms_of(Ticks(start.at + round(made.seconds * RATE)))
        # hls.js takes a map whose stamp is where its own timeline begins, or 0, for none: a segment's end is neither.
        stamp = ticks_of(finish) + (self._main.shift or 0)
        for rendition in self._renditions:
            first, last = self._time.show(begin), self._time.show(finish)
            rendition.board.wrote(last)  # first: a cue that comes from now on stands in the next segment
            within = rendition.board.within(first, Ms(max(last, first + 1)))
            aired = [cue for each in within for cue in self._time.cues(each) if cue.start < finish and cue.end > begin]
            text = vtt_segment(aired, begin, finish, mpegts=stamp, local=finish)
            write_aside(self._folder / made.name(rendition.mark, ".vtt"), text)

    def _tell_captions(self, *, ended: bool) -> None:
        for rendition in self._renditions:
            text = self._main.playlist.words(rendition.mark, ended=ended)
            write_aside(self._folder / rendition.playlist, text)

    # ── the master playlist ───────────────────────────────────────────────────────────────────────────────────────────

    def _announce(self, *, ended: bool) -> None:
        """Write the master playlist where it is another than before."""
        waits = self._small is not None and not self._small.begun and self._listed < WAIT_FOR_SMALL
        if not self._main.begun or self._main.setup is None or (waits and not ended):
            return
        text = self._announcement()
        if text != self._master:
            write_aside(self._folder / "master.m3u8", text)
            self._master = text

    def _announcement(self) -> str:
        lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
        # None is shown by itself: the words are burned into the picture already.
        lines += [
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{_GROUP}",{rendition.named},DEFAULT=NO,AUTOSELECT=NO,FORCED=NO,'
            f'URI="{rendition.playlist}"'
            for rendition in self._renditions
        ]
        group = f',SUBTITLES="{_GROUP}"' if self._renditions else ""
        closed = ""
        if self._main.look.closed_captions and self._renditions:
            lines.append(
                f'#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="{_CLOSED}",{self._renditions[0].named},DEFAULT=NO,'
                'AUTOSELECT=NO,INSTREAM-ID="CC1"'
            )
            closed = f',CLOSED-CAPTIONS="{_CLOSED}"'
        lines += [_variant(self._main, group + closed), "index.m3u8"]
        if self._small is not None and self._small.begun and not self._astray:
            lines += [_variant(self._small, group), "small.m3u8"]
        return "\n".join([*lines, ""])

    # ── the folder ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _sweep(self, preset: EncodePreset) -> None:
        """Remove what earlier lives left behind and no player needs; what is not ours stays."""
        listed = self._main.playlist.entries
        oldest = listed[0].number - math.ceil(LEAVING / preset.segment_seconds) if listed else 0
        heads = {entry.head for row in self._rows() for entry in row.playlist.entries}
        for file in list(self._folder.iterdir()):
            ours = _OURS.fullmatch(file.name)
            old = ours and preset.playlist_segments and int(ours.group(1)) < oldest and file.name not in heads
            if old or _UNFINISHED.fullmatch(file.name):
                file.unlink(missing_ok=True)


def _variant(row: Row, groups: str) -> str:
    look = row.look
    codec = avc_codec(row.setup) if row.setup is not None else "avc1.640028"
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={row.bandwidth},RESOLUTION={look.width}x{look.height},"
        f'FRAME-RATE={look.fps:.3f},CODECS="{codec},mp4a.40.2"{groups}'
    )
