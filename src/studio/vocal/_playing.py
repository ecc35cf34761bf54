"""What the recorder asks of whatever plays to the singers: `_playback.Playback`, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from studio.errors import VocalError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from studio.events import LinkState, MeasureLatency, Monitor, StartTake


@dataclass(frozen=True, slots=True)
class Cue:
    """When a take begins and ends, in frames of the input since it was opened."""

    first_frame: int
    """The first that is written: what was sung to the song at `offset`."""
    frames: int | None = None
    """Of the take, or of each pass of a loop, which follow each other without a gap; `None`: until it is stopped."""
    offset: float | None = None
    """Second of the song that is heard at `first_frame`; `None` where nothing is played."""
    loops: bool = False
    """Whether another take follows when `frames` are over."""


class Playing(Protocol):
    """The recorder calls `prepare`, `measure`, `stop` and `close` from one thread, `heard` from another."""

    state: LinkState
    """`off` where nothing is ever played."""
    latency: float | None
    """Frames from writing to hearing; `None`: not measured since input and output were opened."""
    spread: float | None
    detail: str
    """One sentence for the user, or empty."""

    def prepare(self, take: StartTake, now: int) -> Cue:
        """Schedule what is heard with `take`; the input has heard `now` frames. Measures the latency where it must.

        Blocks while a file is read or a ping is heard. Raises StudioError where it cannot be played; nothing is
        scheduled then.
        """
        ...

    def measure(self, wish: MeasureLatency) -> None:
        """Send pings and listen; blocks until it is known. Raises StudioError where none is heard."""
        ...

    def heard(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Take what the input heard, (frames, channels) of 24 bits on the left; must be quick."""
        ...

    def follow(self, lead: Callable[[], float | None]) -> None:
        """Ask `lead` how many frames the input has heard beyond the machine's clock; it says `None` while it cannot."""
        ...

    def gone(self) -> None:
        """The input is gone: give the output back, for PortAudio looks at the machine anew; the latency is void.

        The output is opened again when it is needed.
        """
        ...

    def adjust(self, wish: Monitor) -> None:
        """Change how loud it is."""
        ...

    def stop(self) -> None:
        """Fall silent at once."""
        ...

    def close(self) -> None:
        """Give the output back."""
        ...


class Silence:
    """Plays nothing: a take begins at once."""

    def __init__(self, rate: int) -> None:
        """The input has `rate`."""
        self._rate = rate

    state: LinkState = "off"
    latency: float | None = None
    spread: float | None = None
    detail = ""

    def prepare(self, take: StartTake, now: int) -> Cue:
        """Begin now; with a backing or a click there has to be an output."""
        if take.backing or take.click or take.punch or take.loop:
            raise VocalError(_("There is no output to play to the singers; choose one, or record without backing."))
        return Cue(now, None if take.seconds is None else round(take.seconds * self._rate))

    def measure(self, wish: MeasureLatency) -> None:  # noqa: ARG002
        """Refuse."""
        raise VocalError(_("There is no output to play to the singers; choose one, or record without backing."))

    def heard(self, block: NDArray[np.int32], first_frame: int) -> None:
        """Do nothing."""

    def follow(self, lead: Callable[[], float | None]) -> None:
        """Do nothing."""

    def gone(self) -> None:
        """Do nothing."""

    def adjust(self, wish: Monitor) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
