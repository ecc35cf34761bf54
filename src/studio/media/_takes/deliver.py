"""The files that leave: WAV, FLAC and MP3, as loud as they shall be, with tags and a cover."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from studio.errors import MediaError, why
from studio.language import _
from studio.media._ground.files import settle
from studio.media._takes.loud import CEILING, Treatment, treated, treatment
from studio.media._takes.measure import measured
from studio.media._takes.spool import Spool
from studio.media._takes.tags import Cover, tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from av.audio.stream import AudioStream
    from numpy.typing import NDArray

    from studio.media._plan import DeliveryForm

_CODECS: dict[str, tuple[str, str]] = {
    "wav": ("pcm_s24le", "s32"),
    "flac": ("flac", "s32"),
    "mp3": ("libmp3lame", "fltp"),
}
_MP3_BITRATE = 320_000
_MP3_FASTEST = 48_000
"""Hertz: MP3 knows nothing above."""
_MOST_TRIES = 5
"""Times that a lossy form is made again, for it puts peaks above the ceiling where there was none."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a mix came to."""

    files: tuple[Path, ...]
    loudness: float | None
    """LUFS; `None` where it is silent."""
    true_peak: float
    gain: float
    """Decibels that were added; the limiter took some of its peaks where that was too much."""


def deliver(
    mix: Iterable[NDArray[np.float32]],
    rate: int,
    files: Mapping[DeliveryForm, Path],
    *,
    loudness: float,
    tags: Mapping[str, str],
    cover: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Delivered:
    """See `studio.media.deliver`."""
    picture = Cover.read(cover) if cover else None
    first = next(iter(files.values()))
    done: list[Path] = []
    tell = progress or (lambda _share: None)
    try:
        with Spool(first.parent, rate) as spool:
            spool.fill(mix)
            tell(0.5)
            how = treatment(spool, loudness)
            tell(0.7)
            for number, (form, path) in enumerate(files.items(), 1):
                with written_aside(path) as aside:
                    _made(spool, how, aside=aside, form=form, tags=tags, cover=picture, target=loudness)
                    settle(path, aside)
                done.append(path)
                tell(0.7 + 0.3 * number / len(files))
    except OSError as problem:  # FFmpeg's are some of these
        raise unwritten(first, problem) from problem
    return Delivered(tuple(done), how.comes_to.integrated, how.comes_to.true_peak, how.gain)


def unwritten(path: Path, problem: OSError) -> MediaError:
    """Return what to say of a file that the disk refused."""
    return MediaError(
        _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
            file=path, problem=why(problem)
        )
    )


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a place beside `path` to write to; whatever is left there afterwards goes."""
    aside = path.with_name(f".{path.stem[:200]}.{os.getpid()}.part{path.suffix}")
    try:
        yield aside
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def _made(
    spool: Spool,
    how: Treatment,
    *,
    aside: Path,
    form: DeliveryForm,
    tags: Mapping[str, str],
    cover: Cover | None,
    target: float,
) -> None:
    for _try in range(_MOST_TRIES):
        _encode(treated(spool.blocks(), spool.rate, how.gain, how.ceiling), spool.rate, aside, form, tags)
        if form != "mp3":
            break
        heard = measured(_decoded(aside), min(spool.rate, _MP3_FASTEST))
        if heard.true_peak <= CEILING:
            break
        how = treatment(spool, target, how.ceiling - (heard.true_peak - CEILING) - 0.05)
    tag(aside, form, tags, cover)


def _encode(
    blocks: Iterable[NDArray[np.float32]], rate: int, aside: Path, form: DeliveryForm, tags: Mapping[str, str]
) -> None:
    codec, layout = _CODECS[form]
    with av.open(str(aside), "w", format=form, options={"rf64": "auto"} if form == "wav" else {}) as out:
        out.metadata.update(tags)
        stream: AudioStream = out.add_stream(
            codec, rate=min(rate, _MP3_FASTEST) if form == "mp3" else rate, layout="stereo"
        )  # type: ignore[assignment]
        stream.format = layout
        if form == "mp3":
            stream.bit_rate = _MP3_BITRATE
        for frame in _frames(blocks, rate, stream, layout):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _frames(
    blocks: Iterable[NDArray[np.float32]], rate: int, stream: AudioStream, layout: str
) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler(layout, "stereo", stream.rate, frame_size=stream.codec_context.frame_size or 4096)
    at = 0
    for block in blocks:
        if layout == "s32":
            whole = np.clip(np.rint(block.astype(np.float64) * (1 << 23)), -(1 << 23), (1 << 23) - 1)
            frame = av.AudioFrame.from_ndarray((whole.astype(np.int32) << 8).reshape(1, -1), "s32", "stereo")
        else:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), "fltp", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), at
        at += len(block)
        if len(block):
            yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _decoded(path: Path) -> Iterator[NDArray[np.float32]]:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "stereo", None)
        for frame in container.decode(audio=0):
            for ready in resampler.resample(frame):
                yield ready.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)
