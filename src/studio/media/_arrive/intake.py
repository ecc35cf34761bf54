"""Where every source hands over what arrives: pictures into the hold, sound onto the tape and to the recogniser."""

from __future__ import annotations

import logging
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av

from studio.media._arrive.probe import can_decode, is_cover
from studio.media._ground.clock import RATE, TICK, Ticks, Zero, ticks, ticks_in
from studio.media._ground.eyes import Eyes
from studio.media._ground.hold import Held, Hold, Reel
from studio.media._ground.tape import Arrival, Tape
from studio.media._ground.watchdog import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.container import InputContainer

    from studio.events import LinkState
    from studio.media._leave.clean import Clean, Copy
    from studio.media._leave.instant import Instant, Passing
    from studio.units import Ms

logger = logging.getLogger(__name__)

APART = ticks(0.5)
"""Pictures of a stream that takes over are woven among those of the one before it up to so long before they air: by
then no decoder holds any of those back."""
SOON = ticks(0.1)
"""Sound must be here so long before it airs."""


class Intake:
    """What a source needs of the relay. The source runs in a thread of its own and is the only one to hand over."""

    def __init__(
        self,
        zero: Zero,
        hold: Hold,
        tape: Tape,
        delay: Ticks,
        *,
        heard: Callable[[Ms, bytes], None],
        sound_ended: Callable[[bool], None],
        say: Callable[[str], None],
        seconds: float | None,
        lip_sync: Ticks = Ticks(0),  # noqa: B008 - a number with its unit
    ) -> None:
        """`delay` is the length of the hold; `seconds` the end of the programme on the show clock, or `None`.

        `lip_sync` is how much later than its stamps say the sound belongs to its picture.
        """
        self.zero = zero
        self.hold = hold
        self.tape = tape
        self.delay = delay
        self.lip_sync = lip_sync
        self.heard = heard
        self.sound_ended = sound_ended
        self.say = say
        self.limit = None if seconds is None else ticks(seconds)
        self.clean: Clean | None = None
        """Where a live source is copied to as it arrives."""
        self.instant: Instant | None = None
        """Where the programme is passed on as it arrives."""
        self.aired = Ticks(0)
        """What is earlier in the show has aired before this relay began."""
        self.pulse = Pulse()
        self.stopping = threading.Event()
        """Take no more programme."""
        self.state: LinkState = "connecting"
        self.detail = ""
        self.last_arrival = time.monotonic()
        self.latest = Ticks(0)
        """Where the latest of what was handed over ends."""
        self.shown = Ticks(0)
        """Up to here all pictures of what was handed over came: of those that show later, some may be missing."""
        self.sound_ends: tuple[int, int] | None = None
        """`Arrival.ends` of what was handed over."""
        self.listened: Callable[[], bool] = lambda: True
        """Whether anybody may want to hear what `heard` is told."""
        self.corrupt = 0
        """Packets that could not be read or decoded."""

    def link(self, state: LinkState, detail: str) -> None:
        """Say how the link to the source is; `detail` is one sentence."""
        if state == "online":  # silence counts from here, not from the encoder before
            self.last_arrival = time.monotonic()
        self.state, self.detail = state, detail

    def skip(self, problem: Exception) -> None:
        """Count what could not be read; the first is logged."""
        self.corrupt += 1
        if self.corrupt == 1:
            logger.warning("something in the programme cannot be read: %s", problem)

    def next_up(self) -> Ticks:
        """Return which moment of the show airs now, or next: a relay that takes up a show wants nothing earlier."""
        return Ticks(max(self.aired, self.zero.now() - self.delay))

    def past_the_end(self, at: Ticks) -> bool:
        """Whether the programme is over at `at`."""
        return self.limit is not None and at >= self.limit


