"""The scenes of a file and an OBS that runs: what would be done, and doing it, without a show."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from studio import devices, show
from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.errors import DeviceError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

    from studio.venue import Venue
    from studio.wire.obs_plan import Plan


async def obs_scenes(
    venue: Venue,
    name: str | None,
    talk: Path | None,
    *,
    do: bool,
    take_back: Collection[str] = (),
    patience: float = 5.0,
) -> Plan:
    """Return what has to be done to the house's OBS so that it holds the file `name` of `scenes/`; with `do`, do it.

    `None` is the file of `studio.toml`. DrawerError where the file is wrong or `take_back` names nothing in it;
    DeviceError where OBS is not there within `patience` seconds, or will not have it.
    """
    file = name or venue.show.scenes
    if not file:
        raise DeviceError(_("studio.toml names no scenes; name a file of scenes/ here."))
    collection = show.load_scenes(Catalogue(venue.folder), file, venue, talk)
    names = {*collection.scene_names(), *(source.name for source in collection.sources())}
    for each in take_back:
        if each not in names:
            raise DeviceError(
                _('The file "{file}" has neither a scene nor a source "{name}".').format(file=file, name=each)
            )
    async with _obs(venue, patience) as obs:
        planned = await obs.plan(collection, take_back)
        if planned.clashes or not do:
            return planned
        done = await obs.apply(collection, take_back)
    if done is None:
        raise DeviceError(_("OBS was lost in the middle of it; do it again once it is back."))
    return done


@contextlib.asynccontextmanager
async def _obs(venue: Venue, patience: float) -> AsyncIterator[devices.Obs]:
    settings = venue.obs
    if settings.use == "off":
        raise DeviceError(_('studio.toml says that this house works without OBS (under [obs]: use = "off").'))
    password = os.environ.get(settings.password_env, "")
    obs = devices.Obs(settings.host, settings.port, password, Bus())
    running = asyncio.create_task(obs.run())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not obs.link.up and obs.link.state != "refused":  # noqa: ASYNC110 - refused has no event
                    await asyncio.sleep(0.02)
        if not obs.link.up:
            raise DeviceError(obs.link.detail or _("OBS is not connected yet."))
        yield obs
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
