"""HLS: FFmpeg cuts the segments; beside each stand its WebVTT segments, in playlists of the same numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from studio.media._airtime import AirTime
from studio.media._clock import RATE, Ticks, ms_of
from studio.media._cues import CueBoard
from studio.media._files import write_aside
from studio.media._recording import mux_streams
from studio.subtitles import vtt_segment
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from studio.media._encode import Coded
    from studio.media._plan import EncodePreset

NAMES = {"pl": "Polski", "lt": "Lietuvių", "en": "English"}
"""How players call the captions of a language: each by its own name."""
USUAL_SHIFT = 126_000
"""Ticks that the muxer adds to every stamp: twice its `max_delay`. For a segment that has no picture to tell."""
_SEGMENT = re.compile(r"#EXTINF:([\d.]+),[^\n]*\n(?:#[^\n]*\n)*seg-(\d+)\.ts")
_OURS = re.compile(r"(seg-\d+\.ts|index\.m3u8)\.tmp")
"""What FFmpeg has not finished yet."""
_CAPTIONS = re.compile(r"seg-(\d+)(?:\.\w+)?\.vtt")
_GROUP = "captions"
_CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Look:
    """What the master playlist says about the programme."""

    width: int
    height: int
    fps: float
    bandwidth: int
    """Bits a second at most."""
    closed_captions: bool = False
    """The pictures carry CEA-608, channel CC1."""


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
    """The folder `hls` of a show: `master.m3u8`, `index.m3u8` and the playlists of the renditions."""

    def __init__(
        self,
        folder: Path,
        preset: EncodePreset,
        look: Look,
        renditions: Sequence[Rendition],
        time: AirTime | None = None,
    ) -> None:
        """Go on with what is in `folder`; `time` tells when cues stand on the air; `None`: each at its own time."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._index = folder / "index.m3u8"
        self._look = look
        self._renditions = renditions
        self._time = time or AirTime(folder, Ms(0), continued=False)
        self._window = preset.playlist_segments
        self.detail = str(folder / "master.m3u8")
        self._known = max(_numbers(self._read()), default=-1)
        """Last segment that has been dealt with."""
        for unfinished in folder.glob("*.tmp"):  # of a relay that was killed; what is not ours stays
            if _OURS.fullmatch(unfinished.name):
                unfinished.unlink(missing_ok=True)
        flags = ["temp_file", "independent_segments", "program_date_time"]
        flags += ["append_list", "discont_start"] if self._known >= 0 else []
        flags += ["delete_segments"] if self._window else []
        options = {
            "hls_time": str(preset.segment_seconds),
            "hls_list_size": str(self._window),
            "hls_flags": "+".join(flags),
            "hls_segment_filename": str(folder / "seg-%05d.ts"),
            "hls_segment_type": "mpegts",
            # The muxer's usual lead of the stamps over their clock, in microseconds: hardware players want one.
            "max_delay": "700000",
        }
        self._file = av.open(str(self._index), "w", "hls", options=options)
        self._streams = mux_streams(self._file)
        self._first: Ticks | None = None
        """Show time of this life's first picture."""
        self._shift: int | None = None
        """What the muxer added to it, as read from the first segment."""
        self._at = 0.0
        """Seconds from `_first` to the end of the last known segment."""
        self._codec = ""

    def write(self, coded: Coded) -> None:
        """Append a packet; where it closes a segment, write the captions that stand beside it."""
        if coded.kind == "picture" and self._first is None:
            self._first = coded.stamp
            self._codec = _avc1(coded.data)
        packet = coded.packet()
        packet.stream = self._streams[coded.kind]
        self._file.mux(packet)
        if coded.kind == "picture" and coded.key:
            self._follow()

    def close(self) -> None:
        """Close the last segment and say that nothing follows."""
        self._file.close()
        self._follow(ended=True)

    def _follow(self, *, ended: bool = False) -> None:
        """Do for the captions what FFmpeg did for the pictures since the last time."""
        index = self._read()
        fresh = [
            (int(number), float(seconds)) for seconds, number in _SEGMENT.findall(index) if int(number) > self._known
        ]
        if not fresh and not ended:
            return
        for number, seconds in fresh:
            self._segment(number, seconds)
            self._known = number
        for rendition in self._renditions:
            playlist = re.sub(r"seg-(\d+)\.ts", rf"seg-\1{rendition.mark}.vtt", index)
            write_aside(self._folder / rendition.playlist, playlist)
        if self._renditions:
            listed = _numbers(index)
            for old in self._folder.glob("seg-*.vtt"):
                # FFmpeg keeps one segment that is listed no more, for players that have just read the list.
                ours = _CAPTIONS.fullmatch(old.name)
                if ours and listed and int(ours.group(1)) < listed[0] - 1:
                    old.unlink(missing_ok=True)
        if not (self._folder / "master.m3u8").exists():
            write_aside(self._folder / "master.m3u8", self._master())

    def _segment(self, number: int, seconds: float) -> None:
        if self._first is None:
            return
        start = self._first + round(self._at * RATE)
        self._at += seconds
        end = self._first + round(self._at * RATE)
        if self._shift is None:
            stamp = _first_stamp(self._folder / f"seg-{number:05}.ts")
            self._shift = None if stamp is None else stamp - self._first
        begin, finish = ms_of(Ticks(start)), ms_of(Ticks(end))
        shift = USUAL_SHIFT if self._shift is None else self._shift
        for rendition in self._renditions:
            first, last = self._time.show(begin), self._time.show(finish)
            rendition.board.wrote(last)  # first: a cue that comes from now on stands in the next segment
            within = rendition.board.within(first, Ms(max(last, first + 1)))
            aired = [cue for each in within for cue in self._time.cues(each) if cue.start < finish and cue.end > begin]
            text = vtt_segment(aired, begin, finish, mpegts=shift, local=Ms(0))
            write_aside(self._folder / f"seg-{number:05}{rendition.mark}.vtt", text)

    def _master(self) -> str:
        look = self._look
        lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
        # None is shown by itself: the words are burned into the picture already.
        lines += [
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{_GROUP}",{rendition.named},DEFAULT=NO,AUTOSELECT=NO,FORCED=NO,'
            f'URI="{rendition.playlist}"'
            for rendition in self._renditions
        ]
        group = f',SUBTITLES="{_GROUP}"' if self._renditions else ""
        if look.closed_captions and self._renditions:
            lines.append(
                f'#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="{_CLOSED}",{self._renditions[0].named},DEFAULT=NO,'
                'AUTOSELECT=NO,INSTREAM-ID="CC1"'
            )
            group += f',CLOSED-CAPTIONS="{_CLOSED}"'
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={look.bandwidth},RESOLUTION={look.width}x{look.height},"
            f'FRAME-RATE={look.fps:.3f},CODECS="{self._codec},mp4a.40.2"{group}'
        )
        return "\n".join([*lines, "index.m3u8", ""])

    def _read(self) -> str:
        try:
            return self._index.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""


def _numbers(playlist: str) -> list[int]:
    return [int(number) for _seconds, number in _SEGMENT.findall(playlist)]


def _avc1(data: bytes) -> str:
    """Return the picture's name for `CODECS`: profile, constraints and level of its sequence parameter set."""
    found = re.search(rb"\x00\x00\x01[\x67\x47\x27](...)", data, re.DOTALL)
    return "avc1." + (found.group(1).hex() if found else "640028")


def _first_stamp(segment: Path) -> int | None:
    """Return the time stamp (90 kHz) that the first picture of `segment` really carries; `None` without a picture."""
    with av.open(str(segment), "r", "mpegts") as container:
        pictures = (packet.pts for packet in container.demux() if packet.stream.type == "video")
        return next((pts for pts in pictures if pts is not None), None)
