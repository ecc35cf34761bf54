"""The table of pages, the files they are made of, and the programme for the hall."""

from __future__ import annotations

import html
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from studio.language import LANGUAGES, LOCALE
from studio.web._guard import POLICY

if TYPE_CHECKING:
    import os

    from starlette.requests import Request
    from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
"""Our own modules and styles."""
VENDOR = Path(__file__).parent / "vendor"
"""Preact, htm and hls.js, as the build hook put them there (`hatch_build.py`)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page; all share the layout."""

    path: str
    """Where it is opened."""
    name: str
    """Of its module and its style in `static/`."""
    styled: bool = False
    """A library of its own writes styles into it: it gets a nonce for them."""


PAGES = (
    Page("/", "status"),
    Page("/captions", "captions"),
    Page("/hall", "hall"),
    Page("/instant", "instant"),
)
"""Every page of a show."""

FILM_PAGES = (
    Page("/films", "films"),
    Page("/films/{film:int}", "film", styled=True),
)
"""Those of a library of films."""

VOCAL_PAGES = (Page("/vocal", "vocal"),)
"""That of the vocal studio."""

FILES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What pages are made of. Said here, for the system's own table differs from machine to machine."""

PROGRAMME = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".vtt": "text/vtt; charset=utf-8",
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
}
"""What the relay writes for the hall."""

REWRITTEN = frozenset({".m3u8", ".vtt"})
"""Replaced while the show runs: read whole at once, and never kept by anyone."""


def render(page: Page) -> HTMLResponse:
    """Return `page` in the layout that all pages share."""
    layout = Template((STATIC / "layout.html").read_text(encoding="utf-8"))
    headers = {"Cache-Control": "no-cache"}
    nonce = secrets.token_urlsafe(16) if page.styled else ""
    if nonce:
        headers["Content-Security-Policy"] = f"{POLICY}; style-src 'self' 'nonce-{nonce}'"
    text = layout.substitute(name=html.escape(page.name), nonce=nonce)
    return HTMLResponse(text, headers=headers)


async def words(request: Request) -> Response:
    """The page's words in one language, as `{English: translated}`; English itself needs none."""
    language = request.path_params["language"]
    if language not in LANGUAGES:
        raise HTTPException(404)
    file = LOCALE / language / "web.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return JSONResponse(found, headers={"Cache-Control": "no-cache"})


class Files(StaticFiles):
    """Files of the kinds in `kinds` and no others; the browser asks each time whether its copy still holds."""

    def __init__(self, folder: Path, kinds: dict[str, str]) -> None:
        """Serve what is, or will be, in `folder`."""
        super().__init__(directory=folder, check_dir=False)
        self.config_checked = True  # the folder of a show that has not begun is made later
        self._kinds = kinds

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file at `path`; 404 for another kind, a hidden file, or one outside the folder."""
        file = Path(path)
        if file.suffix not in self._kinds or any(part.startswith(".") for part in file.parts):
            raise HTTPException(404)
        return await super().get_response(path, scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Send the file as what we know it to be, whatever the system thinks."""
        file = Path(full_path)
        kind = self._kinds[file.suffix]
        if file.suffix in REWRITTEN:
            # Its length may change between looking and sending, and a promised length must hold.
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                raise HTTPException(404) from None
            return Response(content, status_code, {"Content-Type": kind, "Cache-Control": "no-store"})
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        if response.status_code == status_code:
            response.headers["Content-Type"] = kind
        return response
