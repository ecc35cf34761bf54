"""The vocal studio for its page and for other programs; documented in docs/vocal.md."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.responses import FileResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from studio.language import _
from studio.units import Decibels
from studio.web._film_media import KINDS, part
from studio.web._films import answering, said
from studio.web._requests import body_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from studio.web._studio import Studio, Take

BETWEEN = 0.04
"""Seconds between two pictures of the meters: 25 of them a second."""
UNTAKEN = 5.0
"""Seconds after which a page that takes in nothing is let go."""
MOST_PAGES = 32
"""At a time."""

Number = Annotated[int, Meta(ge=1, le=1_000_000)]
Second = Annotated[float, Meta(ge=0, le=1e6)]
Channel = Annotated[int, Meta(ge=1, le=64)]
T = TypeVar("T")


class Wish(Struct, forbid_unknown_fields=True):
    """How the next take is recorded."""

    backing: bool = True
    click: bool = False
    count_in: Annotated[int, Meta(ge=0, le=8)] = 0
    punch: tuple[Second, Second] | None = None
    """Only from this second of the song to that one."""
    loop: tuple[Second, Second] | None = None
    """The same, over and over."""


class Nothing(Struct, forbid_unknown_fields=True):
    """There is nothing to say."""


class Sung(Struct, forbid_unknown_fields=True):
    """What is sung from now on."""

    song: Annotated[str, Meta(min_length=1, max_length=200)]


class Worth(Struct, forbid_unknown_fields=True):
    """What a take is worth."""

    number: Number
    keeper: bool
    stars: Annotated[int, Meta(ge=0, le=5)] | None = None


class Remark(Struct, forbid_unknown_fields=True):
    """Something about a moment of a take."""

    number: Number
    seconds: Second
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Followed(Struct, forbid_unknown_fields=True):
    """Whose pitch is traced."""

    channel: Channel | None
    voice: Annotated[str, Meta(max_length=20)] = ""
    """A kind of voice, or empty for any."""


class Send(Struct, forbid_unknown_fields=True):
    """How loud something is in a singer's mix."""

    bus: Channel
    source: Annotated[str, Meta(min_length=1, max_length=40)]
    level: Annotated[float, Meta(ge=-150, le=20)] | None
    """Decibels; `None`: not at all."""


class Leaves(Struct, forbid_unknown_fields=True):
    """What is exported; without takes and comps, all keepers."""

    takes: Annotated[tuple[Number, ...], Meta(max_length=300)] = ()
    comps: Annotated[tuple[Number, ...], Meta(max_length=300)] = ()
    preset: Annotated[str, Meta(min_length=1, max_length=100)] = "plain"
    loudness: Literal[-14, -16, -23] = -14
    forms: Annotated[tuple[Literal["wav", "flac", "mp3"], ...], Meta(min_length=1, max_length=3)] = ("wav",)


def vocal_routes(studio: Studio) -> list[BaseRoute]:
    """Everything below `/api/vocal`."""
    return _Desk(studio).routes()


