"""An encoder at work: in the thread that asks it, or, where a driver may hang, in one of its own."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Protocol

import av
from av.video.frame import PictureType

from studio.media._air.codecs import Codec, options
from studio.media._ground.clock import TICK, Ticks

if TYPE_CHECKING:
    from studio.media._plan import EncodePreset

logger = logging.getLogger(__name__)

_MOST_THREADS = 4
"""More delay the picture by more frames than a recording may lose."""


@dataclass(frozen=True, slots=True)
class Due:
    """A picture that is to be encoded."""

    frame: av.VideoFrame
    """Its pixels stay as they are."""
    at: Ticks
    key: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that was encoded."""

    at: Ticks
    key: bool
    data: bytes
    """Annex B."""


class Works(Protocol):
    """What encodes pictures; any method may raise what FFmpeg raises."""

    codec: Codec

    def put(self, due: Due) -> list[Made]:
        """Encode a picture; return what is ready, which may be others."""

    def flush(self, patience: float = 1.0) -> list[Made]:
        """Return what is held back, within `patience` seconds where that may last; nothing may be put any more."""

    def abandon(self) -> None:
        """Let it go; nothing more is wanted of it."""


class Engine:
    """Encodes in the thread that asks."""

    def __init__(self, codec: Codec, preset: EncodePreset, like: av.VideoFrame, fps: float) -> None:
        """Encode pictures of the size and colours of `like`. Raises what FFmpeg raises where it is not there."""
        self.codec = codec
        context = av.CodecContext.create(codec.codec, "w")
        if not isinstance(context, av.VideoCodecContext):
            raise TypeError(codec.codec)
        context.width, context.height, context.pix_fmt = like.width, like.height, codec.pixels
        context.time_base, context.framerate = TICK, Fraction(fps).limit_denominator(1001)
        context.colorspace = like.colorspace
        if not codec.hardware:
            context.thread_count = preset.threads or min(_MOST_THREADS, os.cpu_count() or 1)
        context.options = options(codec, preset)
        self._context = context

    def put(self, due: Due) -> list[Made]:
        """Encode a picture; return what is ready."""
        frame = due.frame
        if frame.format.name != self.codec.pixels:
            frame = frame.reformat(format=self.codec.pixels)
        frame.pts, frame.time_base = due.at, TICK
        frame.pict_type = PictureType.I if due.key else PictureType.NONE
        return self._made(self._context.encode(frame))

    def flush(self, patience: float = 1.0) -> list[Made]:  # noqa: ARG002 - x264 is done when it returns
        """Return what is held back."""
        return self._made(self._context.encode(None)) if self._context.is_open else []

    def abandon(self) -> None:
        """Nothing is to be done."""

    def _made(self, packets: list[av.Packet[av.VideoStream]]) -> list[Made]:
        return [Made(Ticks(packet.pts or 0), packet.is_keyframe, bytes(packet)) for packet in packets]


class Aside:
    """Encodes in a thread of its own: `put` never waits, whatever a driver does.

    Whoever puts pictures in must look that not too many wait.
    """

    def __init__(self, codec: Codec, preset: EncodePreset, like: av.VideoFrame, fps: float) -> None:
        """As `Engine`; that there is none is raised by what comes after."""
        self.codec = codec
        self._make = partial(Engine, codec, preset, like, fps)
        self._due: queue.SimpleQueue[Due | None] = queue.SimpleQueue()
        self._made: deque[Made] = deque()
        self._problem: Exception | None = None
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name=f"encoder {codec.name}", daemon=True)
        self._thread.start()

    def put(self, due: Due) -> list[Made]:
        """Let `due` wait for the encoder; return what it made meanwhile. Raises what made it end."""
        self._due.put(due)
        return self.take()

    def take(self) -> list[Made]:
        """Return what was made meanwhile. Raises what made it end, when all that it had made was taken."""
        made = []
        while self._made:
            made.append(self._made.popleft())
        if not made and self._problem is not None:
            raise self._problem
        return made

    def flush(self, patience: float = 1.0) -> list[Made]:
        """Return what is held back, as far as it comes within `patience` seconds."""
        self._due.put(None)
        self._thread.join(patience)
        return self.take() if self._made else []

    def abandon(self) -> None:
        """Let the thread end as soon as its driver lets it."""
        self._abandoned = True
        self._due.put(None)

    def _run(self) -> None:
        try:
            engine = self._make()
            while (due := self._due.get()) is not None and not self._abandoned:
                self._made.extend(engine.put(due))
            if not self._abandoned:
                self._made.extend(engine.flush())
        except Exception as problem:  # noqa: BLE001 - whatever a driver comes up with: who asks is told
            if not self._abandoned:
                logger.warning("the encoder %s ended: %s", self.codec.name, problem)
            self._problem = problem
