"""The pages of a job in a real browser."""

import pytest

from tests.porcelain.board.boards import RunningBoard
from tests.porcelain.conftest import Project

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture(scope="module")
def odd_board(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("odd"))
    project.job(
        "make",
        options={HOSTILE: HOSTILE, "long": HOSTILE * 100},
        output={"prepare": HOSTILE.encode(), **{str(n): b"\x1b[31mslice %d" % n for n in range(100)}},
        caption=HOSTILE,
        why=HOSTILE,
    )
    with RunningBoard(project.root) as board:
        yield board


def test_what_takes_long_is_fetched_when_it_is_scrolled_to(flights_board, browse):
    page = browse(f"{flights_board.url}/job/delays")
    why = page.locator("[data-load$='/why']")
    assert why.locator(".waiting").count() == 1
    page.locator("#users").scroll_into_view_if_needed()
    why.get_by_text("would be reused").wait_for()
    page.locator("[data-load$='/users']").get_by_role("link", name="plot_delays").wait_for()
    page.locator("[data-load$='/graph'] svg a").first.wait_for()


def test_a_command_is_copied(flights_board, browse):
    page = browse(f"{flights_board.url}/job/delays", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="copy 'acc job dev-12'").click()
    page.get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "acc job dev-12"


def test_a_job_is_readable_on_a_telephone(flights_board, browse):
    page = browse(f"{flights_board.url}/job/csvimport/source", viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{flights_board.url}/job/delays")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_one_slice_of_many_is_shown_when_it_is_opened(odd_board, browse):
    page = browse(f"{odd_board.url}/job/make/output")
    page.locator("#output-slices > summary").click()
    page.locator("#output-77 > summary").click()
    shown = page.locator("#output-77 .a-f1")
    shown.wait_for()
    assert shown.text_content() == "slice 77"


def test_nothing_that_a_job_says_runs(odd_board, browse):
    page = browse("about:blank")
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.dismiss()))
    for part in ("", "/output", "/output?part=prepare", "/source", "/why", "/users"):
        page.goto(f"{odd_board.url}/job/make{part}")
        assert page.locator("main img, main script").count() == 0
    assert dialogs == []
