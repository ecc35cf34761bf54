"""Sentences before people, each said once: what is wrong, and that it is over."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from studio.events import Alarm
    from studio.show import State

logger = logging.getLogger(__name__)

SHOWN = 20
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


class Notices:
    """What pages show of it: the last sentences, and the alarms in force."""

    def __init__(self, state: State) -> None:
        """Write into `state`."""
        self._state = state
        self._notices: list[Notice] = []
        self._alarms: dict[str, Alarm] = {}
        self._said: dict[str, float] = {}
        self._noticed = 0

    def say(self, sentence: str, level: str = "warning", about: str = "") -> bool:
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
            *self._notices[1 - SHOWN :],
            Notice(id=number, level=level, text=sentence, about=about),
        ]
        self._state.set(("notices",), self._notices)
        return True

    def settled(self, name: str) -> None:
        """What was wrong with a link, or an alarm, is not news any more."""
        kept = [notice for notice in self._notices if notice["about"] != name]
        if len(kept) < len(self._notices):
            for notice in self._notices:
                if notice["about"] == name:
                    self._said.pop(notice["text"], None)
            self._notices = kept
            self._state.set(("notices",), self._notices)

    @property
    def texts(self) -> tuple[str, ...]:
        """The last sentences, oldest first."""
        return tuple(notice["text"] for notice in self._notices)

    def alarm(self, alarms: tuple[Alarm, ...]) -> None:
        """Say once that something is wrong, and once that it is over."""
        known = dict(self._alarms)
        for alarm in alarms:
            before, about = self._alarms.get(alarm.name), ALARM + alarm.name
            same = before is not None and before.since == alarm.since
            if alarm.over and same:
                del self._alarms[alarm.name]
                self.settled(about)
                self.say(alarm.over, "info")
                logger.info("%s", alarm.over)
            elif not alarm.over and not same:
                self._alarms[alarm.name] = alarm
                self.settled(about)
                self.say(alarm.sentence, "error", about)
                logger.warning("%s", alarm.sentence)
        for name in self._alarms.keys() - {alarm.name for alarm in alarms}:  # its relay is gone: nobody knows
            del self._alarms[name]
            self.settled(ALARM + name)
        if self._alarms != known:
            self._state.set(
                ("alarms",),
                {name: {"text": alarm.sentence, "since_ms": alarm.since} for name, alarm in self._alarms.items()},
            )
