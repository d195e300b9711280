"""The application: which page an address stands for, as HTML, as JSON, or followed as it changes."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from cas.errors import AccError
from porcelain import term
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage, Page, WrongQuestion
from porcelain.board.pages import (
    builds,
    compare,
    datasets,
    explained,
    files,
    graph,
    job,
    jobs,
    live,
    methods,
    outputs,
    results,
    rows,
    search,
    sources,
    store,
    urd,
    users,
    workdirs,
)
from porcelain.board.rendering import STATIC, to_html
from porcelain.board.watching import changes
from porcelain.objects import SpecError

log = logging.getLogger(__name__)

Shows: TypeAlias = Callable[[ShownProject, Asked], Page | Response]

PAGES: Final[Sequence[tuple[str, Shows]]] = (
    ("/", results.results),
    ("/result/{name:text}", results.result),
    ("/jobs", jobs.jobs),
    ("/job/{spec}", job.job),
    ("/job/{spec}/users", users.users),
    ("/job/{spec}/shared", users.shared),
    ("/job/{spec}/why", explained.why),
    ("/job/{spec}/output", outputs.output),
    ("/job/{spec}/output/{part}", outputs.text),
    ("/job/{spec}/source", sources.source),
    ("/job/{spec}/source.tar.gz", sources.archive),
    ("/job/{spec}/source/{path:text}", sources.file),
    ("/live", live.live),
    ("/last_error", live.last_error),
    ("/builds", builds.builds),
    ("/build/{name}", builds.build),
    ("/compare", compare.compare),
    ("/compare/outcomes", compare.outcomes),
    ("/urd", urd.urd),
    ("/urd/{user}/{list}", urd.sessions),
    ("/urd/{user}/{list}/graph", urd.session_graph),
    ("/urd/{user}/{list}/graph.svg", urd.file_of_session_graph),
    ("/methods", methods.methods),
    ("/method/{name}", methods.method),
    ("/script/{name}", methods.script),
    ("/workdirs", workdirs.workdirs),
    ("/file/{spec}/{name:text}", files.file),
    ("/raw/{spec}/{name:text}", files.raw),
    ("/holders/{blob}", files.holders),
    ("/job/{spec}/graph", graph.of_job),
    ("/job/{spec}/graph.svg", graph.file_of_job),
    ("/build/{name}/graph", graph.of_build),
    ("/build/{name}/graph.svg", graph.file_of_build),
    # before the datasets: their names may have slashes
    ("/dataset/{label}/{name:text}/graph", graph.of_dataset),
    ("/dataset/{label}/{name:text}/graph.svg", graph.file_of_dataset),
    ("/dataset/{label}/{name:text}", datasets.dataset),
    ("/column/{label}/{name:text}", datasets.column),
    ("/chain/{label}/{name:text}", datasets.chain),
    ("/rows/{label}/{name:text}", rows.rows),
    ("/csv/{label}/{name:text}", rows.csv),
    ("/search", search.search),
    ("/store", store.store),
)
# what may take longer than a page should, and how many of each are made at once
SLOW: Final[Mapping[Shows, int]] = {
    compare.compare: 2,
    compare.outcomes: 2,
    # the columns of a page are all asked for at once, and would see little of the time that each has
    datasets.column: 2,
    # methods are read as they are now, in processes of their own
    explained.why: 1,
    files.holders: 2,
    graph.of_build: 2,
    graph.of_job: 2,
    rows.rows: 4,
}
_WATCH: Final = "/watch"
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
        wants_json=_wants_json(request.headers.get("accept", "")),
        headers=dict(request.headers),
        only_head=request.method == "HEAD",
    )
    return await run_sync(_respond, project, shows, asked, limiter=threads.of(shows))


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


def _respond(project: ShownProject, shows: Shows, asked: Asked) -> Response:
    begun = time.perf_counter()
    with project.catalogue.precedence.taken():
        try:
            response = _to_response(project, _show(project, shows, asked), asked)
        except Exception:
            # the border: it is our bug, and what ran `acc board` shows it
            log.exception("the page %s failed", asked.path)
            response = _to_response(project, _OUR_BUG, asked)
    response.headers["Server-Timing"] = f"page;dur={(time.perf_counter() - begun) * 1000:.1f}"
    return response


def _to_response(project: ShownProject, answer: tuple[Page | Response, int], asked: Asked) -> Response:
    found, status = answer
    if isinstance(found, Response):
        return found
    response = (
        JSONResponse(found.view, status)
        if asked.wants_json
        else HTMLResponse(to_html(found, asked, project.config.root.name), status)
    )
    response.headers["Vary"] = "Accept"
    return response


def _show(project: ShownProject, shows: Shows, asked: Asked) -> tuple[Page | Response, int]:
    """Return what to show, and the HTTP status; what is wrong is a page too."""
    try:
        return shows(project, asked), 200
    except AccError as err:
        nowhere = isinstance(err, (LookupError, SpecError))
        status = 404 if nowhere else 400 if isinstance(err, WrongQuestion) else 500
        return _error_page(str(err), err.hint), status


def _error_page(message: str, hint: str) -> Page:
    return Page("error.html", "no such thing", {"error": message, "hint": hint or None})


_OUR_BUG: Final = _error_page("this page failed, which is a bug of acc; its terminal shows where", ""), 500


def _wants_json(accept: str) -> bool:
    """Return whether JSON is wanted rather than HTML.

    >>> _wants_json("application/json"), _wants_json("text/html,*/*;q=0.8"), _wants_json("*/*")
    (True, False, False)
    """
    weights = {}
    for part in accept.split(","):
        kind, *parameters = (text.strip() for text in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        weights[kind.lower()] = quality
    json_weight = weights.get("application/json", "0")
    return json_weight > weights.get("text/html", weights.get("*/*", "0")) or (
        json_weight == "1" and "text/html" not in weights
    )


async def _watch(
    project: ShownProject, routes: Sequence[tuple[Route, Shows]], ending: Event, request: Request
) -> Response:
    """Answer with a page as server-sent events: the whole document, and again whenever it changes."""
    address = urlsplit(request.query_params.get("page", "/"))
    scope: dict[str, Any] = {"type": "http", "path": unquote(address.path), "method": "GET", "root_path": ""}
    for route, shows in routes:
        match, found = route.matches(scope)
        if match == Match.FULL:
            asked = Asked(address.path, found["path_params"], dict(parse_qsl(address.query)))
            return StreamingResponse(
                changes(_Followed(project, shows, asked).document, ending), media_type="text/event-stream"
            )
    return JSONResponse({"error": "no such page"}, 404)


class _Followed:
    """A page that somebody follows, rendered again and again."""

    def __init__(self, project: ShownProject, shows: Shows, asked: Asked) -> None:
        self._project = project
        self._shows = shows
        self._asked = asked
        self._has_failed = False

    def document(self) -> str:
        """Return the page as it is now; what fails over and over is told once."""
        name = self._project.config.root.name
        with self._project.catalogue.precedence.taken():
            try:
                shown = to_html(self._page(), self._asked, name)
                self._has_failed = False
            except Exception:
                log.log(
                    logging.DEBUG if self._has_failed else logging.ERROR,
                    "the page %s failed while it was followed",
                    self._asked.path,
                    exc_info=True,
                )
                self._has_failed = True
                shown = to_html(_OUR_BUG[0], self._asked, name)
        return shown

    def _page(self) -> Page:
        found, _ = _show(self._project, self._shows, self._asked)
        if isinstance(found, Response) or not (found.live or found.template == "error.html"):
            return _error_page("this page does not change", "")
        return found


def known_paths() -> Mapping[str, Shows]:
    """Return what shows each address."""
    return dict(PAGES)
