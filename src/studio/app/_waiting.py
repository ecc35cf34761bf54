"""How long the programme waits, changed while it is on the air."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from studio.app._evening import LONGEST_HOLD
from studio.devices import Outcome
from studio.events import SetHold
from studio.language import _
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.events import AnyMessage

DEADLINE = 3.0
"""Seconds in which the relay has to say that it waits so long now."""


class Waiting:
    """The hold as the relay tells it, and wishes for another one."""

    def __init__(self, hold: Ms, send: Callable[[AnyMessage], bool]) -> None:
        """`hold` is that of the plan; `send` brings a message to the relay, or returns False."""
        self.hold = hold
        self._send = send
        self._wishes: set[tuple[Ms, asyncio.Future[None]]] = set()

    async def command(self, arguments: Mapping[str, object]) -> Outcome:
        """`hold` {seconds}: a number in [0..30]."""
        seconds = arguments.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
            return Outcome("refused", _("How long? The hold needs a number of seconds."))
        if not 0 <= seconds <= LONGEST_HOLD:
            return Outcome(
                "refused",
                _("A hold of {hold} s cannot be; choose between 0 and {longest} s.").format(
                    hold=seconds, longest=LONGEST_HOLD
                ),
            )
        wished = ms(seconds)
        answer = asyncio.get_running_loop().create_future()
        wish = (wished, answer)
        if not self._send(SetHold(wished)):
            return Outcome("refused", _("The relay is not connected; nothing was changed."))
        self._wishes.add(wish)
        try:
            async with asyncio.timeout(DEADLINE):
                await answer
        except TimeoutError:
            return Outcome("unconfirmed", _("The relay did not report it in time; look whether it happened."))
        finally:
            self._wishes.discard(wish)
        return Outcome("confirmed")

    def told(self, hold: Ms) -> None:
        """Take in what the relay says."""
        self.hold = hold
        for wished, answer in self._wishes:
            if wished == hold and not answer.done():
                answer.set_result(None)
