"""Pages that are asked as functions, of a project that a test makes by hand."""

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
    """The project as the board has it."""
    with ShownProject(config.load(project.root)) as found:
        yield found


@pytest.fixture
def ask(shown_project: ShownProject) -> Callable[..., Any]:
    """A function that calls a page with what its path names, and with parameters and headers."""

    def run(
        page: Callable[..., Any], *, headers: Any = None, only_head: bool = False, query: Any = None, **names
    ):
        asked = Asked("/", names, query or {}, headers=headers or {}, only_head=only_head)
        return page(shown_project, asked)

    return run


@pytest.fixture
def look(shown_project: ShownProject) -> Callable[..., Shown]:
    """A function that shows a page of a job as HTML too: `look(outputs.output, "dev-1", part="3")`."""

    def show(page: Callable[..., Any], spec: str, /, **query: str) -> Shown:
        asked = Asked("/here", {"spec": spec}, query)
        return Shown(page(shown_project, asked), asked)

    return show


@pytest.fixture
def see(shown_project: ShownProject) -> Callable[..., Shown]:
    """A function that shows any page as HTML too: `see(urd.sessions, {"user": "anna", "list": "days"}, page="2")`."""

    def show(page: Callable[..., Any], names: Any = None, /, **query: str) -> Shown:
        asked = Asked("/here", names or {}, query)
        return Shown(page(shown_project, asked), asked)

    return show
