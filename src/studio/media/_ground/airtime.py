"""When each moment of the show airs, counted as the broadcast counts: what players, files and viewers see.

The air never stops and never goes back: its time is the machine's clock, less the hold that the show began with. As
long as the hold is that, air time is show time. A longer hold makes the show stand still for a moment while the air
goes on; a shorter one leaves out a stretch of the show. Words, cues and journals stay on the show clock; who needs to
know when they are seen asks here.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

import msgspec

from studio.media._ground.files import Note
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from studio.spoken import Cue

FILE = "air.json"
"""In the show folder."""
LONGEST_STAND = Ms(2000)
"""A show that stands for longer, for its hold becomes longer, is covered by the slate; else its picture stands."""


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """From here on the show goes on, or stands."""

    air: Ms
    show: Ms
    stands: bool = False
    """The show is at `show` until the next turn."""


class _Kept(msgspec.Struct, frozen=True):
    began: Ms
    """The hold that the show began with."""
    planned: Ms
    """The hold that the last relay was told."""
    hold: Ms
    """The hold now."""
    turns: tuple[Turn, ...] = ()
    picture: tuple[int, int, float] | None = None
    """Width, height and rate of the broadcast."""


class AirTime:
    """The hold, and what its changes did. Any thread may ask; one changes it."""

    def __init__(self, folder: Path, hold: Ms, *, continued: bool) -> None:
        """Go on with what is kept in `folder` where the show is `continued`; `hold` is what the relay was told."""
        file = folder / FILE
        self._note = Note(file)
        self._lock = threading.Lock()
        self._kept = (_read(file) if continued else None) or _Kept(hold, hold, hold)

    @classmethod
    def of(cls, folder: Path) -> AirTime:
        """Return what is kept of the show in `folder`; where nothing is, all was aired at its own time."""
        return cls(folder, Ms(0), continued=True)

    def plan(self, hold: Ms, show: Ms) -> None:
        """Heed the `hold` that a relay is told which begins now, `show` on the show clock.

        One that was changed while the show ran stays, unless the relay is told another one than the relay before it.
        """
        if self._kept.planned != hold:
            self.change(hold, Ms(show - self.began))
            self._keep(msgspec.structs.replace(self._kept, planned=hold))

    @property
    def hold(self) -> Ms:
        """How long the programme waits now."""
        return self._kept.hold

    @property
    def began(self) -> Ms:
        """How long it waited when the show began."""
        return self._kept.began

    @property
    def shift(self) -> Ms:
        """How much later on the air than on the show clock is what airs while the show goes on."""
        return Ms(self._kept.hold - self._kept.began)

    @property
    def picture(self) -> tuple[int, int, float] | None:
        """Width, height and rate of the broadcast, once it began."""
        return self._kept.picture

    @picture.setter
    def picture(self, picture: tuple[int, int, float]) -> None:
        if picture != self._kept.picture:
            self._keep(msgspec.structs.replace(self._kept, picture=picture))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Where the show stood and went on, or jumped; empty while everything airs at its own time."""
        return self._kept.turns

    def change(self, hold: Ms, air: Ms | None) -> Ms:
        """Let the programme wait for `hold`, from `air` on, which is now; `None`: nothing has aired yet.

        Return how long the show stands from then on; below 0, how much of it is left out.
        """
        with self._lock:
            if air is None:
                self._keep(msgspec.structs.replace(self._kept, began=hold, hold=hold, turns=()))
                return Ms(0)
            show = self._show(air)
            left = max((turn.air - air for turn in self._kept.turns), default=0)  # of a stand that goes on
            stands = Ms(max(0, left) + hold - self._kept.hold)
            turns = [turn for turn in self._kept.turns if turn.air <= air]
            if stands > 0:
                turns += [Turn(air, show, stands=True), Turn(Ms(air + stands), show)]
            else:
                turns.append(Turn(air, Ms(show - stands)))
            self._keep(msgspec.structs.replace(self._kept, hold=hold, turns=tuple(turns)))
            return stands

    def show(self, air: Ms) -> Ms:
        """Return which moment of the show airs at `air`."""
        with self._lock:
            return self._show(air)

    def _show(self, air: Ms) -> Ms:
        turns = self._kept.turns
        at = bisect_right(turns, air, key=lambda turn: turn.air) - 1
        if at < 0:
            return air
        return turns[at].show if turns[at].stands else Ms(turns[at].show + air - turns[at].air)

    def stand(self, now: Ms) -> tuple[Ms, Ms] | None:
        """Return until when, on the air, the show stands `now` on the machine's clock of the show, and at which moment.

        `None`: it goes on.
        """
        with self._lock:
            air, turns = now - self.began, self._kept.turns
        at = bisect_right(turns, air, key=lambda turn: turn.air) - 1
        return (turns[at + 1].air, turns[at].show) if at >= 0 and turns[at].stands else None

    def air(self, show: Ms) -> Ms:
        """Return when `show` airs; what was left out, when the show went on."""
        with self._lock:
            turns = self._kept.turns
        if not turns or show < turns[0].air:
            return show
        for turn, after in zip_longest(turns, turns[1:]):
            if show <= turn.show:
                return turn.air
            if not turn.stands and (after is None or show - turn.show < after.air - turn.air):
                return Ms(turn.air + show - turn.show)
        return turns[-1].air

    def cues(self, cue: Cue) -> list[Cue]:
        """Return `cue` as it stands on the air: none where all of it was left out; two where the slate parts it.

        While its picture stands for a moment, so does it; on the slate nobody says its words.
        """
        start, end = self.air(cue.start), self.air(cue.end)
        pieces: list[Cue] = []
        for turn, after in pairwise(self.turns):
            if turn.stands and after.air - turn.air > LONGEST_STAND and start <= turn.air < end:
                pieces.append(replace(cue, start=start, end=turn.air))
                start = after.air
        return [piece for piece in (*pieces, replace(cue, start=start, end=end)) if piece.end > piece.start]

    def _keep(self, kept: _Kept) -> None:
        self._kept = kept
        self._note.write(msgspec.json.encode(kept).decode())


def _read(file: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None
