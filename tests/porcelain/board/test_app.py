"""How addresses become pages."""

import socket

from tests.porcelain.board.boards import JSON, RunningBoard


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


def test_a_project_that_was_moved_is_said_to_be_that_and_not_made_again(project):
    project.job("make", files={"a.txt": b"a"})
    data = project.root / ".acc"
    with RunningBoard(project.root) as board:
        assert board.ask("/job/dev-1").status == 200
        data.rename(project.root / "elsewhere")
        for path in ("/", "/jobs", "/job/dev-1/why", "/raw/dev-1/a.txt", "/live"):
            answer = board.ask(path, JSON)
            assert (answer.status, "has been moved" in answer.json["error"]) == (500, True), path
        assert not data.exists()
        # what somebody makes there is another project
        data.mkdir()
        assert board.ask("/jobs").status == 500
        data.rename(project.root / "other")
        (project.root / "elsewhere").rename(data)
        assert board.ask("/job/dev-1").status == 200


def test_a_remote_that_nobody_has_looked_at_is_not_asked_by_a_page(project):
    toml = project.root / "acc.toml"
    # it takes connections, and never answers
    with socket.create_server(("127.0.0.1", 0)) as silent:
        toml.write_text(
            f'{toml.read_text()}[remotes.far]\nurl = "http://127.0.0.1:{silent.getsockname()[1]}/x"\n'
        )
        with RunningBoard(project.root) as board:
            answer = board.ask("/job/dev-1@far", JSON)
            assert (answer.status, "nobody has looked at remote 'far'" in answer.json["error"]) == (404, True)
            assert board.ask("/job/dev-1@nosuch").status == 404
