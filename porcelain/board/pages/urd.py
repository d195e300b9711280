"""Urd lists, the sessions of each, and one session."""

from collections.abc import Mapping
from typing import Final

from cas.oid import ObjectId
from jobs.nodes.timestamp import Timestamp
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage, Page, Slot
from porcelain.sessions.urdlog import Item, UrdLog
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
    path = UrdPath(asked.names["user"], asked.names["list"])
    listed = log.listed(path)
    if not listed:
        raise NoSuchPage(f"no urd list '{path}'", hint="the page Urd lists those that there are")
    if asked.text("timestamp"):
        return _session(project, log, path, listed, asked)
    slot = Slot(asked.number("page", 1), _PAGE_ROWS, len(listed))
    newest = list(reversed(listed.items()))[slot.start : slot.start + slot.size]
    items = [log.item(path, timestamp, oid) for timestamp, oid in newest]
    view: View = {
        "list": str(path),
        "sessions": build_views.urd_sessions(log, items),
        **slot.to_view(),
    }
    return Page("urd_list.html", f"Urd {path}", view, {"slot": slot})


def _session(
    project: ShownProject,
    log: UrdLog,
    path: UrdPath,
    listed: Mapping[Timestamp, ObjectId],
    asked: Asked,
) -> Page:
    timestamp = to_timestamp(asked.text("timestamp"))
    if timestamp not in listed:
        raise NoSuchPage(
            f"list '{path}' has no session '{timestamp}'", hint="its page lists those that there are"
        )
    item = log.item(path, timestamp, listed[timestamp])
    timestamps = list(listed)
    place = timestamps.index(timestamp)
    slot = Slot(asked.number("page", 1), _JOB_ROWS, len(item.jobs))
    view = build_views.urd_session(project.resolver, log, item, slice(slot.start, slot.start + slot.size)) | {
        "earlier": str(timestamps[place - 1]) if place else None,
        "later": str(timestamps[place + 1]) if place + 1 < len(timestamps) else None,
        "results": _results(project, item),
        **slot.to_view(),
    }
    return Page("urd_session.html", f"Urd {path}/{timestamp}", view, {"slot": slot})


def _results(project: ShownProject, item: Item) -> list[str]:
    """Return the result links that lead to a job of a session."""
    runs = {entry.run for entry in item.jobs}
    return [name for name, result in project.results.entries().items() if result.run in runs]
