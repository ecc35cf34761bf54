"""The server of the pages, inside the core's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute

from studio import __version__
from studio.errors import WebError
from studio.language import _
from studio.web._captions import captions_routes
from studio.web._destinations import destinations_routes
from studio.web._devices import devices_routes
from studio.web._doors import Doors
from studio.web._films import films_routes, said
from studio.web._guard import Guard
from studio.web._hold import hold_route
from studio.web._inputs import inputs_routes
from studio.web._instant import instant_route
from studio.web._pages import (
    FILES,
    FILM_PAGES,
    PAGES,
    PROGRAMME,
    STATIC,
    VENDOR,
    VOCAL_PAGES,
    Files,
    Page,
    render,
    words,
)
from studio.web._socket import Limits, Switchboard
from studio.web._vocal import vocal_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from studio.web._cupboard import Cupboard
    from studio.web._house import House
    from studio.web._studio import Studio

CONNECTIONS = 256
"""At a time, pages and players together; whoever comes then is told to try again."""
REQUEST = 16 * 1024
"""Bytes of a request's line and headers."""
UNTAKEN = 20_000
"""Milliseconds after which the system drops a connection whose other end takes in nothing."""
GOODBYE = 3
"""Seconds for open connections to end in order."""


async def serve(
    house: House,
    host: str,
    port: int,
    *,
    films: Cupboard | None = None,
    opened: Callable[[int], None] | None = None,
    limits: Limits | None = None,
    doors: Path | None = None,
) -> None:
    """Serve the pages of `house`, and of `films`, on `host` and `port` until cancelled; connections then end in order.

    Port 0 takes any free one. `opened` is told the port once it answers. By the folder `doors` servers of this machine
    find each other, so that their pages lead to one another. Raises WebError where the port cannot be had.
    """
    limits = limits or Limits()
    switchboard = Switchboard(house, limits)
    entrance = _Entrance(host, port, Doors(doors), ["/", "/films"] if films else ["/"])
    try:
        await _serve(
            application(house, host, switchboard, films, entrance.doors), entrance, opened, limits, switchboard
        )
    finally:
        await switchboard.close()


async def serve_films(
    films: Cupboard,
    host: str,
    port: int,
    *,
    opened: Callable[[int], None] | None = None,
    doors: Path | None = None,
) -> None:
    """Serve the pages of `films` alone, as `serve` does."""
    entrance = _Entrance(host, port, Doors(doors), ["/films"])
    await _serve(films_application(films, host, entrance.doors), entrance, opened, Limits())


async def serve_vocal(
    studio: Studio,
    host: str,
    port: int,
    *,
    opened: Callable[[int], None] | None = None,
    doors: Path | None = None,
) -> None:
    """Serve the page of a vocal studio alone, as `serve` does."""
    entrance = _Entrance(host, port, Doors(doors), ["/vocal"])
    await _serve(vocal_application(studio, host, entrance.doors), entrance, opened, Limits())


class _Entrance(NamedTuple):
    """Where a server answers, and what others may be led to there."""

    host: str
    port: int
    doors: Doors
    pages: list[str]


async def _serve(
    app: Starlette,
    entrance: _Entrance,
    opened: Callable[[int], None] | None,
    limits: Limits,
    switchboard: Switchboard | None = None,
) -> None:
    if not (VENDOR / "preact.js").exists():
        raise WebError(_("The pages' parts are missing; install studio anew with `pip install -e .` (this needs npm)."))
    listening = await _listen(entrance.host, entrance.port)
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=limits.largest,
            ws_per_message_deflate=False,
            limit_concurrency=CONNECTIONS,
            h11_max_incomplete_event_size=REQUEST,
            timeout_graceful_shutdown=GOODBYE,
        )
    )
    serving = asyncio.create_task(server.serve([listening]))
    try:
        port = listening.getsockname()[1]
        if opened:
            opened(port)
        with entrance.doors.open(entrance.pages, entrance.host, port):
            await asyncio.shield(serving)
    finally:
        server.should_exit = True
        if switchboard is not None:
            await switchboard.close()
        await asyncio.wait({serving}, timeout=2 * GOODBYE)
        serving.cancel()
        listening.close()


