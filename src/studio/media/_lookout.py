"""The lookout: how the relay is doing, and whether what it takes, writes and sends really moves."""

from __future__ import annotations

import threading
import time
from functools import partial
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from studio.events import RelayReport, SinkReport
from studio.language import _
from studio.media._ground.alarms import PLAYLIST_STILL, STILL_AFTER, Keeper, Kept, Watch
from studio.media._leave.disk import Disk, Elsewhere
from studio.media._leave.prober import Probers

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.events import Alarm, LinkState, OutputReport, OutputState
    from studio.media._air.air import Air
    from studio.media._air.closed import ClosedCaptions
    from studio.media._air.transmitter import Transmitter
    from studio.media._arrive.inputs import Inputs
    from studio.media._arrive.intake import Intake
    from studio.media._ground.airtime import AirTime
    from studio.media._ground.cues import CueBoard
    from studio.media._ground.hold import Hold
    from studio.media._ground.tape import Tape
    from studio.media._leave.destination import Destinations
    from studio.media._plan import RelayPlan

QUIET = 3.0
"""Seconds without a packet after which a live source counts as stalled."""

_ON_AIR: dict[str, LinkState] = {
    "waiting": "connecting",
    "on air": "online",
    "draining": "online",
    "done": "off",
}
_WRITTEN: dict[OutputState, LinkState] = {
    "starting": "connecting",
    "on air": "online",
    "stalled": "degraded",
    "failed": "degraded",
    "done": "off",
}
_MOVING = ("on air", "stalled")
"""States in which an output's files must move; where it has failed, that has been said."""


