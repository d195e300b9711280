"""Pages of a project that a test makes by hand, without a server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from porcelain import config
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.board.rendering import to_html


class Shown:
    """What a page function answers, and the HTML that this becomes."""

    def __init__(self, page: Page, asked: Asked) -> None:
        self.page = page
        self.view = page.view
        self.drawn = page.drawn
        self.html = to_html(page, asked, "project")


@pytest.fixture
def shown_project(project: Any) -> Iterator[ShownProject]:
    """The project of a test, as the board has it."""
    with ShownProject(config.load(project.root)) as found:
        yield found


@pytest.fixture
def look(shown_project: ShownProject) -> Callable[..., Shown]:
    """A function that shows a page: `look(job.job, "dev-1", part="3")`."""

    def show(page: Callable[..., Any], spec: str, /, **query: str) -> Shown:
        asked = Asked("/here", {"spec": spec}, query)
        return Shown(page(shown_project, asked), asked)

    return show
