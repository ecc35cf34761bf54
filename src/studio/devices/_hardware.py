"""What a file of `hardware/` says: what a model is. Read by `Catalogue.load("hardware", name, Hardware)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studio.devices._midi.model import MidiModel
from studio.devices._osc.model import OscModel
from studio.language import _

Checked = Literal["real device", "rehearsal", "manual only"]
"""How a file was tried: on the thing itself, against our twin of it, or only read in its manual."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A model: exactly one of `midi` and `osc` says how it talks."""

    maker: str
    model: str
    checked: Checked
    checked_note: str = ""
    """What was tried, by whom, on which firmware; what was not."""
    midi: MidiModel | None = None
    osc: OscModel | None = None

    def __post_init__(self) -> None:
        if (self.midi is None) == (self.osc is None):
            raise ValueError(_('"model" needs one of "midi" and "osc" beside it, to say how it talks'))

    @property
    def driver(self) -> str:
        """The name of its driver in `DRIVERS`."""
        return "midi" if self.midi else "osc"

    def controls(self) -> tuple[str, ...]:
        """What `bind` in `studio.toml` may name."""
        if self.midi:
            return self.midi.controls()
        return tuple(self.osc.expanded()) if self.osc else ()
