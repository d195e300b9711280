"""The list of jobs."""

from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.views import job_views

_PAGE_ROWS = 50


def jobs(project: ShownProject, asked: Asked) -> Page:
    """Show the jobs of the project, newest first."""
    rows = project.index.rows(_PAGE_ROWS, method=asked.text("method") or None)
    return Page("jobs.html", "Jobs", {"jobs": job_views.log(project.resolver, rows)}, live=True)
