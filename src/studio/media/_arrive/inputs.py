"""Main and backup: two places where an encoder may stream to us, of which exactly one airs at any time."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from studio.events import InputName, InputReport
from studio.language import _
from studio.media._arrive.listen import Listener
from studio.media._arrive.stay import Stay
from studio.media._ground.alarms import Says, Sign
from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.files import Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer

    from studio.events import Alarm, LinkState
    from studio.media._arrive.intake import Intake
    from studio.media._arrive.stay import Placed

logger = logging.getLogger(__name__)

LOST = 0.4
"""Seconds in which an encoder gave nothing until the other one takes over: as long as until the slate does."""
LONGEST_STEP = 2.0
"""Seconds between two pictures of an encoder without sound that is not lost between them."""
STEADY = 10.0
"""Seconds that the main encoder sends without a break until it airs again: one that comes and goes changes nothing."""
PATIENCE = 3.0
"""Seconds that a relay which begins waits for the encoder that is to air, before it takes the other."""
QUIET = 3.0
"""Seconds without a packet after which an encoder that is connected counts as stalled."""
AGAIN_AFTER = 1.0
"""Seconds until an input that broke begins anew."""


class _Kept(msgspec.Struct, frozen=True):
    """`inputs.json`: what the next life of the relay goes on with."""

    chosen: InputName | None
    airs: InputName | None


class Input:
    """One of them, as its listener sees it; written by the listener's thread."""

    def __init__(self, name: InputName, inputs: Inputs, intake: Intake) -> None:
        self.name: InputName = name
        self.stopping = intake.stopping
        self.say = intake.say
        self.stay: Stay | None = None
        self.state: LinkState = "connecting"
        self.detail = ""
        self.last_arrival = time.monotonic()
        self.since = time.monotonic()
        """When what comes without a break began to come."""
        self.latest = Ticks(0)
        """Nothing that it sent was placed later than this."""
        self._inputs = inputs

    def link(self, state: LinkState, detail: str) -> None:
        """Say how the link to the encoder is; `detail` is one sentence."""
        if state == "online":
            self.last_arrival = self.since = time.monotonic()
        self.state, self.detail = state, detail
        self._inputs.changed()

    @contextlib.contextmanager
    def opened(self, container: InputContainer) -> Iterator[Stay]:
        """Take an encoder in, for as long as it stays."""
        with self._inputs.visit(self, container) as stay:
            yield stay

    def gives(self, now: float) -> bool:
        """Whether its encoder is not lost."""
        stay = self.stay  # another thread may be letting go of it
        if stay is None or stay.over:
            return False
        step = 0.0 if stay.audio is not None else min(LONGEST_STEP, 2 * stay.step / RATE)
        return now - self.last_arrival <= max(LOST, step)

    def steady(self, now: float) -> bool:
        """Whether it has sent without a break for long enough."""
        return self.gives(now) and now - self.since > STEADY

    def report(self, *, airs: bool) -> InputReport:
        """How it is doing."""
        state, detail = self.state, self.detail
        if state == "online" and time.monotonic() - self.last_arrival > QUIET:
            state, detail = (
                "degraded",
                _("The encoder is connected and sends nothing; look at its network and its load."),
            )
        return InputReport(self.name, state, detail, airs)


