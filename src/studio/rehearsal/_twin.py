"""What all twins have in common, so that one fault script and one kit of tests can trouble them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.devices import Value


class Twin(Protocol):
    """A pretend device that speaks the real bytes. Enter it as a context; what happens to it is done by calls.

    Controls have the names and units that the driver's `controls()` gives them. All methods belong to the loop's
    thread. What cannot happen to a model raises `NotSupported`.
    """

    def value(self, control: str) -> Value:
        """Where `control` really stands. ValueError (or KeyError) for no such control."""
        ...

    def hand(self, control: str, value: Value) -> None:
        """Somebody at the device itself moves `control`; those who listen are told as the device tells it."""
        ...

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """Off and on again at once: all as it leaves the factory, but for `values`, and whoever listened is forgotten.

        It says nothing by itself; a connection that it held is gone.
        """
        ...

    def refuse(self, *controls: str) -> None:
        """Do not do orders for these from now on, and say so where its language has a word for no. None: do all."""
        ...

    def slow(self, seconds: float) -> None:
        """Do orders at once, but say that they are done (or how things stand) so much later; 0: at once."""
        ...

    def full(self, seconds: float) -> None:
        """For so long take no more orders than a full buffer does: its word for that, or silence where it has none."""
        ...

    @property
    def last(self) -> str:
        """What it was told last, readable; empty before that."""
        ...
