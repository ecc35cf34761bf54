"""What airs leaves here: a frame gets its caption, is encoded, and goes to every output and destination."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.language import _
from studio.media._air.burn import Burner, is_hd
from studio.media._air.codecs import X264
from studio.media._air.encode import PictureEncoder
from studio.media._air.picture import copy
from studio.media._air.small import Small
from studio.media._ground.aac import SoundEncoder
from studio.media._ground.clock import Ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    import av
    import numpy as np
    from numpy.typing import NDArray

    from studio.media._air.closed import ClosedCaptions
    from studio.media._air.codecs import Codec
    from studio.media._ground.coded import Coded
    from studio.media._leave.destination import Destinations
    from studio.media._leave.writer import Writer
    from studio.media._plan import RelayPlan

logger = logging.getLogger(__name__)

SHORT = 0.2
"""Seconds that the air waits for the last pictures of an encoder whose driver may hang: it can catch up with them."""


class Transmitter:
    """Encodes what airs and hands it to all who take it; used by the air's thread alone.

    Every frame passes through `encode`, and every coded packet through `_write`.
    """

    def __init__(
        self,
        plan: RelayPlan,
        *,
        closed: ClosedCaptions | None,
        open_outputs: Callable[[int, int, float], list[Writer]],
        destinations: Destinations,
        say: Callable[[str], None],
        codec: Callable[[], Codec] = lambda: X264,
    ) -> None:
        """`open_outputs` is asked once, with the broadcast's size and rate; `say` is told what a technician must know.

        `closed`, where it is given, puts captions into the coded pictures, too; `codec` says which encoder is at work.
        """
        self._codec = codec
        self._plan = plan
        self._closed = closed
        self._open_outputs = open_outputs
        self._destinations = destinations
        self._say = say
        self._undrawable: set[tuple[str, ...]] = set()
        self._burner = Burner(plan.style, 2, 2)
        self._sheet: av.VideoFrame | None = None
        """What the last picture with a caption was drawn on, and the next one may be: fresh memory for each costs as
        much as the caption."""
        self._pictures: PictureEncoder | None = None
        self._small: Small | None = None
        self._sounds = SoundEncoder(plan.encode)
        self._decoded = Ticks(-1)
        """When the last picture is to be decoded."""
        self.fps = 0.0
        """Of the broadcast, once it is open."""
        self.outputs: list[Writer] = []

    @property
    def undrawn(self) -> int:
        """How many texts could not be drawn and are left out of the picture."""
        return len(self._undrawable)

    def open(self, like: av.VideoFrame, fps: float) -> None:
        """Open encoder and outputs for pictures of the size and colours of `like`."""
        width, height = like.width, like.height
        self._burner = Burner(self._plan.style, width, height)
        self._sheet = None
        self._pictures = PictureEncoder(self._plan.encode, like, fps, codec=self._codec(), say=self._say)
        self.fps = self._pictures.fps
        if self._plan.encode.small is not None:
            self._begin_small(like)
        self.outputs = self._open_outputs(width, height, self.fps)

    @property
    def encoder(self) -> str:
        """What encodes, by its name; empty before the broadcast is open."""
        return self._pictures.codec.title if self._pictures is not None else ""

    @property
    def is_open(self) -> bool:
        """Whether the broadcast has begun."""
        return self._pictures is not None

    def force_key(self) -> None:
        """Let the next picture be a keyframe: it will show something else."""
        if self._pictures is not None:
            self._pictures.force_key()

    def pass_on(self, picture: Coded) -> None:
        """Air a picture that was encoded elsewhere, and begins with a key frame if it follows one of ours."""
        ours = self._pictures
        if ours is not None and ours.begun:  # another one begins with a key frame, and its parameter sets
            self._write(self._captioned(ours.flush(SHORT)))
            self._pictures = ours.anew()
        self._write([picture])

    def send(self, frame: av.VideoFrame, at: Ticks, lines: tuple[str, ...]) -> None:
        """Air `frame`, yuv420p in the size of the broadcast, `at` in air time, with `lines` on it."""
        clean = frame
        drawn = lines if lines and self.drawn(lines, hd=is_hd(frame)) else ()
        if drawn:
            # the decoder still needs its own, and the still picture must stay clean
            frame = self._sheet = copy(frame, self._sheet)
            self._burner.burn(drawn, frame)
        if self._pictures is None:
            return
        before = self._pictures.last
        coded = self._pictures.encode(frame, at)
        if self._pictures.keeps:
            self._sheet = None
        if self._small is not None and self._pictures.last > before:
            self._small.put(clean, at, drawn, key=self._pictures.keyed)
        self._write(self._captioned(coded))

    def sound(self, samples: NDArray[np.int16], at: int) -> None:
        """Air samples, shape (n, 2), that follow those before them without a gap; `at` is the first one's number."""
        self._write(self._sounds.encode(samples, at))

    def drawn(self, lines: tuple[str, ...], *, hd: bool) -> bool:
        """Draw `lines` if they can be drawn, and return whether they are: no caption may end the air.

        A cue that could break the air would be sent again to the next one, and break that, too.
        """
        if lines in self._undrawable:
            return False
        try:
            self._burner.prepare(lines, hd=hd)
        except Exception:  # whatever fonts and texts can do to Pillow and FreeType
            logger.exception("a caption cannot be drawn: %r", lines)
            if not self._undrawable:
                self._say(
                    _(
                        "A caption cannot be drawn and is left out of the picture ({text}); check the font of the"
                        " subtitle style. The subtitle files have it."
                    ).format(text=" ".join(lines)[:80])
                )
            self._undrawable.add(lines)
            return False
        return True

    def close(self, last: Callable[[], tuple[NDArray[np.int16], int]]) -> None:
        """Air the `last` samples, write what the encoders hold back, and close every output."""
        if self._pictures:
            self._write(self._captioned(self._pictures.flush()))
            self.sound(*last())
            self._write(self._sounds.flush())
        if self._small is not None:
            self._write_small(self._small.close())
        for output in self.outputs:
            output.close()
        self._destinations.close()

    def _begin_small(self, like: av.VideoFrame) -> None:
        try:
            self._small = Small(self._plan.encode, self._plan.style, like, self.fps, self._say)
        except RuntimeError:  # no thread is left for it
            logger.exception("there is no small picture")
            self._say(
                _(
                    "There is no small picture for weak connections, this machine is at its limits; close other"
                    " programs."
                )
            )

    def _captioned(self, pictures: list[Coded]) -> list[Coded]:
        return self._closed.add(pictures) if self._closed else pictures

    def _write(self, coded: list[Coded]) -> None:
        if self._plan.encode.copy:
            coded = [packet for each in coded if (packet := self._in_order(each)) is not None]
        for output in self.outputs:
            output.write(coded)
        self._destinations.write(coded)
        # not before the big picture of the same moment: whose keyframes begin the segments of both
        if self._small is not None:
            for picture in coded:
                if picture.kind == "picture":
                    self._write_small(self._small.take(picture.stamp))

    def _write_small(self, coded: list[Coded]) -> None:
        """Hand the small picture to HLS, and to nobody else."""
        if coded:
            for output in self.outputs:
                if output.small:
                    output.write(coded)
            self._destinations.write(coded, small=True)

    def _in_order(self, coded: Coded) -> Coded | None:
        """Let each picture be decoded after the one before it: B-frames want to be sooner than what aired before them.

        `None`: that cannot be.
        """
        if coded.kind != "picture":
            return coded
        due = Ticks(max(coded.decoded, self._decoded + 1))
        if due > coded.stamp:
            logger.warning("a picture of %d comes too late", coded.stamp)
            return None
        self._decoded = due
        return replace(coded, due=due)
