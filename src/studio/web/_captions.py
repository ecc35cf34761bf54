"""Captions for other programs: what is being said, and corrections before it airs."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from studio.errors import StudioError
from studio.language import _

if TYPE_CHECKING:
    from starlette.requests import Request

    from studio.web._house import House, Outcome

LARGEST = 4 * 1024
"""Bytes of a correction; it holds a few words."""
PATIENCE = 5.0
"""Seconds that the body of a request may take to arrive."""
STATUS = {"refused": 409, "unconfirmed": 202}
"""Of a correction that is not known to be done; any other was."""
_ID = re.compile(r"[0-9]{1,12}")
"""Of a word. Python reads no number of thousands of digits."""
BY = "api"
"""What the journal says of who corrected."""


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """What a program asks for: exactly one of these."""

    text: str | None = None
    strike: bool = False
    restore: bool = False

    @property
    def command(self) -> tuple[str, dict[str, object]] | None:
        """Its name and what goes with it; `None` unless exactly one thing is asked for."""
        asked = [self.text is not None, self.strike, self.restore]
        if asked.count(True) != 1:
            return None
        if self.text is not None:
            return "captions.edit", {"text": self.text}
        return ("captions.strike" if self.strike else "captions.restore"), {}


class _NoCorrectionError(Exception):
    """A request that cannot be one; carries the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answer = _answer({"outcome": "refused", "reason": reason}, status)


def captions_routes(house: House) -> list[Route]:
    """`GET /api/captions` and `POST /api/captions/words/ID` for `house`; documented in docs/guide.md."""

    async def captions(_request: Request) -> Response:
        return _answer(_now(house))

    async def correct(request: Request) -> Response:
        try:
            name, arguments = await _asked(request)
        except _NoCorrectionError as no:
            return no.answer
        asked_for: str = request.path_params["id"]
        number = int(asked_for) if _ID.fullmatch(asked_for) else None
        if number is None or str(number) not in _script(house):
            return _answer({"outcome": "refused", "reason": _("There is no such word any more.")}, 404)
        try:
            outcome: Outcome = await house.command(name, {**arguments, "id": number, "by": BY})
        except StudioError as problem:
            return _answer({"outcome": "refused", "reason": str(problem)}, 409)
        return _answer({"outcome": outcome.kind, "reason": outcome.reason}, STATUS.get(outcome.kind, 200))

    return [
        Route("/api/captions", captions, methods=["GET"]),
        Route("/api/captions/words/{id}", correct, methods=["POST"]),
    ]


async def _asked(request: Request) -> tuple[str, dict[str, object]]:
    """Return the command that a request asks for; raises _NoCorrectionError."""
    # A form of another site can send anything but this type without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _NoCorrectionError(415, _("Send the correction as application/json."))
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _body(request)
    except TimeoutError:
        raise _NoCorrectionError(408, _("The correction did not arrive in time; send it again.")) from None
    except ClientDisconnect:
        raise _NoCorrectionError(400, "") from None
    try:
        command = msgspec.json.decode(body, type=Correction).command
    except (msgspec.MsgspecError, UnicodeError):
        command = None
    if command is None:
        raise _NoCorrectionError(422, _("Send exactly one of text, strike and restore, as the guide shows."))
    return command


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise _NoCorrectionError(413, _("That is too long for a caption; write a few words."))
    return bytes(body)


def _script(house: House) -> dict[str, Any]:
    captions: Any = house.state.snapshot().get("captions", {})
    script: dict[str, Any] = captions.get("script", {})
    return script


def _now(house: House) -> dict[str, Any]:
    state: Any = house.state.snapshot()
    captions, show = state.get("captions", {}), state.get("show", {})
    epoch: int | None = show.get("epoch_ms")
    now = None if epoch is None else time.monotonic_ns() // 1_000_000 - epoch
    words = [{"id": int(id_), **word} for id_, word in captions.get("script", {}).items()]
    words.sort(key=lambda word: (word["start"], word["id"]))
    return {
        "now": now,
        "hold_ms": state.get("programme", {}).get("hold_ms"),
        "language": show.get("language"),
        "words": words,
        "tentative": captions.get("tentative", ""),
        "sinks": captions.get("sinks", {}),
        "degraded": captions.get("degraded", ""),
    }


def _answer(said: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(said, status, headers={"Cache-Control": "no-store"})
