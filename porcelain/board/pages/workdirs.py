"""The workdirs of the project."""

from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.views import job_views
from porcelain.views.plain import View


def workdirs(project: ShownProject, asked: Asked) -> Page:
    """Show the workdirs: where each is, its jobs, and how many labels are of no job."""
    del asked
    view: View = {"workdirs": [_with_labels(project, each) for each in job_views.workdirs(project.resolver)]}
    return Page("workdirs.html", "Workdirs", view)


def _with_labels(project: ShownProject, workdir: View) -> View:
    last = project.index.last_number(workdir["name"])
    newest = next(iter(project.index.rows(1, workdir=workdir["name"])), None)
    return workdir | {
        "last_ended": newest and job_views.row(newest)["ended"],
        "last_number": last,
        "unused_labels": max(0, last - workdir["jobs"]),
    }
