"""Sound of several tracks that can be read anywhere: a take, or a comp of takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Material(Protocol):
    """Tracks side by side, all equally long."""

    @property
    def rate(self) -> int:
        """Hertz."""
        ...

    @property
    def tracks(self) -> tuple[str, ...]:
        """Their names, in the order of the columns."""
        ...

    @property
    def frames(self) -> int:
        """How long it is."""
        ...

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the frames [start, stop), which lie inside: (frames, tracks), full scale ±1."""
        ...
