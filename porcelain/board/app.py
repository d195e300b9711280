"""The application: which page an address stands for, as HTML, as JSON, or followed as it changes."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit

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


def make_app(project: ShownProject, ending: Event) -> Starlette:
    """Return the application that shows a project; pages that are followed end when `ending` is set."""
    routes = [Route(path, partial(_answer, project, shows), name=path) for path, shows in PAGES]
    return Starlette(
        routes=[
            *routes,
            Route(_WATCH, partial(_watch, project, routes, ending)),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/{path:path}", partial(_answer, project, _no_such_page)),
        ]
    )


def _no_such_page(_: ShownProject, asked: Asked) -> Page:
    raise NoSuchPage(
        f"no page '{term.printable(unquote(asked.path))}'", hint="the links above lead to all that there are"
    )


async def _answer(project: ShownProject, shows: Shows, request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    asked = Asked(
        quote(request.scope["path"], safe=_PLAIN_IN_PATHS),
        request.path_params,
        dict(request.query_params),
        wants_json=_wants_json(request.headers.get("accept", "")),
        headers=dict(request.headers),
        only_head=request.method == "HEAD",
    )
    return await run_in_threadpool(_respond, project, shows, asked)


def _respond(project: ShownProject, shows: Shows, asked: Asked) -> Response:
    begun = time.perf_counter()
    with project.catalogue.precedence.taken():
        found, status = _show(project, shows, asked)
        if isinstance(found, Response):
            return found
        response = (
            JSONResponse(found.view, status)
            if asked.wants_json
            else HTMLResponse(to_html(found, asked, project.config.root.name), status)
        )
    response.headers["Vary"] = "Accept"
    response.headers["Server-Timing"] = f"page;dur={(time.perf_counter() - begun) * 1000:.1f}"
    return response


def _show(project: ShownProject, shows: Shows, asked: Asked) -> tuple[Page | Response, int]:
    """Return what to show, and the HTTP status; what is wrong is a page too."""
    try:
        return shows(project, asked), 200
    except AccError as err:
        nowhere = isinstance(err, (LookupError, SpecError))
        status = 404 if nowhere else 400 if isinstance(err, WrongQuestion) else 500
        return _error_page(str(err), err.hint), status
    except Exception:
        # the border: it is our bug, and what ran `acc board` shows it
        log.exception("the page %s failed", asked.path)
        return _error_page("this page failed, which is a bug of acc; its terminal shows where", ""), 500


def _error_page(message: str, hint: str) -> Page:
    return Page("error.html", "no such thing", {"error": message, "hint": hint or None})


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


async def _watch(project: ShownProject, routes: Sequence[Route], ending: Event, request: Request) -> Response:
    """Answer with a page as server-sent events: the whole document, and again whenever it changes."""
    address = urlsplit(request.query_params.get("page", "/"))
    scope: dict[str, Any] = {"type": "http", "path": unquote(address.path), "method": "GET", "root_path": ""}
    for route, (_, shows) in zip(routes, PAGES, strict=True):
        match, found = route.matches(scope)
        if match == Match.FULL:
            asked = Asked(address.path, found["path_params"], dict(parse_qsl(address.query)))
            return StreamingResponse(
                changes(partial(_document, project, shows, asked), ending), media_type="text/event-stream"
            )
    return JSONResponse({"error": "no such page"}, 404)


def _document(project: ShownProject, shows: Shows, asked: Asked) -> str:
    with project.catalogue.precedence.taken():
        found, _ = _show(project, shows, asked)
        if isinstance(found, Response) or not (found.live or found.template == "error.html"):
            found = _error_page("this page does not change", "")
        return to_html(found, asked, project.config.root.name)


def known_paths() -> Mapping[str, Shows]:
    """Return what shows each address."""
    return dict(PAGES)