class Inputs:
    """The source of a programme that encoders stream to us. All that is done to what airs is done under one lock."""

    has_picture = True

    def __init__(self, intake: Intake, main: str, backup: str = "", *, returns: bool = True, folder: Path) -> None:
        """Listen at `main`, and at `backup` where one is given. Raises MediaError where nobody can listen there.

        `returns`: a main encoder that is back airs again by itself. What was chosen is kept in `folder`.
        """
        self._intake = intake
        self._returns = returns
        self._file = folder / "inputs.json"
        self._note = Note(self._file)
        self._lock = threading.RLock()
        self._main = Input("main", self, intake)
        self._backup = Input("backup", self, intake) if backup else None
        self._all = [each for each in (self._main, self._backup) if each is not None]
        self._listeners = [Listener(each, url) for each, url in zip(self._all, (main, backup), strict=False)]
        self._airs: Input | None = None
        self._chosen: Input | None = None
        self._wanted = self._main
        """Who airs first in this life of the relay."""
        self._began = time.monotonic()
        self._lost = Sign("main", 0, _main_lost, back=0)
        if intake.zero.continued:
            self._go_on()

    def run(self) -> None:
        """Take whoever streams to us until the relay takes no more."""
        others = [
            threading.Thread(target=self._listen, args=(listener,), name="backup", daemon=True)
            for listener in self._listeners[1:]
        ]
        for other in others:
            other.start()
        self._listeners[0].run()
        for other in others:
            other.join()
        self._intake.link("off", "")
        self._intake.sound_ended(False)  # noqa: FBT003 - `silent`, in the words of events.SoundEnded

    def _listen(self, listener: Listener) -> None:
        """Run the backup's listener; what breaks there must not end what the main one airs."""
        while not self._intake.stopping.is_set():
            try:
                listener.run()
            except Exception:
                logger.exception("the backup's listener broke")
                self._intake.stopping.wait(AGAIN_AFTER)

    def stop(self) -> None:
        """Hang up on everyone, from any thread."""
        for listener in self._listeners:
            listener.stop()

    # ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────

    def choose(self, name: InputName | None) -> None:
        """Air that one until somebody takes it back, with `None`, or until it is lost; from any thread."""
        with self._lock:
            wished = next((each for each in self._all if each.name == name), None)
            if wished is not None and wished is not self._airs and not wished.gives(time.monotonic()):
                self._intake.say(
                    _("The main encoder sends nothing, so it cannot go on the air; look at it and at its network.")
                    if wished is self._main
                    else _(
                        "The backup encoder sends nothing, so it cannot go on the air; look at it and at its network."
                    )
                )
                return
            self._chosen = wished
            self._keep()
            self._decide()

    @property
    def chosen(self) -> InputName | None:
        """Which one a person wants; `None`: it goes by itself."""
        return self._chosen.name if self._chosen else None

    def reports(self) -> tuple[InputReport, ...]:
        """How each is doing."""
        return tuple(each.report(airs=each is self._airs) for each in self._all)

    def alarms(self) -> Iterator[Alarm]:
        """What is wrong with them; ask twice a second, from one thread."""
        now, airs = time.monotonic(), self._airs
        if airs is self._main or self._main.steady(now):
            self._lost.note(False, 1, self._intake.zero.now())  # noqa: FBT003 - the evidence itself
        elif airs is not None and airs.gives(now) and self._chosen is not airs:
            self._lost.note(True, 1, self._intake.zero.now())  # noqa: FBT003
        return self._lost.told()

    # ── for the listeners ─────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self) -> None:
        """The link of an input changed: tell how the one is that matters."""
        with self._lock:
            online = [each for each in self._all if each.state == "online"]
            shown = self._airs if self._airs in online or not online else online[0]
            shown = shown or self._main
            if (shown.state, shown.detail) != (self._intake.state, self._intake.detail):
                self._intake.link(shown.state, shown.detail)

    @contextlib.contextmanager
    def visit(self, place: Input, container: InputContainer) -> Iterator[Stay]:
        """Take an encoder in at `place`, for as long as it stays."""

        def floor() -> Ticks:
            others = any(each is not place and each.gives(time.monotonic()) for each in self._all)
            return place.latest if others else self._intake.latest

        def take(stay: Stay, placed: Placed) -> None:
            with self._lock:
                self._take(place, stay, placed)

        stay = Stay(self._intake, container, floor, take)
        with self._lock:
            place.stay = stay
        try:
            yield stay
        finally:
            with self._lock:
                stay.over = True
                self._decide()
                stay.stand_by()
                place.stay = None

    def _take(self, place: Input, stay: Stay, placed: Placed) -> None:
        now = time.monotonic()
        if now - place.last_arrival > max(LOST, 2 * stay.step / RATE):
            place.since = now
        place.last_arrival = now
        place.latest = Ticks(max(place.latest, placed.at))
        if stay.session is None:
            self._decide(place if placed.begins else None)
        stay.put(placed)

    # ── under the lock ────────────────────────────────────────────────────────────────────────────────────────────────

    def _decide(self, begins: Input | None = None) -> None:
        """Let another one air, if it is time; `begins` is about to send a key frame."""
        now = time.monotonic()
        for other in () if self._intake.stopping.is_set() else self._all:
            if other.stay is not None and other.stay.placed and other.gives(now) and self._is_due(other, now, begins):
                self._take_over(other)
                return

    def _is_due(self, other: Input, now: float, begins: Input | None) -> bool:
        """Whether `other`, which sends, is to begin to air."""
        airs = self._airs
        if airs is None:
            return other is self._wanted or now - self._began > PATIENCE
        if other is airs:
            return other.stay is not None and other.stay.session is None  # back, before the other one could take over
        if not airs.gives(now):
            return True
        if self._chosen is not None:
            return self._chosen is other
        # It is only to come back, so there is time until its next key frame.
        return other is self._main and self._returns and begins is other and other.steady(now)

    def _take_over(self, other: Input) -> None:
        before, self._airs = self._airs, other
        if before is not None and before.stay is not None:
            goes_on = other.stay is not None and other.stay.reaches(self._intake.shown)
            before.stay.stand_by(self._intake.shown if goes_on else None)
        if self._chosen not in (None, other):
            self._chosen = None
            self._intake.say(
                _("The main encoder, which somebody had chosen, is lost: the backup is on the air.")
                if other is self._backup
                else _(
                    "The backup encoder, which somebody had chosen, is lost: the main one is on the air. Look at the"
                    " backup and at its network."
                )
            )
        if other.stay is not None:
            other.stay.take_over()
        if before is not other:
            logger.info("%s is on the air", other.name)
            self._keep()
        self.changed()

    def _keep(self) -> None:
        if self._backup is None:
            return
        kept = _Kept(self.chosen, self._airs.name if self._airs else None)
        self._note.write(msgspec.json.encode(kept).decode())

    def _go_on(self) -> None:
        """Go on with what the relay before us did."""
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError):
            return
        for each in self._all:
            if each.name == kept.airs:
                self._wanted = each
            if each.name == kept.chosen:
                self._chosen = self._wanted = each


def _main_lost() -> Says:
    return Says(
        _("The main encoder sends nothing, so the backup is on the air; look at the main one and at its network."),
        _("The main encoder sends again."),
    )
