"""Subtitles in the picture for good, drawn as the live captions are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from studio.media._air.burn import Burner, is_hd
from studio.media._film.rewrite import Rewrite
from studio.media._ground.cues import CueBoard, RollUp
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import av

    from studio.media._film.rewrite import Progress
    from studio.media._film.source import Source
    from studio.media._plan import EncodePreset
    from studio.spoken import Cue
    from studio.subtitles import Style

AHEAD = Ms(60_000)
"""So far ahead of the picture cues are handed to the board, which remembers as much of what is over."""


class Draw:
    """Draws what stands on each picture."""

    def __init__(self, cues: Iterable[Cue], style: Style) -> None:
        self._style = style
        roll = RollUp(style.max_lines, ms(style.clear_after)) if style.mode == "roll-up" else None
        self._board = CueBoard(roll)
        self._coming = deque(sorted(cues, key=lambda cue: (cue.start, cue.number)))
        self._burner: Burner | None = None

    def __call__(self, frame: av.VideoFrame, at: Ms) -> None:
        """Draw on the picture of that moment."""
        while self._coming and self._coming[0].start <= at + AHEAD:
            self._board.show(self._coming.popleft())
        lines = self._board.air(at)
        if not lines:
            return
        if self._burner is None:
            self._burner = Burner(self._style, frame.width, frame.height)
        self._burner.prepare(lines, hd=is_hd(frame))
        self._burner.burn(lines, frame)


def burn(
    source: Source,
    out: Path,
    cues: Iterable[Cue],
    *,
    style: Style,
    preset: EncodePreset,
    progress: Progress | None = None,
    say: Callable[[str], None],
) -> None:
    """See `studio.media.burn`."""
    Rewrite(source, out, preset, draw=Draw(cues, style), progress=progress, say=say).run()
