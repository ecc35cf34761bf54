"""Keeping OBS's stream where it was told to go, whatever becomes of OBS, of the server and of the way between."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from studio.devices._obs.errors import ObsDeniedError
from studio.errors import DeviceError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studio.devices._obs.build import Ask

logger = logging.getLogger(__name__)

START_DEADLINE = 10.0
"""Seconds that OBS may try to reach the server before it is told to begin anew."""
BACK_OFF = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before OBS is told again to stream; the last for ever. Each failure opens a window in OBS."""
RECONNECT_PATIENCE = 4.0
"""Seconds that OBS may try to reconnect by itself: its pauses grow by half each time, without end."""

Output = Literal["stopped", "starting", "started", "stopping", "reconnecting"]
_STATES: dict[str, Output] = {
    "OBS_WEBSOCKET_OUTPUT_STARTING": "starting",
    "OBS_WEBSOCKET_OUTPUT_STARTED": "started",
    "OBS_WEBSOCKET_OUTPUT_STOPPING": "stopping",
    "OBS_WEBSOCKET_OUTPUT_STOPPED": "stopped",
    "OBS_WEBSOCKET_OUTPUT_RECONNECTING": "reconnecting",
    "OBS_WEBSOCKET_OUTPUT_RECONNECTED": "started",
}


class Stream:
    """OBS's one stream: where it shall go, and what OBS reports of it."""

    def __init__(self) -> None:
        self.destination: tuple[str, str] | None = None
        """Server and key; `None`: whatever OBS streams is not our business."""
        self.output: Output = "stopped"
        self._ours: set[tuple[str, str]] = set()
        self._since = 0.0
        self._tries = 0
        self._next_try = 0.0

    def aim_at(self, server: str, key: str) -> None:
        """Wish for a stream to `server`."""
        self.destination = (server, key)
        self._ours.add(self.destination)
        self._tries, self._next_try = 0, 0.0

    def on_event(self, data: Mapping[str, Any]) -> None:
        """Take in OBS's `StreamStateChanged`."""
        state = _STATES.get(data.get("outputState", ""))
        if state:
            self._to(state)

    def on_status(self, status: Mapping[str, Any]) -> None:
        """Take in OBS's `GetStreamStatus`, which knows nothing of a start on its way."""
        if status["outputReconnecting"]:
            self._to("reconnecting")
        elif status["outputActive"]:
            if self.output in ("stopped", "reconnecting"):
                self._to("started")
        elif self.output in ("started", "reconnecting", "stopping"):
            self._to("stopped")

    def forget(self) -> None:
        """The link is lost: nothing is known, and a start may be tried at once."""
        self._to("stopped")
        self._tries, self._next_try = 0, 0.0

    async def keep(self, ask: Ask) -> None:
        """Start what should run and does not; call it once a second and after each event.

        Raises DeviceError where OBS is on the air to where it was never told to go from here: that is somebody's
        stream, be it to a server on this machine. Also where it will not have the destination.
        """
        if self.destination is None:
            return
        now = asyncio.get_running_loop().time()
        if self.output != "stopped":
            await self._correct(ask, now - self._since)
            return
        if now < self._next_try:
            return
        self._next_try = now + BACK_OFF[min(self._tries, len(BACK_OFF) - 1)]
        self._tries += 1
        if await _aimed_at(ask) != self.destination:
            server, key = self.destination
            await ask(
                "SetStreamServiceSettings",
                streamServiceType="rtmp_custom",
                streamServiceSettings={"server": server, "key": key, "use_auth": False},
            )
        self._to("starting")
        try:
            await ask("StartStream")
        except ObsDeniedError as no:
            logger.info("OBS does not start its stream: %s", no)
            self._to("stopped")

    async def _correct(self, ask: Ask, lasts: float) -> None:
        """Stop a stream that goes where it was told to go before, or nowhere for too long; `keep` then starts it."""
        server, key = await _aimed_at(ask)
        if (server, key) != self.destination:
            if (server, key) not in self._ours:
                raise DeviceError(
                    _(
                        "OBS is already streaming to {server}. Stop that stream in OBS, or give this show an OBS "
                        'of its own (in studio.toml, under [obs]: use = "start").'
                    ).format(server=urlsplit(server).hostname or server)
                )
        elif not (
            (self.output in ("starting", "stopping") and lasts > START_DEADLINE)
            or (self.output == "reconnecting" and lasts > RECONNECT_PATIENCE)
        ):
            return
        if self.output == "stopping" and lasts <= START_DEADLINE:
            return
        logger.info("OBS has been %s its stream to %s for %.0f s; beginning anew", self.output, server, lasts)
        self._to("stopping")
        self._since = asyncio.get_running_loop().time()
        try:
            await ask("StopStream")
        except ObsDeniedError as no:
            logger.debug("OBS had stopped already: %s", no)
            self._to("stopped")

    async def end(self, ask: Ask) -> None:
        """Wish for no stream any more, and stop the one that was wished for."""
        wanted, self.destination = self.destination, None
        if not wanted or self.output == "stopped" or await _aimed_at(ask) != wanted:
            return
        try:
            await ask("StopStream")
        except ObsDeniedError as no:  # it stopped by itself a moment ago, or is only just connecting
            logger.debug("OBS had no stream to stop: %s", no)

    def _to(self, state: Output) -> None:
        if state == self.output:
            return
        self.output = state
        self._since = asyncio.get_running_loop().time()
        if state == "started":
            self._tries, self._next_try = 0, 0.0


async def _aimed_at(ask: Ask) -> tuple[str, str]:
    answer = await ask("GetStreamServiceSettings")
    settings = answer["streamServiceSettings"]
    return settings.get("server", ""), settings.get("key", "")
