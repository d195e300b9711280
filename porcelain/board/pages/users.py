"""Which other jobs have to do with one: those that were given it, and those that hold the same."""

from typing import Final

from porcelain.board.catalogue.uses import MOST_SHARING
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, Slot
from porcelain.board.pages.jobs import find_row
from porcelain.board.using import users_of
from porcelain.views import job_views
from porcelain.views.plain import View

_PAGE_ROWS: Final = 50


def users(project: ShownProject, asked: Asked) -> Page:
    """Show which jobs were given a job, or wanted it as a subjob."""
    row = project.resolver.job(asked.names["spec"])
    number = asked.number("page", 1)
    found = users_of(project, row, (number - 1) * _PAGE_ROWS, _PAGE_ROWS)
    slot = Slot(number, _PAGE_ROWS, found.total)
    view = {
        "label": row.label,
        "method": row.method,
        "state": row.state,
        "caption": row.caption,
        "all": found.is_all,
        "jobs": [job_views.row(user.row) | {"how": user.how} for user in found.users],
        **slot.to_view(),
    }
    return Page("job_users.html", f"what used {row.label}", view, {"slot": slot})


def shared(project: ShownProject, asked: Asked) -> Page:
    """Show which jobs hold objects that a job holds too, those with most bytes first."""
    row = project.resolver.job(asked.names["spec"])
    found = project.catalogue.uses.sharing(row.run, _PAGE_ROWS)
    jobs: list[View] = []
    for sharer in found.sharers if found else ():
        other = find_row(project, sharer.workdir, sharer.number)
        if other is not None:
            jobs.append(job_views.row(other) | {"objects": sharer.objects, "shared": sharer.sizes._asdict()})
    view = {
        "label": row.label,
        "method": row.method,
        "state": row.state,
        "caption": row.caption,
        "jobs": jobs,
        "total": found.jobs if found else None,
        "all": found.is_whole if found else False,
        "common": found.many if found else None,
    }
    return Page("job_shared.html", f"what shares with {row.label}", view, {"common_jobs": MOST_SHARING})
