"""Requests of other programs: a small JSON body in, a small JSON answer out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from studio.errors import StudioError
from studio.language import _

if TYPE_CHECKING:
    from starlette.requests import Request

    from studio.web._house import House, Outcome

LARGEST = 4 * 1024
"""Bytes of a body; it holds a few words."""
PATIENCE = 5.0
"""Seconds that it may take to arrive."""
STATUS = {"refused": 409, "unconfirmed": 202}
"""Of what is not known to be done; anything else was."""

T = TypeVar("T")


class RefusedError(Exception):
    """A request that cannot be one; carries the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answer = answer({"outcome": "refused", "reason": reason}, status)


async def body_of(request: Request, kind: type[T], *, wrong: str, too_long: str, largest: int = LARGEST) -> T:
    """Return the body, of `largest` bytes at most, as a `kind`; raises RefusedError.

    It says the sentence `wrong` where it is none, and `too_long` where it is larger.
    """
    # A form of another site can send anything but this type without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, _("Send the request as application/json."))
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _whole(request, too_long, largest)
    except TimeoutError:
        raise RefusedError(408, _("The request did not arrive in time; send it again.")) from None
    except ClientDisconnect:
        raise RefusedError(400, "") from None
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError):
        raise RefusedError(422, wrong) from None


async def _whole(request: Request, too_long: str, largest: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise RefusedError(413, too_long)
    return bytes(body)


async def done(house: House, name: str, arguments: dict[str, object]) -> Response:
    """Have `house` do it; return what became of it."""
    try:
        outcome: Outcome = await house.command(name, arguments)
    except StudioError as problem:
        return answer({"outcome": "refused", "reason": str(problem)}, 409)
    return answer({"outcome": outcome.kind, "reason": outcome.reason}, STATUS.get(outcome.kind, 200))


def answer(said: Any, status: int = 200) -> Response:  # noqa: ANN401 - whatever JSON can say
    """Return `said` as JSON that nobody keeps."""
    return JSONResponse(said, status, headers={"Cache-Control": "no-store"})
