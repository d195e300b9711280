"""What holds of every page of the board, in a real browser."""

from collections.abc import Iterator
from importlib.resources import files

import pytest

from tests.porcelain.board.boards import RunningBoard
from tests.porcelain.board.walker import walk

# what axe finds of these weights is mended
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module", params=["flights_board", "many_jobs"])
def any_board(request: pytest.FixtureRequest) -> RunningBoard:
    """The board of the flights example, and that of a project of 5,000 jobs."""
    board: RunningBoard = request.getfixturevalue(request.param)
    return board


@pytest.fixture(scope="module")
def pages(any_board: RunningBoard) -> dict[str, list[str]]:
    """The pages that links lead to, by their kind."""
    return walk(any_board, "/", "/search?q=de", "/last_error", "/compare?a=dev-2&b=dev-4")


@pytest.fixture(scope="module")
def firsts(pages: dict[str, list[str]]) -> list[str]:
    """One page of each kind, as links first lead to it: the same with other parameters looks alike."""
    return [found[0] for kind, found in pages.items() if kind.count("/") == 1 or kind == "compare//a/b"]


@pytest.fixture(scope="module")
def window(chromium) -> Iterator:
    """A window of a phone's width; what pages log as errors is in its `errors`."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.errors = []
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()


def test_links_lead_to_every_kind_of_page(pages):
    wanted = {
        "",
        "job",
        "jobs",
        "last_error",
        "live",
        "method",
        "methods",
        "search",
        "store",
        "urd",
        "workdirs",
    }
    assert {kind.partition("/")[0] for kind in pages} >= wanted | {
        "builds",
        "holders",
        "file",
        "dataset",
        "rows",
        "compare",
        "result",
    }


def test_no_page_logs_an_error_nor_is_wider_than_a_phone(any_board, window, firsts):
    window.errors.clear()
    for address in firsts:
        window.goto(any_board.url + address)
        wide = window.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (address, wide)
    assert window.errors == []


@pytest.mark.slow  # half a second a page
def test_every_page_can_be_read_by_all_in_light_and_dark(any_board, window, firsts):
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    found = {}
    for address in firsts:
        window.goto(any_board.url + address)
        window.evaluate(axe)
        for scheme in ("light", "dark"):
            window.emulate_media(color_scheme=scheme)
            violations = window.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
            for each in violations:
                if each["impact"] in SERIOUS:
                    found[address, scheme, each["id"]] = each["nodes"][0]["html"][:200]
    assert found == {}


def test_tab_leads_to_the_content_first_and_shows_where_it_is(flights_board, window):
    window.goto(f"{flights_board.url}/jobs")
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.className") == "skip"
    window.keyboard.press("Tab")
    assert window.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
