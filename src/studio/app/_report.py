"""From the children's messages to the state that people see, and to the table at the end."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import msgspec

from studio import captions, media
from studio.app._said import Script
from studio.errors import StudioError
from studio.events import Loudness
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from studio.events import Alarm, Heard, ListenerReport, OutputReport, RelayReport, ShowCue, SinkReport, WordsChanged
    from studio.show import State

logger = logging.getLogger(__name__)

SHOWN_CUES = 12
"""Settled cues that the page keeps in sight."""
SHOWN_TRANSLATED = 4
"""Cues of a translation that the hall's page may show."""
SHOWN_NOTICES = 20
ALARM = "alarm "
"""Before the name of an alarm, what the notice of it is about."""
SAY_AGAIN = 60.0
"""Seconds after which the same sentence is news again."""


class Notice(TypedDict):
    """A sentence before people, as pages read it."""

    id: int
    """Counts from 1."""
    level: str
    """`info`, `warning` or `error`."""
    text: str
    about: str
    """The link whose trouble it is, or the alarm ("alarm black"), or empty."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What one destination got in an evening, over all restarts."""

    name: str
    size: int
    """Bytes."""
    dropped: int
    """Packets that were left out because it took them too slowly."""
    restarts: int
    """How often it was tried again."""


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
        self._translated: list[dict[str, object]] = []
        self._script = Script(Ms(0))
        self._sinks: dict[str, tuple[str, SinkReport]] = {}
        self._notices: list[Notice] = []
        self._alarms: dict[str, Alarm] = {}
        self._said: dict[str, float] = {}
        self._noticed = 0
        self._links: dict[str, tuple[str, str]] = {}
        self._aired_at = 0.0
        self._dead_since: float | None = None
        self._late_before = 0
        self._outputs: tuple[OutputReport, ...] = ()
        self._known: dict[str, str] = {}
        self._sent: dict[str, tuple[Sent, OutputReport]] = {}
        """Of each destination what it got before it was last begun anew, and what it got since."""

    def begin(self, *, title: str, language: str, folder: Path, interface: str, hold: Ms, captions: bool) -> None:
        """Lay out the whole tree, so that a page never has to ask whether a branch is there."""
        self._script = Script(hold)
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
            self._settled_with(name)
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
        now = time.monotonic()
        before, self._said[sentence] = self._said.get(sentence), now
        if before is not None and now - before < SAY_AGAIN:
            return False
        self._noticed += 1
        number = self._noticed
        self._notices = [
            *self._notices[1 - SHOWN_NOTICES :],
            Notice(id=number, level=level, text=sentence, about=about),
        ]
        self._state.set(("notices",), self._notices)
        return True

    def _settled_with(self, name: str) -> None:
        """What was wrong with a link is not news any more."""
        kept = [notice for notice in self._notices if notice["about"] != name]
        if len(kept) < len(self._notices):
            for notice in self._notices:
                if notice["about"] == name:
                    self._said.pop(notice["text"], None)
            self._notices = kept
            self._state.set(("notices",), self._notices)

    @property
    def notices(self) -> tuple[str, ...]:
        """The last sentences, oldest first."""
        return tuple(notice["text"] for notice in self._notices)

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
        self._show_outputs(report.outputs)
        self.link("source", report.source, report.source_detail)
        self._state.set(("inputs",), _shown_inputs(report))
        self.sinks("relay", report.sinks)
        self._alarm(report.alarms)

    def _alarm(self, alarms: tuple[Alarm, ...]) -> None:
        """Say once that something is wrong, and once that it is over."""
        known = dict(self._alarms)
        for alarm in alarms:
            before, about = self._alarms.get(alarm.name), ALARM + alarm.name
            same = before is not None and before.since == alarm.since
            if alarm.over and same:
                del self._alarms[alarm.name]
                self._settled_with(about)
                self.notice(alarm.over, "info")
                logger.info("%s", alarm.over)
            elif not alarm.over and not same:
                self._alarms[alarm.name] = alarm
                self._settled_with(about)
                self.notice(alarm.sentence, "error", about)
                logger.warning("%s", alarm.sentence)
        for name in self._alarms.keys() - {alarm.name for alarm in alarms}:  # its relay is gone: nobody knows
            del self._alarms[name]
            self._settled_with(ALARM + name)
        if self._alarms != known:
            self._state.set(
                ("alarms",),
                {name: {"text": alarm.sentence, "since_ms": alarm.since} for name, alarm in self._alarms.items()},
            )

    def house_destinations(self, known: Mapping[str, str]) -> None:
        """Show the destinations of the house, by name with their addresses, also while nothing is sent there."""
        self._known = dict(known)
        self._show_outputs(())

    def outputs_lost(self) -> None:
        """Say that nothing goes anywhere, for there is no relay."""
        gone: tuple[OutputReport, ...] = tuple(
            msgspec.structs.replace(output, state="starting", detail="", bitrate=0) for output in self._outputs
        )
        self._show_outputs(gone)

    def _show_outputs(self, outputs: tuple[OutputReport, ...]) -> None:
        self._outputs = outputs
        for output in outputs:
            if output.destination:
                self._count_sent(output)
        shown: dict[str, dict[str, object]] = {output.name: _shown_output(output) for output in outputs}
        for name, address in self._known.items():
            shown.setdefault(name, {"state": "off", "detail": address, "size": 0, "destination": True})
        self._state.set(("destinations",), shown)

    def _count_sent(self, output: OutputReport) -> None:
        before, last = self._sent.get(output.name, (Sent(output.name, 0, 0, 0), output))
        if output.size < last.size:  # another relay, or it was removed and added again
            before = _with(before, last)
        self._sent[output.name] = before, output

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
        if self._script.wait(hold, now):
            self._show_script()

    def heard(self, heard: Heard) -> None:
        """Show what was settled, word by word, and what is likely to follow."""
        self._script.heard(heard)
        self._state.merge({"captions": {"tentative": heard.tentative}})
        if heard.settled:
            self._show_script()

    def words_changed(self, changed: WordsChanged) -> None:
        """Show words that read otherwise now."""
        self._script.changed(changed)
        self._show_script()

    def forget_words(self, now: Ms) -> None:
        """Let go of words that are over at `now` on the show clock."""
        if self._script.prune(now):
            self._show_script()

    def _show_script(self) -> None:
        self._state.set(("captions", "script"), self._script.shown())

    def cue(self, shown: ShowCue) -> None:
        """Show a settled cue; one with a known number replaces it, one without lines takes it back."""
        if shown.track:
            self._translated = _with_cue(self._translated, shown)[-SHOWN_TRANSLATED:]
            self._state.set(("captions", "translated"), self._translated)
        else:
            self._settled = _with_cue(self._settled, shown)[-SHOWN_CUES:]
            self._state.set(("captions", "settled"), self._settled)

    def sinks(self, owner: str, reports: Iterable[SinkReport]) -> None:
        """Say how those places are doing that `owner` (`relay`, `recogniser`, `core`) brings captions to."""
        for report in reports:
            self._sinks[report.name] = owner, report
        self._show_sinks()

    def sinks_lost(self, owner: str) -> None:
        """Say that nobody knows how the sinks of `owner` are doing, for it is gone."""
        for name, (whose, report) in self._sinks.items():
            if whose == owner and report.state not in ("off", "refused"):
                self._sinks[name] = owner, msgspec.structs.replace(report, state="connecting", detail="")
        self._show_sinks()

    def _show_sinks(self) -> None:
        self._state.set(
            ("captions", "sinks"),
            {
                name: {"state": report.state, "detail": report.detail, "late_ms": report.late}
                for name, (_owner, report) in self._sinks.items()
            },
        )

    def listening(self, report: ListenerReport) -> None:
        """Take over what the recogniser says of itself."""
        self.listener = report
        self._state.merge(
            {
                "captions": {
                    "words": report.words,
                    "cues": report.cues,
                    "corrected": report.corrected,
                    "late_p50_ms": report.late_p50,
                    "late_p95_ms": report.late_p95,
                    "degraded": report.detail if report.state == "degraded" else "",
                }
            }
        )
        self.link("recogniser", report.state, report.detail)
        self.sinks("recogniser", report.sinks)

    def summary(self, folder: Path, first_frame: float | None) -> Summary:
        """What it all came to, by the files that are there."""
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
            frames=self.frames,
            on_time=self.on_time,
            dropped=self.dropped,
            words=len(kept.words),
            cues=len(kept.cues),
            late_p50=Ms(late[len(late) // 2]) if late else None,
            late_p95=Ms(late[len(late) * 95 // 100]) if late else None,
            late_cues=self.cues_late,
            notices=self.notices,
            sent=tuple(_with(before, last) for before, last in self._sent.values()),
        )


def _with(before: Sent, output: OutputReport) -> Sent:
    return Sent(
        before.name,
        before.size + output.size,
        before.dropped + output.dropped,
        before.restarts + output.restarts,
    )


def _shown_output(output: OutputReport) -> dict[str, object]:
    shown: dict[str, object] = {"state": output.state, "detail": output.detail, "size": output.size}
    if output.destination:
        shown |= {
            "destination": True,
            "kbps": output.bitrate,
            "dropped": output.dropped,
            "restarts": output.restarts,
        }
    return shown


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


def _with_cue(cues: list[dict[str, object]], shown: ShowCue) -> list[dict[str, object]]:
    """`cues` with the one that is `shown` in its place, or without it where it was taken back."""
    cue = shown.cue
    kept = [known for known in cues if known["number"] != cue.number]
    if cue.lines:
        kept.append({"number": cue.number, "start": cue.start, "end": cue.end, "lines": list(cue.lines)})
    kept.sort(key=lambda known: int(str(known["number"])))
    return kept
