"""Destinations on this evening: what the relay is told to send where, and the commands that change it on the air."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from studio import show
from studio.app._wishes import Wishes
from studio.catalogue import Catalogue, instead
from studio.devices import Outcome
from studio.errors import SecretError
from studio.events import AddDestination, AnyMessage, Destination, RelayReport, RemoveDestination, shown_address
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from studio.show import Outlet
    from studio.venue import Venue

COMMANDS = frozenset({"destinations.add", "destinations.remove"})


def house_destinations(venue: Venue) -> list[tuple[Outlet, str]]:
    """Return the destinations of the house, each with why nothing can be sent there, or nothing. Raises DrawerError."""
    found = []
    for outlet in show.load_outlets(venue, Catalogue(venue.folder)):
        problem = ""
        try:
            outlet.destination()
        except SecretError as no:
            problem = str(no)
        found.append((outlet, problem))
    return found


class Destinations:
    """The destinations of the house, and those of them that are wished for now."""

    def __init__(
        self, outlets: Iterable[Outlet], wished: Iterable[Destination], send: Callable[[AnyMessage], bool]
    ) -> None:
        """`wished` are those of the relay's plan; `send` brings a message to the relay, or returns False."""
        self._outlets = {outlet.name: outlet for outlet in outlets}
        self._wished = {destination.name: destination for destination in wished}
        self._send = send
        self._handed: dict[str, Destination] | None = None
        """What the relay was told that we started last; `None` where somebody else started it."""
        self._sent: set[str] = set()
        self._asked: Counter[str] = Counter()
        """Commands for each name, so that one that waited for the keyring knows whether a later one came."""
        self._reading: Counter[str] = Counter()
        """How many of them wait for it."""
        self._waiting: Wishes[tuple[str, bool]] = Wishes()

    @property
    def known(self) -> dict[str, str]:
        """Where each destination of the house leads, without any secret."""
        return {outlet.name: shown_address(outlet.address) for outlet in self._outlets.values()}

    def plan(self) -> tuple[Destination, ...]:
        """Where a relay that starts now is to send to."""
        self._handed = dict(self._wished)
        return tuple(self._wished.values())

    def connected(self) -> None:
        """Tell the relay, on a new line to it, what was wished while it could not be told."""
        if self._handed is None:
            return
        for name in [name for name in self._handed if name not in self._wished]:
            self._tell(RemoveDestination(name), name)
        for name, destination in self._wished.items():
            if self._handed.get(name) != destination:
                self._tell(AddDestination(destination), name)

    def _tell(self, wish: AddDestination | RemoveDestination, name: str) -> bool:
        if not self._send(wish):
            return False
        if self._handed is not None:
            if isinstance(wish, AddDestination):
                self._handed[name] = wish.destination
            else:
                self._handed.pop(name, None)
        return True

    def adopt(self, report: RelayReport) -> None:
        """Wish for what a relay sends to that somebody else started: its next life goes on with the same."""
        sent = [output.name for output in report.outputs if output.destination]
        waiting = {name for name, _there in self._waiting} | set(+self._reading)
        for name in [*self._wished]:
            if name not in sent and name not in waiting:
                del self._wished[name]
        for name in sent:
            outlet = self._outlets.get(name)
            if outlet and name not in self._wished and name not in waiting and not outlet.key.keyring:
                try:
                    self._wished[name] = outlet.destination()
                except SecretError:  # it goes on as long as that relay does
                    continue

    async def command(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """`destinations.add` {name}, also to read its key anew, or `destinations.remove` {name}."""
        which = arguments.get("name")
        if not isinstance(which, str) or not which:
            return Outcome("refused", _("Which destination? Name one of those in studio.toml."))
        if name == "destinations.remove":
            if which not in self._outlets and which not in self._sent:
                return self._unknown(which)
            self._asked[which] += 1
            self._wished.pop(which, None)
            return await self._ask(RemoveDestination(which), which, there=False)
        outlet = self._outlets.get(which)
        if outlet is None:
            return self._unknown(which)
        destination = await self._read(outlet)
        if isinstance(destination, Outcome):
            return destination
        self._wished[which] = destination
        return await self._ask(AddDestination(destination), which, there=True)

    async def _read(self, outlet: Outlet) -> Destination | Outcome:
        """Read the key of `outlet`; return why nothing comes of it where that is so."""
        name = outlet.name
        self._asked[name] += 1
        turn = self._asked[name]
        self._reading[name] += 1
        try:
            # The keyring may wait for a person.
            destination = await asyncio.to_thread(outlet.destination)
        except SecretError as problem:
            return Outcome("refused", str(problem))
        finally:
            self._reading[name] -= 1
        if self._asked[name] != turn:
            return Outcome("refused", _("Something else was asked of {name} meanwhile.").format(name=name))
        return destination

    def _unknown(self, name: str) -> Outcome:
        message = _('There is no destination "{name}" in studio.toml').format(name=name)
        return Outcome("refused", message + instead(name, self._outlets))

    async def _ask(self, wish: AddDestination | RemoveDestination, name: str, *, there: bool) -> Outcome:
        """Send the wish and wait until the relay's own report agrees."""
        if not self._tell(wish, name):
            return Outcome("unconfirmed", _("The relay is not connected; it does so when it is back."))
        return await self._waiting.fulfilled((name, there))

    def told(self, report: RelayReport) -> None:
        """Take in what the relay reports."""
        self._sent = sent = {output.name for output in report.outputs if output.destination}
        self._waiting.told(lambda wish: (wish[0] in sent) == wish[1])
