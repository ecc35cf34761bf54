"""Who may speak to the pages: requests that name this machine, from pages that came from it.

A page of somebody else's, open in the same browser, can point a name of its own at this address (DNS rebinding) or open
a WebSocket to it, which no browser forbids. The first shows in `Host`, the second in `Origin`.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from studio.language import _

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, never bound

# No inline script or style, nothing from elsewhere. hls.js hands the player a blob: of what it received,
# and begins each subtitle track with an empty file (data:,WEBVTT).
POLICY = (
    "default-src 'self'; media-src 'self' blob: data:; worker-src 'self' blob:; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page may do; one that needs a style of its own adds to it (`_pages.render`)."""

SAFE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""Sent with every answer."""


class Guard:
    """Stands before the application; refuses what is not ours and puts `SAFE` on every answer."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """`host` is the address that the pages are served on."""
        self._app = app
        self._anywhere = host in EVERY_ADDRESS
        names = {host.lower()}
        if self._anywhere:
            machine = socket.gethostname().lower()
            names = {machine, f"{machine}.local"}
        self._names = LOOPBACK | names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sentence = self._objection(headers.getlist("host"), headers.getlist("origin"))

        async def safely(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers_ = MutableHeaders(scope=message)
                for name, value in SAFE.items():
                    headers_.setdefault(name, value)
            await send(message)

        answer = PlainTextResponse(sentence, 403) if sentence else self._app
        await answer(scope, receive, safely)

    def _objection(self, hosts: list[str], origins: list[str]) -> str:
        """Why not, or nothing."""
        name = _hostname(hosts[0]) if len(hosts) == 1 else ""
        if not self._ours(name):
            if self._anywhere:
                return _(
                    "This page does not answer to the name in the address bar; open it by the number of the computer "
                    "that studio runs on, such as http://192.168.1.20:8710."
                )
            return _("This page does not answer to the name in the address bar; open it by the address in studio.toml.")
        if not origins:  # not a browser, or a page that navigates: whoever runs programs here needs no trick
            return ""
        if len(origins) > 1 or origins[0].lower() not in (f"http://{hosts[0].lower()}", f"https://{hosts[0].lower()}"):
            return _("This request came from another site's page and was refused.")
        return ""

    def _ours(self, name: str) -> bool:
        if name in self._names:
            return True
        if not self._anywhere:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # served on every address; a bare address cannot be pointed elsewhere


def _hostname(host: str) -> str:
    """Return the name in a Host header, in small letters; empty where it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _port = parts.port  # raises ValueError where it is no number
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return (parts.hostname or "").removesuffix(".")
