"""What the tests of VISCA cameras share: a model, its driver running against a twin, and what the twin was told."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from typing import TYPE_CHECKING

from tests.devices.hall import until
from tests.ports import free_port

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, ViscaCamera, ViscaModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from studio.rehearsal import CameraTwin
    from studio.wire import visca as wire

VISCA = "studio.devices._visca"
QUICK = {
    f"{VISCA}.session.PATIENCE": 0.15,
    f"{VISCA}.driver.POLL": 0.03,
    "studio.devices._camera.camera.RETRY": 0.1,
    f"{VISCA}.driver.AGAIN": 0.03,
    f"{VISCA}.talk.AGAIN": 0.03,
    f"{VISCA}.moves.AGAIN": 0.03,
}
"""All by the same rules, only sooner: the twin is quicker than any camera."""


def model(name: str) -> ViscaModel:
    """A camera as the drawer describes it; of those that share a port, one that is free here."""
    found = Catalogue().load("hardware", name, Hardware).visca
    assert found is not None
    return dataclasses.replace(found, reply_port=free_port(socket.SOCK_DGRAM)) if found.reply_port else found


@contextlib.asynccontextmanager
async def running(camera: ViscaCamera) -> AsyncIterator[ViscaCamera]:
    task = asyncio.create_task(camera.run())
    try:
        yield camera
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert camera.link.state == "off"


@contextlib.asynccontextmanager
async def connected(twin: CameraTwin, bus: Bus | None = None, folder: Path | None = None) -> AsyncIterator[ViscaCamera]:
    camera = ViscaCamera("stage", twin.model, bus or Bus(), twin.host, twin.port, folder=folder)
    async with running(camera):
        await until(lambda: camera.link.up, "the camera is there")
        yield camera


def told(twin: CameraTwin, name: str) -> list[wire.Order]:
    return [order for order in twin.heard if order.name == name and order.kind == "command"]
