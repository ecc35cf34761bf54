"""The hold for other programs: how long the programme waits, changed on the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.routing import Route

from studio.language import _
from studio.web._requests import RefusedError, body_of, done

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from studio.web._house import House


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a program asks for."""

    seconds: float


def hold_route(house: House) -> Route:
    """`POST /api/hold` for `house`; documented in docs/guide.md."""

    async def change(request: Request) -> Response:
        wrong = _("Send the hold as a number of seconds, as the guide shows.")
        try:
            wish = await body_of(request, Wish, wrong=wrong, too_long=wrong)
        except RefusedError as no:
            return no.answer
        return await done(house, "hold", {"seconds": wish.seconds})

    return Route("/api/hold", change, methods=["POST"])
