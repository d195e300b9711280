"""Results: what was linked, newest first; and one of them, with all that it was before."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from cas.errors import AccError
from cas.oid import ObjectId
from porcelain.board.content import shown
from porcelain.board.drawing.names import typed
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.views import result_views
from porcelain.views.plain import View
from porcelain.views.result_views import Named

_PAGE_RESULTS: Final = 24


def results(project: ShownProject, asked: Asked) -> Page:
    """Show what was linked, those first that were linked last, with their content."""
    folder = asked.text("folder").strip("/")
    every = result_views.newest(project.resolver)
    chosen = [named for named in every if _is_in(named, folder)]
    slot = Slot(asked.number("page", 1), _PAGE_RESULTS, len(chosen))
    rows = chosen[slot.start : slot.start + slot.size]
    view = {
        "folder": folder,
        "folders": _folders(chosen, folder),
        "results": [_with_content(project, result_views.result(project.resolver, named)) for named in rows],
        "jobs": project.index.count() if not every else None,
        **slot.to_view(),
    }
    return Page("results.html", folder or "Results", view, drawn={"slot": slot}, live=True)


def result(project: ShownProject, asked: Asked) -> Page:
    """Show one result, what it was before, and what to type for it."""
    named = result_views.find(project.resolver, asked.names["name"])
    found = _with_content(project, result_views.result(project.resolver, named))
    view = {
        "result": found,
        "history": result_views.history(project.resolver, named.name),
        "commands": _commands(found),
    }
    return Page("result.html", named.name, view, live=True)


def _is_in(named: Named, folder: str) -> bool:
    return not folder or named.name.startswith(folder + "/")


def _folders(chosen: Iterable[Named], folder: str) -> Sequence[View]:
    """Return the folders in a folder, each with the number of results below it."""
    start = len(folder) + 1 if folder else 0
    below = (named.name[start:].split("/") for named in chosen)
    counts = Counter(parts[0] for parts in below if len(parts) > 1)
    return [
        {"name": name, "path": f"{folder}/{name}" if folder else name, "results": count}
        for name, count in sorted(counts.items())
    ]


def _with_content(project: ShownProject, found: View) -> View:
    """Return a result with where its file is, and the beginning of that when it is here."""
    shown_of_it: View | None = None
    if found["content"] == result_views.STORED:
        try:
            shown_of_it = shown.brief(project.store, ObjectId(found["blob"]), found["file"])
        except AccError as err:
            found |= {"problem": str(err)}
    # the file of a job that is gone is still here by its id
    return found | {"shown": shown_of_it, "spec": found["job"] or f"@{found['blob']}"}


def _commands(found: View) -> Sequence[str]:
    if not found["job"]:
        return []
    spec = typed(f"{found['job']}:{found['file']}")
    return [f"acc job {found['job']}", f"acc show {spec}", f"acc checkout {spec}", f"acc why {found['job']}"]
