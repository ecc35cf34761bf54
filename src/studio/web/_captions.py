"""Captions for other programs: what is being said, and corrections before it airs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from studio.language import _
from studio.web._requests import RefusedError, answer, body_of, done

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from studio.web._house import House

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


def captions_routes(house: House) -> list[Route]:
    """`GET /api/captions` and `POST /api/captions/words/ID` for `house`; documented in docs/guide.md."""

    async def captions(_request: Request) -> Response:
        return answer(_now(house))

    async def correct(request: Request) -> Response:
        try:
            name, arguments = await _asked(request)
        except RefusedError as no:
            return no.answer
        asked_for: str = request.path_params["id"]
        number = int(asked_for) if _ID.fullmatch(asked_for) else None
        if number is None or str(number) not in _script(house):
            return answer({"outcome": "refused", "reason": _("There is no such word any more.")}, 404)
        return await done(house, name, {**arguments, "id": number, "by": BY})

    return [
        Route("/api/captions", captions, methods=["GET"]),
        Route("/api/captions/words/{id}", correct, methods=["POST"]),
    ]


async def _asked(request: Request) -> tuple[str, dict[str, object]]:
    """Return the command that a request asks for; raises RefusedError."""
    wrong = _("Send exactly one of text, strike and restore, as the guide shows.")
    too_long = _("That is too long for a caption; write a few words.")
    command = (await body_of(request, Correction, wrong=wrong, too_long=too_long)).command
    if command is None:
        raise RefusedError(422, wrong)
    return command


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
