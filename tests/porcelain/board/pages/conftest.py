"""Pages that are asked as functions, of a project that a test makes by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from porcelain import config
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked


@pytest.fixture
def shown_project(project) -> Iterator[ShownProject]:
    """The project as the board has it."""
    with ShownProject(config.load(project.root)) as found:
        yield found


@pytest.fixture
def ask(shown_project) -> Callable[..., Any]:
    """A function that calls a page with what its path names, and with parameters and headers."""

    def run(
        page: Callable[..., Any], *, headers: Any = None, only_head: bool = False, query: Any = None, **names
    ):
        asked = Asked("/", names, query or {}, headers=headers or {}, only_head=only_head)
        return page(shown_project, asked)

    return run
