"""The video of a take: a camera's picture as it is, and the mix where it was sung."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from studio.errors import MediaError
from studio.language import _, decimal
from studio.media._arrive.probe import can_decode, is_cover, open_file
from studio.media._ground.files import settle
from studio.media._takes.alike import RATE, alike
from studio.media._takes.deliver import unwritten, written_aside
from studio.media._takes.loud import treated, treatment
from studio.media._takes.reading import read_sound
from studio.media._takes.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

SOUND_RATE = 48_000
_BITRATE = 256_000
_CEILING = -2.0
"""dBTP before AAC, which puts peaks up to a decibel higher."""
_FINE = 1_000_000
"""Clocks are brought together in so many parts of a second."""
_TOLD = 0.02
"""Seconds by which clocks run apart over a take before it is worth to be told."""


@dataclass(frozen=True, slots=True)
class Filmed:
    """The video of a take."""

    file: Path
    offset: float
    """Second of the camera's film at which the take begins; below 0 where it began before."""
    drift: float
    """By how much the camera's clock ran faster; it was made up for."""
    loudness: float | None


def filmed(
    mix: Iterable[NDArray[np.float32]],
    rate: int,
    camera: Path,
    out: Path,
    *,
    loudness: float,
    tags: Mapping[str, str],
    say: Callable[[str], None],
) -> Filmed:
    """See `studio.media.film_take`."""
    heard = read_sound(camera, RATE, channels=1)[:, 0]
    try:
        with Spool(out.parent, rate) as spool, written_aside(out) as aside:
            spool.fill(mix)
            place = alike(_mono(spool), heard)
            if place is None:
                raise MediaError(
                    _("Nothing in {file} sounds like this take; is it the recording of the same evening?").format(
                        file=camera
                    )
                )
            apart = abs(place.drift) * spool.frames / rate
            if apart > _TOLD:
                say(
                    _("Camera and sound run apart by {seconds} s over this take; that is made up for.").format(
                        seconds=decimal(apart, ".2f")
                    )
                )
            how = treatment(spool, loudness, _CEILING)
            sound = _at_rate(treated(spool.blocks(), spool.rate, how.gain, how.ceiling), rate, place.drift)
            with open_file(camera) as container:
                _copy(
                    container,
                    camera,
                    aside=aside,
                    sound=sound,
                    offset=place.offset,
                    seconds=spool.frames / rate * (1 + place.drift),
                    tags=tags,
                )
            settle(out, aside)
    except OSError as problem:  # FFmpeg's are some of these
        raise unwritten(out, problem) from problem
    return Filmed(out, place.offset, place.drift, how.comes_to.integrated)


def _mono(spool: Spool) -> NDArray[np.float32]:
    resampler = av.AudioResampler("fltp", "mono", RATE)
    parts = [
        ready.to_ndarray()[0] for frame in _stereo(spool.blocks(), spool.rate) for ready in resampler.resample(frame)
    ]
    parts += [ready.to_ndarray()[0] for ready in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _at_rate(blocks: Iterable[NDArray[np.float32]], rate: int, drift: float) -> Iterator[NDArray[np.float32]]:
    """Yield stereo at `SOUND_RATE` on the camera's clock."""
    steps = [(rate, SOUND_RATE)] if rate != SOUND_RATE else []
    stretched = round(_FINE * drift)
    steps += [(_FINE, _FINE + stretched)] if stretched else []
    for before, after in steps:
        blocks = _resampled(blocks, before, after)
    yield from blocks


def _resampled(blocks: Iterable[NDArray[np.float32]], before: int, after: int) -> Iterator[NDArray[np.float32]]:
    resampler = av.AudioResampler("flt", "stereo", after)
    for frame in _stereo(blocks, before):
        for ready in resampler.resample(frame):
            yield ready.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)
    for ready in resampler.resample(None):
        yield ready.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)


def _stereo(blocks: Iterable[NDArray[np.float32]], rate: int) -> Iterator[av.AudioFrame]:
    for block in blocks:
        if len(block):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "flt", "stereo")
            frame.sample_rate = rate
            yield frame


