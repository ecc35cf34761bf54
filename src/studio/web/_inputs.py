"""Main and backup encoder for other programs: how each is doing, and which is on the air."""

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
    """`main`, `backup`, or `auto` for neither by hand."""


def inputs_routes(house: House) -> list[Route]:
    """`GET` and `POST /api/inputs` for `house`; documented in docs/guide.md."""

    async def inputs(_request: Request) -> Response:
        state: Any = house.state.snapshot()
        return answer(state.get("inputs", {}))

    async def change(request: Request) -> Response:
        wrong = _("Send the name of an input, main, backup or auto, as the guide shows.")
        try:
            wish = await body_of(request, Wish, wrong=wrong, too_long=wrong)
        except RefusedError as no:
            return no.answer
        return await done(house, "input", {"name": wish.name})

    return [
        Route("/api/inputs", inputs, methods=["GET"]),
        Route("/api/inputs", change, methods=["POST"]),
    ]
