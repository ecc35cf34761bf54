"""What airs where no picture of the programme is due: its last one again, the slate, or the card."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from studio.language import _
from studio.media._air.burn import is_hd
from studio.media._air.picture import Fitter, card
from studio.media._air.slate import HD, draw, size_of
from studio.media._ground.alarms import Says, Sign
from studio.media._ground.clock import RATE, Ticks, ticks
from studio.media._ground.tape import AIR_RATE

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    import av

    from studio.events import Alarm
    from studio.media._ground.tape import Tape
    from studio.media._plan import RelayPlan

STILL_AFTER = ticks(0.7)
"""A file that gives no picture for so long is bridged by its last one, or players and HLS would stop."""
STILL_FPS = 5.0
LOST = ticks(0.4)
"""An encoder that gave neither picture nor sound for so long is lost: viewers have seen the slate half a second after
its last picture."""
BEHIND = ticks(0.5)
"""An encoder may lag by so much without being anchored anew (`anchor`): with a hold below that, LOST is longer by what
is missing, or one that merely lags would be taken for lost."""
HOLE = ticks(0.1)
"""From one picture to the next: more may be a hole in the programme, which is known before it airs, for the hold is
longer than the hole and the encoder is back already."""
GAP = 2.5
"""Pictures' lengths without a picture after which the last one is aired again."""
LONGEST_STEP = ticks(2.0)
"""An encoder that sends a picture in so long, for it shows what hardly moves, is not lost between two of them."""
CARD_FPS = 15.0
CARD_AFTER = ticks(2.0)
"""A programme whose sound airs for so long before any picture gets the card."""