class _Desk:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._pages = 0

    def routes(self) -> list[BaseRoute]:
        below = "/api/vocal"
        done = (
            *(self.press, self.record, self.stop, self.song, self.keep, self.comment),
            *(self.levels, self.gains, self.send, self.pitch, self.export),
        )
        return [
            Route("/api/here", self.here),
            Route(below, answering(self.session)),
            WebSocketRoute(below + "/live", self.live),
            Route(below + "/takes/{take:int}/wave", answering(self.wave)),
            Route(below + "/takes/{take:int}/sound", answering(self.sound)),
            Route(below + "/sends/{bus:int}", answering(self.sends)),
            Route(below + "/exports/{file:path}", answering(self.exported)),
            *(Route(f"{below}/{do.__name__}", answering(do), methods=["POST"]) for do in done),
        ]

    async def here(self, _request: Request) -> Response:
        return said({"show": False, "films": False, "vocal": True, "interface": self._studio.interface})

    async def session(self, _request: Request) -> Response:
        return said(self._studio.session())

    async def live(self, socket: WebSocket) -> None:
        """Say how it is, 25 times a second; what a slow page misses it never gets."""
        if self._pages >= MOST_PAGES:
            await socket.close(1013)
            return
        await socket.accept()
        self._pages += 1
        gone = asyncio.create_task(_until_gone(socket))
        try:
            while not gone.done():
                text = msgspec.json.encode(self._studio.now()).decode()
                await asyncio.wait_for(socket.send_text(text), UNTAKEN)
                await asyncio.wait({gone}, timeout=BETWEEN)
        except (WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
            pass  # the page is gone, and comes again by itself
        finally:
            self._pages -= 1
            gone.cancel()

    async def wave(self, request: Request) -> Response:
        return said(await asyncio.to_thread(self._studio.wave, _take(request)))

    async def sound(self, request: Request) -> Response:
        number = _take(request)
        size = await asyncio.to_thread(self._studio.sound_size, number)
        return part(request, size, partial(self._studio.sound, number))

    async def press(self, request: Request) -> Response:
        wish = await _body(request, Wish)
        await self._studio.press(**_asked(wish))
        return said({"outcome": "done"})

    async def record(self, request: Request) -> Response:
        wish = await _body(request, Wish)
        await self._studio.record(**_asked(wish))
        return said({"outcome": "done"})

    async def stop(self, request: Request) -> Response:
        await _body(request, Nothing)
        await self._studio.stop()
        return said({"outcome": "done"})

    async def song(self, request: Request) -> Response:
        await self._studio.sing((await _body(request, Sung)).song)
        return said({"outcome": "done"})

    async def keep(self, request: Request) -> Response:
        wish = await _body(request, Worth)
        await self._studio.keep(wish.number, keeper=wish.keeper, stars=wish.stars)
        return said({"outcome": "done"})

    async def comment(self, request: Request) -> Response:
        wish = await _body(request, Remark)
        await self._studio.comment(wish.number, wish.seconds, wish.text)
        return said({"outcome": "done"})

    async def levels(self, request: Request) -> Response:
        await _body(request, Nothing)
        await self._studio.level()
        return said({"outcome": "done"})

    async def gains(self, request: Request) -> Response:
        await _body(request, Nothing)
        await self._studio.set_gains()
        return said({"outcome": "done"})

    async def sends(self, request: Request) -> Response:
        return said(await self._studio.sends(min(request.path_params["bus"], 64)))

    async def send(self, request: Request) -> Response:
        wish = await _body(request, Send)
        level = None if wish.level is None else Decibels(wish.level)
        await self._studio.send(wish.bus, wish.source, level)
        return said({"outcome": "done"})

    async def pitch(self, request: Request) -> Response:
        wish = await _body(request, Followed)
        await self._studio.follow(wish.channel, wish.voice)
        return said({"outcome": "done"})

    async def export(self, request: Request) -> Response:
        wish = await _body(request, Leaves)
        await self._studio.export(
            takes=wish.takes,
            comps=wish.comps,
            preset=wish.preset,
            loudness=float(wish.loudness),
            forms=wish.forms,
        )
        return said({"outcome": "done"})

    async def exported(self, request: Request) -> Response:
        path = await asyncio.to_thread(self._studio.exported, request.path_params["file"])
        kind = KINDS.get(path.suffix.lower(), "application/octet-stream")
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})


async def _until_gone(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()


def _take(request: Request) -> int:
    number: int = request.path_params["take"]
    return min(number, 1_000_000)


def _asked(wish: Wish) -> Take:
    return {
        "backing": wish.backing,
        "click": wish.click,
        "count_in": wish.count_in,
        "punch": wish.punch,
        "loop": wish.loop,
    }


async def _body(request: Request, kind: type[T]) -> T:
    wrong = _("Send what is to be done as the guide shows.")
    return await body_of(request, kind, wrong=wrong, too_long=wrong)
