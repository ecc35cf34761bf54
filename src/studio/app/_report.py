"""From the children's messages to the state that people see, and to the table at the end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio.units import Ms

if TYPE_CHECKING:
    from studio.events import Heard, ListenerReport, RelayReport, ShowCue
    from studio.show import State

logger = logging.getLogger(__name__)

SHOWN_CUES = 12
"""Settled cues that the page keeps in sight."""
SHOWN_NOTICES = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What an evening came to."""

    folder: Path
    recording: Path | None
    """`None` where nothing was recorded."""
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

    def save(self) -> None:
        """Write `summary.json` into the show folder, for other programs; a full disk costs this file and no more."""
        path = self.folder / "summary.json"
        aside = path.with_suffix(".json.new")
        try:
            aside.write_bytes(msgspec.json.format(msgspec.json.encode(self, enc_hook=str)))
            aside.replace(path)
        except OSError as problem:
            logger.warning("%s cannot be written: %s", path, problem)


class Report:
    """Keeps the state true to what the children say. Counts go on over a child's restarts."""

    def __init__(self, state: State) -> None:
        """Write into `state`."""
        self._state = state
        self._relay: RelayReport | None = None
        self._relay_process = 0
        self._before = (0, 0, 0)
        self.frames = 0
        self.on_time = 0
        self.dropped = 0
        self.cues_late = 0
        self.listener: ListenerReport | None = None
        self._settled: list[dict[str, object]] = []
        self._notices: list[dict[str, object]] = []
        self._said: set[str] = set()

    def begin(self, *, title: str, language: str, folder: Path, interface: str, hold: Ms, captions: bool) -> None:
        """Lay out the whole tree, so that a page never has to ask whether a branch is there."""
        self._state.merge(
            {
                "show": {
                    "title": title,
                    "phase": "starting",
                    "seconds": 0,
                    "language": language,
                    "folder": str(folder),
                    "interface": interface,
                },
                "links": {},
                "programme": {
                    "width": 0,
                    "height": 0,
                    "fps": 0,
                    "frames": 0,
                    "on_time": None,
                    "dropped": 0,
                    "hold_ms": hold,
                    "late_p95_ms": None,
                    "peak_db": None,
                },
                "captions": {
                    "on": captions,
                    "settled": [],
                    "tentative": "",
                    "words": 0,
                    "cues": 0,
                    "late_p50_ms": None,
                    "late_p95_ms": None,
                    "late_cues": 0,
                },
                "destinations": {},
                "scenes": {"names": [], "current": None},
                "notices": [],
            }
        )

    def phase(self, phase: str) -> None:
        """`starting`, `on air`, `stopping` or `ended`."""
        self._state.set(("show", "phase"), phase)

    def link(self, name: str, state: str, detail: str = "") -> None:
        """Say how a link is."""
        self._state.set(("links", name), {"state": state, "detail": detail})

    def scenes(self, names: tuple[str, ...], current: str | None) -> None:
        """Say which scenes there are, and which one OBS reports on the programme; `None` while nobody knows."""
        self._state.set(("scenes",), {"names": list(names), "current": current})

    def notice(self, sentence: str, level: str = "warning") -> bool:
        """Put a sentence before people; False where it stands there already."""
        if sentence in self._said:
            return False
        self._said.add(sentence)
        self._notices.append({"id": len(self._said), "level": level, "text": sentence})
        self._state.set(("notices",), self._notices[-SHOWN_NOTICES:])
        return True

    @property
    def notices(self) -> tuple[str, ...]:
        """All sentences so far, oldest first."""
        return tuple(str(notice["text"]) for notice in self._notices)

    def relay_restarted(self, process: int) -> None:
        """Another relay counts from zero: add what the one before it had counted."""
        if self._relay_process not in (0, process):
            self._before = (self.frames, self.on_time, self.dropped)
        self._relay_process = process

    def relay(self, report: RelayReport, seconds: float) -> None:
        """Take over what the relay says of itself; `seconds` is the programme aired so far."""
        self._relay = report
        frames, on_time, dropped = self._before
        self.frames = frames + report.frames
        self.on_time = on_time + report.on_time
        self.dropped = dropped + report.dropped
        self.cues_late = max(self.cues_late, report.late_cues)
        due = self.frames + self.dropped
        self._state.merge(
            {
                "show": {"seconds": round(seconds)},
                "programme": {
                    "width": report.width,
                    "height": report.height,
                    "fps": round(report.fps, 2),
                    "frames": self.frames,
                    "on_time": round(self.on_time / due, 4) if due else None,
                    "dropped": self.dropped,
                    "late_p95_ms": report.late_p95,
                    "peak_db": None if report.peak is None else round(report.peak, 1),
                },
                "captions": {"late_cues": report.late_cues},
                "destinations": {
                    output.name: {"state": output.state, "detail": output.detail, "size": output.size}
                    for output in report.outputs
                },
            }
        )
        self.link("source", report.source, report.source_detail)

    def heard(self, heard: Heard) -> None:
        """Show what is likely to follow."""
        self._state.set(("captions", "tentative"), heard.tentative)

    def cue(self, shown: ShowCue) -> None:
        """Show a settled cue; one with a known number replaces it."""
        cue = shown.cue
        kept = [known for known in self._settled if known["number"] != cue.number]
        kept.append({"number": cue.number, "start": cue.start, "end": cue.end, "lines": list(cue.lines)})
        kept.sort(key=lambda known: int(str(known["number"])))
        self._settled = kept[-SHOWN_CUES:]
        self._state.set(("captions", "settled"), self._settled)

    def listening(self, report: ListenerReport) -> None:
        """Take over what the recogniser says of itself."""
        self.listener = report
        self._state.merge(
            {
                "captions": {
                    "words": report.words,
                    "cues": report.cues,
                    "late_p50_ms": report.late_p50,
                    "late_p95_ms": report.late_p95,
                }
            }
        )
        self.link("recogniser", report.state, report.detail)

    def summary(self, folder: Path, seconds: float, first_frame: float | None) -> Summary:
        """What it all came to; counts only files that are there."""
        recording = folder / "recording.mp4"
        heard = self.listener
        return Summary(
            folder=folder,
            recording=recording if recording.exists() else None,
            subtitles=tuple(
                path for name in ("captions.srt", "captions.vtt", "captions.jsonl") if (path := folder / name).exists()
            ),
            seconds=seconds,
            first_frame=first_frame,
            frames=self.frames,
            on_time=self.on_time,
            dropped=self.dropped,
            words=heard.words if heard else 0,
            cues=heard.cues if heard else 0,
            late_p50=heard.late_p50 if heard else None,
            late_p95=heard.late_p95 if heard else None,
            late_cues=self.cues_late,
            notices=self.notices,
        )