def _copy(
    container: InputContainer,
    camera: Path,
    *,
    aside: Path,
    sound: Iterator[NDArray[np.float32]],
    offset: float,
    seconds: float,
    tags: Mapping[str, str],
) -> None:
    picture = next((one for one in container.streams.video if can_decode(one) and not is_cover(one)), None)
    if picture is None:
        raise MediaError(_("{file} has no picture; choose the recording of a camera.").format(file=camera))
    zero = (container.start_time or 0) / 1_000_000
    packets = _packets(container, picture, zero + offset, zero + offset + seconds)
    first = next(packets, None)
    if first is None or first.pts is None or picture.time_base is None:
        raise MediaError(_("{file} has no picture while this take was sung.").format(file=camera))
    begins = float(first.pts * picture.time_base) - zero
    with av.open(str(aside), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        out.metadata.update(tags)
        try:
            shown = out.add_stream_from_template(picture)
            heard = out.add_stream("aac", rate=SOUND_RATE, layout="stereo")
            heard.bit_rate = _BITRATE
            out.start_encoding()
        except (ValueError, av.FFmpegError) as problem:
            raise MediaError(
                _("MP4 cannot hold the picture of {file} ({codec}); convert it to H.264 first.").format(
                    file=camera, codec=picture.codec_context.name
                )
            ) from problem
        _interleave(out, _chained(first, packets), shown, picture, _encoded(_laid(sound, offset - begins), heard))


def _packets(
    container: InputContainer, picture: VideoStream, begin: float, end: float
) -> Iterator[Packet[VideoStream]]:
    """Yield the packets from the last keyframe before `begin` to `end`, seconds of the container's stamps."""
    base = picture.time_base
    assert base is not None  # noqa: S101 - every stream of a file has one
    with contextlib.suppress(av.FFmpegError, OSError):  # what cannot be sought is read from its beginning
        container.seek(max(picture.start_time or 0, int(begin / base)), stream=picture)
    waiting = True
    for packet in container.demux(picture):
        if packet.dts is None or packet.pts is None:
            continue
        if float(packet.dts * base) > end:
            return
        waiting = waiting and not packet.is_keyframe
        if not waiting:
            yield packet


def _chained(first: Packet[VideoStream], others: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from others


def _laid(sound: Iterator[NDArray[np.float32]], silent: float) -> Iterator[NDArray[np.float32]]:
    """Yield `silent` seconds of silence, then the sound; below 0, the sound without so much of its beginning."""
    count = round(silent * SOUND_RATE)
    if count > 0:
        yield np.zeros((count, 2), np.float32)
    skip = max(0, -count)
    for block in sound:
        used = min(skip, len(block))
        skip -= used
        yield block[used:]


def _encoded(blocks: Iterator[NDArray[np.float32]], stream: AudioStream) -> Iterator[Packet[AudioStream]]:
    resampler = av.AudioResampler("fltp", "stereo", SOUND_RATE, frame_size=stream.codec_context.frame_size or 1024)
    at = 0
    for frame in _stereo(blocks, SOUND_RATE):
        frame.time_base, frame.pts = Fraction(1, SOUND_RATE), at
        at += frame.samples
        for ready in resampler.resample(frame):
            yield from stream.encode(ready)
    for ready in resampler.resample(None):
        yield from stream.encode(ready)
    yield from stream.encode(None)


def _interleave(
    out: OutputContainer,
    pictures: Iterator[Packet[VideoStream]],
    shown: VideoStream,
    source: VideoStream,
    sounds: Iterator[Packet[AudioStream]],
) -> None:
    base = source.time_base
    assert base is not None  # noqa: S101 - as above
    shift: int | None = None
    heard_to = 0.0
    for packet in pictures:
        assert packet.pts is not None  # noqa: S101 - _packets leaves others out
        assert packet.dts is not None  # noqa: S101 - as above
        shift = packet.pts if shift is None else shift
        now = float((packet.dts - shift) * base)
        while heard_to < now and (sound := next(sounds, None)) is not None:
            heard_to = float((sound.pts or 0) * (sound.time_base or 0))
            out.mux(sound)
        packet.pts -= shift
        packet.dts -= shift
        packet.stream = shown
        out.mux(packet)
    for sound in sounds:
        out.mux(sound)
