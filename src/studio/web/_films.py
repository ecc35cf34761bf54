"""The library of films for its pages and for other programs; documented in docs/guide.md."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from studio.archive import Conflict, NotThere, Order, Pattern
from studio.errors import StudioError
from studio.language import _
from studio.web._film_media import media_routes
from studio.web._requests import RefusedError, body_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from studio.web._cupboard import Cupboard

LARGEST = 256 * 1024
"""Bytes of a body: what a person typed in the minutes that studio did not answer."""
MOST_AT_ONCE = 50
"""Versions whose share is asked for in one go."""
REPORT = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
"""What a report may do: it is a file of its own, with its style in it and no script."""
_KEY = re.compile(r"([0-9]{1,15})\.([^.,]{0,20})\.([0-9]{1,9})")

Name = Annotated[str, Meta(max_length=80)]
Wanted = Annotated[str, Meta(min_length=1, max_length=200)]
Number = Annotated[int, Meta(ge=0, le=1 << 53)]
T = TypeVar("T")


class Edit(Struct, forbid_unknown_fields=True):
    """Changes of cues, all or none of them."""

    base: Number
    """The version that they build upon."""
    edits: Annotated[list[Order], Meta(min_length=1, max_length=2000)]
    by: Name = ""


class Step(Struct, forbid_unknown_fields=True):
    """Undo, redo."""

    base: Number
    by: Name = ""


class Restore(Struct, forbid_unknown_fields=True):
    """An earlier version is to count again."""

    base: Number
    number: Number
    by: Name = ""


class Accept(Struct, forbid_unknown_fields=True):
    """Somebody says that these subtitles may go out."""

    base: Number
    by: Annotated[str, Meta(min_length=1, max_length=80)]


class Sounds(Struct, forbid_unknown_fields=True):
    """What becomes of sounds that were suggested."""

    base: Number
    accept: Annotated[list[Number], Meta(max_length=1000)] = []
    refuse: Annotated[list[Number], Meta(max_length=1000)] = []
    by: Name = ""


class Chosen(Struct, forbid_unknown_fields=True):
    """Cues of a film in which it is to be done."""

    film: Number
    language: Name
    version: Number
    cues: Annotated[list[int], Meta(max_length=1000)]


class Wish(Struct, forbid_unknown_fields=True):
    """What is to be written in place of what. No regular expression: one can be made to take for ever."""

    find: Wanted
    write: Annotated[str, Meta(max_length=200)]
    words: bool = True
    """Whole words only; else beginnings of words, too."""
    case: bool = True
    """Capitals count."""

    @property
    def pattern(self) -> Pattern:
        """As the library takes it."""
        return Pattern(self.find, self.write, words=self.words, case=self.case)


class Replace(Wish, forbid_unknown_fields=True):
    """What is to be replaced, and where: nothing that was not shown before."""

    films: Annotated[list[Chosen], Meta(max_length=1000)] = []
    by: Name = ""


class Learn(Struct, forbid_unknown_fields=True):
    """A word for the glossary that studio learned."""

    language: Name
    write: Wanted
    heard: Annotated[list[Wanted], Meta(min_length=1, max_length=20)]


def films_routes(films: Cupboard, *, show: bool) -> list[Route]:
    """Everything below `/api/films`; `show`: there are pages of a show, too."""

    async def here(_request: Request) -> Response:
        return said({"show": show, "films": True, "interface": films.interface})

    return [Route("/api/here", here), *_Shelf(films).routes(), *_Film(films).routes(), *media_routes(films, answering)]


class _Shelf:
    """What is asked of all films."""

    def __init__(self, films: Cupboard) -> None:
        self._films = films

    def routes(self) -> list[Route]:
        """Every one of them."""
        below = "/api/films"
        return [
            Route(below, answering(self.films)),
            Route(below + "/shares", answering(self.shares)),
            Route(below + "/search", answering(self.search)),
            Route(below + "/preview", answering(self.preview), methods=["POST"]),
            Route(below + "/replace", answering(self.replace), methods=["POST"]),
            Route(below + "/glossary", answering(self.suggestions), methods=["GET"]),
            Route(below + "/glossary", answering(self.learn), methods=["POST"]),
        ]

    async def films(self, _request: Request) -> Response:
        return said({"films": await asyncio.to_thread(self._films.films)})

    async def shares(self, request: Request) -> Response:
        keys = request.query_params.get("of", "").split(",")[:MOST_AT_ONCE]
        found = [match for match in map(_KEY.fullmatch, keys) if match]
        wanted = [(int(match[1]), match[2], int(match[3])) for match in found]
        return said(await asyncio.to_thread(self._films.shares, wanted))

    async def search(self, request: Request) -> Response:
        return said(await asyncio.to_thread(self._films.search, request.query_params.get("q", "")[:400]))

    async def preview(self, request: Request) -> Response:
        wish = await _body(request, Wish)
        return said(await asyncio.to_thread(self._films.preview, wish.pattern))

    async def replace(self, request: Request) -> Response:
        wish = await _body(request, Replace)
        chosen = [(each.film, each.language, each.version, each.cues) for each in wish.films]
        return said(await asyncio.to_thread(self._films.replace, wish.pattern, chosen, wish.by))

    async def suggestions(self, _request: Request) -> Response:
        return said({"words": await asyncio.to_thread(self._films.suggestions)})

    async def learn(self, request: Request) -> Response:
        word = await _body(request, Learn)
        return said(await asyncio.to_thread(self._films.learn, word.language, word.write, word.heard))


class _Film:
    """What is asked of one film."""

    def __init__(self, films: Cupboard) -> None:
        self._films = films

    def routes(self) -> list[Route]:
        """Every one of them."""
        below = "/api/films/{film:int}"
        changes = (self.edit, self.undo, self.redo, self.restore, self.accept, self.sounds)
        return [
            Route(below, answering(self.film)),
            Route(below + "/versions", answering(self.versions)),
            Route(below + "/report", answering(self.report)),
            *(Route(f"{below}/{do.__name__}", answering(do), methods=["POST"]) for do in changes),
        ]

    async def film(self, request: Request) -> Response:
        return said(await asyncio.to_thread(self._films.film, *_which(request)))

    async def versions(self, request: Request) -> Response:
        return said(await asyncio.to_thread(self._films.versions, *_which(request)))

    async def report(self, request: Request) -> Response:
        text = await asyncio.to_thread(self._films.report, *_which(request))
        return HTMLResponse(text, headers={"Content-Security-Policy": REPORT, "Cache-Control": "no-store"})

    async def edit(self, request: Request) -> Response:
        asked = await _body(request, Edit)
        return said(await asyncio.to_thread(self._films.edit, *_which(request), asked.base, asked.edits, asked.by))

    async def undo(self, request: Request) -> Response:
        asked = await _body(request, Step)
        return said(await asyncio.to_thread(self._films.undo, *_which(request), asked.base))

    async def redo(self, request: Request) -> Response:
        asked = await _body(request, Step)
        return said(await asyncio.to_thread(self._films.redo, *_which(request), asked.base))

    async def restore(self, request: Request) -> Response:
        asked = await _body(request, Restore)
        which = _which(request)
        return said(await asyncio.to_thread(self._films.restore, *which, asked.base, asked.number, asked.by))

    async def accept(self, request: Request) -> Response:
        asked = await _body(request, Accept)
        return said(await asyncio.to_thread(self._films.accept, *_which(request), asked.base, asked.by))

    async def sounds(self, request: Request) -> Response:
        asked = await _body(request, Sounds)
        answer = partial(self._films.sounds, accept=asked.accept, refuse=asked.refuse, by=asked.by)
        return said(await asyncio.to_thread(answer, *_which(request), asked.base))


def said(what: object, status: int = 200) -> Response:
    """Return `what` as JSON that nobody keeps."""
    return Response(msgspec.json.encode(what), status, {"Cache-Control": "no-store"}, "application/json")


def answering(do: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Have what goes wrong answered as one sentence and a status that pages understand."""

    async def answer(request: Request) -> Response:
        try:
            return await do(request)
        except RefusedError as no:
            return no.answer
        except Conflict as problem:
            return said({"outcome": "conflict", "reason": str(problem), "version": problem.head.number}, 409)
        except NotThere as problem:
            return said({"outcome": "refused", "reason": str(problem)}, 404)
        except StudioError as problem:
            return said({"outcome": "refused", "reason": str(problem)}, 422)

    return answer


def _which(request: Request) -> tuple[int, str]:
    """Film and language that a request is about."""
    film: int = request.path_params["film"]
    if film > 1 << 53:
        raise NotThere(_("The library has no film number {number}.").format(number=film))
    return film, request.query_params.get("language", "")[:20]


async def _body(request: Request, kind: type[T]) -> T:
    wrong = _("Send what is to be done as the guide shows.")
    too_long = _("That is too much at once; save more often.")
    found: Any = await body_of(request, kind, wrong=wrong, too_long=too_long, largest=LARGEST)
    return found  # type: ignore[no-any-return]  # a `kind`
