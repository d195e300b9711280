"""Why a job ran, and whether a build would reuse it now."""

from contextlib import closing

from porcelain.board.drawing.code import differing
from porcelain.board.opened import ShownProject, describing_executor
from porcelain.board.page import Asked, Page
from porcelain.config import Config
from porcelain.project import Project
from porcelain.views import explanations

_ANCESTORS_AT_MOST = 20


def why(project: ShownProject, asked: Asked) -> Page:
    """Show why a job ran, and what a build would do now."""
    row = project.resolver.job(asked.names["spec"])
    with closing(_apart(project.config)) as now:
        view = explanations.of_job(now.store, now.explainer, row, at_most=_ANCESTORS_AT_MOST)
    view["fate"] = explanations.fate(view)
    return Page("job_why.html", f"why {row.label}", view, {"differing": differing})


def _apart(config: Config) -> Project:
    return Project(_without_builds_elsewhere(config), executor=describing_executor())


def _without_builds_elsewhere(config: Config) -> Config:
    """Return the configuration without what asks remotes: who looks at a page shall not wait for them."""
    remotes = {name: remote._replace(read=False, write=False) for name, remote in config.remotes.items()}
    return config._replace(remotes=remotes)
