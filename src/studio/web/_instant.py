"""The programme without the hold, passed on from the relay as it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from studio.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from studio.web._house import House

VIEWERS = 8
"""At a time, of the pages' 256 connections."""
PIECE = 64 * 1024
"""Bytes handed on at once, at most: what a viewer does not take waits in the relay, which drops it in time."""
PATIENCE = 5.0
"""Seconds that the relay may take for its first word."""


class _Said(msgspec.Struct):
    """What the relay says first: `studio.media` writes it."""

    codecs: str = ""
    why: str = ""


def instant_route(house: House) -> Route:
    """`GET /instant.mp4` for `house`: fragmented MP4 without an end, or 503 and one sentence why not.

    `?sound=0` leaves the sound out.
    """
    watching: set[object] = set()

    async def show(request: Request) -> Response:
        if len(watching) >= VIEWERS:
            return _refusal(_("Too many watch the instant picture already; close one of them."))
        try:
            reader, writer = await asyncio.open_unix_connection(house.instant, limit=PIECE)
        except OSError:
            return _refusal(_("The relay is not here just now; the picture comes back by itself."))
        mark = object()
        watching.add(mark)

        def leave() -> None:
            watching.discard(mark)
            writer.close()

        try:
            writer.write(msgspec.json.encode({"sound": request.query_params.get("sound") != "0"}) + b"\n")
            async with asyncio.timeout(PATIENCE):
                said = msgspec.json.decode(await reader.readline(), type=_Said)
        except (TimeoutError, OSError, ValueError, msgspec.MsgspecError):
            leave()
            return _refusal(_("The relay is not here just now; the picture comes back by itself."))
        except BaseException:
            leave()
            raise
        if not said.codecs or request.method == "HEAD":
            leave()
            return _refusal(said.why) if not said.codecs else Response(media_type=_kind(said))

        async def pieces() -> AsyncIterator[bytes]:
            while piece := await reader.read(PIECE):
                yield piece

        return _Watched(pieces(), leave, _kind(said))

    return Route("/instant.mp4", show)


class _Watched(StreamingResponse):
    """Goes on until the relay or the viewer has enough, who may have hung up before the first piece."""

    def __init__(self, pieces: AsyncIterator[bytes], leave: Callable[[], None], kind: str) -> None:
        super().__init__(pieces, media_type=kind, headers={"Cache-Control": "no-store"})
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


def _kind(said: _Said) -> str:
    return f'video/mp4; codecs="{said.codecs}"'


def _refusal(why: str) -> Response:
    return JSONResponse({"why": why}, 503, headers={"Cache-Control": "no-store", "Retry-After": "1"})
