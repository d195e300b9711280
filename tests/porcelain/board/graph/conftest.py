"""A project as the board has it, without a server."""

from collections.abc import Iterator
from typing import Any

import pytest

from porcelain import config
from porcelain.board.opened import ShownProject


@pytest.fixture
def shown_project(project: Any) -> Iterator[ShownProject]:
    """The project of a test, as the board has it."""
    with ShownProject(config.load(project.root)) as found:
        yield found
