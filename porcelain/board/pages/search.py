"""What is found for a text: jobs, and whatever else has a name."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from cas.errors import AccError
from porcelain.board import addresses
from porcelain.board.catalogue.query import Part
from porcelain.board.catalogue.search import Fit, FoundJob, Search
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.board.pages.jobs import find_row
from porcelain.views import job_views
from porcelain.views.plain import View

_PAGE_ROWS: Final = 25
# of what is not jobs, so many of a kind are named; of one kind alone, more
_FEW: Final = 6
_MANY: Final = 200
_KINDS: Final = ("", "job", "method", "result", "build", "urd list")


def search(project: ShownProject, asked: Asked) -> Page:
    """Show what is found: all kinds, or one of them."""
    text = asked.text("q")
    kind = asked.one_of("kind", _KINDS, "")
    project.catalogue.catch_up()
    found = project.catalogue.search(text)
    progress = project.catalogue.progress()
    total = found.count() if kind in ("", "job") else 0
    slot = Slot(asked.number("page", 1), _PAGE_ROWS, total)
    groups = []
    # the rest is told on the first page only
    if slot.number == 1 and kind != "job":
        groups = [*_groups(project, found, kind)]
    view = {
        "text": text,
        "words": found.words,
        "kind": kind or None,
        "groups": groups,
        "jobs": [*_job_lines(project, found.jobs(slot.start, slot.size) if total else ())],
        **slot.to_view(),
        "more": bool(total) and found.has_more(),
        "read": progress.read,
        "listed": progress.listed,
    }
    return Page("search.html", text or "Search", view, {"slot": slot, "progress": progress})


def _groups(project: ShownProject, found: Search, kind: str) -> Iterator[View]:
    """Yield what is found besides jobs, a group a kind."""
    limit = _MANY if kind else _FEW
    if kind in ("", "method"):
        names = _methods(project, found)
        lines = [_line(addresses.method(name), found.parts(name)) for name in names[:limit]]
        if lines:
            yield {"kind": "method", "title": "Methods", "total": len(names), "found": lines}
    for each, title, address in (
        ("result", "Results", addresses.result),
        ("build", "Builds", addresses.build),
        ("urd list", "Urd lists", addresses.urd),
    ):
        if kind in ("", each):
            things, total = found.things(each, limit)
            lines = [_line(address(thing.called), thing.name, thing.text) for thing in things]
            if lines:
                yield {"kind": each, "title": title, "total": total, "found": lines}


def _methods(project: ShownProject, found: Search) -> list[str]:
    """Return the methods that have all words in their names, those that run and those that never did."""
    names = set(project.catalogue.jobs.most_used("method", _MANY))
    with suppress(AccError):  # a package of methods that is none: those that ran are known all the same
        names.update(method.name for method in project.catalog.names())
    return sorted((name for name in names if found.fits(name)), key=lambda name: (len(name), name))


def _line(address: str, name: Sequence[Part], text: Sequence[Part] = ()) -> View:
    return {"address": address, "name": _parts(name), "text": _parts(text)}


def _job_lines(project: ShownProject, found: Sequence[FoundJob]) -> Iterator[View]:
    for each in found:
        row = find_row(project, each.workdir, each.number)
        if row is not None:
            fits = [_fit(row.label, fit) for fit in each.fits]
            yield job_views.row(row) | {"found": fits}


def _fit(label: str, fit: Fit) -> View:
    address = addresses.job(label)
    if fit.kind == "file":
        address = addresses.file(label, fit.text)
    elif fit.kind in ("dataset", "column"):
        address = addresses.dataset(f"{label}/{fit.dataset}" if fit.dataset else label)
    return {"kind": fit.kind, "parts": _parts(fit.parts), "address": address}


def _parts(parts: Sequence[Part]) -> list[View]:
    return [part._asdict() for part in parts]
