"""What a file of `hardware/` says: what a model is. Read by `Catalogue.load("hardware", name, Hardware)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studio.devices._midi.model import MidiModel
from studio.devices._obsbot.model import ObsbotModel
from studio.devices._osc.model import OscModel
from studio.devices._visca.model import ViscaModel
from studio.language import _

Checked = Literal["real device", "rehearsal", "manual only"]
"""How a file was tried: on the thing itself, against our twin of it, or only read in its manual."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A model: exactly one of `midi`, `osc`, `visca` and `obsbot` says how it talks."""

    maker: str
    model: str
    checked: Checked
    checked_note: str = ""
    """What was tried, by whom, on which firmware; what was not."""
    midi: MidiModel | None = None
    osc: OscModel | None = None
    visca: ViscaModel | None = None
    obsbot: ObsbotModel | None = None

    def __post_init__(self) -> None:
        if len(self._languages()) != 1:
            raise ValueError(
                _('"model" needs one of "midi", "osc", "visca" and "obsbot" beside it, to say how it talks')
            )

    @property
    def driver(self) -> str:
        """The name of its driver in `DRIVERS`."""
        return self._languages()[0]

    def _languages(self) -> list[str]:
        said = {"midi": self.midi, "osc": self.osc, "visca": self.visca, "obsbot": self.obsbot}
        return [language for language, model in said.items() if model is not None]

    def controls(self) -> tuple[str, ...]:
        """What `bind` in `studio.toml` may name."""
        if self.midi:
            return self.midi.controls()
        return tuple(self.osc.expanded()) if self.osc else ()
