"""From what was asked to an answer: a page as HTML or as JSON; what goes wrong is a page too."""

import logging
import time
from typing import Final

from starlette.responses import HTMLResponse, JSONResponse, Response

from cas.errors import AccError
from porcelain import term
from porcelain.board.drawing.names import in_order
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, WrongQuestion
from porcelain.board.rendering import to_html
from porcelain.board.routes import Shows
from porcelain.objects import SpecError

log = logging.getLogger(__name__)

# what nobody can have is named in an error, and may be as long as an address can be
_MOST_OF_AN_ERROR: Final = 1_000


def respond(project: ShownProject, shows: Shows, asked: Asked) -> Response:
    """Return the answer of a page to one question."""
    begun = time.perf_counter()
    with project.catalogue.precedence.taken():
        try:
            response = _to_response(project, _show(project, shows, asked), asked)
        except Exception:
            # the border: it is our bug, and what ran `acc board` shows it
            log.exception("the page %s failed", asked.path)
            response = _to_response(project, (_OUR_BUG, 500), asked)
    response.headers["Server-Timing"] = f"page;dur={(time.perf_counter() - begun) * 1000:.1f}"
    return response


class Followed:
    """A page that somebody follows, rendered again and again."""

    def __init__(self, project: ShownProject, shows: Shows, asked: Asked) -> None:
        self._project = project
        self._shows = shows
        self._asked = asked
        self._has_failed = False

    def document(self) -> str:
        """Return the page as it is now; what fails over and over is told once."""
        with self._project.catalogue.precedence.taken():
            try:
                shown = self._rendered(self._page())
                self._has_failed = False
            except Exception:
                level = logging.DEBUG if self._has_failed else logging.ERROR
                log.log(level, "the page %s failed while it was followed", self._asked.path, exc_info=True)
                self._has_failed = True
                shown = self._rendered(_OUR_BUG)
        return shown

    def _page(self) -> Page:
        found, status = _show(self._project, self._shows, self._asked)
        if isinstance(found, Response) or (status == 200 and not found.live):
            return _error_page("this page does not change", "")
        return found

    def _rendered(self, page: Page) -> str:
        return to_html(page, self._asked, self._project.config.root.name)


def wants_json(accept: str) -> bool:
    """Return whether JSON is wanted: who asks names it, and names no HTML that he would rather have.

    >>> wants_json("application/json"), wants_json("text/html,*/*;q=0.8"), wants_json("*/*")
    (True, False, False)
    """
    weights = {}
    for part in accept.split(","):
        kind, *parameters = (text.strip().lower() for text in part.split(";"))
        weights[kind] = next((_weight(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
    return weights.get("application/json", 0.0) > weights.get("text/html", 0.0)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


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
    """Return what to show, and the HTTP status; what is no bug of ours is a page too."""
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


def _error_page(message: str, hint: str) -> Page:
    return Page("error.html", "no such thing", {"error": _one_line(message), "hint": _one_line(hint) or None})


def _one_line(text: str) -> str:
    """Return what is wrong on one line, in which nothing is turned around: part of it may be what was asked for."""
    shown = in_order(term.printable(text))
    return shown if len(shown) <= _MOST_OF_AN_ERROR else f"{shown[:_MOST_OF_AN_ERROR]}…"


_OUR_BUG: Final = _error_page("this page failed, which is a bug of acc; its terminal shows where", "")
