"""From the children's messages to the state that people see."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from studio.app._captions_shown import CaptionsShown
from studio.app._notices import Notices
from studio.app._outputs import Outputs
from studio.events import Loudness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from studio.events import ListenerReport, RelayReport
    from studio.show import State
    from studio.units import Ms

logger = logging.getLogger(__name__)


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
        self.captions = CaptionsShown(state)
        self.outputs = Outputs(state)
        self._notices = Notices(state)
        self._links: dict[str, tuple[str, str]] = {}
        self._aired_at = 0.0
        self._dead_since: float | None = None
        self._late_before = 0

    def begin(
        self,
        *,
        title: str,
        language: str,
        folder: Path,
        interface: str,
        hold: Ms,
        captions: bool,
        no_captions: str = "",
    ) -> None:
        """Lay out the whole tree, so that a page never has to ask whether a branch is there.

        `no_captions` is why there are none though they are wanted; else empty.
        """
        self.captions.begin(hold)
        self._state.merge(
            {
                "show": {
                    "title": title,
                    "phase": "starting",
                    "seconds": 0,
                    "language": language,
                    "folder": str(folder),
                    "interface": interface,
                    "films": False,
                },
                "links": {},
                "devices": {},
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
                    "loudness": _shown_loudness(Loudness()),
                    "slate": False,
                    "encoder": "",
                },
                "captions": {
                    "on": captions,
                    "why": no_captions,
                    "settled": [],
                    "tentative": "",
                    "script": {},
                    "translated": [],
                    "sinks": {},
                    "degraded": "",
                    "corrected": 0,
                    "words": 0,
                    "cues": 0,
                    "late_p50_ms": None,
                    "late_p95_ms": None,
                    "late_cues": 0,
                },
                "inputs": {},
                "destinations": {},
                "alarms": {},
                "scenes": {"names": [], "current": None},
                "notices": [],
            }
        )

    def phase(self, phase: str) -> None:
        """`starting`, `on air`, `stopping` or `ended`."""
        self._state.set(("show", "phase"), phase)

    def link(self, name: str, state: str, detail: str = "") -> None:
        """Say how a link is."""
        self._links[name] = state, detail
        if state == "online":
            self._notices.settled(name)
        self._state.set(("links", name), {"state": state, "detail": detail})

    def link_state(self, name: str) -> str:
        """Return how a link is; `off` where nobody said."""
        return self._links.get(name, ("off", ""))[0]

    def device(self, name: str, numbers: Mapping[str, int]) -> None:
        """How far the values of a device are known."""
        self._state.set(("devices", name), numbers)

    def link_ended(self, name: str) -> None:
        """Say that it is over; a reason that it gave itself, such as a programme without sound, stays."""
        state, detail = self._links.get(name, ("", ""))
        self.link(name, "off", detail if state == "off" else "")

    def scenes(self, names: tuple[str, ...], current: str | None) -> None:
        """Say which scenes there are, and which one OBS reports on the programme; `None` while nobody knows."""
        self._state.set(("scenes",), {"names": list(names), "current": current})

    def notice(self, sentence: str, level: str = "warning", about: str = "") -> bool:
        """Put a sentence before people; False where it was said within the last minute.

        One `about` a link goes when that link is online.
        """
        return self._notices.say(sentence, level, about)

    @property
    def notices(self) -> tuple[str, ...]:
        """The last sentences, oldest first."""
        return self._notices.texts

    def relay_restarted(self, process: int) -> None:
        """Another relay counts from zero: add what the one before it had counted."""
        if self._relay_process not in (0, process):
            self._before = (self.frames, self.on_time, self.dropped)
            self._late_before = self.cues_late
            self._dead_since = self._aired_at or None
        self._relay_process = process

    def relay(self, report: RelayReport, seconds: float) -> None:
        """Take over what the relay says of itself; `seconds` is the programme aired so far."""
        self._relay = report
        if report.frames:
            self._count_gap(report)
        frames, on_time, dropped = self._before
        self.frames = frames + report.frames
        self.on_time = on_time + report.on_time
        self.dropped = dropped + report.dropped
        self.cues_late = self._late_before + report.late_cues
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
                    "loudness": _shown_loudness(report.loudness),
                    "slate": report.slate,
                    "encoder": report.encoder,
                },
                "captions": {"late_cues": self.cues_late},
            }
        )
        self.outputs.show(report.outputs)
        self.link("source", report.source, report.source_detail)
        self._state.set(("inputs",), _shown_inputs(report))
        self.captions.sinks("relay", report.sinks)
        self._notices.alarm(report.alarms)

    def _count_gap(self, report: RelayReport) -> None:
        """What would have aired while there was no relay was due, too, and is lost: it counts as dropped."""
        now = time.monotonic()
        if self._dead_since is not None:
            missed = round((now - self._dead_since) * report.fps) - report.frames
            frames, on_time, dropped = self._before
            self._before = (frames, on_time, dropped + max(0, missed))
            self._dead_since = None
        self._aired_at = now

    def clock(self, epoch: int | None) -> None:
        """Say where the show clock begins, in nanoseconds of the monotonic clock; `None` while nobody knows.

        Pages reckon the time of the show by it: each message to them says what that clock reads.
        """
        self._state.set(("show", "epoch_ms"), None if epoch is None else epoch // 1_000_000)

    def hold(self, hold: Ms, now: Ms) -> None:
        """Say how long the programme waits from `now` on."""
        self._state.set(("programme", "hold_ms"), hold)
        self.captions.wait(hold, now)

    def listening(self, report: ListenerReport) -> None:
        """Take over what the recogniser says of itself."""
        self.listener = report
        self.captions.listening(report)
        self.link("recogniser", report.state, report.detail)


def _shown_inputs(report: RelayReport) -> dict[str, object]:
    """Nothing where there is but one: the link to the source says how that is."""
    if len(report.inputs) < 2:  # noqa: PLR2004 - main and backup
        return {}
    each: dict[str, object] = {
        one.name: {"state": one.state, "detail": one.detail, "airs": one.airs} for one in report.inputs
    }
    return {**each, "chosen": report.chosen or "auto"}


def _shown_loudness(loudness: Loudness) -> dict[str, object]:
    """As pages read it: LUFS, but for the peak (dBTP) and the gain (decibels)."""
    return msgspec.to_builtins(loudness)  # type: ignore[no-any-return] # a struct is a dictionary then
