"""The list of jobs: chosen, sorted, a page at a time."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from cas.errors import AccError
from jobs.nodes.listing import JobRow
from porcelain.board import addresses
from porcelain.board.catalogue.listed import SORTS, Choice, Listed
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.views import job_views
from porcelain.views.plain import View

_PAGE_ROWS: Final = 50
_STATES: Final = ("", "done", "failed")
_ORDERS: Final = ("", "up", "down")
# methods that the search field offers
_MOST_METHODS: Final = 300


class Head(NamedTuple):
    """The head of a column that the list can be sorted by: where a click on it leads, and how it is sorted now."""

    title: str
    address: str
    sorted: str


def jobs(project: ShownProject, asked: Asked) -> Page:
    """Show the jobs of the project, newest first or as they were chosen and sorted."""
    choice = Choice(
        asked.text("workdir"), asked.text("method"), asked.one_of("state", _STATES, ""), asked.text("text")
    )
    sort = asked.one_of("sort", tuple(SORTS), "ended")
    order = asked.one_of("order", _ORDERS, "")
    descending = SORTS[sort].largest_first if not order else order == "down"
    listed = project.catalogue.jobs
    project.catalogue.catch_up()
    progress = project.catalogue.progress()
    total = progress.listed if choice == Choice() else listed.count(choice)
    slot = Slot(asked.number("page", 1), _PAGE_ROWS, total)
    found = listed.page(choice, sort, descending=descending, start=slot.start, limit=slot.size)
    view = {
        "jobs": [*job_lines(project, found)],
        **slot.to_view(),
        "sort": sort,
        "order": "down" if descending else "up",
        "chosen": {name: value or None for name, value in choice._asdict().items()},
        "states": listed.most_used("state", 10),
        "workdirs": listed.most_used("workdir", 100),
        "methods": listed.most_used("method", _MOST_METHODS),
        "read": progress.read,
        "listed": progress.listed,
    }
    drawn = {"slot": slot, "heads": _heads(asked, sort, descending=descending), "progress": progress}
    return Page("jobs.html", "Jobs", view, drawn, live=True)


def job_lines(project: ShownProject, found: Iterable[Listed]) -> Iterable[View]:
    """Yield the lines of jobs that the catalogue names; one that has gone meanwhile is left out."""
    for each in found:
        row = find_row(project, each.workdir, each.number)
        if row is not None:
            yield job_views.row(row) | {"size": size_view(each)}


def find_row(project: ShownProject, workdir: str, number: int) -> JobRow | None:
    """Return the row of a job that the catalogue names; None when it has gone, or is damaged."""
    with suppress(AccError):
        return project.index.find(workdir, number)
    return None


def size_view(listed: Listed) -> View | None:
    """Return what a job takes, None when that is not known yet."""
    if listed.raw_bytes is None:
        return None
    return {"raw_bytes": listed.raw_bytes, "stored_bytes": listed.stored_bytes}


def _heads(asked: Asked, sort: str, *, descending: bool) -> Mapping[str, Head]:
    titles = {"job": "job", "method": "method", "ended": "ended", "seconds": "seconds", "size": "size"}
    heads = {}
    for name, title in titles.items():
        is_sorted = name == sort
        # the first click sorts as one mostly wants it, the second the other way round
        down = not descending if is_sorted else SORTS[name].largest_first
        address = addresses.with_query(
            asked.path, asked.query, sort=name, order="down" if down else "up", page=None
        )
        heads[name] = Head(
            title, address, ("descending" if descending else "ascending") if is_sorted else "none"
        )
    return heads
