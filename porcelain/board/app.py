"""The application: which page an address stands for, as HTML, as JSON, or followed as it changes."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from cas.errors import AccError
from porcelain import term
from porcelain.board.drawing.names import in_order
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
    workdirs,
)
from porcelain.board.rendering import STATIC, to_html
from porcelain.board.watching import changes
from porcelain.objects import SpecError

log = logging.getLogger(__name__)

Made = TypeVar("Made")
Shows: TypeAlias = Callable[[ShownProject, Asked], Page | Response]

PAGES: Final[Sequence[tuple[str, Shows]]] = (
    ("/", results.results),
    ("/result/{name:text}", results.result),
    ("/jobs", jobs.jobs),
    ("/job/{spec}", job.job),
    ("/job/{spec}/users", job.users),
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
_EVENTS: Final = "text/event-stream"
_PLAIN_IN_PATHS: Final = "/@"
_BUG: Final = "this page failed, which is a bug of acc; its terminal shows where"
# what nobody can have is named in an error, and may be as long as an address can be
_MOST_OF_AN_ERROR: Final = 1_000


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
        response = _rendered(partial(_as_response, project, asked), found, status, asked)
    response.headers["Vary"] = "Accept"
    response.headers["Server-Timing"] = f"page;dur={(time.perf_counter() - begun) * 1000:.1f}"
    return response


def _as_response(project: ShownProject, asked: Asked, page: Page, status: int) -> Response:
    if asked.wants_json:
        return JSONResponse(page.view, status)
    return HTMLResponse(to_html(page, asked, project.config.root.name), status)


def _rendered(render: Callable[[Page, int], Made], page: Page, status: int, asked: Asked) -> Made:
    """Return a page as `render` makes it; when that fails, the page that says so."""
    try:
        return render(page, status)
    except Exception:
        log.exception("the page %s failed", asked.path)
        return render(_error_page(_BUG, ""), 500)


def _show(project: ShownProject, shows: Shows, asked: Asked) -> tuple[Page | Response, int]:
    """Return what to show, and the HTTP status; what is wrong is a page too."""
    try:
        project.check_place()
        return shows(project, asked), 200
    except AccError as err:
        nowhere = isinstance(err, (LookupError, SpecError))
        status = 404 if nowhere else 400 if isinstance(err, WrongQuestion) else 500
        return _error_page(str(err), err.hint), status
    except OSError as err:
        # the machine's: no descriptors left, a disk that fails, a folder that nobody may read
        log.warning("the page %s failed: %s", asked.path, err)
        return _error_page(f"{(err.strerror or str(err)).lower()}: '{err.filename or 'a file'}'", ""), 500
    except Exception:
        # the border: it is our bug, and what ran `acc board` shows it
        log.exception("the page %s failed", asked.path)
        return _error_page(_BUG, ""), 500


def _error_page(message: str, hint: str) -> Page:
    return Page("error.html", "no such thing", {"error": _one_line(message), "hint": _one_line(hint) or None})


def _one_line(text: str) -> str:
    """Return what is wrong on one line, in which nothing is turned around: part of it may be what was asked for."""
    shown = in_order(term.printable(text))
    return shown if len(shown) <= _MOST_OF_AN_ERROR else f"{shown[:_MOST_OF_AN_ERROR]}…"


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
    if request.method == "HEAD":
        # nobody would ever hear what is rendered
        return Response(media_type=_EVENTS)
    try:
        address = urlsplit(request.query_params.get("page", "/"))
    except ValueError:
        return JSONResponse({"error": "no such page"}, 404)
    scope: dict[str, Any] = {"type": "http", "path": unquote(address.path), "method": "GET", "root_path": ""}
    for route, (_, shows) in zip(routes, PAGES, strict=True):
        match, found = route.matches(scope)
        if match == Match.FULL:
            asked = Asked(address.path, found["path_params"], dict(parse_qsl(address.query)))
            return StreamingResponse(
                changes(partial(_document, project, shows, asked), ending), media_type=_EVENTS
            )
    return JSONResponse({"error": "no such page"}, 404)


def _document(project: ShownProject, shows: Shows, asked: Asked) -> str:
    with project.catalogue.precedence.taken():
        found, _ = _show(project, shows, asked)
        if isinstance(found, Response) or not (found.live or found.template == "error.html"):
            found = _error_page("this page does not change", "")
        return _rendered(partial(_as_text, project, asked), found, 200, asked)


def _as_text(project: ShownProject, asked: Asked, page: Page, _: int) -> str:
    return to_html(page, asked, project.config.root.name)


def known_paths() -> Mapping[str, Shows]:
    """Return what shows each address."""
    return dict(PAGES)
