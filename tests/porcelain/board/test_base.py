"""What every page has: keys, times, links to the others."""

import re
from datetime import UTC, datetime, timedelta

from tests.porcelain.board.boards import RunningBoard

CELLS = "[...document.querySelectorAll('tbody td')]"


def test_letters_lead_to_pages_and_a_question_mark_lists_them(flights_board: RunningBoard, browse):
    page = browse(f"{flights_board.url}/jobs")
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.get_by_role("heading", name="Store").wait_for()
    page.get_by_role("button", name="keys").wait_for()

    # what is typed into a field is text
    page.keyboard.press("/")
    page.keyboard.type("?gj")
    assert page.locator(".find input").input_value() == "?gj"
    assert page.url.endswith("/store")


def test_brackets_turn_the_pages_of_a_list(flights_board: RunningBoard, browse):
    page = browse(f"{flights_board.url}/rows/add_airline/default")
    page.keyboard.press("]")
    page.wait_for_url("**page=2")
    page.keyboard.press("[")
    page.wait_for_url("**/default")


def test_lists_say_how_long_ago_and_details_also_when(flights_board: RunningBoard, browse):
    page = browse("about:blank")
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=3, minutes=10))
    page.goto(f"{flights_board.url}/jobs")
    time = page.locator("tbody time").first
    assert time.text_content() == "3 h ago"
    moment = time.get_attribute("title")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", moment)

    page.goto(f"{flights_board.url}/job/plot_delays")
    assert page.locator(".strip time").text_content() == f"{moment} · 3 h ago"
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=30))
    page.reload()
    assert page.locator(".strip time").text_content() == moment


def test_without_scripts_times_are_moments_and_no_button_is_there_that_does_nothing(flights_board, browse):
    page = browse(f"{flights_board.url}/jobs", java_script_enabled=False)
    time = page.locator("tbody time").first
    assert time.text_content() == time.get_attribute("title")
    assert page.locator("header button:visible").count() == 0


def test_the_bar_on_top_says_where_one_is(flights_board: RunningBoard):
    for path, name in (
        ("/job/delays", "Jobs"),
        ("/result/delays.png", "Results"),
        ("/method/delays", "Methods"),
    ):
        assert f'aria-current="true">{name}</a>' in flights_board.html(path)
    assert 'aria-current="page">Jobs</a>' in flights_board.html("/jobs")


def test_on_a_phone_all_of_a_row_is_in_sight(flights_board: RunningBoard, browse):
    page = browse(f"{flights_board.url}/jobs", viewport={"width": 390, "height": 844})
    assert page.evaluate(f"Math.max(...{CELLS}.map((each) => each.getBoundingClientRect().right))") <= 390
    page.get_by_role("link", name="seconds").click()
    page.wait_for_url("**sort=seconds**")
    page.goto(f"{flights_board.url}/methods")
    # what only who listens is told lies within what scrolls, and makes no page wider
    unseen = "[...document.querySelectorAll('.scroll .unseen')]"
    assert page.evaluate(f"{unseen}.map((each) => each.offsetParent.className)") == ["scroll"]
