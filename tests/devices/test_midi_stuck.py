"""A MIDI library that does not come back holds up nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.devices import stuck_midi
from tests.devices.hall import until

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, MidiSurface

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _emptied() -> Iterator[None]:
    yield
    stuck_midi.emptied.set()


async def test_a_port_that_takes_nothing_more_is_lost_and_closed_when_it_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.devices._midi.owner.PATIENCE", 0.5)
    monkeypatch.setattr("studio.devices._midi.session.LOOK", 0.05)
    model = Catalogue().load("hardware", "akai-apc-mini", Hardware).midi
    assert model is not None
    pads = MidiSurface("pads", model, Bus(), backend="tests.devices.stuck_midi")
    running = asyncio.create_task(pads.run())
    await until(lambda: pads.link.state == "online", "it is listed")
    stuck_midi.full.set()
    pads.light("pad1", "on")
    await until(lambda: "stands still" in pads.link.detail, "what is sent does not go")
    assert stuck_midi.closed == []
    running.cancel()
    async with asyncio.timeout(60):  # not for ever
        await asyncio.gather(running, return_exceptions=True)
    stuck_midi.full.clear()
    stuck_midi.emptied.set()
    await until(lambda: stuck_midi.closed.count(stuck_midi.NAME) >= 2, "who was held lets go of the ports")
