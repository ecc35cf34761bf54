"""What the measurements of devices share: a row of the table, two models of the drawer, waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.catalogue import Catalogue
from studio.devices import Hardware

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.devices import OscModel, ViscaModel

PASSWORD = "pod lipami"  # noqa: S105 - of a twin


@dataclass
class Row:
    """One thing that was asked."""

    what: str
    asked: str
    measured: str
    met: bool | None
    """`None`: nothing was asked, it is only told."""


def models() -> tuple[OscModel, ViscaModel]:
    """A desk and a camera of the drawer."""
    catalogue = Catalogue()
    desk = catalogue.load("hardware", "behringer-x32", Hardware).osc
    camera = catalogue.load("hardware", "sony-brc-x400", Hardware).visca
    if desk is None or camera is None:
        raise TypeError("a file of hardware/ is of another kind than it was")
    return desk, camera


async def until(so: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until `so()`; TimeoutError that says `what`."""
    try:
        async with asyncio.timeout(seconds):
            while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise TimeoutError(f"never: {what}") from None
