"""Pictures as people look at them: upright, and whole where they come in two fields."""

from __future__ import annotations

import contextlib
import logging
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.error import BlockingIOError as NothingYet
from av.filter import Graph

from studio.media._ground.clock import TICK

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

FIELDS = ("bwdif", "mode=send_frame:deint=interlaced")
"""Makes one picture of two fields, where a picture says that it has some; others pass. One is held back."""
_OVER = (("hflip", ""), ("vflip", ""))
TURNS = {90: (("transpose", "cclock"),), -90: (("transpose", "clock"),), 180: _OVER, -180: _OVER}
"""What a phone that was held otherwise asks for, by its degrees against the clock."""


class Eyes:
    """A decoder of pictures. What it gives is stamped in ticks."""

    def __init__(self, decoder: av.VideoCodecContext) -> None:
        self._decoder = decoder
        self._graph: Graph | None = None
        self._form: tuple[object, ...] | None = None
        self._fields = False
        """Some came in fields, so the next ones may, too."""
        self.turned: bool | None = None
        """Whether the last one lay on its side; `None` before the first."""

    @property
    def codec(self) -> str:
        """What it decodes, by FFmpeg's name."""
        return self._decoder.codec.canonical_name

    @property
    def setup(self) -> bytes:
        """What was said of the pictures before the first came; may be empty."""
        return self._decoder.extradata or b""

    def decode(self, packet: av.Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        """Return what is to be seen, now that `packet` is here; all that is left for `None`. Raises FFmpegError."""
        seen: list[av.VideoFrame] = []
        for frame in self._decoder.decode(packet):
            seen += self._see(frame)
        return seen if packet is not None else seen + self._end()

    def flush_buffers(self) -> None:
        """Forget what came before: what comes does not follow it."""
        self._decoder.flush_buffers()
        self._graph = self._form = None

    def _see(self, frame: av.VideoFrame) -> list[av.VideoFrame]:
        turn = TURNS.get(frame.rotation, ())
        self.turned = bool(turn)
        self._fields = self._fields or frame.interlaced_frame
        if not turn and not self._fields:
            return [frame]
        before: list[av.VideoFrame] = []
        form = (frame.width, frame.height, frame.format.name, turn)
        if self._graph is None or form != self._form:
            before = self._end()
            self._graph, self._form = _graph(frame, [FIELDS, *turn] if self._fields else turn), form
        frame.time_base = TICK
        frame.pts = frame.dts if frame.pts is None else frame.pts
        self._graph.push(frame)
        return before + self._pull()

    def _pull(self) -> list[av.VideoFrame]:
        seen: list[av.VideoFrame] = []
        with contextlib.suppress(NothingYet, EOFError):
            while self._graph is not None:
                frame = self._graph.pull()
                if isinstance(frame, av.VideoFrame):
                    if frame.pts is not None:
                        frame.pts = round(frame.pts * (frame.time_base or TICK) / TICK)
                    seen.append(frame)
        return seen

    def _end(self) -> list[av.VideoFrame]:
        """Return what the graph holds back, and let go of it."""
        if self._graph is None:
            return []
        self._graph.push(None)
        seen = self._pull()
        self._graph = self._form = None
        return seen


def _graph(frame: av.VideoFrame, steps: Sequence[tuple[str, str]]) -> Graph:
    """Return a graph that takes pictures like `frame` through `steps`."""
    graph = Graph()
    last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(TICK))
    for name, how in steps:
        step = graph.add(name, how or None)
        last.link_to(step)
        last = step
    last.link_to(graph.add("buffersink"))
    graph.configure()
    logger.info("pictures are seen through %s", ", ".join(name for name, _how in steps))
    return graph