class Standby:
    """Knows what was decoded and aired last, and so what airs now; used by the air's thread alone."""

    def __init__(self, plan: RelayPlan, tape: Tape, ended: threading.Event) -> None:
        """`tape` is the sound that arrived; `ended` is set when nothing more arrives."""
        self._plan = plan
        self._tape = tape
        self._ended = ended
        self._loss = Sign("slate", 0, _lost, back=0)
        self._slate: av.VideoFrame | None = None
        self._stands_until = Ticks(0)
        """On the air: until then the show stands, for the hold has become longer."""
        self._stands_long = False
        self._catching_up = False
        """The hold has become shorter, and the next picture is not decoded yet."""
        self._taken_up = False
        """The broadcast was there before us, and had its programme."""
        self._fed = Ticks(0)
        """When the last picture that was decoded was due."""
        self._hole = (Ticks(0), Ticks(0))
        """The last stretch for which no picture was decoded, though there are some after it."""
        self._last_real = Ticks(0)
        """When the last picture of the programme was due."""
        self._step = Ticks(0)
        """Between the last two of them."""
        self.live = plan.input.startswith("listen:")
        """The programme comes from an encoder, which may be lost."""
        self.delay = Ticks(0)
        """How long the programme waits now."""
        self.still: av.VideoFrame | None = None
        """The last picture of the programme, or its card."""
        self.still_fps = 0.0
        """How many of them air in a second while it is the programme; 0 where there are others."""
        self.slate = False
        """The slate is on the air."""

    def alarms(self) -> Iterator[Alarm]:
        """Whether the encoder is lost."""
        return self._loss.told()

    # ── what the air tells ────────────────────────────────────────────────────────────────────────────────────────────

    def show_card(self) -> None:
        """The programme has no picture: its card is what airs."""
        self.still, self.still_fps = card(self._plan.title, self._plan.encode), self._plan.encode.fps or CARD_FPS

    def first_slate(self, picture: tuple[int, int, float] | None) -> tuple[av.VideoFrame, float]:
        """The broadcast begins, or goes on in the size and at the rate of `picture`, before the programme does."""
        width, height, fps = picture or size_of(self._plan.slate, self._plan.encode)
        self._slate = draw(self._plan, width, height, hd=height >= HD)
        self.slate, self._taken_up = True, picture is not None
        return self._slate, fps

    def begin(self, like: av.VideoFrame) -> None:
        """The broadcast begins, in the size and colours of `like`."""
        if self.live and self._slate is None:
            self._slate = draw(self._plan, like.width, like.height, hd=is_hd(like))

    def decoded(self, due: Ticks) -> None:
        """A picture was decoded that was due at `due`."""
        if due > self._fed + HOLE:
            self._hole = self._fed, due
        self._fed = Ticks(max(self._fed, due))

    def _pictured(self, edge: Ticks) -> Ticks:
        """Up to when there are pictures, of what airs at `edge`: those after a hole that it stands in do not count."""
        begin, end = self._hole
        return begin if begin < edge < end else self._fed

    def stand(self, until: Ticks, *, long: bool) -> None:
        """The show stands `until`, on the air; `long`: for more than viewers should look at one picture."""
        self._stands_until, self._stands_long = until, long

    def skip(self, edge: Ticks) -> None:
        """What was to air before `edge` is left out."""
        self._fed = edge
        self._catching_up = True

    def due(self) -> None:
        """A picture of the programme is due, whether it airs or not."""
        self._catching_up = False

    def aired(self, at: Ticks, frame: av.VideoFrame | None) -> bool:
        """A picture of the programme airs, which was due `at`; return whether the slate ends with it.

        `None`: nobody has looked at it, for it is passed on as it came.
        """
        self.still, self.still_fps = frame or self.still, 0.0
        ends = self.slate
        if ends:
            self._back()
        elif self._loss.raised is not None:  # it was missed, and came before the slate did
            self._loss.note(False, 1, at)  # noqa: FBT003 - the evidence itself
        if 0 < at - self._last_real <= LONGEST_STEP:
            self._step = Ticks(at - self._last_real)
        self._last_real = at
        return ends

    # ── what the air asks ─────────────────────────────────────────────────────────────────────────────────────────────

    def stands(self, at: Ticks) -> bool:
        """Whether the show stands `at` on the air."""
        return at < self._stands_until

    def bears(self, edge: Ticks, at: Ticks) -> bool:
        """Whether players may wait for the next picture that is passed on: an encoded one in between is dear.

        They show the last one meanwhile, which is what a show that stands for a moment wants.
        """
        if self.stands(at):
            return not self._stands_long
        return edge - self._last_real <= STILL_AFTER

    def speaks(self, at: Ticks) -> bool:
        """Whether a caption may stand on what airs `at`.

        While the show stands for a moment its caption does too: away and back it would only flicker. Where it stands
        for longer, its words are said neither on the slate nor on the card, and the caption goes on with the show.
        """
        return not (self._stands_long and self.stands(at))

    def instead(self, edge: Ticks, at: Ticks, fps: float) -> tuple[av.VideoFrame | None, float]:
        """Return what airs where no picture is due, and how many a second; `None` where one may still come.

        `edge` is due now, which is `at` on the air; the broadcast has `fps`.
        """
        stands = self.stands(at)
        catches_up = self._catching_up and edge - self._pictured(edge) < BEHIND
        if (stands or catches_up) and not self.still_fps:
            if stands and self._stands_long:
                return self._stand_in(), fps
            return self._slate if self.slate else self.still, fps
        if self.live and self._lost(edge):
            return self._slate, fps
        if self.still_fps:
            return self.still, self.still_fps
        if self.live:
            return self.still if self._missing(edge, fps) else None, fps
        return self.still if edge - self._last_real > STILL_AFTER else None, STILL_FPS

    def changes(self, picture: av.VideoFrame) -> bool:
        """`picture`, which `instead` returned, airs; return whether the slate comes or goes with it."""
        if self.slate is (picture is self._slate):
            return False
        if self.slate:
            self._back()
        else:
            self.slate = True
        return True

    def _back(self) -> None:
        """The programme takes over."""
        self.slate = False
        self._loss.note(False, 1, self._last_real)  # noqa: FBT003 - the evidence itself

    def _lost(self, edge: Ticks) -> bool:
        """Whether an encoder gives nothing at all at what airs now, or has not sent a picture since."""
        slack = max(0, BEHIND - self.delay)
        sound_end = self._tape.heard(edge * AIR_RATE // RATE) * RATE // AIR_RATE
        sounds = sound_end > edge - slack
        if (
            self.still is None
            and self._slate is not None
            and sounds
            and edge > (self._tape.begin or 0) * RATE // AIR_RATE + CARD_AFTER
        ):
            self.still_fps = self._plan.encode.fps or CARD_FPS  # the slate was there first, and sound came alone
            drawn = card(self._plan.title, self._plan.encode)
            self.still = Fitter(self._slate.width, self._slate.height).fit(drawn, Fraction(1))
        gone = edge - max(self._pictured(edge), sound_end) > max(LOST + slack, 2 * self._step)
        if gone and (self._last_real or self._taken_up) and not self._ended.is_set():
            self._loss.note(True, 1, edge)  # noqa: FBT003 - the evidence itself
        return not (sounds and self.still_fps) if self.slate else gone

    def _missing(self, edge: Ticks, fps: float) -> bool:
        """Whether an encoder sends sound, or will soon go on, and has no picture for what airs now."""
        slack = max(0, BEHIND - self.delay)
        return edge - self._pictured(edge) > max(slack and LOST + slack, GAP * max(ticks(1 / fps), self._step))

    def _stand_in(self) -> av.VideoFrame | None:
        """Return the slate; it is drawn now where no encoder can be lost."""
        if self._slate is None and self.still is not None:
            self._slate = draw(self._plan, self.still.width, self.still.height, hd=is_hd(self.still))
        return self._slate


def _lost() -> Says:
    return Says(
        _("Nothing comes from the encoder, so the slate is on the air; look at it and at its network."),
        _("The encoder sends again, and the programme is back on the air."),
    )
