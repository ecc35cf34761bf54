"""What a whole recording has besides picture and sound: its captions as tracks that players can show, and chapters."""

from __future__ import annotations

import logging
import subprocess
import tempfile
from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import msgspec

from studio.errors import StudioError
from studio.media._ground.airtime import AirTime
from studio.spoken import Cue
from studio.subtitles import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from av.container import InputContainer, OutputContainer
    from av.container.core import Chapter
    from av.stream import Stream

    from studio.units import Ms

logger = logging.getLogger(__name__)

TRACKS = {"": "captions", "en": "captions.en"}
"""Languages of translations, and the captions' files without their ending."""
NAMES = {"pl": "pol", "lt": "lit", "en": "eng"}
"""Languages as MP4 and Matroska call them (ISO 639-2); any other is left out."""
PAUSE = 3_000
"""Milliseconds without words between which a chapter may begin, such as between two speakers …"""
SHORTEST = 5 * 60_000
"""… if the one before is so long, in milliseconds."""
LONGEST = 15 * 60_000
"""Milliseconds after which one begins without a pause, too."""
TITLE = 60
"""Letters of a chapter's title."""
PATIENCE = 30.0
"""Seconds that ffmpeg may take for one line of text."""
_MS = Fraction(1, 1000)
_LINE = b"1\n00:00:00,000 --> 00:00:01,000\n-\n\n"


@dataclass(frozen=True, slots=True)
class Marks:
    """Captions for one whole file, in the time of that file."""

    tracks: tuple[tuple[str, tuple[Cue, ...]], ...] = ()
    """Language, as a code of two letters or empty, and cues in order."""

    def chapters(self) -> list[Chapter]:
        """Chapters by what is said: each begins after a pause, with its first words as the title."""
        cues = self.tracks[0][1] if self.tracks else ()
        if not cues:
            return []
        begins: list[Cue] = []
        before: Cue | None = None
        for cue in cues:
            last = begins[-1].start if begins else None
            pause = 0 if before is None else cue.start - before.end
            if last is None or (pause >= PAUSE and cue.start - last >= SHORTEST) or cue.start - last >= LONGEST:
                begins.append(cue)
            before = cue
        starts = [0, *(cue.start for cue in begins[1:])]
        ends = [*starts[1:], cues[-1].end]
        return [
            {"id": number, "start": start, "end": max(start, end), "time_base": _MS, "metadata": {"title": _title(cue)}}
            for number, (cue, start, end) in enumerate(zip(begins, starts, ends, strict=True), 1)
        ]

    def within(self, end: Ms) -> Marks:
        """What is left of these in a file that ends there: a track would make it longer."""
        tracks = (
            (language, tuple(replace(cue, end=min(cue.end, end)) for cue in cues if cue.start < end))
            for language, cues in self.tracks
        )
        return Marks(tuple((language, cues) for language, cues in tracks if cues))

    def into(self, container: OutputContainer) -> list[Text]:
        """Give `container`, which nothing was written to yet, chapters and a stream for each track."""
        if not self.tracks:
            return []
        container.set_chapters(self.chapters())
        lines = container.format.name == "matroska"
        with tempfile.TemporaryDirectory() as folder:
            template = _lines(Path(folder) / "text.srt") if lines else _template(Path(folder) / "text.mp4")
            if template is None:
                return []
            with template:
                like = template.streams.subtitles[0]
                return [Text(container, language, cues, like, lines=lines) for language, cues in self.tracks]


def marks_of(folder: Path, language: str = "", *, aired: bool) -> Marks:
    """Return the captions of the last show in `folder`, at the times at which they `aired` or were spoken.

    `language` is what is spoken, where that is known. Captions of another show than the folder's clock tells of are
    none of it.
    """
    if not _of_this_show(folder):
        return Marks()
    air = AirTime.of(folder) if aired else None
    tracks: list[tuple[str, tuple[Cue, ...]]] = []
    for translated, name in TRACKS.items():
        path = folder / f"{name}.srt"
        if not path.exists():
            continue
        try:
            cues: Iterable[Cue] = read(path).cues
        except StudioError as problem:
            logger.warning("%s does not become a track of the recording: %s", path, problem)
            continue
        if air is not None:
            cues = [aired for cue in cues for aired in air.cues(cue)]
        kept = sorted((cue for cue in cues if cue.lines), key=lambda cue: cue.start)
        if kept:
            tracks.append((translated or language, tuple(kept)))
    return Marks(tuple(tracks))


