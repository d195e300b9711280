"""The application: it finds the page that is asked for, and has it made on a thread."""

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from porcelain import term
from porcelain.board.answering import Followed, respond, wants_json
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage, Page
from porcelain.board.rendering import STATIC
from porcelain.board.routes import PAGES, SLOW, Shows
from porcelain.board.watching import changes

_WATCH: Final = "/watch"
_EVENTS: Final = "text/event-stream"
_PLAIN_IN_PATHS: Final = "/@"


class _Text(Convertor[str]):
    """The rest of a path, whatever it is: unlike `path` of Starlette also when there are line ends in it."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _Text())


def make_app(
    project: ShownProject,
    ending: Event,
    pages: Sequence[tuple[str, Shows]] = PAGES,
    slow: Mapping[Shows, int] = SLOW,
) -> Starlette:
    """Return the application that shows a project; pages that are followed end when `ending` is set."""
    threads = _Threads(slow)
    routes = [
        (Route(path, partial(_answer, project, shows, threads), name=path), shows) for path, shows in pages
    ]
    return Starlette(
        routes=[
            *(route for route, _ in routes),
            Route(_WATCH, partial(_watch, project, routes, ending)),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/{path:path}", partial(_answer, project, _no_such_page, threads)),
        ]
    )


def _no_such_page(_: ShownProject, asked: Asked) -> Page:
    raise NoSuchPage(
        f"no page '{term.printable(unquote(asked.path))}'", hint="the links above lead to all that there are"
    )


async def _answer(project: ShownProject, shows: Shows, threads: "_Threads", request: Request) -> Response:
    asked = Asked(
        quote(request.scope["path"], safe=_PLAIN_IN_PATHS),
        request.path_params,
        dict(request.query_params),
        wants_json=wants_json(request.headers.get("accept", "")),
        headers=dict(request.headers),
        only_head=request.method == "HEAD",
    )
    return await run_sync(respond, project, shows, asked, limiter=threads.of(shows))


class _Threads:
    """How many threads each page may take: those that can be slow only few, so that the others go on meanwhile."""

    def __init__(self, slow: Mapping[Shows, int]) -> None:
        self._slow = slow
        self._limiters: dict[Shows, CapacityLimiter] = {}

    def of(self, shows: Shows) -> CapacityLimiter | None:
        """Return what limits a page; None: all that are not slow take theirs from one pool."""
        if shows not in self._slow:
            return None
        if shows not in self._limiters:
            self._limiters[shows] = CapacityLimiter(self._slow[shows])
        return self._limiters[shows]


async def _watch(
    project: ShownProject, routes: Sequence[tuple[Route, Shows]], ending: Event, request: Request
) -> Response:
    """Answer with a page as server-sent events: the whole document, and again whenever it changes."""
    if request.method == "HEAD":
        # nobody would ever hear what is rendered
        return Response(media_type=_EVENTS)
    try:
        address = urlsplit(request.query_params.get("page", "/"))
    except ValueError:
        return JSONResponse({"error": "no such page"}, 404)
    scope: dict[str, Any] = {"type": "http", "path": unquote(address.path), "method": "GET", "root_path": ""}
    for route, shows in routes:
        match, found = route.matches(scope)
        if match == Match.FULL:
            asked = Asked(address.path, found["path_params"], dict(parse_qsl(address.query)))
            followed = Followed(project, shows, asked)
            return StreamingResponse(changes(followed.document, ending), media_type=_EVENTS)
    return JSONResponse({"error": "no such page"}, 404)
