"""Urd lists, the sessions of each, and one session."""

from typing import Final

from starlette.responses import Response

from cas.oid import ObjectId
from jobs.nodes.timestamp import InvalidTimestamp
from porcelain.board import addresses
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage, Page, Slot, WrongQuestion
from porcelain.board.pages import graph
from porcelain.sessions.urdlog import Item, Listed, UrdLog
from porcelain.sessions.urdpath import UrdPath, to_timestamp
from porcelain.views import build_views
from porcelain.views.plain import View

_PAGE_ROWS: Final = 50
_JOB_ROWS: Final = 200


def urd(project: ShownProject, asked: Asked) -> Page:
    """Show all urd lists, by user."""
    del asked
    lists = build_views.urd_lists(project.urdlog(only_look=True))
    by_user: dict[str, list[View]] = {}
    for each in lists:
        by_user.setdefault(each["list"].partition("/")[0], []).append(each)
    return Page("urd.html", "Urd", {"lists": lists}, {"by_user": by_user})


def sessions(project: ShownProject, asked: Asked) -> Page:
    """Show the sessions of a list, newest first; with `timestamp`, that one of them."""
    log = project.urdlog(only_look=True)
    path, listed = _list(log, asked)
    if asked.text("timestamp"):
        return _session(project, log, _item(log, path, listed, asked), listed, asked)
    slot = Slot(asked.number("page", 1), _PAGE_ROWS, len(listed))
    newest = list(listed.items())[::-1][slot.start : slot.start + slot.size]
    items = [log.item(path, timestamp, oid) for timestamp, oid in newest]
    view: View = {
        "list": str(path),
        "sessions": build_views.urd_sessions(log, items),
        **slot.to_view(),
    }
    return Page("urd_list.html", f"Urd {path}", view, {"slot": slot})


def session_graph(project: ShownProject, asked: Asked) -> Page:
    """Show what the jobs of a session were made from."""
    return graph.of_runs(project, asked, *_drawn(project, asked))


def file_of_session_graph(project: ShownProject, asked: Asked) -> Response:
    """Return the same as a file."""
    return graph.file_of_runs(project, asked, *_drawn(project, asked))


def _drawn(project: ShownProject, asked: Asked) -> tuple[str, str, list[ObjectId]]:
    """Return name, address and runs of a session."""
    log = project.urdlog(only_look=True)
    item = _item(log, *_list(log, asked), asked)
    path, timestamp = str(item.path), str(item.timestamp)
    return f"{path}/{timestamp}", addresses.urd(path, timestamp), [entry.run for entry in item.jobs]


def _list(log: UrdLog, asked: Asked) -> tuple[UrdPath, Listed]:
    path = UrdPath(asked.names["user"], asked.names["list"])
    listed = log.listed(path)
    if not listed:
        raise NoSuchPage(f"no urd list '{path}'", hint="the page Urd lists those that there are")
    return path, listed


def _item(log: UrdLog, path: UrdPath, listed: Listed, asked: Asked) -> Item:
    try:
        timestamp = to_timestamp(asked.text("timestamp"))
    except InvalidTimestamp as err:
        raise WrongQuestion(str(err), hint=err.hint) from err
    if timestamp not in listed:
        raise NoSuchPage(
            f"list '{path}' has no session '{timestamp}'", hint="its page lists those that there are"
        )
    return log.item(path, timestamp, listed[timestamp])


def _session(project: ShownProject, log: UrdLog, item: Item, listed: Listed, asked: Asked) -> Page:
    timestamps = list(listed)
    place = timestamps.index(item.timestamp)
    slot = Slot(asked.number("page", 1), _JOB_ROWS, len(item.jobs))
    view = build_views.urd_session(project.resolver, log, item, slice(slot.start, slot.start + slot.size)) | {
        "earlier": str(timestamps[place - 1]) if place else None,
        "later": str(timestamps[place + 1]) if place + 1 < len(timestamps) else None,
        "results": _results(project, item),
        **slot.to_view(),
    }
    return Page("urd_session.html", f"Urd {item.path}/{item.timestamp}", view, {"slot": slot})


def _results(project: ShownProject, item: Item) -> list[str]:
    """Return the result links that lead to a job of a session."""
    runs = {entry.run for entry in item.jobs}
    return [name for name, result in project.results.entries().items() if result.run in runs]