class Lookout:
    """Looks at everybody and belongs to nobody: nothing waits for it."""

    def __init__(
        self,
        plan: RelayPlan,
        *,
        air: Air,
        intake: Intake,
        transmitter: Transmitter,
        destinations: Destinations,
        hold: Hold,
        tape: Tape,
        board: CueBoard,
        closed: ClosedCaptions | None,
        airtime: AirTime,
        sight: Watch,
        inputs: Callable[[], Inputs | None],
        say: Callable[[str], None],
    ) -> None:
        """`sight` is what the air shows its pictures and sound to; `inputs` gives where encoders stream to us."""
        self._plan = plan
        self._air = air
        self._intake = intake
        self._transmitter = transmitter
        self._destinations = destinations
        self._hold = hold
        self._tape = tape
        self._board = board
        self._closed = closed
        self._time = airtime
        self._sight = sight
        self._inputs = inputs
        self._keeper = Keeper(self._kept, intake.zero.now)
        self._probers = Probers(intake.zero.now)
        self._elsewhere = Elsewhere(plan.folder, say, self._filling)
        self._disk = Disk(plan.folder, say, written=self._written, pause=self._pause)

    def start(self) -> None:
        """Look at disks and files, in threads of their own, until no more programme is taken."""
        for watch in (self._disk, self._elsewhere):
            threading.Thread(target=watch.run, args=(self._intake.stopping,), name="disk", daemon=True).start()
        self._keeper.start()

    def stop(self) -> None:
        """Look at files and playlists no more."""
        self._keeper.stop()
        self._probers.stop()

    def report(self) -> RelayReport:
        """How everything is now."""
        inputs = self._inputs()
        figures, state, detail = self._air.figures, self._intake.state, self._intake.detail
        if state == "online" and time.monotonic() - self._intake.last_arrival > QUIET:
            state, detail = "degraded", _stalled(self._plan.input)
        outputs = (
            *(output.report() for output in self._transmitter.outputs),
            *self._clean_report(),
            *self._destinations.reports(),
        )
        return RelayReport(
            source=state,
            source_detail=detail,
            width=figures.width,
            height=figures.height,
            fps=figures.fps(),
            frames=figures.frames,
            on_time=figures.on_time,
            dropped=figures.dropped + self._hold.overflow,
            late_p95=figures.late_p95(),
            peak=self._tape.peak(),
            held=self._hold.size,
            cues=self._board.shown,
            late_cues=self._board.late,
            outputs=outputs,
            phase=figures.phase,
            sinks=self._sinks() if self._plan.captions else (),
            loudness=self._air.desk.loudness,
            alarms=self._alarms(outputs),
            slate=figures.slate,
            hold=self._time.hold,
            encoder=self._transmitter.encoder,
            inputs=inputs.reports() if inputs is not None else (),
            chosen=inputs.chosen if inputs is not None else None,
        )

    def _kept(self) -> list[Kept]:
        """What must move on the disk while the programme airs."""
        playlist = max(STILL_AFTER, PLAYLIST_STILL * self._plan.encode.segment_seconds)

        def written(name: str) -> bool:
            if self._air.figures.phase not in ("on air", "draining"):
                return False
            reports = (*(output.report() for output in self._transmitter.outputs), *self._destinations.reports())
            return any(report.name == name and report.state in _MOVING for report in reports)

        folder = self._plan.folder
        kept = [
            Kept("recording", folder, "recording.part-*.ts", STILL_AFTER, partial(written, "recording")),
            Kept("hls", folder / "hls", "index.m3u8", playlist, partial(written, "hls"), playlist=True),
            Kept("clean", folder, "clean.part-*.ts", STILL_AFTER, self._arriving),
        ]
        for to in self._destinations.wanted:
            place, live = Path(to.address), partial(written, to.name)
            if to.kind == "hls":
                kept.append(Kept(to.name, place, "index.m3u8", playlist, live, playlist=True))
            elif to.kind == "file":  # after a break another one is begun beside it
                pattern = f"{escape(place.stem)}*{escape(place.suffix)}"
                kept.append(Kept(to.name, place.parent, pattern, STILL_AFTER, live))
        return kept

    def _arriving(self) -> bool:
        """Whether a source sends just now what is written as it comes."""
        if self._intake.state != "online" or time.monotonic() - self._intake.last_arrival > 1:
            return False
        return any(report.state in _MOVING for report in self._clean_report())

    def _alarms(self, outputs: tuple[OutputReport, ...]) -> tuple[Alarm, ...]:
        if self._air.figures.phase == "done":
            return ()
        inputs = self._inputs()
        taking = [output.name for output in outputs if output.destination and output.state == "on air"]
        return (
            *self._air.alarms(),
            *(inputs.alarms() if inputs is not None else ()),
            *self._sight.alarms(),
            *self._keeper.alarms(),
            *self._probers.follow(self._destinations.wanted, taking),
        )

    def _written(self) -> int:
        """Bytes of what grows on the disk for as long as the show goes on."""
        grows = {"recording"} if self._plan.encode.playlist_segments else {"recording", "hls"}
        clean = self._intake.clean.size if self._intake.clean is not None else 0
        reports = [output.report() for output in self._transmitter.outputs]
        own = sum(report.size for report in reports if report.name in grows)
        return clean + own + self._elsewhere.beside()

    def _filling(self) -> list[tuple[str, Path, int]]:
        """Name, place and bytes of each destination that grows for as long as the show goes on."""
        sizes = {report.name: report.size for report in self._destinations.reports()}
        grows = {"file"} if self._plan.encode.playlist_segments else {"file", "hls"}
        return [
            (to.name, Path(to.address), sizes.get(to.name, 0)) for to in self._destinations.wanted if to.kind in grows
        ]

    def _pause(self, why: str) -> bool:
        """Let the clean recording stop for the reason `why`, or go on; whether there is one."""
        return self._intake.clean is not None and self._intake.clean.pause(why)

    def _clean_report(self) -> tuple[OutputReport, ...]:
        report = self._intake.clean.report() if self._intake.clean is not None else None
        return () if report is None else (report,)

    def _sinks(self) -> tuple[SinkReport, ...]:
        picture = _ON_AIR[self._air.figures.phase]
        undrawn = ""
        if self._transmitter.undrawn:
            undrawn = _("Some captions cannot be drawn; check the font of the subtitle style.")
        sinks = [SinkReport("picture", "degraded" if undrawn else picture, undrawn, self._board.picture_late)]
        hls = next((report for output in self._transmitter.outputs if (report := output.report()).name == "hls"), None)
        written = "connecting" if hls is None else _WRITTEN[hls.state]
        trouble = hls.detail if hls is not None and written == "degraded" else ""
        sinks.append(SinkReport("webvtt", written, trouble, self._board.written_late))
        if self._closed is not None:
            sinks.append(SinkReport("cea608", picture, self._closed.detail, self._closed.late))
        return tuple(sinks)


def _stalled(source: str) -> str:
    """Say what a source is like that is open and gives nothing, and what to do."""
    kind = source.partition(":")[0]
    if kind == "file":
        return _("The file gives nothing more just now; look at the disk or the network drive that it is on.")
    if kind == "mic":
        return _("The microphone is open and gives no sound; check its plug and the sound server.")
    return _("The encoder is connected and sends nothing; look at its network and its load.")
