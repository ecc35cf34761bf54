"""The table at the end: what an evening came to, by what was counted and by the files that are there."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio import captions, media
from studio.app._outputs import Sent
from studio.errors import StudioError
from studio.units import Ms

if TYPE_CHECKING:
    from studio.app._report import Report

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What an evening came to."""

    folder: Path
    recording: Path | None
    """`None` where there is no whole one."""
    parts: tuple[Path, ...]
    """What is still to be joined, as when the disk was full: `studio recover` does."""
    clean: tuple[Path, ...]
    """What the encoder sent, as it came; more than one where it came back with another picture size."""
    subtitles: tuple[Path, ...]
    seconds: float
    """Programme that went on the air."""
    first_frame: float | None
    """Seconds from the start of the command to the first frame on the air, or `None` where there was none."""
    frames: int
    on_time: int
    dropped: int
    words: int
    cues: int
    late_p50: Ms | None
    late_p95: Ms | None
    late_cues: int
    notices: tuple[str, ...]
    sent: tuple[Sent, ...] = ()
    """To destinations, all that were sent to for a while included."""

    def save(self) -> None:
        """Write `summary.json` into the show folder, for other programs; a full disk costs this file and no more."""
        path = self.folder / "summary.json"
        aside = path.with_suffix(".json.new")
        try:
            aside.write_bytes(msgspec.json.format(msgspec.json.encode(self, enc_hook=str)))
            aside.replace(path)
        except OSError as problem:
            logger.warning("%s cannot be written: %s", path, problem)


def sum_up(report: Report, folder: Path, first_frame: float | None) -> Summary:
    """Return what it all came to."""
    recording = media.whole_recording(folder)
    parts = tuple(sorted(folder.glob("recording.part-*.ts")))
    seconds = 0.0
    for file in (recording,) if recording is not None else parts:
        with contextlib.suppress(*(() if recording else (StudioError,))):  # a part may hold nothing yet
            seconds += (media.probe(file).duration or 0) / 1000
    kept = captions.read_kept(folder)
    late = sorted(kept.lateness)
    return Summary(
        folder=folder,
        recording=recording,
        parts=parts,
        clean=tuple(sorted(folder.glob("clean*.m[pk][4v]"), key=lambda path: (len(path.name), path.name))),
        subtitles=tuple(
            path
            for track in ("captions", "captions.en")
            if track == "captions" or (folder / "captions.en.jsonl").exists()  # begun by the first cue
            for ending in ("srt", "vtt", "jsonl")
            if (path := folder / f"{track}.{ending}").exists()
        ),
        seconds=seconds,
        first_frame=first_frame,
        frames=report.frames,
        on_time=report.on_time,
        dropped=report.dropped,
        words=len(kept.words),
        cues=len(kept.cues),
        late_p50=Ms(late[len(late) // 2]) if late else None,
        late_p95=Ms(late[len(late) * 95 // 100]) if late else None,
        late_cues=report.cues_late,
        notices=report.notices,
        sent=report.outputs.sent,
    )
