"""How long the programme waits, changed while it is on the air."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from studio.app._evening import LONGEST_HOLD
from studio.app._wishes import Wishes
from studio.devices import Outcome
from studio.events import SetHold
from studio.language import _
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.events import AnyMessage


class Waiting:
    """The hold as the relay tells it, and wishes for another one."""

    def __init__(self, hold: Ms, send: Callable[[AnyMessage], bool]) -> None:
        """`hold` is that of the plan; `send` brings a message to the relay, or returns False."""
        self.hold = hold
        self._send = send
        self._wishes: Wishes[Ms] = Wishes()

    async def command(self, arguments: Mapping[str, object]) -> Outcome:
        """`hold` {seconds}: a number in [0..30]."""
        seconds = arguments.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
            return Outcome("refused", _("How long? The hold needs a number of seconds."))
        if not 0 <= seconds <= LONGEST_HOLD:
            return Outcome(
                "refused",
                _("A hold of {hold} s cannot be; choose between 0 and {longest} s.").format(
                    hold=f"{seconds:g}", longest=LONGEST_HOLD
                ),
            )
        wished = ms(seconds)
        if not self._send(SetHold(wished)):
            return Outcome("refused", _("The relay is not connected; nothing was changed."))
        return await self._wishes.fulfilled(wished)

    def told(self, hold: Ms) -> None:
        """Take in what the relay says."""
        self.hold = hold
        self._wishes.told(lambda wished: wished == hold)
