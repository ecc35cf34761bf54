"""Closed captions inside the coded pictures: what the picture's viewers may switch on in any player."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.language import _
from studio.media._ground.airtime import AirTime
from studio.media._ground.clock import ms_of
from studio.units import Ms
from studio.wire import cea608

if TYPE_CHECKING:
    from studio.media._ground.coded import Coded
    from studio.media._ground.cues import CueBoard

_NAMED = 12
"""Letters that one sentence names."""


class ClosedCaptions:
    """Puts the cues of a board into the pictures of a programme, each at its own time."""

    def __init__(self, board: CueBoard, time: AirTime | None = None) -> None:
        """`time` tells when cues stand on the air; `None`: each at its own time."""
        self._board = board
        self._time = time or AirTime(Path(), Ms(0), continued=False)
        self._feed = cea608.Feed()

    def add(self, coded: list[Coded]) -> list[Coded]:
        """Return the packets with the captions in them; pictures come in the order in which they are seen."""
        return [self._captioned(packet) if packet.kind == "picture" else packet for packet in coded]

    @property
    def late(self) -> Ms | None:
        """How long after its own time the last cue was there; `None` before the first."""
        late, number = self._feed.late, self._feed.latest
        return late if late is None or number is None else Ms(late + self._board.postponed(number))

    @property
    def detail(self) -> str:
        """What the viewers of these captions miss, in one sentence, or empty."""
        folded = self._feed.folded
        if not folded:
            return ""
        letters = [letter for letter, _count in folded.most_common()]
        return _("CEA-608 has no {letters}; plain letters stand in their place (so far: {count}).").format(
            letters=", ".join(sorted(letters[:_NAMED])) + ("…" if len(letters) > _NAMED else ""),
            count=folded.total(),
        )

    def _captioned(self, packet: Coded) -> Coded:
        at = ms_of(packet.stamp)
        ahead = self._board.ahead(self._time.show(at))
        pairs = self._feed.frame(at, [aired for cue in ahead for aired in self._time.cues(cue)])
        return replace(packet, data=cea608.insert(packet.data, cea608.sei(pairs))) if pairs else packet
