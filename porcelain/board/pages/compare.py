"""Two jobs, files or datasets side by side: what `acc diff` tells."""

from pathlib import PurePosixPath
from typing import Final

from markupsafe import Markup

from jobs.comparison.outcomes import UNFINISHED, Patience
from jobs.nodes.listing import JobRow
from porcelain.board.drawing.code import differing
from porcelain.board.drawing.names import typed
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.board.tables.finding import late_after
from porcelain.spec import Target
from porcelain.views import job_views, sidebyside
from porcelain.views.plain import View

PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp")
_NEIGHBOURS: Final = 6
# what differs of one subject; browsers are slow with more than some thousand lines
_LINES: Final = 2_000
_SHOWN: Final = 200
# what takes longer, or is larger, the command compares
_PATIENCE_SECONDS: Final = 1.5
_VALUE_BYTES: Final = 64 << 10


def compare(project: ShownProject, asked: Asked) -> Page:
    """Show what differs between two jobs, files or datasets; or, when less than two are named, a form for that.

    What came of jobs may take long to compare: as HTML it is a page of its own, which this one fetches.
    """
    before, after = _named(asked)
    view: View = {
        "a": before or None,
        "b": after or None,
        "neighbours": _neighbours(project, before or after),
        "equal": None,
        "times": None,
    }
    if not (before and after):
        return Page("compare.html", "Compare", view, {"given": [], "printed": [], "has_parts": False})
    targets = project.resolver.resolve(before), project.resolver.resolve(after)
    title = f"{before} → {after}"
    if _are_parts(targets):
        if asked.wants_json:
            view |= sidebyside.parts(project.resolver, *targets, _patience())
        return Page("compare.html", title, view, {"given": [], "printed": [], "has_parts": True})
    old, new = _jobs(project, asked)
    found = (
        sidebyside.jobs(project.resolver, old, new, _patience())
        if asked.wants_json
        else sidebyside.jobs_but_outcomes(project.resolver, old, new, _patience())
    )
    drawn = {
        "has_parts": False,
        "given": [(each, _drawn(each["detail"])) for each in found["given"][:_SHOWN]],
        "printed": [(each["part"], _drawn(each["detail"])) for each in found["output"][:_SHOWN]],
    }
    return Page("compare.html", title, view | found, drawn)


def outcomes(project: ShownProject, asked: Asked) -> Page:
    """Show what differs of the files and datasets of two jobs, or of two files or datasets of jobs."""
    before, after = _named(asked)
    patience = _patience()
    targets = project.resolver.resolve(before), project.resolver.resolve(after)
    if _are_parts(targets):
        found = sidebyside.parts(project.resolver, *targets, patience)
        names = (targets[0].name, targets[1].name)
        labels = _label(targets[0]), _label(targets[1])
    else:
        old, new = _jobs(project, asked)
        came_out = sidebyside.came_out(project.resolver, old, new, patience)
        found = {"before": old.label, "after": new.label, "equal": not came_out, "came_out": came_out}
        names, labels = None, (old.label, new.label)
    drawn = {
        "parts": [
            {
                "found": each,
                "diff": _drawn(each.get("detail", [])),
                "names": names or (each["name"], each["name"]),
                "is_picture": _is_picture(each["name"]),
                "left_out": max(0, len(each.get("differences", ())) - _SHOWN),
            }
            for each in found["came_out"][:_SHOWN]
        ],
        "labels": labels,
        "shown": _SHOWN,
        "is_unfinished": any(map(_is_unfinished, found["came_out"])),
        "command": f"acc diff {typed(before)} {typed(after)}",
    }
    return Page("compare_outcomes.html", f"{before} → {after}", found, drawn)


def _patience() -> Patience:
    return Patience(late_after(_PATIENCE_SECONDS), _VALUE_BYTES)


def _named(asked: Asked) -> tuple[str, str]:
    return asked.text("a").strip(), asked.text("b").strip()


def _jobs(project: ShownProject, asked: Asked) -> tuple[JobRow, JobRow]:
    before, after = _named(asked)
    return project.resolver.job(before), project.resolver.job(after)


def _are_parts(targets: tuple[Target, Target]) -> bool:
    return bool({target.kind for target in targets} & {"file", "dataset"})


def _label(target: Target) -> str:
    return target.row.label if target.row else ""


def _neighbours(project: ShownProject, spec: str) -> list[View]:
    """Return jobs of the same method that ended just before a job or after it, newest first, to be chosen from."""
    row = project.resolver.find_job(spec) if spec else None
    if row is None:
        return []
    later = project.index.neighbours(row, later=True, limit=_NEIGHBOURS)
    earlier = project.index.neighbours(row, later=False, limit=_NEIGHBOURS)
    return job_views.log(project.resolver, [*reversed(later), row, *earlier])


def _is_unfinished(found: View) -> bool:
    return UNFINISHED in (found["what"], *(each["what"] for each in found.get("differences", ())))


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURES


def _drawn(lines: list[str]) -> Markup | None:
    """Return lines about a difference, or a diff, as HTML; None when there are none."""
    if not lines:
        return None
    more = len(lines) - _LINES
    return differing([*lines[:_LINES], *([f"... and {more:,} lines more"] if more > 0 else [])])
