"""Picture and sound of a film for its page, in the pieces that a player asks for."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from studio.errors import MediaError, why
from studio.language import _
from studio.web._requests import body_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request

    from studio.web._cupboard import Cupboard

    Handler = Callable[[Request], Awaitable[Response]]

KINDS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",  # as browsers know it
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
}
"""By the film's ending; whatever else is sent as bytes, and the browser looks for itself."""
PEAKS = 100
"""A second."""
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


def media_routes(films: Cupboard, answering: Callable[[Handler], Handler]) -> list[Route]:
    """`GET /api/films/ID/media`, `sound`, `peaks`, `copy` and `small`; `POST copy`. Films are sent by number alone."""

    async def picture(request: Request) -> Response:
        path = await _path(films, request)
        kind = KINDS.get(path.suffix.lower(), "application/octet-stream")
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})

    async def sound(request: Request) -> Response:
        path = await _path(films, request)
        size = await asyncio.to_thread(films.media.sound_size, path)
        return part(request, size, lambda first, last: films.media.sound(path, first, last, size))

    async def peaks(request: Request) -> Response:
        path = await _path(films, request)
        found = await asyncio.to_thread(films.media.peaks, path)
        if found is None:
            return Response(status_code=202, headers={"Cache-Control": "no-store", "Retry-After": "1"})
        headers = {"Cache-Control": "no-cache", "X-Peaks-Rate": str(PEAKS)}
        return Response(found, 200, headers, "application/octet-stream")

    async def copy(request: Request) -> Response:
        path = await _path(films, request)
        ask = films.media.copies.copy
        if request.method == "POST":
            wrong = _("Send what is to be done as the guide shows.")
            await body_of(request, dict, wrong=wrong, too_long=wrong)
            ask = films.media.copies.make
        told = msgspec.json.encode(await asyncio.to_thread(ask, path))
        return Response(told, 200, {"Cache-Control": "no-store"}, "application/json")

    async def small(request: Request) -> Response:
        path = await _path(films, request)
        file = await asyncio.to_thread(films.media.copies.file, path)
        return FileResponse(file, media_type=KINDS[".mp4"], headers={"Cache-Control": "no-cache"})

    below = "/api/films/{film:int}"
    return [
        Route(below + "/copy", answering(copy), methods=["GET", "POST"]),
        Route(below + "/small", answering(small)),
        Route(below + "/media", answering(picture)),
        Route(below + "/sound", answering(sound)),
        Route(below + "/peaks", answering(peaks)),
    ]


def part(request: Request, size: int, pieces: Callable[[int, int], Iterator[bytes]]) -> Response:
    """Answer with what the request asks for of a WAVE file of `size` bytes; `pieces` gives bytes [first, last]."""
    ranged = request.headers.get("range")
    wanted = _wanted(ranged, size) if ranged else (0, size - 1)
    if wanted is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = wanted
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-cache", "Content-Length": str(last + 1 - first)}
    if ranged:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(iterate_in_threadpool(pieces(first, last)), 206 if ranged else 200, headers, "audio/wav")


async def _path(films: Cupboard, request: Request) -> Path:
    """Where the film is. Raises MediaError where it is not there any more, or may not be read."""
    path = await asyncio.to_thread(films.path, min(request.path_params["film"], 1 << 53))
    try:
        await asyncio.to_thread(_readable, path)
    except OSError as problem:
        raise MediaError(_("{file} cannot be read ({problem}).").format(file=path, problem=why(problem))) from problem
    return path


def _readable(path: Path) -> None:
    with path.open("rb") as file:
        file.read(1)


def _wanted(text: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a range as RFC 9110 writes it (section 14.1.2); `None`: it asks for none that is there."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]):
        return None
    first = int(found[1]) if found[1] else max(0, size - int(found[2]))
    last = min(size - 1, int(found[2])) if found[1] and found[2] else size - 1
    return (first, last) if first <= last else None
