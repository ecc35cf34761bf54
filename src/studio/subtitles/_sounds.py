"""How a language writes what is heard besides words: a file of the drawer `subtitles/sounds`."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.catalogue import Catalogue
from studio.language import _

SOUNDS = "subtitles/sounds"


@dataclass(frozen=True, slots=True)
class SoundLabels:
    """A file of the drawer. Kinds of sound are named as AudioSet names them, in English."""

    language: str
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What is written, brackets and all, and the kinds of sound that it stands for."""
    speaker: str = "{n}"
    """What a person is called whom nobody has named; `{n}` is a number from 1."""

    def __post_init__(self) -> None:
        """ValueError where a label is empty, or one kind of sound has two."""
        seen: dict[str, str] = {}
        for label, kinds in self.labels.items():
            if not label.strip():
                raise ValueError(_("labels: one of them is empty"))
            for kind in kinds:
                if kind in seen:
                    raise ValueError(
                        _('labels: "{kind}" stands for {one} and for {other}').format(
                            kind=kind, one=seen[kind], other=label
                        )
                    )
                seen[kind] = label

    @property
    def of(self) -> dict[str, str]:
        """The label of each kind of sound that has one."""
        return {kind: label for label, kinds in self.labels.items() for kind in kinds}

    def person(self, number: int) -> str:
        """What the speaker of a number is called."""
        return self.speaker.replace("{n}", str(number))


def sound_labels(language: str, catalogue: Catalogue | None = None) -> SoundLabels:
    """Labels in a language's code; English where the drawer has no file for it. Raises DrawerError."""
    catalogue = catalogue or Catalogue()
    return catalogue.load(SOUNDS, language if language in catalogue.names(SOUNDS) else "en", SoundLabels)
