"""Sound alone, for whoever listens without a relay: a file, a microphone, an address; 16 kHz mono in small chunks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.probe import can_decode, open_file
from studio.sound import SPEECH_RATE, AudioChunk
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray


CHUNK = SPEECH_RATE // 25
"""Samples handed on at once: 40 ms, about what a sound card brings."""
SLIP = Ms(200)
"""A stamp may lie so far beside the end of the sound before it: containers round, and encoders dither."""
LONGEST_GAP = Ms(3600_000)
"""A stamp further on than this is no gap but a broken clock."""
MOST_FAULTS = 200
"""Read errors in a row after which the rest of a file is given up."""
BARE = frozenset({"aac", "ac3", "eac3", "flac", "loas", "mp3"})
"""Forms without time stamps of their own: those that FFmpeg makes up go wrong where the rate changes."""
_QUIET = 1e-3
"""A channel that never passed this level carries nothing, and does not make the others quieter in the mix."""


class Chunks:
    """Cuts sound with places into chunks: a hole in time stays, time that goes back goes on instead."""

    def __init__(self, turned_back: Callable[[], None]) -> None:
        """`turned_back` is called each time the stamps go back, or leap further than a gap can be."""
        self._turned_back = turned_back
        self._shift = 0
        self._at: int | None = None
        self._held = np.zeros(0, np.float32)

    @property
    def end(self) -> Ms:
        """Where the sound so far ends."""
        return Ms((self._at or 0) * 1000 // SPEECH_RATE)

    def take(self, samples: NDArray[np.float32], start: Ms | None) -> Iterator[AudioChunk]:
        """Take 16 kHz mono that begins at `start` by its stamp, `None` where it has none; give whole chunks."""
        if start is not None:
            at = start * SPEECH_RATE // 1000 + self._shift
            if self._at is None:
                self._at = at
            away = at - self._at
            slip = SLIP * SPEECH_RATE // 1000
            if away < -slip or away > LONGEST_GAP * SPEECH_RATE // 1000:
                self._shift -= away
                self._turned_back()
            elif away > slip:
                yield from self.flush()
                self._at = at
        self._at = (self._at or 0) + len(samples)
        self._held = np.concatenate([self._held, samples])
        begin = self._at - len(self._held)
        whole = len(self._held) // CHUNK * CHUNK
        for cut in range(0, whole, CHUNK):
            yield _chunk(begin + cut, self._held[cut : cut + CHUNK])
        self._held = self._held[whole:]

    def flush(self) -> Iterator[AudioChunk]:
        """Give the last, shorter chunk."""
        if len(self._held):
            yield _chunk((self._at or 0) - len(self._held), self._held)
            self._held = np.zeros(0, np.float32)


def _chunk(at: int, samples: NDArray[np.float32]) -> AudioChunk:
    return AudioChunk(SPEECH_RATE, Ms(at * 1000 // SPEECH_RATE), samples)


class Mixer:
    """Decoded frames of whatever form become 16 kHz mono; what is no number is silence."""

    def __init__(self) -> None:
        self._rate = 0
        self._resampler: av.AudioResampler | None = None
        self._loud = np.zeros(0, bool)

    def mix(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        """Return the next stretch."""
        mono = self._mono(frame)
        out = np.zeros(0, np.float32)
        if frame.sample_rate != self._rate:
            out = self.flush()
            self._rate = frame.sample_rate
            self._resampler = av.AudioResampler("flt", "mono", SPEECH_RATE)
        if self._resampler is None or not len(mono):
            return out
        plain = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono[None, :]), "flt", "mono")
        plain.sample_rate = self._rate
        return np.concatenate([out, *(_samples(part) for part in self._resampler.resample(plain))])

    def flush(self) -> NDArray[np.float32]:
        """Return what the filter holds back."""
        resampler, self._resampler, self._rate = self._resampler, None, 0
        parts = [_samples(part) for part in resampler.resample(None)] if resampler is not None else []
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def _mono(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        # By hand: FFmpeg mixes no channels whose places in the room nobody named, and spreads what is not a number.
        channels = frame.layout.nb_channels
        scaled = channels_of(frame)
        if len(self._loud) != channels:
            self._loud = np.zeros(channels, bool)
        if scaled.size:
            self._loud |= np.abs(scaled).max(axis=1) > _QUIET
        return np.asarray(scaled.sum(axis=0) / max(1, int(self._loud.sum())), np.float32)


def channels_of(frame: av.AudioFrame) -> NDArray[np.float32]:
    """Return its channels, shape (channels, n), in [-1..1]; what is no number is silence."""
    sound: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        sound = sound.reshape(-1, frame.layout.nb_channels).T
    if sound.dtype == np.uint8:
        scaled: NDArray[Any] = (sound.astype(np.float32) - 128) / 128
    elif np.issubdtype(sound.dtype, np.integer):
        scaled = sound.astype(np.float32) / float(np.iinfo(sound.dtype).max)
    else:
        scaled = np.nan_to_num(sound.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    return np.asarray(np.clip(scaled, -1.0, 1.0), np.float32)


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    return np.asarray(frame.to_ndarray().reshape(-1), np.float32)


class FileSound:
    """The sound of a file, decoded as it is taken."""

    live = False

    def __init__(
        self, path: Path, say: Callable[[str], None], *, begin: Ms | None = None, until: Ms | None = None
    ) -> None:
        """Look into the file at `path`; MediaError says what is wrong with it.

        Times count from where a player begins. With `begin` they are the file's own, and what lies outside
        [begin, until) is left out.
        """
        self._path = path.expanduser().absolute()
        self._say = say
        self._begin = begin
        self._until = until
        self._said: set[str] = set()
        self._stopping = threading.Event()
        with self._open() as container:
            stream = _audible(container)
            if stream is None:
                raise MediaError(_("{file} has no sound, so there is nothing to caption.").format(file=path))
            known = bool(container.duration)
            length = (container.duration or 0) + (0 if begin is None else container.start_time or 0)
        self.length: Ms | None = Ms(length // 1000) if known else None

    def _open(self) -> InputContainer:
        if self._path.is_file() and not self._path.stat().st_size:
            raise MediaError(_("{file} is empty; was it copied whole?").format(file=self._path))
        return open_file(self._path)

    def chunks(self) -> Iterator[AudioChunk]:
        """Decode to the end; damage is skipped and said once."""
        cut = Chunks(self._turned_back)
        mixer = Mixer()
        with self._open() as container:
            stream = _audible(container)
            if stream is None:
                return
            zero = 0 if self._begin is not None else (container.start_time or 0) / 1_000_000
            if self._begin:
                container.seek(max(0, self._begin - 1000) * 1000)
            for frame in self._frames(container, stream):
                at = None if frame.pts is None or frame.time_base is None else ms(frame.pts * frame.time_base - zero)
                if container.format.name in BARE and cut.end:
                    at = None
                if self._until is not None and at is not None and at >= self._until:
                    break
                for chunk in cut.take(mixer.mix(frame), at):
                    if self._begin is None or chunk.end > self._begin:
                        yield chunk
                if self._stopping.is_set():
                    return
            yield from cut.take(mixer.flush(), None)
            yield from cut.flush()

    def stop(self) -> None:
        """Decode no more."""
        self._stopping.set()

    def _frames(self, container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
        faults = 0
        while True:
            try:
                for packet in container.demux(stream):
                    try:
                        yield from packet.decode()
                    except av.FFmpegError:
                        self._damaged()
                    else:
                        faults = 0
            except (av.FFmpegError, OSError):
                self._damaged()
                faults += 1
                if faults > MOST_FAULTS:
                    return
            else:
                return

    def _damaged(self) -> None:
        self._once(_("Parts of {file} cannot be read and are left out.").format(file=self._path.name))

    def _turned_back(self) -> None:
        self._once(
            _("The time stamps of {file} jump; captions go on from where they were.").format(file=self._path.name)
        )

    def _once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)


def _audible(container: InputContainer) -> AudioStream | None:
    return next((s for s in container.streams.audio if can_decode(s) and s.codec_context.sample_rate), None)
