"""A film's sound in blocks of half a minute, each of which comes out the same, whoever reads it and from wherever.

A block is decoded from one second before it, and its samples are counted from the mean of its own time stamps. So a
chunk that one machine reads equals, sample for sample, the same stretch of the whole that another one reads, and sound
whose clock runs beside that of its pictures is brought back twice a minute.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from studio.errors import MediaError, why
from studio.language import _
from studio.media._arrive.sound import BARE, MOST_FAULTS
from studio.media._film.mono import Mono, at_speech_rate
from studio.media._film.source import Source, is_address, name_of, open_film, zero_of
from studio.media._film.unbroken import Unbroken, is_broken
from studio.sound import SPEECH_RATE
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer

logger = logging.getLogger(__name__)

BLOCK = 30.0
"""Seconds."""
BEFORE = 1.0
"""Seconds that are decoded before each block: some need half of it to be in tune."""
BEHIND = 0.1
"""Seconds that are decoded after it, so that the resampler knows what follows."""
SLIP = 0.1
"""Seconds by which a stamp may lie beside the end of the sound before it: containers round, cameras dither."""
LOST = 0.015
"""Seconds likewise after something that could not be read: less than any packet is long."""
_FURTHER = (1.0, 6.0, 30.0, 120.0)
"""Seconds before a block that are jumped to, one after the other, where a film's index leads too far."""
_DICE = frozenset({"aac", "aac_latm", "ac3", "eac3", "dca"})
"""Decoders that fill in noise, and throw their dice on from where they were, also after a jump."""
_SECOND = 1_000_000
"""In which `seek` counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Half a minute of sound."""

    samples: NDArray[np.float32]
    """At 16 kHz, from the block's beginning; shorter than a block where the sound ends in it."""
    more: float | None
    """Where the next sound after it begins, in seconds of the film; `None`: there is none."""


@dataclass(slots=True)
class _Run:
    """Frames that follow each other without a gap."""

    rate: int
    begin: float
    count: int = 0
    beside: list[float] = field(default_factory=list)
    """Of each frame: where its stamp puts the run's beginning."""
    parts: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def end(self) -> float:
        return self.begin + self.count / self.rate

    def add(self, samples: NDArray[np.float32], at: float | None) -> None:
        if at is not None:
            self.beside.append(at - self.count / self.rate)
            self.begin = sum(self.beside) / len(self.beside)
        self.parts.append(samples)
        self.count += len(samples)


