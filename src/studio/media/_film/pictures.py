"""A film's pictures as they are shown: upright, in whole frames, of one size, 8 bits, square pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from studio.errors import MediaError
from studio.language import _
from studio.media._air.picture import Fitter, aired_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.media._plan import EncodePreset

_FULL = 2
"""A range of brightness up to 255 instead of 235, as FFmpeg counts it."""
_HDR = {16: "PQ", 18: "HLG"}
_TURNS = {
    -90: (("transpose", "dir=clock"),),
    90: (("transpose", "dir=cclock"),),
    180: (("hflip", None), ("vflip", None)),
    -180: (("hflip", None), ("vflip", None)),
}
"""How a film that was taken with the camera on its side is put upright, by degrees counterclockwise: filters."""


class Pictures:
    """Makes decoded frames ready to be drawn on and encoded."""

    def __init__(self, shape: Fraction, preset: EncodePreset, name: str) -> None:
        """`shape` is that of the stored pixels; `name` the film's, for people."""
        self._shape = shape
        self._preset = preset
        self._name = name
        self._graph: av.filter.Graph | None = None
        self._like: tuple[object, ...] | None = None
        self._fitter: Fitter | None = None

    def ready(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Give what is ready of it, as yuv420p that is shared with nobody. Raises MediaError for high dynamic range."""
        if frame.color_trc in _HDR:
            raise MediaError(
                _(
                    "{file} is a film of high dynamic range ({kind}), which would come out pale; make a copy in"
                    " standard range first."
                ).format(file=self._name, kind=_HDR[frame.color_trc])
            )
        turned = abs(frame.rotation) == 90  # noqa: PLR2004
        shape = 1 / self._shape if turned else self._shape
        like = (frame.width, frame.height, frame.format.name, frame.rotation)
        if like != self._like:
            self._like = like
            self._graph = _graph(frame)
        if self._graph is None:
            yield self._fit(frame, shape)
            return
        self._graph.push(frame)
        yield from self._pull(shape)

    def rest(self) -> Iterator[av.VideoFrame]:
        """Give what is held back."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull(self._shape)

    def _pull(self, shape: Fraction) -> Iterator[av.VideoFrame]:
        while self._graph is not None:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, av.VideoFrame):
                yield self._fit(frame, shape)

    def _fit(self, frame: av.VideoFrame, shape: Fraction) -> av.VideoFrame:
        at, base = frame.pts, frame.time_base
        if self._fitter is None:
            self._fitter = Fitter(*aired_size(frame.width, frame.height, shape, self._preset), interpolation="BICUBIC")
        if frame.color_range == _FULL or frame.format.name.startswith("yuvj"):
            frame = frame.reformat(format="yuv420p", src_color_range="JPEG", dst_color_range="MPEG")
        fitted = self._fitter.fit(frame, shape)
        fitted.make_writable()
        fitted.pts, fitted.time_base = at, base
        return fitted


def _graph(frame: av.VideoFrame) -> av.filter.Graph | None:
    """Return what turns frames like this one upright, and makes whole frames of fields; `None` if nothing needs it."""
    wanted = [*_TURNS.get(frame.rotation, ())]
    if frame.interlaced_frame:
        wanted.insert(0, ("bwdif", "mode=send_frame:deint=interlaced"))
    if not wanted:
        return None
    graph = av.filter.Graph()
    last = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1, 90_000),
    )
    for name, how in wanted:
        node = graph.add(name, how)
        last.link_to(node)
        last = node
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