class Session:
    """One opened stream or file, from its first packet to its last."""

    def __init__(self, intake: Intake, container: InputContainer, begin: Ticks, *, again: bool = False) -> None:
        """What lies before `begin` on the show clock is not aired; nor is sound where some was handed over before.

        `again`: the same stream had a session before, whose decoders may be at work still.
        """
        self._intake = intake
        self._begin = begin
        self._sound_begin = begin if intake.sound_ends is None else Ticks(0)
        self._arrival = Arrival(intake.tape, intake.heard, intake.sound_ends, intake.listened)
        self.video, self.audio = programme(container)
        self.streams: list[av.stream.Stream] = [stream for stream in (self.video, self.audio) if stream is not None]
        self.copy: Copy | None = None
        """Takes everything as it arrives, too."""
        self.passing: Passing | None = None
        """So does this."""
        self._due: Ticks | None = None
        """When the last picture is to be decoded."""
        self._ears = None if self.audio is None else _ears(self.audio, again=again)
        self._reel: Reel | None = None
        if self.video is not None:
            decoder = _eyes(self.video, again=again)
            decoder.thread_type = "AUTO"
            rate = self.video.average_rate or self.video.guessed_rate
            shape = self.video.sample_aspect_ratio or decoder.sample_aspect_ratio or Fraction(1)
            self._reel = Reel(Eyes(decoder), Fraction(shape) or Fraction(1), float(rate or 0), begin)

    @staticmethod
    def stamp(packet: av.Packet[av.stream.Stream]) -> Ticks | None:
        """Return when `packet` is to be decoded, in ticks of the source."""
        value = packet.dts if packet.dts is not None else packet.pts
        return None if value is None else ticks_in(value, packet.time_base)

    def put(self, packet: av.Packet[av.stream.Stream], offset: Ticks) -> None:
        """Hand over a packet; show time is its stamp + `offset`."""
        self._intake.last_arrival = time.monotonic()
        self._intake.pulse.beat()
        if self.copy is not None:
            self.copy.put(packet, offset)
        if self.passing is not None:
            self.passing.put(packet, offset)
        if self.video is not None and packet.stream_index == self.video.index:
            self._put_picture(packet, offset)
        else:
            self._put_sound(packet, offset)
        self._intake.pulse.rest()  # for the next packet a source may wait as long as it likes

    def take_over(self, kept: Sequence[tuple[av.Packet[av.stream.Stream], Ticks]]) -> None:
        """Hand over what was kept of a stream, each packet with its offset.

        Pictures from before the session's beginning are decoded beside those of whoever aired until then.
        """
        early: list[Held] = []
        self._intake.pulse.beat()
        for packet, offset in kept:
            if self.copy is not None:
                self.copy.put(packet, offset)
            if self.passing is not None:
                self.passing.put(packet, offset)
            if self.video is None or packet.stream_index != self.video.index:
                self._put_sound(packet, offset)
            elif (held := self._held(packet, offset)) is not None:
                if held.due < self._begin - APART:
                    early.append(held)
                    continue
                self._intake.hold.weave(early)
                early = []
                self._intake.hold.put(held)
        self._intake.hold.weave(early)
        self._intake.pulse.rest()

    def close(self, end: Ticks | None = None) -> None:
        """Hand over what the decoders hold back; another session airs from `end` on, if that is given."""
        if self.passing is not None:
            self.passing.end()
        if self._reel is not None and self._due is not None:
            self._reel.end = end
            self._intake.hold.put(Held(self._reel, self._due, None))
        self._arrival.flush()

    def _put_picture(self, packet: av.Packet[av.stream.Stream], offset: Ticks) -> None:
        held = self._held(packet, offset)
        if held is not None:
            self._intake.hold.put(held)

    def _held(self, packet: av.Packet[av.stream.Stream], offset: Ticks) -> Held | None:
        """Return `packet` on the show clock; `None` where it has no place there."""
        if self._reel is None:
            return None
        base = packet.time_base
        due = self.stamp(packet)
        if due is None:
            self._intake.skip(ValueError("a picture without a time stamp"))
            return None
        shown = due if packet.pts is None else ticks_in(packet.pts, base)
        packet.time_base = TICK
        packet.dts, packet.pts = due + offset, shown + offset
        if self._intake.past_the_end(Ticks(shown + offset)):
            return None
        self._due = Ticks(due + offset)
        self._intake.shown = Ticks(max(self._intake.shown, self._due + ticks(0.02)))
        self._intake.latest = Ticks(max(self._intake.latest, shown + offset + ticks(0.02)))
        return Held(self._reel, self._due, cast("av.Packet[av.VideoStream]", packet))

    def _put_sound(self, packet: av.Packet[av.stream.Stream], offset: Ticks) -> None:
        if self._ears is None:
            return
        stamp = self.stamp(packet)
        try:
            frames = self._ears.decode(packet)
        except av.FFmpegError as problem:
            self._intake.skip(problem)
            return
        for frame in frames:
            base = frame.time_base or packet.time_base
            at = stamp if frame.pts is None else ticks_in(frame.pts, base)
            if at is None:
                continue
            place = Ticks(at + offset)
            if place < self._sound_begin or self._intake.past_the_end(place):
                continue
            self._intake.latest = Ticks(
                max(self._intake.latest, place + round(frame.samples * RATE / frame.sample_rate))
            )
            self._arrival.take(frame, Ticks(place + self._lip_sync()))
            self._intake.sound_ends = self._arrival.ends

    def _lip_sync(self) -> int:
        """How much later than its stamp the sound belongs; it cannot air before it came."""
        return 0 if self.video is None else max(self._intake.lip_sync, min(0, SOON - self._intake.delay))


def _eyes(stream: av.VideoStream, *, again: bool) -> av.VideoCodecContext:
    """Return a decoder for `stream`, another one where its own is in use."""
    if not again:
        return stream.codec_context
    other = cast("av.VideoCodecContext", av.CodecContext.create(stream.codec_context.codec, "r"))
    other.extradata = stream.codec_context.extradata
    other.width, other.height = stream.codec_context.width, stream.codec_context.height
    return other


def _ears(stream: av.AudioStream, *, again: bool) -> av.AudioCodecContext:
    """Return a decoder for `stream`, another one where its own is in use."""
    if not again:
        return stream.codec_context
    other = cast("av.AudioCodecContext", av.CodecContext.create(stream.codec_context.codec, "r"))
    other.extradata = stream.codec_context.extradata
    other.sample_rate, other.layout = stream.codec_context.sample_rate, stream.codec_context.layout
    return other


def programme(container: InputContainer) -> tuple[av.VideoStream | None, av.AudioStream | None]:
    """Return the picture and the sound that are taken of what `container` has."""
    pictures = (stream for stream in container.streams.video if can_decode(stream) and not is_cover(stream))
    return next(pictures, None), next((stream for stream in container.streams.audio if can_decode(stream)), None)
