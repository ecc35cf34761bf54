"""What is on its way out: a packet of the programme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import av

from studio.media._ground.clock import TICK, Ticks

AAC_FRAME = 1024
"""Samples of a packet of sound."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A packet of the programme, ready to be muxed."""

    kind: Literal["picture", "sound", "small"]
    """`small`: the small picture, which HLS has besides."""
    stamp: Ticks
    """When it is shown, in the time of the air or, before the hold, of the show."""
    key: bool
    """A player may begin here."""
    data: bytes
    """Annex B with its own headers, or AAC in ADTS frames."""
    duration: Ticks
    due: Ticks | None = None
    """When it is to be decoded, where that is earlier than it is shown: in a programme with B-frames that is passed on
    as it came. `None`: when it is shown, as all that we encode."""

    @property
    def decoded(self) -> Ticks:
        """When it is to be decoded: the order in which packets come."""
        return self.stamp if self.due is None else self.due

    def packet(self) -> av.Packet[av.stream.Stream]:
        """Make a packet of it; muxers change what they are given, so each gets its own."""
        packet: av.Packet[av.stream.Stream] = av.Packet(self.data)
        packet.time_base = TICK
        packet.pts, packet.dts = self.stamp, self.decoded
        packet.duration = self.duration
        packet.is_keyframe = self.key
        return packet
