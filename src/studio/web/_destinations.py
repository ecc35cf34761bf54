"""Destinations for other programs: how each is doing, and sending there or no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from studio.language import _
from studio.web._requests import RefusedError, answer, body_of, done

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from studio.web._house import House


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a program asks for."""

    name: str
    on: bool
    """Send there, reading its key anew, or send there no more."""


def destinations_routes(house: House) -> list[Route]:
    """`GET` and `POST /api/destinations` for `house`; documented in docs/guide.md."""

    async def destinations(_request: Request) -> Response:
        state: Any = house.state.snapshot()
        known = state.get("destinations", {})
        return answer({name: each for name, each in known.items() if each.get("destination")})

    async def change(request: Request) -> Response:
        wrong = _("Send the name of a destination, and whether it is on, as the guide shows.")
        try:
            wish = await body_of(request, Wish, wrong=wrong, too_long=wrong)
        except RefusedError as no:
            return no.answer
        return await done(house, "destinations.add" if wish.on else "destinations.remove", {"name": wish.name})

    return [
        Route("/api/destinations", destinations, methods=["GET"]),
        Route("/api/destinations", change, methods=["POST"]),
    ]