class Blocks:
    """Reads the blocks of one track; one thread at a time."""

    def __init__(self, source: Source, number: int, mono: Mono, hurt: Callable[[Ms, Ms], None]) -> None:
        """Read sound track `number`, from 1; `hurt` is told what could not be read."""
        self._source = source
        self._number = number
        self._mono = mono
        self._hurt = hurt
        self._container = self._open()
        self._whole = self._container.format.name in BARE or is_broken(self._container)
        """Whether it has to be read from its beginning, since jumps into it do not lead where they should."""
        self._again()
        self._kept: deque[av.Packet[AudioStream]] = deque()
        self._kept_from = 0.0

    def _open(self) -> InputContainer:
        container = open_film(self._source)
        self._stream: AudioStream = container.streams.audio[self._number - 1]
        self._zero = float(zero_of(container))
        self._unbroken = Unbroken(self._stream)
        self._fresh = True
        return container

    def _again(self) -> None:
        self._container.close()
        self._container = self._open()

    def close(self) -> None:
        """Let the film go."""
        self._container.close()

    def block(self, number: int) -> Block:
        """Return block `number`, from 0. Raises MediaError where a server is gone."""
        begin = number * BLOCK
        end = begin + BLOCK
        runs: list[_Run] = []
        more: float | None = None
        harmed = False
        for frame in self._frames(max(0.0, begin - BEFORE) if number else -BEFORE):
            if frame is None:
                harmed = True
                continue
            at = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
            at = at - self._zero if at is not None else None
            if at is not None and at >= end + BEHIND:
                more = at
                break
            run = runs[-1] if runs else None
            slip = LOST if harmed else SLIP
            if run is None or run.rate != frame.sample_rate or (at is not None and abs(at - run.end) > slip):
                if run is None and at is None:
                    continue
                start = run.end if at is None and run is not None else at or 0.0
                run = _Run(frame.sample_rate, start)
                if harmed:
                    self._harm(runs[-1].end if runs else begin, start, begin, end)
                runs.append(run)
            harmed = False
            run.add(self._mono.of(frame), at)
        if harmed:
            self._harm(runs[-1].end if runs else begin, more or (runs[-1].end if runs else begin), begin, end)
        return Block(_laid(runs, begin, whole=more is not None), more)

    def _harm(self, since: float, until: float, begin: float, end: float) -> None:
        """Tell of what was not read, if any of it is in this block: of what comes before, the one before told."""
        if max(since, begin) < min(until, end):
            self._hurt(ms(max(since, begin)), ms(min(until, end)))

    def _frames(self, since: float) -> Iterator[av.AudioFrame | None]:
        """Decode from the first packet at or after `since` on; `None` stands for what cannot be read."""
        context = self._decoder(first=self._fresh and since <= 0)
        for packet in self._packets(since):
            if packet is None:
                yield None
                continue
            try:
                yield from context.decode(packet if packet.size else None)
            except av.FFmpegError:
                yield None

    def _decoder(self, *, first: bool) -> AudioCodecContext:
        """Return one that remembers nothing; of the film's beginning its own, which knows what is no sound there."""
        own = self._stream.codec_context
        if first:
            return own
        if own.name not in _DICE:
            own.flush_buffers()
            return own
        fresh = av.CodecContext.create(own.codec, "r")
        assert isinstance(fresh, AudioCodecContext)  # noqa: S101 - it is of the same codec
        fresh.extradata = own.extradata
        return fresh

    def _packets(self, since: float) -> Iterator[av.Packet[AudioStream] | None]:
        if self._whole:
            yield from self._on_foot(since)
            return
        if not self._fresh or since > 0:
            yield from self._leap(since)
            return
        self._fresh = False
        yield from self._demux()

    def _leap(self, since: float) -> Iterator[av.Packet[AudioStream] | None]:
        """Jump close before `since`; a jump that leads behind it is made again from further back."""
        self._fresh = False
        first = float((self._stream.start_time or 0) * (self._stream.time_base or 0)) - self._zero
        for further in _FURTHER:
            to = max(since - further, min(0.0, first))
            self._seek(to)
            packets = self._demux()
            early = False
            for packet in packets:
                at = None if packet is None else self._at(packet)
                if at is None and not early:
                    continue
                if at is not None and at < since:
                    early = True
                    continue
                if early or to <= first or further == _FURTHER[-1]:
                    yield packet
                    yield from packets
                    return
                break
            else:
                return

    def _seek(self, to: float) -> None:
        try:
            self._container.seek(int((to + self._zero) * _SECOND))
        except (av.FFmpegError, OSError):  # nothing can be jumped to: from the beginning, then
            self._again()
            self._fresh = False

    def _on_foot(self, since: float) -> Iterator[av.Packet[AudioStream] | None]:
        """Walk through all that comes before, undecoded; what the next block may want again is kept."""
        if not self._fresh and since < self._kept_from:
            self._again()
        if self._fresh:
            self._kept.clear()
        self._fresh = False
        self._kept_from = since
        again = [packet for packet in self._kept if (self._at(packet) or 0.0) >= since]
        self._kept = deque(again)
        yield from again
        for packet in self._demux():
            if packet is None:
                yield None
                continue
            self._unbroken.mend(packet)
            at = self._at(packet)
            if at is not None and at < since:
                continue
            if packet.size:
                self._kept.append(packet)
            while self._kept and at is not None and (self._at(self._kept[0]) or 0.0) < at - 2 * BEFORE - BEHIND:
                self._kept.popleft()
            yield packet

    def _at(self, packet: av.Packet[AudioStream]) -> float | None:
        return None if packet.pts is None else float(packet.pts * packet.time_base) - self._zero

    def _demux(self) -> Iterator[av.Packet[AudioStream] | None]:
        faults = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    faults = 0
                    yield packet
            except (av.FFmpegError, OSError) as problem:
                if is_address(self._source):
                    raise MediaError(
                        _("{file} cannot be read any further from its server ({problem}); try again.").format(
                            file=name_of(self._source), problem=why(problem)
                        )
                    ) from problem
                logger.info("%s: %s", self._source, problem)
                yield None
                faults += 1
                if faults > MOST_FAULTS:
                    return
            else:
                return


def _laid(runs: list[_Run], begin: float, *, whole: bool) -> NDArray[np.float32]:
    """Lay `runs` where they belong in the block from `begin` on; gaps are silence."""
    length = round(BLOCK * SPEECH_RATE)
    out = np.zeros(length, np.float32)
    last = length if whole else 0
    for run in runs:
        sound = at_speech_rate(np.concatenate(run.parts), run.rate)
        at = round((run.begin - begin) * SPEECH_RATE)
        cut, at = max(0, -at), max(0, at)
        sound = sound[cut : cut + max(0, length - at)]
        out[at : at + len(sound)] = sound
        if len(sound):
            last = max(last, at + len(sound))
    return out[:last]
