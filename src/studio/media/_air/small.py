"""The small picture for weak connections: what airs once more, in fewer pixels and bits.

It is encoded beside the air, in a thread of its own that the machine may keep waiting: where the processor does not
suffice it loses pictures, and the big picture loses none.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import av
from av.video.reformatter import VideoReformatter

from studio.language import _
from studio.media._air.burn import BT601, BT709, Burner, is_hd
from studio.media._air.codecs import X264
from studio.media._air.engine import Due, Engine
from studio.media._air.picture import copy
from studio.media._ground.clock import RATE, Ticks, ticks
from studio.media._ground.coded import Coded

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.media._plan import EncodePreset, SmallPicture
    from studio.subtitles import Style

logger = logging.getLogger(__name__)

MOST = 12
"""Pictures that wait at the most: half a second."""
TOO_MANY = 125
"""Pictures that were left out until that is said."""
NICENESS = 5
"""Added to the thread's own: the big picture wins."""
FLUSH = 1.0
"""Seconds that the end of the show waits for what is not encoded yet."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that airs, and what stands on it."""

    frame: av.VideoFrame
    """Without its caption; its pixels stay as they are."""
    at: Ticks
    key: bool
    lines: tuple[str, ...]


class Waiting:
    """What waits for the encoder: `MOST` pictures. Where one too many comes one is left out, a keyframe last of all."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._shots: deque[Shot] = deque()
        self._ended = False
        self._change = threading.Condition()
        self.dropped = 0
        """Pictures that were left out."""

    def put(self, shot: Shot) -> None:
        """Let `shot` wait; never waits itself for more than a `take`."""
        with self._change:
            if len(self._shots) >= self._most:
                self.dropped += 1
                if not shot.key:
                    return
                # no picture that waits was encoded yet: each can be left out without harm to the next
                victim = next((other for other in reversed(self._shots) if not other.key), self._shots[0])
                self._shots.remove(victim)
            self._shots.append(shot)
            self._change.notify()

    def take(self) -> Shot | None:
        """Return the oldest, once there is one; `None`: nothing comes any more."""
        with self._change:
            while not self._shots and not self._ended:
                self._change.wait()
            return self._shots.popleft() if self._shots else None

    def end(self) -> None:
        """Nothing will be put any more."""
        with self._change:
            self._ended = True
            self._change.notify()


class Small:
    """Makes the small picture; `put`, `take` and `close` are the air's, and only `close` waits."""

    def __init__(
        self, preset: EncodePreset, style: Style, like: av.VideoFrame, fps: float, say: Callable[[str], None]
    ) -> None:
        """Of pictures of the size and colours of `like`; `say` is told when there is none any more. Needs `small`."""
        wish = preset.small
        if wish is None:
            raise ValueError("small")
        self._preset = replace(preset, small=None, video_bitrate=wish.video_bitrate, threads=1)
        self._style = style
        self._say = say
        self.width, self.height = small_size(like.width, like.height, wish)
        self.fps = small_fps(fps, wish)
        self._thins = self.fps < fps
        self._slot = 0.0
        self._colours = BT709 if is_hd(like) else BT601
        self._waiting = Waiting()
        self._made: deque[Coded] = deque()
        self._problem: Exception | None = None
        self._said = self._slow = False
        self._thread = threading.Thread(target=self._run, name="small picture", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Pictures that were left out, for there was no time."""
        return self._waiting.dropped

    def put(self, frame: av.VideoFrame, at: Ticks, lines: tuple[str, ...], *, key: bool) -> None:
        """Let `frame`, without its caption, be encoded with `lines` on it; a keyframe where the big picture has one."""
        if self._said or (self._thins and not self._in_time(at, key=key)):
            return
        self._waiting.put(Shot(frame, at, key, lines))
        if self._waiting.dropped >= TOO_MANY and not self._slow:
            self._slow = True
            self._say(
                _(
                    "This machine is too slow for the small picture beside the big one, so it jerks; leave `small` out"
                    " of the encode preset, or give it fewer frames. The big picture is whole."
                )
            )

    def take(self, until: Ticks | None = None) -> list[Coded]:
        """Return what was made meanwhile of what airs up to `until`; `None`: all."""
        made = []
        while self._made and (until is None or self._made[0].stamp <= until):
            made.append(self._made.popleft())
        if self._problem is not None and not self._said:
            self._said = True
            self._say(
                _(
                    "The small picture for weak connections cannot be encoded ({problem}) and ends here; viewers get"
                    " the big one. Look at `small` in the encode preset."
                ).format(problem=self._problem)
            )
        return made

    def close(self) -> list[Coded]:
        """Return what is left, as far as it comes within `FLUSH` seconds."""
        self._waiting.end()
        self._thread.join(FLUSH)
        return self.take()

    def _in_time(self, at: Ticks, *, key: bool) -> bool:
        """Whether the preset's rate has room for a picture at `at`; for keyframes always."""
        step = RATE / self.fps
        if not key and at < self._slot - step / 4:
            return False
        self._slot = max(step + (self._slot or at), at)
        return True

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            self._encode_all()
        except Exception as problem:
            logger.exception("the small picture ends")
            self._problem = problem
            self._waiting.end()

    def _encode_all(self) -> None:
        burner, scaler, engine = Burner(self._style, self.width, self.height), VideoReformatter(), None
        length = ticks(1 / self.fps)
        while (shot := self._waiting.take()) is not None:
            whole = shot.frame
            if (whole.width, whole.height) == (self.width, self.height):
                frame = copy(whole)
            else:
                frame = scaler.reformat(whole, self.width, self.height, format="yuv420p", interpolation="AREA")
            frame.colorspace = self._colours  # small ones that say nothing are taken for another colour than big ones
            if shot.lines:
                self._burn(burner, shot.lines, frame)
            engine = engine or Engine(X264, self._preset, frame, self.fps)
            for made in engine.put(Due(frame, shot.at, shot.key)):
                self._made.append(Coded("small", made.at, made.key, made.data, length))
        for made in engine.flush() if engine is not None else ():
            self._made.append(Coded("small", made.at, made.key, made.data, length))

    def _burn(self, burner: Burner, lines: tuple[str, ...], frame: av.VideoFrame) -> None:
        """Draw anew what stands on the big picture: sharper than what is scaled with it."""
        try:
            burner.burn(lines, frame)
        except Exception:  # whatever fonts and texts can do; of the big picture it is said
            logger.exception("a caption cannot be drawn on the small picture: %r", lines)


def small_size(width: int, height: int, wish: SmallPicture) -> tuple[int, int]:
    """Return the size of the small picture of one of this size: even, and no larger."""
    share = min(1.0, wish.height / height)
    return max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2)


def small_fps(fps: float, wish: SmallPicture) -> float:
    """Return the rate of the small picture of one of this rate."""
    return min(fps, wish.fps) if wish.fps else fps
