"""Devices for other programs: how far each is known, and what may be asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from studio.language import _
from studio.web._requests import RefusedError, answer, body_of, done

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from studio.web._house import House

COMMANDS = ("set", "call", "recall", "undo")


def devices_routes(house: House) -> list[Route]:
    """`GET /api/devices` and `POST /api/devices/set|call|recall|undo` for `house`; documented in docs/guide.md."""

    async def devices(_request: Request) -> Response:
        state: Any = house.state.snapshot()
        links = state.get("links", {})
        return answer({name: {**links.get(name, {}), **known} for name, known in state.get("devices", {}).items()})

    async def ask(request: Request) -> Response:
        command: str = request.path_params["command"]
        if command not in COMMANDS:
            return answer({"outcome": "refused", "reason": _("There is no command {name}.").format(name=command)}, 404)
        wrong = _("Send an object with what the command needs, as the guide shows.")
        try:
            wish: dict[str, Any] = await body_of(request, dict[str, Any], wrong=wrong, too_long=wrong)
        except RefusedError as no:
            return no.answer
        return await done(house, f"device.{command}", wish)

    return [
        Route("/api/devices", devices, methods=["GET"]),
        Route("/api/devices/{command}", ask, methods=["POST"]),
    ]
