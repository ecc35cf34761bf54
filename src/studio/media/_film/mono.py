"""Of the channels of a film's sound the one that speech is listened for in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import av
import numpy as np

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.sound import channels_of
from studio.sound import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studio.media._film.facts import FilmSound

Channel: TypeAlias = Literal["mix", "left", "right", "centre"] | int
"""Which channel; a number counts from 1. `mix`: all, the centre above the others, since films speak there."""
_NAMED = {"left": ("FL",), "right": ("FR",), "centre": ("FC",)}
_BESIDE = 0.5
"""How loud left and right are in the mix where there is a centre: they carry music, and speech beside the picture …"""
_AROUND = 0.25
"""… and the channels around. The low one (LFE) carries no speech. A quarter of the usual fold-down (ITU-R BS.775)."""
_SPEAKS = {"FC": 1.0, "FL": _BESIDE, "FR": _BESIDE, "FLC": _BESIDE, "FRC": _BESIDE, "LFE": 0.0, "LFE2": 0.0}
_SURROUND = 3
_QUIET = 1e-3
"""A channel that passes this level nowhere in a stretch makes the others no quieter there."""


def check(channel: Channel, track: FilmSound, name: str) -> None:
    """Raise MediaError where `track` of the film called `name` has no such channel."""
    if isinstance(channel, int):
        known = 1 <= channel <= track.channels
    else:
        known = channel == "mix" or _NAMED[channel][0] in track.places
    if not known:
        raise MediaError(
            _("Sound track {number} of {file} has no channel {channel}; it has {channels} ({layout}).").format(
                number=track.number, file=name, channel=channel, channels=track.channels, layout=track.layout
            )
        )


class Mono:
    """Frames of whatever form become one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def of(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        """Return its samples, at its own rate; those of frames that lack the channel are the mix."""
        sound = channels_of(frame)
        places = [channel.name for channel in frame.layout.channels]
        weights = self._weights(places, sound)
        return np.asarray(weights @ sound, np.float32)

    def _weights(self, places: list[str], sound: NDArray[np.float32]) -> NDArray[np.float32]:
        count = len(sound)
        weights = np.zeros(count, np.float32)
        wanted = self._channel
        if isinstance(wanted, int) and wanted <= count:
            weights[wanted - 1] = 1
        elif isinstance(wanted, str) and wanted != "mix" and _NAMED[wanted][0] in places:
            weights[places.index(_NAMED[wanted][0])] = 1
        elif count >= _SURROUND and "FC" in places:
            weights[: len(places)] = [_SPEAKS.get(place, _AROUND) for place in places]
            weights /= np.float32(1 + 2 * _BESIDE)
        elif count >= _SURROUND:  # microphones side by side, of which mostly one is spoken into
            loud = np.abs(sound).max(axis=1, initial=0) > _QUIET
            weights[:] = 1 / max(1, int(loud.sum()))
        else:
            weights[:] = 1 / max(1, count)
        return weights


def at_speech_rate(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return mono sound of `rate` at 16 kHz; the first sample stays where it is."""
    if rate == SPEECH_RATE or not len(sound):
        return sound
    resampler = av.AudioResampler("flt", "mono", SPEECH_RATE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None, :]), "flt", "mono")
    frame.sample_rate = rate
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.zeros(0, np.float32), *(part.to_ndarray().reshape(-1) for part in parts)])
