"""What everyone who listens without a relay may ask of a source of sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.sound import AudioChunk
    from studio.units import Ms


class Sound(Protocol):
    """Where sound comes from."""

    live: bool
    """It comes at its own pace; else as fast as it is taken."""
    length: Ms | None
    """How long it is; `None` where nobody knows."""

    def chunks(self) -> Iterator[AudioChunk]:
        """Every chunk in order, times counted from the source's beginning; blocks while nothing comes.

        Times never go back; a jump is sound that is missing. Raises MediaError where nothing ever came.
        """
        ...

    def stop(self) -> None:
        """Let `chunks` end soon; from any thread."""
        ...
