"""Clocks of films that were glued together: their stamps jump, the film goes on."""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Any

import av

from studio.media._arrive.sound import LONGEST_GAP, SLIP

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_MAY_JUMP = frozenset({"mpegts", "mpeg", "vob"})
"""Forms that may be glued together byte by byte, so that their stamps jump."""
_PLACES = 48
"""At how many places of a file is looked whether its clock runs on."""
_PACKETS = 40


class Unbroken:
    """Gives the packets of a stream, read from its beginning, stamps that never go back."""

    def __init__(self, stream: Stream) -> None:
        base = float(stream.time_base or 1)
        self._slip = round(SLIP / 1000 / base)
        self._most = round(LONGEST_GAP / 1000 / base)
        self._shift = 0
        self._end: int | None = None

    def mend(self, packet: av.Packet[Any]) -> None:
        """Move its stamps to where it belongs."""
        if packet.pts is None:
            return
        at = packet.pts + self._shift
        if self._end is not None and not -self._slip <= at - self._end <= self._most:
            self._shift += self._end - at
            at = self._end
        packet.dts = None if packet.dts is None else packet.dts + at - packet.pts
        packet.pts = at
        self._end = max(at, self._end or at) + (packet.duration or 0)


def is_broken(container: InputContainer) -> bool:
    """Whether the clock of a file jumps; it is read here and there, and must be opened anew afterwards."""
    if container.format.name not in _MAY_JUMP or not container.size or container.size < 0:
        return False
    streams: list[Stream] = [*container.streams.audio[:1], *container.streams.video[:1]][:1]
    before: float | None = None
    length = (container.duration or 0) / 1_000_000
    for place in range(_PLACES):
        with contextlib.suppress(av.FFmpegError, OSError):
            container.seek(container.size * place // _PLACES, unsupported_byte_offset=True)
            for packet in islice(container.demux(streams), _PACKETS):
                if packet.pts is None:
                    continue
                at = float(packet.pts * packet.time_base)
                if before is not None and at < before - SLIP / 1000:
                    return True
                before = at
    return bool(length and before is not None and before * 1_000_000 > (container.start_time or 0) + length * 4e6)
