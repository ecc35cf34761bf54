"""The pieces that HLS is made of: packets of the programme as one file of MPEG-TS or fragmented MP4.

They are made in memory, at once: whoever writes to a slow disk waits for it outside FFmpeg, which would hold everybody.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np

from studio.media._ground.clock import RATE
from studio.media._ground.coded import AAC_FRAME
from studio.media._ground.tape import AIR_RATE
from studio.media._leave.recording import mux_streams
from studio.wire import fmp4

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.media._ground.clock import Ticks
    from studio.media._ground.coded import Coded

_LEAD = "700000"
"""Microseconds. The muxer adds twice that to every stamp: hardware players want the stamps ahead of their clock."""
_PACKET = 188
_SOUND = fmp4.Sound(AIR_RATE, 2, fmp4.aac_setup(b"", AIR_RATE, 2))


class Form(Protocol):
    """How segments are written."""

    ending: str
    """Of their names."""

    def head(self, setup: bytes, size: tuple[int, int]) -> bytes:
        """Return what players read once, before all segments; empty where each says all itself."""

    def piece(self, number: int, packets: Sequence[Coded], end: Ticks) -> bytes:
        """Return segment `number`: `packets`, a keyframe first, up to `end`."""

    def first_stamp(self, piece: bytes) -> int | None:
        """Return the time stamp (90 kHz) that the first picture of `piece` really carries; `None` without a picture."""


class Ts:
    """MPEG-TS. One for each row of segments: packets are counted from one to the next."""

    ending = ".ts"

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        """Of each stream of packets, the continuity counter that comes next."""

    def head(self, setup: bytes, size: tuple[int, int]) -> bytes:  # noqa: ARG002 - as the others
        """Nothing."""
        return b""

    def piece(self, number: int, packets: Sequence[Coded], end: Ticks) -> bytes:  # noqa: ARG002 - as the others
        """Return `packets` as MPEG-TS."""
        out = io.BytesIO()
        with av.open(out, "w", "mpegts", options={"max_delay": _LEAD}) as file:
            streams = mux_streams(file)
            for coded in packets:
                packet = coded.packet()
                packet.stream = streams["sound" if coded.kind == "sound" else "picture"]
                file.mux(packet)
        return self._counted_on(out.getvalue())

    def first_stamp(self, piece: bytes) -> int | None:
        """Ask FFmpeg."""
        with av.open(io.BytesIO(piece), "r", "mpegts") as container:
            pictures = (packet.pts for packet in container.demux() if packet.stream.type == "video")
            return next((pts for pts in pictures if pts is not None), None)

    def _counted_on(self, data: bytes) -> bytes:
        """Let the continuity counters (ISO 13818-1, 2.4.3.3) go on from the piece before: each muxer begins at 0."""
        packets = np.frombuffer(bytearray(data), np.uint8).reshape(-1, _PACKET)
        streams = (packets[:, 1].astype(np.uint16) & 0x1F) << 8 | packets[:, 2]
        for stream in np.unique(streams):
            rows = np.flatnonzero(streams == stream)
            on = self._counts.get(int(stream), int(packets[rows[0], 3] & 15)) - int(packets[rows[0], 3] & 15)
            packets[rows, 3] = packets[rows, 3] & 0xF0 | (packets[rows, 3] + np.uint8(on & 15)) & 15
            self._counts[int(stream)] = int(packets[rows[-1], 3] + 1) & 15
        return packets.tobytes()


class Fmp4:
    """Fragmented MP4, whose stamps are those of the programme."""

    ending = ".m4s"

    def head(self, setup: bytes, size: tuple[int, int]) -> bytes:
        """Return the init segment of pictures of this `size` and `setup`."""
        return fmp4.opening(fmp4.Picture(*size, setup), _SOUND)

    def piece(self, number: int, packets: Sequence[Coded], end: Ticks) -> bytes:
        """Return `packets` as one fragment.

        Parameter sets stay in the pictures, as FFmpeg's own muxer leaves them, though they are in the head, too: FFmpeg
        as a player takes no second head in mid-stream, and would decode other pictures with the sets of the first.
        """
        pictures = [
            fmp4.Sample(coded.decoded, fmp4.with_lengths(coded.data), coded.key, coded.stamp - coded.decoded)
            for coded in packets
            if coded.kind != "sound"
        ]
        sounds = [
            fmp4.Sample(round(coded.stamp * AIR_RATE / RATE), fmp4.without_header(coded.data))
            for coded in packets
            if coded.kind == "sound"
        ]
        # what follows is decoded as much sooner than it is shown as what is here
        decoded = end - pictures[0].shown if pictures else end
        return fmp4.piece(number + 1, pictures, sounds, decoded, sounds[-1].at + AAC_FRAME if sounds else 0)

    def first_stamp(self, piece: bytes) -> int | None:
        """Read it."""
        return fmp4.first_picture(piece)


FORMS: dict[str, type[Ts | Fmp4]] = {"ts": Ts, "fmp4": Fmp4}
"""By their names in a preset."""
