"""Projects with a board, and a real browser that looks at them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cas.files import lock_file
from porcelain import config
from porcelain.board.opened import ShownProject
from tests.porcelain.board.boards import RunningBoard
from tests.porcelain.board.browsers import CHROMIUM, launched
from tests.porcelain.board.filled import wait_until_filled
from tests.porcelain.board.flightsproject import build_flights
from tests.porcelain.board.manyjobs import ManyJobs


def _made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a project that is made by the first of the processes among which pytest deals its tests."""
    base = factory.getbasetemp()
    # each of them has a folder of its own in one that they share
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"one-{name}"
    root.mkdir(exist_ok=True)
    made = root / "made"
    with lock_file(root / "lock"):
        if not made.exists():
            make(root / name)
            made.touch()
    return root / name


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flights example, built."""
    return _made_once(tmp_path_factory, "flights", build_flights)


@pytest.fixture(scope="session")
def flights_board(flights: Path) -> Iterator[RunningBoard]:
    """The board of the flights example, which nobody changes."""
    with RunningBoard(flights) as board:
        yield board


@pytest.fixture
def board(project: Any) -> Iterator[RunningBoard]:
    """The board of the project that a test makes by hand."""
    with RunningBoard(project.root) as running:
        yield running


@pytest.fixture
def shown(project: Any) -> Iterator[ShownProject]:
    """The project that a test makes by hand, as the board opens it: what page functions are called with."""
    with ShownProject(config.load(project.root)) as found:
        yield found


@pytest.fixture(scope="session")
def many_jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBoard]:
    """The board of a project of 5,000 jobs, which nobody changes; its catalogue is filled."""

    def make(root: Path) -> None:
        root.mkdir()
        ManyJobs(root).make(5_000)

    with RunningBoard(_made_once(tmp_path_factory, "many", make)) as board:
        wait_until_filled(lambda: board.json("/store"))
        yield board


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's browser, started once."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with launched() as browser:
        yield browser


@pytest.fixture
def browse(chromium: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens a page in a window of its own; what a page logs as an error fails the test."""
    contexts, errors = [], list[str]()

    def open_page(url: str, **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    open_page.errors = errors  # type: ignore[attr-defined]  # for tests that expect some
    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