class _Clock(msgspec.Struct):
    """Of `clock.json`, and of a line in the journal of words."""

    epoch: int = 0
    show: int = 0
    """What the epoch was at first, where a reboot has moved it."""


def _of_this_show(folder: Path) -> bool:
    """Whether the captions in `folder` are of the show that its clock tells of."""
    try:
        clock = msgspec.json.decode((folder / "clock.json").read_bytes(), type=_Clock)
        with (folder / "captions.words.jsonl").open("rb") as journal:
            told = [msgspec.json.decode(line, type=_Clock).epoch for line in journal if line.startswith(b'{"epoch"')]
    except (OSError, msgspec.MsgspecError):
        return False
    return bool(told) and told[-1] == (clock.show or clock.epoch)


class Text:
    """One track of captions on its way into a file."""

    def __init__(
        self, container: OutputContainer, language: str, cues: Sequence[Cue], template: Stream, *, lines: bool = False
    ) -> None:
        """`lines`: as Matroska has text, plain and with nothing in between; else as MP4 does."""
        self._out = container
        self._lines = lines
        self._stream = container.add_stream_from_template(template)
        if language in NAMES:
            self._stream.metadata["language"] = NAMES[language]
        self._waiting = deque(_samples(cues))
        self._began = False

    def upto(self, at: Ms) -> None:
        """Write what begins by `at`; the first call says where the file begins, and what lies before is left out."""
        while self._waiting and self._waiting[0][0] <= at:
            start, end, text = self._waiting.popleft()
            if end <= at and not self._began:
                continue
            if self._lines and not text:
                continue
            data = text.encode()
            packet: av.Packet[Stream] = av.Packet(data if self._lines else len(data).to_bytes(2, "big") + data)
            packet.time_base, packet.pts, packet.dts, packet.duration = _MS, start, start, end - start
            packet.stream = self._stream
            self._out.mux(packet)
        self._began = True


def _samples(cues: Sequence[Cue]) -> Iterator[tuple[int, int, str]]:
    """Begin, end and text of what is shown; empty in between, as players of MP4 want it told."""
    at = 0
    for cue, after in zip(cues, [*cues[1:], None], strict=True):
        end = cue.end if after is None else min(cue.end, after.start)
        if end <= cue.start:
            continue
        if cue.start > at:
            yield at, cue.start, ""
        yield cue.start, end, "\n".join(cue.lines)
        at = end


def _lines(path: Path) -> InputContainer:
    """Make a file with a stream of text as Matroska has it, for others to be like."""
    path.write_bytes(_LINE)
    return av.open(str(path))


def _template(path: Path) -> InputContainer | None:
    """Make a file with a stream of text as MP4 has it, for others to be like; `None` where ffmpeg cannot.

    Its header says which font and colours are meant, and only ffmpeg's own encoder writes that.
    """
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-f", "srt", "-i", "pipe:0"),
        *("-c:s", "mov_text", "-f", "mp4", str(path)),
    ]
    try:
        subprocess.run(command, input=_LINE, capture_output=True, check=True, timeout=PATIENCE)
        return av.open(str(path))
    except (OSError, subprocess.SubprocessError, av.FFmpegError) as problem:
        logger.warning("the captions do not become a track of the recording: %s", problem)
        return None


def _title(cue: Cue) -> str:
    said = " ".join(" ".join(cue.lines).split())
    return said if len(said) <= TITLE else said[: TITLE - 1].rsplit(" ", 1)[0] + "…"
