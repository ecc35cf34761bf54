"""The air: what arrived a hold ago is decoded, gets its caption, is encoded and goes out."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import av
import numpy as np

from studio.language import _
from studio.media._alarms import Says, Sign
from studio.media._burn import Burner, is_hd
from studio.media._clock import RATE, Ticks, Zero, ms_of, ticks, ticks_of
from studio.media._encode import PictureEncoder, SoundEncoder
from studio.media._loudness import SoundDesk
from studio.media._picture import Fitter, aired_size, card, copy
from studio.media._slate import HD, draw, size_of
from studio.media._tape import AIR_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studio.events import Alarm
    from studio.media._airtime import AirTime
    from studio.media._alarms import Watch
    from studio.media._closed import ClosedCaptions
    from studio.media._cues import CueBoard
    from studio.media._destination import Destinations
    from studio.media._encode import Coded
    from studio.media._hold import Hold, Reel
    from studio.media._outputs import Output
    from studio.media._plan import RelayPlan
    from studio.media._tape import Tape
    from studio.spoken import Cue

logger = logging.getLogger(__name__)

LEAD = 0.3
"""Seconds that pictures are decoded before they air: decoders give them out late, by their threads and B-frames."""
GIVE_UP = ticks(0.5)
"""A frame later than this is not encoded, so that the air catches up."""
ON_TIME = ticks(0.1)
"""What may pass, besides one frame's length, until a frame counts as late."""
SIGN_OF_LIFE = ticks(1.0)
"""One frame in so long airs however late it is: a slow machine shows something."""
STILL_AFTER = ticks(0.7)
"""A file that gives no picture for so long is bridged by its last one, or players and HLS would stop."""
STILL_FPS = 5.0
LOST = ticks(0.4)
"""An encoder that gave neither picture nor sound for so long is lost: viewers have seen the slate half a second after
its last picture."""
BEHIND = ticks(0.5)
"""An encoder may lag by so much without being anchored anew (`_anchor`): with a hold below that, LOST is longer by what
is missing, or one that merely lags would be taken for lost."""
GAP = 2.5
"""Pictures' lengths without a picture after which the last one is aired again."""
LONGEST_STEP = ticks(2.0)
"""An encoder that sends a picture in so long, for it shows what hardly moves, is not lost between two of them."""
SOUND_LEAD = ticks(0.06)
"""Sound is muxed so far ahead of the picture, that no picture waits in a muxer for its sound."""
LONGEST_STAND = Ms(2000)
"""A show that stands for longer, for its hold becomes longer, is covered by the slate; else its picture stands."""
DECODING = 0.05
"""Seconds of decoding at a stretch: where the hold becomes shorter there may be much to decode, and the air goes on."""
HELD_FIRST = 2.0
"""Seconds that a relay which takes up a show waits for what was held (`_refill.refill`) or for the encoder, until the
slate airs."""
CARD_FPS = 15.0
CARD_AFTER = ticks(2.0)
"""A programme whose sound airs for so long before any picture gets the card."""
TURN = 0.02
"""Seconds between two looks at what is due."""


@dataclass(slots=True)
class Figures:
    """How the air is doing; written by the air alone, read by anyone."""

    width: int = 0
    height: int = 0
    frames: int = 0
    on_time: int = 0
    dropped: int = 0
    phase: Literal["waiting", "on air", "draining", "done"] = "waiting"
    corrupt: int = 0
    """Packets that could not be decoded."""
    slate: bool = False
    """The slate is on the air."""


