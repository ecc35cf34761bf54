"""Captions as pages read them: words as they are said, cues as they stand, and the places they are brought to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from studio.app._said import Script
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.events import Heard, ListenerReport, ShowCue, SinkReport, WordsChanged
    from studio.show import State

SHOWN_CUES = 12
"""Settled cues that the page keeps in sight."""
SHOWN_TRANSLATED = 4
"""Cues of a translation that the hall's page may show."""


class CaptionsShown:
    """Keeps the state true to what the recogniser says, and to how those places are doing."""

    def __init__(self, state: State) -> None:
        """Write into `state`."""
        self._state = state
        self._settled: list[dict[str, object]] = []
        self._translated: list[dict[str, object]] = []
        self._script = Script(Ms(0))
        self._sinks: dict[str, tuple[str, SinkReport]] = {}

    def begin(self, hold: Ms) -> None:
        """The programme waits for `hold`."""
        self._script = Script(hold)

    def wait(self, hold: Ms, now: Ms) -> None:
        """The programme waits for `hold` from `now` on."""
        if self._script.wait(hold, now):
            self._show_script()

    def heard(self, heard: Heard) -> None:
        """Show what was settled, word by word, and what is likely to follow."""
        self._script.heard(heard)
        self._state.merge({"captions": {"tentative": heard.tentative}})
        if heard.settled:
            self._show_script()

    def unheard(self) -> None:
        """Nobody listens any more: what was likely to follow is not known, and how it went is over."""
        self._state.merge({"captions": {"tentative": "", "degraded": ""}})

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
        self.sinks("recogniser", report.sinks)


def _with_cue(cues: list[dict[str, object]], shown: ShowCue) -> list[dict[str, object]]:
    """`cues` with the one that is `shown` in its place, or without it where it was taken back."""
    cue = shown.cue
    kept = [known for known in cues if known["number"] != cue.number]
    if cue.lines:
        kept.append({"number": cue.number, "start": cue.start, "end": cue.end, "lines": list(cue.lines)})
    kept.sort(key=lambda known: int(str(known["number"])))
    return kept
