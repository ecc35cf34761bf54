"""What the pages need of the house they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from studio.show import State


class Outcome(Protocol):
    """What became of a command."""

    @property
    def kind(self) -> str:
        """`confirmed`, `unconfirmed`, `refused`, `superseded` or `simulated`."""
        ...

    @property
    def reason(self) -> str:
        """One sentence for the user, or empty."""
        ...


class House(Protocol):
    """An evening, as the pages see it."""

    @property
    def state(self) -> State:
        """The one true state; its layout is what `static/status.js` reads."""
        ...

    @property
    def folder(self) -> Path:
        """The show folder; its `hls/` is given out below `/hls/`."""
        ...

    @property
    def instant(self) -> Path:
        """The socket where the relay passes on what arrives."""
        ...

    async def command(self, name: str, arguments: dict[str, object]) -> Outcome:
        """Do what a page asks for. An unknown name is refused; StudioError means refused, too."""
        ...