class Air:
    """Airs the programme in its own thread until it is over."""

    def __init__(
        self,
        plan: RelayPlan,
        *,
        airtime: AirTime,
        zero: Zero,
        hold: Hold,
        tape: Tape,
        board: CueBoard,
        closed: ClosedCaptions | None,
        open_outputs: Callable[[int, int, float], list[Output]],
        destinations: Destinations,
        say: Callable[[str], None],
        watch: Watch,
    ) -> None:
        """`open_outputs` is asked once, with the first picture's size and rate, when the programme begins to air.

        `airtime` is the hold, and what its changes do. `closed`, where it is given, puts captions into the coded
        pictures, too. `say` is told what a technician should know.
        """
        self._plan = plan
        self._zero = zero
        self._hold = hold
        self._tape = tape
        self._board = board
        self._closed = closed
        self._open_outputs = open_outputs
        self._destinations = destinations
        self._say = say
        self._watch = watch
        self._undrawable: set[tuple[str, ...]] = set()
        self._time = airtime
        self._wanted: Ms | None = None
        self._set_delay()
        self._stands_until = Ticks(0)
        """On the air: until then the show stands, for the hold has become longer."""
        self._stands_long = False
        self._quiet = 0
        """Samples of silence that air before the next sound: the show stands."""
        self._not_before = Ticks(0)
        """What is earlier in the show was left out, for the hold has become shorter."""
        self._catching_up = False
        """The hold has become shorter, and the next picture is not decoded yet."""
        self._frames: deque[tuple[Ticks, av.VideoFrame, Reel]] = deque()
        self._pictures: PictureEncoder | None = None
        self._sounds = SoundEncoder(plan.encode)
        self.desk = SoundDesk(plan.level, say)
        self._fitter = Fitter(2, 2)
        self._burner = Burner(plan.style, 2, 2)
        self._still: av.VideoFrame | None = None
        self._still_fps = 0.0
        self._live = plan.input.startswith("listen:")
        self._slate: av.VideoFrame | None = None
        self._loss = Sign("slate", 0, _lost, back=0)
        self._fed = Ticks(0)
        """When the last picture that was decoded was due."""
        self._step = Ticks(0)
        """Between the last two pictures of the programme."""
        self._last: Ticks | None = None
        self._last_real = Ticks(0)
        self._last_encoded = Ticks(0)
        self._slot: float | None = None
        self._lateness: deque[tuple[float, int]] = deque(maxlen=2000)
        self._started = 0.0
        self._ended = threading.Event()
        self._cut = threading.Event()
        self.outputs: list[Output] = []
        self.figures = Figures()

    # ── for other threads ─────────────────────────────────────────────────────────────────────────────────────────────

    def show_card(self) -> None:
        """Air the card: the programme has no picture. Call it before `run`."""
        fps = self._plan.encode.fps or CARD_FPS
        self._still, self._still_fps = card(self._plan.title, self._plan.encode), fps

    def change_hold(self, hold: Ms) -> None:
        """Let the programme wait for `hold` from now on."""
        self._wanted = hold

    def alarms(self) -> Iterator[Alarm]:
        """What is wrong with what airs."""
        return self._loss.told()

    def source_ended(self) -> None:
        """Nothing more arrives: air what is held and be done."""
        self._ended.set()

    def cut_short(self) -> None:
        """Be done at once; what is held is lost."""
        self._cut.set()

    @property
    def undrawn(self) -> int:
        """How many texts could not be drawn and are left out of the picture."""
        return len(self._undrawable)

    def late_p95(self) -> Ms | None:
        """Lateness that 95 of 100 frames of the last ten seconds kept within; `None` without frames."""
        after = time.monotonic() - 10
        late = sorted(late for at, late in list(self._lateness) if at > after)
        return Ms(round(late[int(len(late) * 0.95)] / (RATE / 1000))) if late else None

    def fps(self) -> float:
        """Frames a second over the last five seconds."""
        now = time.monotonic()
        times = [at for at, _late in list(self._lateness) if at > now - 5]
        enough = 5
        return (
            round((len(times) - 1) / (times[-1] - times[0]), 1) if len(times) > enough and times[-1] > times[0] else 0.0
        )

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Air until the programme has ended and all of it is written."""
        self._started = time.monotonic()
        if self._live and self._plan.slate_from_start:
            self._zero.begin_now()
        while not self._cut.is_set():
            self._turn()
            edge = Ticks(self._zero.now() - self._delay)
            self._decode(Ticks(edge + ticks(LEAD)))
            if self._ended.is_set() and self.figures.phase == "on air":
                self.figures.phase = "draining"
            if self._pictures is None and not self._begin(edge):
                if self._over(edge):
                    break
                self._tape.start_reading(edge * AIR_RATE // RATE)  # late in a show, sound would find no place on it
                self._rest(TURN)
                continue
            self._sound(edge)
            if self._frames and self._frames[0][0] <= edge:
                self._air(edge, *self._frames.popleft())
            elif not self._bridge(edge):
                if self._over(edge):
                    break
                self._wait(edge)
        self._close()

    def _set_delay(self) -> None:
        self._delay, self._shift = ticks_of(self._time.hold), ticks_of(self._time.shift)

    def _turn(self) -> None:
        """Change the hold, if somebody asked for it: the show stands for a moment, or a stretch of it is left out."""
        hold, self._wanted = self._wanted, None
        if hold is None or hold == self._time.hold:
            return
        begun = self._pictures is not None
        now = Ticks(self._zero.now() - self._delay + self._shift)
        stands = self._time.change(hold, ms_of(now) if begun else None)
        longer = ticks_of(hold) - self._delay
        self._set_delay()
        if not begun:
            return
        logger.info("the hold is %d ms from now on", hold)
        self._stands_until = Ticks(now + ticks_of(stands))
        self._stands_long = stands > LONGEST_STAND
        samples = longer * AIR_RATE // RATE
        left_out = max(0, -samples - self._quiet)
        self._quiet += max(samples, -self._quiet)
        self._tape.start_reading(self._tape.position + left_out)
        if longer < 0:
            self._skip(Ticks(self._zero.now() - self._delay))

    def _skip(self, edge: Ticks) -> None:
        """Leave out what would have aired before `edge`, and decode no more of it than the next pictures need."""
        reel = self._hold.skip(edge)
        if reel is not None:
            reel.decoder.flush_buffers()
        self._frames = deque(kept for kept in self._frames if kept[0] >= edge)
        self._not_before = self._fed = edge
        self._catching_up = True

    def _begin(self, edge: Ticks) -> bool:
        """Open encoder and outputs when the first picture or sound is due, or the slate is to begin."""
        frame: av.VideoFrame | None
        reel: Reel | None
        tape = self._tape.begin
        sound_at = None if tape is None else Ticks(tape * RATE // AIR_RATE)
        if self._frames:
            at, frame, reel = self._frames[0]
            start = at if sound_at is None else Ticks(min(at, sound_at))
        elif sound_at is not None and (self._still is not None or edge > sound_at + CARD_AFTER):
            if self._still is None:
                self.show_card()
            start, reel = sound_at, None
            frame = self._still
        elif self._live and edge >= 0 and self._broadcast_waits():
            return self._begin_slate(edge)
        else:
            return False
        if edge < start or frame is None:
            return False
        if reel is None:
            width, height, fps = frame.width, frame.height, self._still_fps
        else:
            width, height = aired_size(frame.width, frame.height, reel.shape, self._plan.encode)
            fps = self._hold.rate() or reel.fps
        if self._time.picture is not None:  # a broadcast that goes on keeps its size, whatever comes now
            width, height, _fps = self._time.picture
        self._fitter = Fitter(width, height)
        self._open(self._fitter.fit(frame, reel.shape if reel else Fraction(1)), fps, start)
        if reel is None:
            self._last = Ticks(start + self._shift - ticks(1 / self._still_fps))
        return True

    def _broadcast_waits(self) -> bool:
        """Whether the slate is to air before an encoder comes; of a show that goes on, what was held comes first."""
        if self._time.picture is not None:
            return time.monotonic() > self._started + HELD_FIRST
        return self._plan.slate_from_start

    def _begin_slate(self, edge: Ticks) -> bool:
        """Let the broadcast begin, or go on, before the programme does."""
        width, height, fps = self._time.picture or size_of(self._plan.slate, self._plan.encode)
        self._fitter = Fitter(width, height)
        self._slate = draw(self._plan, width, height, hd=height >= HD)
        self._open(self._slate, fps, edge)
        self._last = Ticks(edge + self._shift - ticks(1 / fps))
        self.figures.slate = True
        return True

    def _open(self, like: av.VideoFrame, fps: float, start: Ticks) -> None:
        """Open encoder and outputs for pictures of the size and colours of `like`."""
        width, height = like.width, like.height
        self._burner = Burner(self._plan.style, width, height)
        self._pictures = PictureEncoder(self._plan.encode, like, fps)
        self._tape.start_reading(start * AIR_RATE // RATE)
        if self._live and self._slate is None:
            self._slate = draw(self._plan, width, height, hd=is_hd(like))
        self.outputs = self._open_outputs(width, height, self._pictures.fps)
        self._time.picture = (width, height, self._pictures.fps)
        self.figures.width, self.figures.height = width, height

    def _decode(self, until: Ticks) -> None:
        """Decode what airs soon."""
        enough = time.monotonic() + DECODING
        # A bound that is never reached in peace.
        while len(self._frames) < 100 and time.monotonic() < enough and (held := self._hold.take(until)):  # noqa: PLR2004
            self._fed = Ticks(max(self._fed, held.due))
            try:
                frames = held.reel.decoder.decode(held.packet)
            except av.FFmpegError as problem:
                self.figures.corrupt += 1
                if self.figures.corrupt == 1:
                    logger.warning("a picture cannot be decoded: %s", problem)
                continue
            for frame in frames:
                at = frame.pts if frame.pts is not None else frame.dts
                if at is not None and at >= max(held.reel.begin, self._not_before):
                    self._frames.append((Ticks(at), frame, held.reel))

    def _air(self, edge: Ticks, at: Ticks, frame: av.VideoFrame, reel: Reel) -> None:
        """Encode the frame that is due, or drop it when it is far too late."""
        airs = Ticks(at + self._shift)
        self._catching_up = False
        if self._thinned(airs):
            return  # the preset asks for fewer frames: this one is not missed
        if self._last is not None and airs <= self._last:
            return
        if edge - at > GIVE_UP and airs - self._last_encoded < SIGN_OF_LIFE:
            self.figures.dropped += 1
            self._last = airs
            return
        frame = self._fitter.fit(frame, reel.shape)
        self._watch.picture(at, frame)
        self._still, self._still_fps = frame, 0.0
        if self.figures.slate:
            self._back()
        elif self._loss.raised is not None:  # it was missed, and came before the slate did
            self._loss.note(False, 1, at)  # noqa: FBT003 - the evidence itself
        if 0 < at - self._last_real <= LONGEST_STEP:
            self._step = Ticks(at - self._last_real)
        self._send(frame, airs)
        self._last_real = at
        self._count(Ticks(self._zero.now() - self._delay), at)

    def _thinned(self, at: Ticks) -> bool:
        """Whether the frame at `at` comes sooner after the one before than the preset's rate allows."""
        if not self._plan.encode.fps:
            return False
        step = RATE / self._plan.encode.fps
        if self._slot is not None and at < self._slot - step / 4:
            return True
        self._slot = max(step + (at if self._slot is None else self._slot), at)
        return False

    def _count(self, edge: Ticks, at: Ticks) -> None:
        late = edge - at
        self._lateness.append((time.monotonic(), late))
        self.figures.frames += 1
        length = ticks(1 / self._pictures.fps) if self._pictures else 0
        self.figures.on_time += late <= max(length, ON_TIME)

    def _bridge(self, edge: Ticks) -> bool:
        """Air a picture in place of one that does not come, when it is time; return whether it was."""
        if self._last is None or self._pictures is None:
            return False
        now = Ticks(edge + self._shift)
        stands = now < self._stands_until
        picture, fps = self._instead(edge, self._pictures.fps, stands=stands)
        if picture is None:
            return False
        at = Ticks(self._last + ticks(1 / fps))
        over = self._ended.is_set() and (at - self._shift) * AIR_RATE >= self._tape.end * RATE
        if at > now or (over and not stands):
            return False
        if self.figures.slate is not (picture is self._slate):
            self._back() if self.figures.slate else self._go()
        self._send(picture, at)
        if picture is self._still and self._still_fps:  # the card is the programme, and counts
            self._count(edge, at)
        return True

    def _instead(self, edge: Ticks, fps: float, *, stands: bool) -> tuple[av.VideoFrame | None, float]:
        """Return what airs where no picture is due, and how many a second; `None` where one may still come.

        `stands`: the show does, for its hold has become longer.
        """
        catches_up = self._catching_up and edge - self._fed < BEHIND
        if (stands or catches_up) and not self._still_fps:
            if stands and self._stands_long:
                return self._stand_in(), fps
            return self._slate if self.figures.slate else self._still, fps
        if self._live and self._lost(edge):
            return self._slate, fps
        if self._still_fps:
            return self._still, self._still_fps
        if self._live:
            return self._still if self._missing(edge) else None, fps
        return self._still if edge - self._last_real > STILL_AFTER else None, STILL_FPS

    def _lost(self, edge: Ticks) -> bool:
        """Whether an encoder gives nothing at all at what airs now, or has not sent a picture since."""
        slack = max(0, BEHIND - self._delay)
        sound_end = self._tape.end * RATE // AIR_RATE
        sounds = sound_end > edge - slack
        if self._still is None and sounds and edge > (self._tape.begin or 0) * RATE // AIR_RATE + CARD_AFTER:
            self._still_fps = self._plan.encode.fps or CARD_FPS  # the slate was there first, and sound came alone
            self._still = self._fitter.fit(card(self._plan.title, self._plan.encode), Fraction(1))
        gone = edge - max(self._fed, sound_end) > max(LOST + slack, 2 * self._step)
        if gone and self._last_real and not self._ended.is_set():
            self._loss.note(True, 1, edge)  # noqa: FBT003 - the evidence itself
        return not (sounds and self._still_fps) if self.figures.slate else gone

    def _missing(self, edge: Ticks) -> bool:
        """Whether an encoder sends sound, or will soon go on, and has no picture for what airs now."""
        slack = max(0, BEHIND - self._delay)
        length = max(ticks(1 / self._pictures.fps), self._step) if self._pictures else 0
        return edge - self._fed > max(slack and LOST + slack, GAP * length)

    def _stand_in(self) -> av.VideoFrame | None:
        """Return the slate; it is drawn now where no encoder can be lost."""
        if self._slate is None and self._still is not None:
            self._slate = draw(self._plan, self._still.width, self._still.height, hd=is_hd(self._still))
        return self._slate

    def _go(self) -> None:
        """The slate takes over."""
        self.figures.slate = True
        if self._pictures is not None:
            self._pictures.force_key()

    def _back(self) -> None:
        """The programme takes over."""
        self.figures.slate = False
        if self._pictures is not None:
            self._pictures.force_key()
        self._loss.note(False, 1, self._last_real)  # noqa: FBT003 - the evidence itself

    def _send(self, frame: av.VideoFrame, at: Ticks) -> None:
        """Encode `frame`, which airs `at`, with its caption."""
        cue = self._board.air(self._time.show(ms_of(at)))
        if cue is not None and self._drawn(cue, hd=is_hd(frame)):
            frame = copy(frame)  # the decoder still needs its own, and the still picture must stay clean
            self._burner.burn(cue, frame)
        self._last = self._last_encoded = at
        if self._pictures:
            self._write(self._captioned(self._pictures.encode(frame, at)))
        if self.figures.phase == "waiting":
            self.figures.phase = "on air"

    def _drawn(self, cue: Cue, *, hd: bool) -> bool:
        """Draw `cue` if it can be drawn, and return whether it is: no caption may end the air.

        A cue that could break the air would be sent again to the next one, and break that, too.
        """
        if cue.lines in self._undrawable:
            return False
        try:
            self._burner.prepare(cue, hd=hd)
        except Exception:  # whatever fonts and texts can do to Pillow and FreeType
            logger.exception("caption %d cannot be drawn: %r", cue.number, cue.lines)
            if not self._undrawable:
                self._say(
                    _(
                        "A caption cannot be drawn and is left out of the picture ({text}); check the font of the"
                        " subtitle style. The subtitle files have it."
                    ).format(text=" ".join(cue.lines)[:80])
                )
            self._undrawable.add(cue.lines)
            return False
        return True

    def _sound(self, edge: Ticks) -> None:
        """Encode the sound up to what airs now; where none arrived there is silence."""
        early = SOUND_LEAD if self._delay > 5 * SOUND_LEAD else Ticks(-4 * SOUND_LEAD)
        until = (edge + early) * AIR_RATE // RATE
        shift = self._shift * AIR_RATE // RATE
        if self._ended.is_set():
            until = min(until, max(self._tape.end, ((self._last or 0) - self._shift + SOUND_LEAD) * AIR_RATE // RATE))
        if self._quiet:
            count = min(self._quiet, until - (self._tape.position - self._quiet))
            at, samples = self._tape.position - self._quiet, np.zeros((max(0, count), 2), np.int16)
        else:
            at, samples = self._tape.read(until)
        if len(samples):
            if self._tape.begin is not None and not self._quiet:
                self._watch.sound(at + len(samples), samples, came=self._tape.end > at)
            self._quiet -= len(samples) if self._quiet else 0
            at, samples = self.desk.take(at + shift, samples)
            self._write(self._sounds.encode(samples, at))

    def _over(self, edge: Ticks) -> bool:
        if not self._ended.is_set() or self._frames or len(self._hold):
            return False
        return edge * AIR_RATE >= self._tape.end * RATE or self._pictures is None

    def _wait(self, edge: Ticks) -> None:
        """Rest until the next frame is due; draw the next cue meanwhile."""
        rest = TURN
        if self._frames:
            rest = min(rest, (self._frames[0][0] - edge) / RATE)
        if self._still is not None and (cue := self._board.coming(ms_of(edge))):
            self._drawn(cue, hd=is_hd(self._still))
        self._rest(max(0.001, rest))

    def _rest(self, seconds: float) -> None:
        self._cut.wait(seconds)

    def _captioned(self, pictures: list[Coded]) -> list[Coded]:
        return self._closed.add(pictures) if self._closed else pictures

    def _write(self, coded: list[Coded]) -> None:
        for output in self.outputs:
            output.write(coded)
        self._destinations.write(coded)

    def _close(self) -> None:
        """Write what the encoders hold back, and close every output."""
        if self._pictures:
            self._write(self._captioned(self._pictures.flush()))
            self._write(self._sounds.encode(*self.desk.flush()))
            self._write(self._sounds.flush())
        for output in self.outputs:
            output.close()
        self._destinations.close()
        self.figures.phase = "done"


def _lost() -> Says:
    return Says(
        _("Nothing comes from the encoder, so the slate is on the air; look at it and at its network."),
        _("The encoder sends again, and the programme is back on the air."),
    )