def application(house: House, host: str, switchboard: Switchboard, films: Cupboard | None, doors: Doors) -> Starlette:
    """Put the routes together; `host` is the address they are served on."""

    async def health(_request: Request) -> Response:
        return JSONResponse(
            {"studio": __version__, "version": house.state.version}, headers={"Cache-Control": "no-store"}
        )

    routes: list[BaseRoute] = [_route(page) for page in PAGES]
    routes += captions_routes(house)
    routes += [
        *destinations_routes(house),
        *devices_routes(house),
        *inputs_routes(house),
        hold_route(house),
        instant_route(house),
    ]
    routes += [
        WebSocketRoute("/ws", switchboard.answer),
        Route("/healthz", health),
        Mount("/hls", Files(house.folder / "hls", PROGRAMME)),
    ]
    if films is not None:
        routes += [*map(_route, FILM_PAGES), *films_routes(films, show=True)]
    return _guarded(routes, host, doors)


def films_application(films: Cupboard, host: str, doors: Doors) -> Starlette:
    """Put the routes of a library of films together; `host` is the address they are served on."""
    return _alone([*map(_route, FILM_PAGES), *films_routes(films, show=False)], "/films", host, doors)


def vocal_application(studio: Studio, host: str, doors: Doors) -> Starlette:
    """Put the routes of a vocal studio together; `host` is the address they are served on."""
    return _alone([*map(_route, VOCAL_PAGES), *vocal_routes(studio)], "/vocal", host, doors)


def _alone(routes: list[BaseRoute], first: str, host: str, doors: Doors) -> Starlette:
    """An application without a show, whose first page is at `first`."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"studio": __version__}, headers={"Cache-Control": "no-store"})

    async def home(_request: Request) -> Response:
        return RedirectResponse(first)

    return _guarded([*routes, Route("/healthz", health), Route("/", home)], host, doors)


def _guarded(routes: list[BaseRoute], host: str, doors: Doors) -> Starlette:
    """An application of `routes` and of what every page is made of."""

    async def others(_request: Request) -> Response:
        return said(await asyncio.to_thread(doors.others))

    routes += [
        Route("/api/doors", others),
        Route("/locale/{language}.json", words),
        Mount("/static", Files(STATIC, FILES)),
        Mount("/vendor", Files(VENDOR, FILES)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, host=host)])


def _route(page: Page) -> Route:
    async def show(_request: Request) -> Response:
        return render(page)

    return Route(page.path, show, name=page.name)


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the core."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Bound here, for uvicorn would end the process where the port is taken."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise WebError(
            _("Nobody knows the address {host}; correct `host` under [web] in studio.toml.").format(host=host)
        ) from None
    family, _kind, _protocol, _name, address = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN)  # connections inherit it
        listening.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        listening.bind(address)
        listening.listen()
    except OSError as problem:
        listening.close()
        raise WebError(_sentence(problem).format(host=host, port=port)) from None
    return listening


def _sentence(problem: OSError) -> str:
    """What a technician can do about a socket that could not be bound."""
    match problem.errno:
        case errno.EADDRINUSE:
            return _(
                "Port {port} on {host} is in use, perhaps by another studio; stop it, or set another `port` under "
                "[web] in studio.toml."
            )
        case errno.EACCES:
            return _("Port {port} is kept for the system; set a `port` above 1023 under [web] in studio.toml.")
        case errno.EADDRNOTAVAIL:
            return _("This machine has no address {host}; correct `host` under [web] in studio.toml.")
    return _("The page cannot be served on {host}, port {port}; try another `port` under [web] in studio.toml.")
