"""The passage: pictures that go on the air as the encoder sent them, for nothing has to be drawn on them.

Which ones do is decided at each key frame. Until one comes that may, and wherever something else airs (the slate, a
picture again, a hold that changes), what airs is decoded and encoded: what is needed to begin with that in the middle
of a group of pictures is kept.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import av

from studio.language import _, decimal
from studio.media._ground.clock import RATE, Ticks, ticks
from studio.media._ground.hold import Held
from studio.wire import h264

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.media._ground.hold import Hold, Reel
    from studio.media._plan import RelayPlan

logger = logging.getLogger(__name__)

LATE = 0.45
"""Seconds that a key frame may come later than HLS promised: it rounds, and 2 s at 29.97 pictures a second are more."""
KEPT = 32 << 20
"""Bytes kept since a key frame: four seconds of 60 Mb/s."""

Why = Literal["codec", "colours", "fields", "size", "rare"]


@dataclass(frozen=True, slots=True)
class Passed:
    """A picture that goes on the air as it came."""

    held: Held
    at: Ticks
    """When it is shown, on the show clock before the hold is added."""
    data: bytes
    """Annex B; a key frame has its parameter sets."""
    frame: av.VideoFrame | None
    """What it shows; of key frames alone."""

    @property
    def due(self) -> Ticks:
        """When it is decoded, likewise."""
        return min(self.held.due, self.at)


class Passage:
    """Decides for each picture; used by the air's thread alone."""

    def __init__(self, plan: RelayPlan, hold: Hold, say: Callable[[str], None]) -> None:
        """`say` is told why a programme that is to be passed on is not, once for each reason."""
        self.wanted = plan.encode.copy and not plan.captions and plan.encode.small is None
        """Whether anything is ever passed on; of a small picture, the frames are needed."""
        self._film = plan.input.startswith("file:")
        self._hold = hold
        self._say = say
        self._longest = plan.encode.target_seconds() + LATE
        self._advised = decimal(plan.encode.segment_seconds)
        self._said: set[Why] = set()
        self._group: deque[Held] = deque()
        """Everything since the last key frame that aired as it came, and what is coming."""
        self._size = 0
        """Bytes of that."""
        self._passing: Reel | None = None
        """What was passed on last."""
        self._setup: tuple[Reel, bytes] | None = None
        """The parameter sets that an encoder sent in the midst of its pictures."""
        self._reel: Reel | None = None
        """Whose key frame was the last."""
        self._key: Ticks | None = None
        """When it was due."""
        self._gap: int | None = None
        """Ticks between the last two of them; `None`: nobody knows yet."""
        self._eye: av.VideoCodecContext | None = None
        self.on = False
        """What is taken now is passed on."""
        self.coming: deque[Passed] = deque()
        """What was taken and is to be passed on, in its order of decoding."""

    def take(self, held: Held, size: tuple[int, int] | None, begin: Ticks) -> bool:
        """Take `held`, the next in order, if it is to be passed on as it came; return whether it is.

        `size` is that of the broadcast, `None` where it has none yet; what is shown before `begin` does not air.
        """
        if not self.wanted:
            return False
        packet = held.packet
        passes = self.on and held.reel is self._passing
        if packet is None:
            self.on = self.on and not passes
            return passes
        if packet.pts is None or packet.is_corrupt:
            return passes
        data = self._annex_b(held)
        if data is None:
            return False
        aired = packet.pts >= begin and not held.reel.is_over(packet.pts)
        frame = None
        if h264.is_key(data) and (aired or passes):
            frame = self._begin(held, data, size)
            self.on = aired and frame is not None
            if not self.on:
                self._taken()
        elif passes and (not aired or self._late(held) or self._size > KEPT):
            self.pause()
        if not self.on or held.reel is not self._passing:
            return False
        self._group.append(held)
        self._size += _size(held)
        self.coming.append(Passed(held, Ticks(packet.pts), data, frame))
        return True

    def _annex_b(self, held: Held) -> bytes | None:
        """Return what a picture of H.264 goes out as."""
        packet, reel = held.packet, held.reel
        if packet is None:
            return None
        if reel.decoder.codec != "h264":
            self._refuse("codec", codec=reel.decoder.codec)
            return None
        if packet.has_sidedata("new_extradata"):
            self._setup = reel, bytes(packet.get_sidedata("new_extradata"))
        setup = self._setup[1] if self._setup is not None and self._setup[0] is reel else reel.decoder.setup
        return h264.annex_b(bytes(packet), setup)

    def _begin(self, key: Held, data: bytes, size: tuple[int, int] | None) -> av.VideoFrame | None:
        """Return what a key frame shows, if what begins with it may be passed on."""
        self._passing = key.reel
        often, frame = self._often(key), self._look(data)
        # only a decoder that a film's own header was read for knows that a phone lay on its side
        upright = key.reel.decoder.turned is False if self._film else True
        return frame if often and upright and frame is not None and self._fits(frame, key.reel, size) else None

    @property
    def runs(self) -> bool:
        """Whether what comes next follows in the midst of a group: nothing may air between."""
        return self.on and not (self.coming and self.coming[0].frame is not None)

    @property
    def unseen(self) -> bool:
        """Whether the last pictures that aired as they came are known to nobody, and none is coming."""
        return not self.on and len(self._group) > 0

    def aired(self, picture: Passed) -> None:
        """`picture`, the first that was coming, airs."""
        while picture.frame is not None and self._group and self._group[0] is not picture.held:
            self._size -= _size(self._group.popleft())

    def before(self, held: Held) -> list[Held]:
        """Return what must be decoded before `held`, which is not passed on; each time once."""
        return self._taken() if self._group and self._group[-1].reel is held.reel else []

    def over(self) -> bool:
        """Whether another reel goes on in place of the picture that is coming."""
        return bool(self.coming) and self.coming[0].held.reel.is_over(self.coming[0].at)

    def encoded(self) -> None:
        """A picture that was decoded airs: where no key frame is coming, nothing is passed on any more."""
        if not self.coming and (self.on or self._group):
            self.leave()

    def pause(self) -> None:
        """Pass on nothing more until the next key frame."""
        self.on = False
        self.coming.clear()

    def leave(self) -> list[Held]:
        """Pause, and return what must be decoded to see the last picture, or the next one; each time once."""
        self.pause()
        return self._taken()

    def _taken(self) -> list[Held]:
        group = list(self._group)
        self._group.clear()
        self._size = 0
        return group

    def skip(self) -> bool:
        """Pass on nothing of what is coming up to its next key frame; False, and nothing is done, without one."""
        if all(picture.frame is None for picture in self.coming):
            return False
        while self.coming[0].frame is None:
            self.coming.popleft()
        return True

    def _often(self, key: Held) -> bool:
        """Whether key frames are near enough to each other, as far as anyone can see: in the hold, else in the past."""
        if self._key is None or key.reel is not self._reel:
            self._gap = None
        else:
            self._gap = key.due - self._key
        self._reel, self._key = key.reel, key.due
        ahead, whole = self._hold.key_after(key.reel)
        gap = ahead - key.due if ahead is not None else max(whole - key.due, self._gap or 0)
        if gap <= ticks(self._longest):
            return True
        return self._refuse("rare", seconds=decimal(gap / RATE, ".1f"), advised=self._advised)

    def _late(self, held: Held) -> bool:
        """Whether the next key frame does not come in time."""
        gap = held.due - (self._key if self._key is not None else held.due)
        return gap > ticks(self._longest) and not self._refuse(
            "rare", seconds=decimal(gap / RATE, ".1f"), advised=self._advised
        )

    def _fits(self, frame: av.VideoFrame, reel: Reel, size: tuple[int, int] | None) -> bool:
        if frame.format.name not in ("yuv420p", "yuvj420p"):
            return self._refuse("colours", colours=frame.format.name)
        if frame.interlaced_frame:
            return self._refuse("fields")
        mine = frame.width, frame.height
        if reel.shape != 1 or mine != (size or mine):
            wide, high = size or mine
            return self._refuse("size", mine=f"{mine[0]}×{mine[1]}", size=f"{wide}×{high}")  # noqa: RUF001 - a product
        return True

    def _look(self, data: bytes) -> av.VideoFrame | None:
        """Decode a key frame by itself."""
        if self._eye is None:
            self._eye = av.CodecContext.create("h264", "r")
            self._eye.thread_count = 1  # or it would give the picture out with a later one
        try:
            frames = [*self._eye.decode(av.Packet(data)), *self._eye.decode(None)]
            self._eye.flush_buffers()
        except av.FFmpegError as problem:
            logger.warning("a key frame cannot be decoded: %s", problem)
            self._eye = None
            return None
        return frames[0] if frames else None

    def _refuse(self, why: Why, **facts: object) -> bool:
        """Say why what comes is not passed on; False."""
        if why not in self._said:
            self._said.add(why)
            sentences: dict[Why, str] = {
                "codec": _("The encoder sends {codec}, so the picture is encoded anew; set it to H.264 to copy it."),
                "colours": _(
                    "The picture has the colours {colours}, so it is encoded anew; set the encoder to 8 bits and 4:2:0"
                    " (NV12) to copy it."
                ),
                "fields": _(
                    "The picture comes in fields, so it is encoded anew; set the encoder to progressive to copy it."
                ),
                "size": _(
                    "The encoder sends {mine} and the broadcast has {size}, so the picture is encoded anew; set the"
                    " encoder to square pixels and to that size to copy it."
                ),
                "rare": _(
                    "Key frames come {seconds} s apart, so the picture is encoded anew; set the encoder's keyframe"
                    " interval to {advised} s to copy it."
                ),
            }
            self._say(sentences[why].format(**facts))
        return False


def _size(held: Held) -> int:
    return held.packet.size if held.packet is not None else 0
