"""Who may ask the board, and what."""

import pytest

from tests.porcelain.board.boards import RunningBoard


def test_a_page_elsewhere_cannot_read_the_board_by_a_name_of_its_own(flights_board):
    answer = flights_board.ask("/jobs", headers={"Host": "evil.example:8520"})
    assert (answer.status, b"dev-1" in answer.body) == (421, False)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8520", "127.0.0.1:8520", "[::1]:8520"])
def test_the_names_of_this_machine_are_its_own(flights_board, host):
    assert flights_board.ask("/jobs", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "localhost:1:2", "[::1"]
)
def test_what_only_looks_like_them_is_not(flights_board, host):
    assert flights_board.ask("/jobs", headers={"Host": host}).status == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_writes(flights_board, method):
    assert flights_board.ask("/jobs", method=method).status == 405


def test_no_page_runs_what_is_written_in_it(flights_board):
    policy = flights_board.ask("/jobs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_beyond_this_machine_a_token_is_wanted(flights):
    with RunningBoard(flights, listen="0.0.0.0:0") as board:
        port = board.url.rsplit(":", 1)[1]
        board.url = f"http://127.0.0.1:{port}"
        token = board.printed.split("token=")[1]
        assert board.ask("/jobs").status == 403
        assert board.ask("/jobs?token=wrong").status == 403
        assert board.ask("/static/board.css").status == 403
        cookie = board.ask(f"/jobs?token={token}&sort=method")
        assert (cookie.status, cookie.headers["location"]) == (303, "/jobs?sort=method")
        assert "httponly" in cookie.headers["set-cookie"].lower()
        known = {"Cookie": cookie.headers["set-cookie"].split(";")[0]}
        assert board.ask("/jobs", headers=known).status == 200
        assert board.ask("/jobs", headers={"Authorization": f"Bearer {token}"}).status == 200
        # who knows the token is not led elsewhere by it
        assert board.ask(f"//evil.example/?token={token}").headers["location"].startswith("/evil")


def test_a_token_is_not_in_what_the_page_shows(flights):
    with RunningBoard(flights, "--token") as board:
        assert board.ask("/jobs").status == 403
        token = board.printed.split("token=")[1]
        assert token not in board.ask("/jobs", headers={"Authorization": f"Bearer {token}"}).text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("mode", "where"),
    [
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("no-cors", "empty"),
        ("navigate", "iframe"),
        ("cors", "empty"),
    ],
)
def test_a_page_elsewhere_is_not_even_made_to_wait(flights_board, site, mode, where):
    asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": where}
    answer = flights_board.ask("/search?q=delay", headers=asked)
    assert (answer.status, "server-timing" in answer.headers) == (403, False)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_a_link_elsewhere_may_lead_to_the_board(flights_board, site):
    asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert flights_board.ask("/jobs", headers=asked).status == 200


def test_cookies_of_others_on_this_machine_do_not_shut_anybody_out(flights):
    with RunningBoard(flights, "--token") as board:
        token = board.printed.split("token=")[1]
        name = board.ask(f"/?token={token}").headers["set-cookie"].partition("=")[0]
        # browsers send what is kept for a host to all of its ports
        assert name.endswith(board.url.rpartition(":")[2])
        known = {"Cookie": f'settings={{"a": [1, "x"]}}; two words=1; {name}={token}'}
        assert board.ask("/jobs", headers=known).status == 200
