"""Where the programme goes: as pages read it, and what each destination got in an evening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.events import OutputReport
    from studio.show import State


@dataclass(frozen=True, slots=True)
class Sent:
    """What one destination got in an evening, over all restarts."""

    name: str
    size: int
    """Bytes."""
    dropped: int
    """Packets that were left out because it took them too slowly."""
    restarts: int
    """How often it was tried again."""


class Outputs:
    """Keeps the state true to what the relay says of its outputs."""

    def __init__(self, state: State) -> None:
        """Write into `state`."""
        self._state = state
        self._outputs: tuple[OutputReport, ...] = ()
        self._known: dict[str, str] = {}
        self._sent: dict[str, tuple[Sent, OutputReport]] = {}
        """Of each destination what it got before it was last begun anew, and what it got since."""

    def house(self, known: Mapping[str, str]) -> None:
        """Show the destinations of the house, by name with their addresses, also while nothing is sent there."""
        self._known = dict(known)
        self.show(())

    def lost(self) -> None:
        """Say that nothing goes anywhere, for there is no relay."""
        gone: tuple[OutputReport, ...] = tuple(
            msgspec.structs.replace(output, state="starting", detail="", bitrate=0) for output in self._outputs
        )
        self.show(gone)

    def show(self, outputs: tuple[OutputReport, ...]) -> None:
        """Show what the relay says of its outputs, and the house's destinations that get nothing."""
        self._outputs = outputs
        for output in outputs:
            if output.destination:
                self._count_sent(output)
        shown: dict[str, dict[str, object]] = {output.name: _shown_output(output) for output in outputs}
        for name, address in self._known.items():
            shown.setdefault(name, {"state": "off", "detail": address, "size": 0, "destination": True})
        self._state.set(("destinations",), shown)

    def _count_sent(self, output: OutputReport) -> None:
        before, last = self._sent.get(output.name, (Sent(output.name, 0, 0, 0), output))
        if output.size < last.size:  # another relay, or it was removed and added again
            before = _with(before, last)
        self._sent[output.name] = before, output

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What each destination got, all that were sent to for a while included."""
        return tuple(_with(before, last) for before, last in self._sent.values())


def _with(before: Sent, output: OutputReport) -> Sent:
    return Sent(
        before.name,
        before.size + output.size,
        before.dropped + output.dropped,
        before.restarts + output.restarts,
    )


def _shown_output(output: OutputReport) -> dict[str, object]:
    shown: dict[str, object] = {"state": output.state, "detail": output.detail, "size": output.size}
    if output.destination:
        shown |= {
            "destination": True,
            "kbps": output.bitrate,
            "dropped": output.dropped,
            "restarts": output.restarts,
        }
    return shown
