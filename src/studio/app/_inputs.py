"""Which encoder is on the air, main or backup, chosen by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.app._wishes import Wishes
from studio.devices import Outcome
from studio.events import ChooseInput
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.events import AnyMessage, InputName, RelayReport

CHOICES: Mapping[str, InputName | None] = {"main": "main", "backup": "backup", "auto": None}


class Inputs:
    """The inputs as the relay tells of them, and wishes for another one on the air."""

    def __init__(self, send: Callable[[AnyMessage], bool]) -> None:
        """`send` brings a message to the relay, or returns False."""
        self._send = send
        self._report: RelayReport | None = None
        self._wishes: Wishes[InputName | None] = Wishes()

    async def command(self, arguments: Mapping[str, object]) -> Outcome:
        """`input` {name}: `main` or `backup`, until it is lost; `auto` takes that back."""
        name = arguments.get("name")
        if not isinstance(name, str) or name not in CHOICES:
            return Outcome("refused", _("Which encoder? Write main, backup or auto."))
        wished = CHOICES[name]
        known = {each.name: each for each in self._report.inputs} if self._report else {}
        if self._report and "backup" not in known:
            return Outcome("refused", _("This show has no second input; name one as backup in studio.toml."))
        if wished in known and known[wished].state != "online":
            return Outcome("refused", _("That encoder sends nothing, so it cannot go on the air; look at it."))
        if not self._send(ChooseInput(wished)):
            return Outcome("refused", _("The relay is not connected; nothing was changed."))
        return await self._wishes.fulfilled(wished)

    def told(self, report: RelayReport) -> None:
        """Take in what the relay says."""
        self._report = report
        airs = {each.name for each in report.inputs if each.airs}
        self._wishes.told(lambda wished: report.chosen == wished and (wished is None or wished in airs))
