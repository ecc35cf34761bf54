"""The air: what arrived a hold ago is decoded and airs at its moment; what does not come is bridged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING
from weakref import WeakSet

import av
import numpy as np

from studio.media._air.burn import is_hd
from studio.media._air.figures import Figures
from studio.media._air.loudness import SoundDesk
from studio.media._air.passage import Passage
from studio.media._air.picture import Fitter, aired_size
from studio.media._air.standby import CARD_AFTER, Standby
from studio.media._ground.airtime import LONGEST_STAND
from studio.media._ground.clock import RATE, Ticks, Zero, ms_of, ticks, ticks_of
from studio.media._ground.coded import Coded
from studio.media._ground.tape import AIR_RATE
from studio.media._ground.watchdog import Pulse
from studio.media._plan import EncodePreset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studio.events import Alarm
    from studio.media._air.passage import Passed
    from studio.media._air.transmitter import Transmitter
    from studio.media._ground.airtime import AirTime
    from studio.media._ground.alarms import Watch
    from studio.media._ground.cues import CueBoard
    from studio.media._ground.hold import Held, Hold, Reel
    from studio.media._ground.tape import Tape
    from studio.media._plan import RelayPlan
    from studio.units import Ms

logger = logging.getLogger(__name__)

LEAD = 0.3
"""Seconds that pictures are decoded before they air: decoders give them out late, by their threads and B-frames."""
GIVE_UP = ticks(0.5)
"""A frame later than this is not encoded, so that the air catches up."""
SIGN_OF_LIFE = ticks(1.0)
"""One frame in so long airs however late it is: a slow machine shows something."""
SOUND_LEAD = ticks(0.06)
"""Sound is muxed so far ahead of the picture, that no picture waits in a muxer for its sound."""
DECODING = 0.05
"""Seconds of decoding at a stretch: where the hold becomes shorter there may be much to decode, and the air goes on."""
MOST = 48
"""Pictures that are decoded and wait, whatever rate an encoder says it has: `LEAD` of 120 a second, and some."""
SPARE = 4
"""Pictures that may wait beyond those of `LEAD`. After a hold that became shorter, and on a machine without time, there
is much to decode at once, and FFmpeg keeps the memory of as many pictures as ever waited until the encoder leaves."""
HELD_FIRST = 2.0
"""Seconds that a relay which takes up a show waits for what was held (`refill.refill`) or for the encoder, until the
slate airs."""
TURN = 0.02
"""Seconds between two looks at what is due."""
LONG_TURN = 0.04
"""Likewise, where it is known which picture is due next, and when."""
SOUND_EVERY = ticks(0.02)
"""Sound is encoded with each picture, or in such steps: many small ones cost more than few."""


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
        transmitter: Transmitter,
        say: Callable[[str], None],
        watch: Watch,
    ) -> None:
        """`airtime` is the hold, and what its changes do; `say` is told what a technician should know."""
        self._plan = plan
        self._zero = zero
        self._hold = hold
        self._tape = tape
        self._board = board
        self._transmitter = transmitter
        self._watch = watch
        self._time = airtime
        self._wanted: Ms | None = None
        self._ended = threading.Event()
        self._cut = threading.Event()
        self._standby = Standby(plan, tape, self._ended)
        self._set_delay()
        self._sounded = Ticks(0)
        """When sound was encoded last."""
        self._quiet = 0
        """Samples of silence that air before the next sound: the show stands."""
        self._not_before = Ticks(0)
        """What is earlier in the show was left out, for the hold has become shorter."""
        self._frames: deque[tuple[Ticks, av.VideoFrame, Reel]] = deque()
        self.desk = SoundDesk(plan.level, say)
        self._fitter = Fitter(2, 2)
        self._passage = Passage(plan, hold, say)
        self._again: deque[Held] = deque()
        """What was passed on, or was to be, and must be decoded before anything else: what comes next follows it."""
        self._decoding: WeakSet[Reel] = WeakSet()
        """Whose decoders hold pictures back. The end of one may be left out, and it must not stay for that."""
        self._last: Ticks | None = None
        """When the last picture was due, on the air."""
        self._last_encoded = Ticks(0)
        self._slot: float | None = None
        self._started = 0.0
        self.figures = Figures()
        self.pulse = Pulse()

    # ── for other threads ─────────────────────────────────────────────────────────────────────────────────────────────

    def show_card(self) -> None:
        """Air the card: the programme has no picture. Call it before `run`."""
        self._standby.show_card()

    def change_hold(self, hold: Ms) -> None:
        """Let the programme wait for `hold` from now on."""
        self._wanted = hold

    def alarms(self) -> Iterator[Alarm]:
        """What is wrong with what airs."""
        return self._standby.alarms()

    def source_ended(self) -> None:
        """Nothing more arrives: air what is held and be done."""
        self._ended.set()

    def cut_short(self) -> None:
        """Be done at once; what is held is lost."""
        self._cut.set()

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Air until the programme has ended and all of it is written."""
        self._started = time.monotonic()
        if self._standby.live and self._plan.slate_from_start:
            self._zero.begin_now()
        if stand := self._time.stand(ms_of(self._zero.now())):  # a relay before us had begun it
            self._standby.stand(ticks_of(stand[0]), long=True)
        while not self._cut.is_set():
            self.pulse.beat()
            self._turn()
            edge = Ticks(self._zero.now() - self._delay)
            self._decode(Ticks(edge + ticks(LEAD)))
            if self._ended.is_set() and self.figures.phase == "on air":
                self.figures.phase = "draining"
            if not self._transmitter.is_open and not self._begin(edge):
                if self._over(edge):
                    break
                self._tape.start_reading(edge * AIR_RATE // RATE)  # late in a show, sound would find no place on it
                self._rest(TURN)
                continue
            self._sound(edge, at_once=self._is_due(edge))
            if not self._next(edge) and not self._bridge(edge):
                if self._over(edge):
                    break
                self._wait(edge)
        self.pulse.rest()  # the farewell of destinations has its own patience
        self._close()

    def _set_delay(self) -> None:
        self._delay, self._shift = ticks_of(self._time.hold), ticks_of(self._time.shift)
        self._standby.delay = self._delay

    def _turn(self) -> None:
        """Change the hold, if somebody asked for it: the show stands for a moment, or a stretch of it is left out."""
        hold, self._wanted = self._wanted, None
        if hold is None or hold == self._time.hold:
            return
        begun = self._transmitter.is_open
        now = Ticks(self._zero.now() - self._delay + self._shift)
        stands = self._time.change(hold, ms_of(now) if begun else None)
        longer = ticks_of(hold) - self._delay
        self._set_delay()
        if not begun:
            return
        logger.info("the hold is %d ms from now on", hold)
        self._standby.stand(Ticks(now + ticks_of(stands)), long=stands > LONGEST_STAND)
        samples = longer * AIR_RATE // RATE
        left_out = max(0, -samples - self._quiet)
        self._quiet += max(samples, -self._quiet)
        self._tape.start_reading(self._tape.position + left_out)
        if longer < 0:
            self._skip(Ticks(self._zero.now() - self._delay))

    def _skip(self, edge: Ticks) -> None:
        """Leave out what would have aired before `edge`, and decode no more of it than the next pictures need."""
        reel = self._hold.skip(edge)
        group = self._passage.leave()
        if reel is not None:
            reel.decoder.flush_buffers()
            self._again = deque(held for held in self._again if held.reel is not reel)
        else:
            self._look_at(group)
        self._frames = deque(kept for kept in self._frames if kept[0] >= edge)
        self._not_before = edge
        self._standby.skip(edge)

    def _begin(self, edge: Ticks) -> bool:
        """Open encoder and outputs when the first picture or sound is due, or the slate is to begin."""
        frame: av.VideoFrame | None
        reel: Reel | None
        tape = self._tape.begin
        sound_at = None if tape is None else Ticks(tape * RATE // AIR_RATE)
        passed = self._passage.coming[0] if self._passage.coming else None
        if self._frames or passed:
            at, frame, reel = (
                self._frames[0] if self._frames or not passed else (passed.at, passed.frame, passed.held.reel)
            )
            start = at if sound_at is None else Ticks(min(at, sound_at))
        elif sound_at is not None and (self._standby.still is not None or edge > sound_at + CARD_AFTER):
            if self._standby.still is None:
                self.show_card()
            start, reel = sound_at, None
            frame = self._standby.still
        elif self._standby.live and edge >= -self._shift and self._broadcast_waits():
            return self._begin_slate(edge)
        else:
            start, frame, reel = edge, None, None
        if edge < start or frame is None:
            at = Ticks(edge + self._shift)
            return at >= 0 and self._standby.stands(at) and self._begin_slate(edge)
        if reel is None:
            width, height, fps = frame.width, frame.height, self._standby.still_fps
        else:
            like = EncodePreset() if passed and not self._frames else self._plan.encode
            width, height = aired_size(frame.width, frame.height, reel.shape, like)
            fps = self._hold.rate() or reel.fps
        if self._time.picture is not None:  # a broadcast that goes on keeps its size, whatever comes now
            width, height, _fps = self._time.picture
        self._fitter = Fitter(width, height)
        self._open(self._fitter.fit(frame, reel.shape if reel else Fraction(1)), fps, start)
        if reel is None:
            self._last = Ticks(start + self._shift - ticks(1 / self._standby.still_fps))
        return True

    def _broadcast_waits(self) -> bool:
        """Whether the slate is to air before an encoder comes; of a show that goes on, what was held comes first."""
        if self._time.picture is not None:
            return time.monotonic() > self._started + HELD_FIRST
        return self._plan.slate_from_start

    def _begin_slate(self, edge: Ticks) -> bool:
        """Let the broadcast begin, or go on, before the programme does."""
        slate, fps = self._standby.first_slate(self._time.picture)
        self._fitter = Fitter(slate.width, slate.height)
        self._open(slate, fps, edge)
        self._last = Ticks(edge + self._shift - ticks(1 / fps))
        self.figures.slate = True
        return True

    def _open(self, like: av.VideoFrame, fps: float, start: Ticks) -> None:
        """Let the broadcast begin at `start`, with pictures of the size and colours of `like`."""
        self._transmitter.open(like, fps)
        self._tape.start_reading(start * AIR_RATE // RATE)
        self._standby.begin(like)
        self._time.picture = (like.width, like.height, self._transmitter.fps)
        self.figures.width, self.figures.height = like.width, like.height

    def _decode(self, until: Ticks) -> None:
        """Decode what airs soon."""
        enough = time.monotonic() + DECODING
        while not self._waits_enough() and time.monotonic() < enough:
            if self._again:
                self._decode_again(self._again.popleft())
                continue
            held = self._hold.take(until)
            if held is None:
                return
            self._standby.decoded(held.due)
            picture = self._time.picture
            size = None if picture is None else picture[:2]
            if not self._passage.take(held, size, Ticks(max(held.reel.begin, self._not_before))):
                if group := self._passage.before(held):
                    self._again += (*group, held)
                else:
                    self._frames += self._decoded(held.reel, held.packet)
            elif held.reel in self._decoding:
                self._frames += self._decoded(held.reel, None)
                held.reel.decoder.flush_buffers()

    def _waits_enough(self) -> bool:
        """Whether as many decoded pictures wait as `LEAD` needs."""
        if not self._frames:
            return False
        said = self._frames[0][2].fps
        return len(self._frames) >= (min(MOST, ceil(LEAD * said) + SPARE) if said else MOST)

    def _decoded(self, reel: Reel, packet: av.Packet[av.VideoStream] | None) -> list[tuple[Ticks, av.VideoFrame, Reel]]:
        """Return what airs of the pictures that `packet` gives; `None`: of those that are held back."""
        if packet is None:
            self._decoding.discard(reel)
        else:
            self._decoding.add(reel)
        try:
            frames = reel.decoder.decode(packet)
        except av.FFmpegError as problem:
            self.figures.corrupt += 1
            if self.figures.corrupt == 1:
                logger.warning("a picture cannot be decoded: %s", problem)
            return []
        stamped = ((frame.pts if frame.pts is not None else frame.dts, frame) for frame in frames)
        begin = max(reel.begin, self._not_before)
        return [
            (Ticks(at), frame, reel) for at, frame in stamped if at is not None and at >= begin and not reel.is_over(at)
        ]

    def _next(self, edge: Ticks) -> bool:
        """Air the next picture of the programme, if it is due; return whether it was."""
        if self._passage.over():
            self._look_at(self._passage.leave())
        if not self._is_due(edge):
            return False
        if self._copy_is_next():
            self._pass_on(self._passage.coming.popleft())
        else:
            self._air(edge, *self._frames.popleft())
        return True

    def _is_due(self, edge: Ticks) -> bool:
        """Whether a picture of the programme is to air now."""
        if self._copy_is_next():
            return self._passage.coming[0].due <= edge
        return bool(self._frames) and self._frames[0][0] <= edge

    def _copy_is_next(self) -> bool:
        """Whether the next picture airs as it came."""
        coming, frames = self._passage.coming, self._frames
        return bool(coming) and (not frames or coming[0].at <= frames[0][0])

    def _pass_on(self, picture: Passed) -> None:
        """Let a picture air as it came."""
        airs = Ticks(picture.at + self._shift)
        if picture.frame is not None and self._last is not None and airs <= self._last:
            if not self._passage.skip():  # something else stood in its place: what is left of it is encoded
                self._look_at(self._passage.leave())
            return
        self._passage.aired(picture)
        self._standby.due()
        frame = picture.frame and self._fitter.fit(picture.frame, picture.held.reel.shape)
        if frame is not None:
            self._watch.picture(picture.at, frame)
        self._standby.aired(picture.due, frame)
        self._goes_out(Ticks(max(airs, self._last or airs)))
        due, length = Ticks(picture.due + self._shift), ticks(1 / self._transmitter.fps)
        self._transmitter.pass_on(Coded("picture", airs, picture.frame is not None, picture.data, length, due))
        self._count(Ticks(self._zero.now() - self._delay), picture.due)

    def _look_at(self, group: list[Held]) -> None:
        """Let pictures be decoded that were passed on, or were to be."""
        for reel in {held.reel for held in group}:
            reel.decoder.flush_buffers()
        self._again += group

    def _decode_again(self, held: Held) -> None:
        """Decode a picture that was passed on, or was to be: the last one that aired is what stands still now."""
        for at, frame, reel in self._decoded(held.reel, held.packet):
            if self._last is not None and at + self._shift <= self._last:
                self._standby.still = self._fitter.fit(frame, reel.shape)
            else:
                self._frames.append((at, frame, reel))

    def _air(self, edge: Ticks, at: Ticks, frame: av.VideoFrame, reel: Reel) -> None:
        """Encode the frame that is due, or drop it when it is far too late."""
        airs = Ticks(at + self._shift)
        self._standby.due()
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
        self._passage.encoded()
        if self._standby.aired(at, frame):
            self._transmitter.force_key()
        self._send(frame, airs)
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
        self.figures.count(edge - at, ticks(1 / self._transmitter.fps))

    def _bridge(self, edge: Ticks) -> bool:
        """Air a picture in place of one that does not come, when it is time; return whether it was."""
        if self._last is None or self._again:  # it is not known yet what would stand still
            return False
        now = Ticks(edge + self._shift)
        picture, fps = self._standby.instead(edge, now, self._transmitter.fps)
        if picture is None:
            return False
        at = Ticks(self._last + ticks(1 / fps))
        over = self._ended.is_set() and (at - self._shift) * AIR_RATE >= self._tape.end * RATE
        if at > now or (over and not self._standby.stands(now)):
            return False
        still = picture is self._standby.still
        if self._passage.runs and still and self._standby.bears(edge, now):
            return False
        if still and (self._passage.runs or self._passage.unseen):
            self._look_at(self._passage.leave())
            return True
        if self._passage.runs:
            self._passage.pause()
        if self._standby.changes(picture):
            self._transmitter.force_key()
        self._send(picture, at)
        if picture is self._standby.still and self._standby.still_fps:  # the card is the programme, and counts
            self._count(edge, at)
        return True

    def _send(self, frame: av.VideoFrame, at: Ticks) -> None:
        """Let `frame` air `at`, with its caption."""
        self._goes_out(at)
        lines = self._board.air(self._time.show(ms_of(at)))
        self._transmitter.send(frame, at, lines if self._standby.speaks(at) else ())

    def _goes_out(self, at: Ticks) -> None:
        """A picture airs `at`."""
        self.figures.slate = self._standby.slate
        self._last = self._last_encoded = at
        if self.figures.phase == "waiting":
            self.figures.phase = "on air"

    def _sound(self, edge: Ticks, *, at_once: bool) -> None:
        """Encode the sound up to what airs now; where none arrived there is silence.

        Unless `at_once`, it may wait until there is more of it.
        """
        if not at_once and not self._ended.is_set() and abs(edge - self._sounded) < SOUND_EVERY:
            return
        self._sounded = edge
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
            self._transmitter.sound(samples, at)

    def _over(self, edge: Ticks) -> bool:
        if not self._ended.is_set() or self._frames or self._passage.coming or self._again or len(self._hold):
            return False
        return edge * AIR_RATE >= self._tape.end * RATE or not self._transmitter.is_open

    def _wait(self, edge: Ticks) -> None:
        """Rest until the next frame is due; draw the next cue meanwhile."""
        rest = TURN
        if self._copy_is_next():
            rest = min(LONG_TURN, (self._passage.coming[0].due - edge) / RATE)
        elif self._frames:
            rest = min(LONG_TURN, (self._frames[0][0] - edge) / RATE)
        if self._standby.still is not None and (lines := self._board.coming(ms_of(edge))):
            self._transmitter.drawn(lines, hd=is_hd(self._standby.still))
        self._rest(max(0.001, rest))

    def _rest(self, seconds: float) -> None:
        time.sleep(seconds)  # much cheaper than to wait for `_cut`, and never long

    def _close(self) -> None:
        self._transmitter.close(self.desk.flush)
        self.figures.phase = "done"
