"""How addresses become pages."""

from tests.porcelain.board.boards import JSON


def test_a_page_is_json_at_the_same_address(flights_board):
    answer = flights_board.ask("/jobs", JSON)
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json["jobs"]) == 13
    assert answer.headers["vary"] == "Accept"


def test_what_is_not_there_is_404_and_says_so(flights_board):
    page, structure = flights_board.ask("/nothing/here"), flights_board.ask("/nothing/here", JSON)
    assert (page.status, structure.status) == (404, 404)
    assert "no page &#39;/nothing/here&#39;" in page.text
    assert structure.json["error"] == "no page '/nothing/here'"


def test_each_page_says_how_long_it_took(flights_board):
    assert flights_board.ask("/jobs").headers["server-timing"].startswith("page;dur=")


def test_jobs_are_seen_in_a_browser(flights_board, browse):
    page = browse(f"{flights_board.url}/jobs")
    assert page.locator("table.list tbody tr").count() == 13


def test_what_is_wrong_is_told_on_one_line_whatever_was_asked_for(flights_board):
    for path in (
        "/job/%0A%E2%80%AE",
        "/result/a%0Ab",
        f"/job/{'x' * 9_000}",
        "/urd/%0D%0A/x",
        "/rows/dev-1/%0A",
    ):
        answer = flights_board.ask(path, JSON)
        assert answer.status == 404
        error = answer.json["error"]
        assert error.isprintable(), path
        assert len(error) <= 1_001
