"""What a button means: `take:Talk` in `studio.toml` becomes a wish that the house can carry out.

How to add an action: 1. a row in `ACTIONS` with the argument it takes; 2. a branch in `meaning`, where it is more than
its own name; 3. its command in the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.catalogue import instead
from studio.errors import ShowError
from studio.language import _

HOLDING = "Holding"
"""The scene that stands while nothing is to be seen; every collection that wants the action `holding` names one so."""

ACTIONS: dict[str, str | None] = {
    "take": "scene",
    "holding": None,
    "stop": None,
    "recall": "snapshot",
    "undo": None,
}
"""Every action, and what it needs after the colon."""


COMMANDS = {"recall": "device.recall", "undo": "device.undo"}
"""What the house calls them, where it has another word."""
EXAMPLES = {"take": "Talk", "recall": "evening"}


@dataclass(frozen=True, slots=True)
class Action:
    """A wish that the house can carry out: a command and its arguments."""

    name: str
    """`take`, `stop`, `device.recall`, `device.undo`."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    """Of `take`: `scene`; of `device.recall`: `snapshot`."""

    @property
    def scene(self) -> str | None:
        """The scene that it takes; `None` where it takes none. The control is lit while this scene is on the air."""
        scene = self.arguments.get("scene")
        return scene if self.name == "take" and isinstance(scene, str) else None


def meaning(text: str) -> Action:
    """Return what `text`, such as `take:Talk` or `holding`, asks for; ShowError where that is nothing."""
    name, colon, rest = (part.strip() for part in text.partition(":"))
    if name not in ACTIONS:
        raise ShowError(_('"{text}" is no action').format(text=text) + instead(name, ACTIONS))
    needs = ACTIONS[name]
    if needs and not rest:
        raise ShowError(
            _('"{text}" must name a {what} after a colon, as in "{name}:{example}"').format(
                text=text, what=needs, name=name, example=EXAMPLES[name]
            )
        )
    if colon and not needs:
        raise ShowError(_('"{name}" stands alone; leave out ":{rest}"').format(name=name, rest=rest))
    if name == "holding":
        return Action("take", {"scene": HOLDING})
    return Action(COMMANDS.get(name, name), {needs: rest} if needs else {})
