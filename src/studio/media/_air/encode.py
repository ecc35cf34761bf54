"""Pictures into H.264, stamped with the show clock."""

from __future__ import annotations

import logging
import math
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from studio.language import _
from studio.media._air.codecs import X264, Codec
from studio.media._air.engine import Aside, Due, Engine
from studio.media._ground.clock import Ticks, ticks
from studio.media._ground.coded import Coded

if TYPE_CHECKING:
    from collections.abc import Callable

    import av

    from studio.media._air.engine import Made, Works
    from studio.media._plan import EncodePreset

logger = logging.getLogger(__name__)

PATIENCE = 0.5
"""Seconds of pictures that an encoder may hold back before it counts as dead: its viewers have seen a second of nothing
when another has taken over."""
FLUSH = 1.0
"""Likewise for its last ones."""
SPARSE = ticks(0.25)
"""Where the next picture, if it takes as long as this one, comes so much after a keyframe is due, this one is it."""
START = 3.0
"""Likewise before its first picture: a driver takes its time to begin."""


class PictureEncoder:
    """H.264 without B-frames and lookahead: a relay that is killed loses what its encoder holds back.

    With x264 that is one frame less than it has threads. Another encoder that fails or gives nothing is replaced by
    x264, which begins with the first picture that was not encoded: nothing is lost, and stamps go on.
    """

    def __init__(
        self,
        preset: EncodePreset,
        like: av.VideoFrame,
        fps: float,
        *,
        codec: Codec = X264,
        say: Callable[[str], None] = logger.warning,
    ) -> None:
        """Encode pictures of the size and colours of `like` with `codec`; `say` is told when it has to be replaced."""
        self.fps = min(preset.fps, fps) if preset.fps and fps else preset.fps or fps or 25.0
        self._anew = partial(PictureEncoder, preset, like, fps, say=say)
        self._preset = preset
        self._like = like
        self._say = say
        self._every = ticks(preset.keyframe_seconds)
        self._next_key: int | None = None
        self._key_now = False
        self._last = -1
        self._duration = ticks(1 / self.fps)
        self._waiting: deque[Due] = deque()
        """What an encoder that may fail has and has not given out; of x264 nothing is kept."""
        self._most = math.ceil(START * self.fps)
        self._works: Works = (Aside if codec.hardware else Engine)(codec, preset, like, self.fps)
        self.keyed = False
        """Whether the last picture that was taken is a keyframe."""

    @property
    def codec(self) -> Codec:
        """Which encoder is at work."""
        return self._works.codec

    def encode(self, frame: av.VideoFrame, at: Ticks) -> list[Coded]:
        """Encode the frame that airs `at`; one that does not come after the last one is left out."""
        if at <= self._last:
            return []
        late, self._last = at + (at - self._last if self.begun else 0) - SPARSE, at
        key = self._next_key is None or max(at, late) >= self._next_key
        if key:  # counted from the first, so that every HLS segment but the last has its full length
            began = at if self._next_key is None else self._next_key
            self._next_key = began + self._every * ((at - began) // self._every + 1)
        due = Due(frame, at, key or self._key_now)
        self._key_now, self.keyed = False, due.key
        if not self.codec.hardware:
            return self._coded(self._works.put(due))
        self._waiting.append(due)
        try:
            coded = self._coded(self._works.put(due))
        except Exception as problem:  # noqa: BLE001 - whatever a driver comes up with
            return self._replace(str(problem))
        if len(self._waiting) > self._most:
            return coded + self._replace("")
        return coded

    @property
    def keeps(self) -> bool:
        """Whether pictures that were given stay in use: x264 copies them, others work in a thread of their own."""
        return self.codec.hardware

    @property
    def last(self) -> int:
        """When the last picture that was taken airs, in ticks; -1 before the first."""
        return self._last

    def anew(self) -> PictureEncoder:
        """Return another one like this, with the encoder that is at work now."""
        return self._anew(codec=self.codec)

    @property
    def begun(self) -> bool:
        """Whether any picture was encoded."""
        return self._last >= 0

    def force_key(self) -> None:
        """Let the next picture be a keyframe, besides those that come by themselves: it will show something else."""
        self._key_now = True

    def flush(self, patience: float = FLUSH) -> list[Coded]:
        """Return what is held back; an encoder with a driver has `patience` seconds for it, or x264 makes it."""
        try:
            coded = self._coded(self._works.flush(patience))
        except Exception as problem:
            if not self.codec.hardware:
                raise
            return self._replace(str(problem)) + self.flush()
        return coded + (self._replace("") + self.flush() if self._waiting else [])

    def _replace(self, why: str) -> list[Coded]:
        """Let x264 go on with what waits; return what it makes of that."""
        dead = self.codec
        logger.warning("%s is replaced by x264: %s", dead.title, why or "it gives nothing")
        self._works.abandon()
        self._works = Engine(X264, self._preset, self._like, self.fps)
        self._say(
            _(
                "The encoder {name} stopped working, so x264 encodes from here on, with the processor; look at the"
                " graphics driver before the next show."
            ).format(name=dead.title)
        )
        waiting, self._waiting = self._waiting, deque()
        coded: list[Coded] = []
        for number, due in enumerate(waiting):
            coded += self._coded(self._works.put(Due(due.frame, due.at, due.key or number == 0)))
        self._key_now = self._key_now or not waiting
        return coded

    def _coded(self, pictures: list[Made]) -> list[Coded]:
        if pictures:
            self._most = math.ceil(PATIENCE * self.fps)
        for made in pictures:
            while self._waiting and self._waiting[0].at <= made.at:
                self._waiting.popleft()
        return [Coded("picture", made.at, made.key, made.data, self._duration) for made in pictures]
