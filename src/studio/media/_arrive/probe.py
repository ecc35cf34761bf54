"""What is in a media file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from studio.errors import MediaError
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a file."""

    codec: str
    width: int
    height: int
    fps: float
    """On average; 0 where the file does not say."""


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """The sound of a file."""

    codec: str
    rate: int
    """Hertz."""
    channels: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in a media file; at least one of `picture` and `sound` is there."""

    duration: Ms | None
    """`None` where the file does not say."""
    picture: Picture | None
    sound: SoundTrack | None


def open_file(path: Path) -> InputContainer:
    """Open a media file for reading. Raises MediaError with what to do."""
    try:
        return av.open(str(path), "r", metadata_errors="replace")
    except FileNotFoundError as problem:
        raise MediaError(
            _("{file} is not there; is its name right, and its disk connected?").format(file=path)
        ) from problem
    except (OSError, av.FFmpegError) as problem:
        if path.is_dir():
            raise MediaError(_("{file} is a folder; name a media file in it.").format(file=path)) from problem
        if isinstance(problem, PermissionError):
            raise MediaError(
                _("{file} may not be read by this user; change its permissions.").format(file=path)
            ) from problem
        raise _unreadable(path) from problem


def probe(path: Path) -> Facts:
    """Say what is in the file at `path`.

    Raises MediaError for a file that is missing, may not be read, is not media, or has neither picture nor sound.
    """
    with open_file(path) as container:
        picture, sound = None, None
        for video in container.streams.video:
            if can_decode(video) and video.codec_context.width and not is_cover(video):
                rate = video.average_rate or video.guessed_rate
                size = video.codec_context
                picture = Picture(size.name, size.width, size.height, float(rate or 0))
                break
        for audio in container.streams.audio:
            if can_decode(audio) and audio.codec_context.sample_rate:
                track = audio.codec_context
                sound = SoundTrack(track.name, track.sample_rate, track.layout.nb_channels)
                break
        if picture is None and sound is None:
            raise _unreadable(path)
        duration = container.duration
        return Facts(Ms(round(duration / 1000)) if duration else None, picture, sound)


def can_decode(stream: av.VideoStream | av.AudioStream) -> bool:
    """Whether FFmpeg knows the codec of `stream`."""
    context: object = stream.codec_context  # None where it does not, whatever its type says
    return context is not None


def is_cover(stream: av.VideoStream) -> bool:
    """Whether this is the picture on a record's sleeve and not a film."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _unreadable(path: Path) -> MediaError:
    return MediaError(_("{file} has no picture or sound that can be read; is it a media file?").format(file=path))
