"""Where a film cuts: FFmpeg's scene scores of a small picture."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from studio.media._arrive.sound import MOST_FAULTS
from studio.media._film.facts import first_picture
from studio.media._film.source import Source, open_film, zero_of
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.container import InputContainer

WIDTH = 192
"""Pixels of the picture that is looked at: a cut changes all of it."""
SCORE = "10"
"""From which on `scdet` takes a change for a cut, in per cent; its own usual value."""
TELL_EVERY = 250
"""Pictures between two words about progress."""


def shots(source: Source, progress: Callable[[Ms, Ms | None], None] | None = None) -> tuple[Ms, ...]:
    """See `studio.media.shots`."""
    found: list[Ms] = []
    with open_film(source) as container:
        video = first_picture(container)
        if video is None:
            return ()
        length = Ms(container.duration // 1000) if container.duration else None
        zero = zero_of(container)
        video.thread_type = "AUTO"
        graph: av.filter.Graph | None = None
        like: tuple[object, ...] = ()
        for count, frame in enumerate(_frames(container, video)):
            if frame.pts is None or frame.time_base is None:
                continue
            if like != (frame.width, frame.height, frame.format.name) or graph is None:
                like = (frame.width, frame.height, frame.format.name)
                graph = _graph(frame)
            graph.push(frame)
            with contextlib.suppress(av.error.BlockingIOError, av.error.EOFError):
                seen: Any = graph.pull()
                at = ms(float(frame.pts * frame.time_base - zero))
                if "lavfi.scd.time" in seen.metadata and at > 0:
                    found.append(at)
            if progress and count % TELL_EVERY == 0:
                progress(ms(float(frame.pts * frame.time_base - zero)), length)
        if progress and length:
            progress(length, length)
    return tuple(found)


def _graph(frame: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    base = frame.time_base or Fraction(1, 90_000)
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=base)
    small = graph.add("scale", f"{WIDTH}:-2:flags=fast_bilinear")
    plain = graph.add("format", "yuv420p")
    scores = graph.add("scdet", f"threshold={SCORE}")
    source.link_to(small)
    small.link_to(plain)
    plain.link_to(scores)
    scores.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _frames(container: InputContainer, video: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Decode to the end; what cannot be read is left out."""
    faults = 0
    while True:
        try:
            for packet in container.demux(video):
                with contextlib.suppress(av.FFmpegError):
                    yield from packet.decode()
                    faults = 0
        except (av.FFmpegError, OSError):
            faults += 1
            if faults > MOST_FAULTS:
                return
        else:
            return
