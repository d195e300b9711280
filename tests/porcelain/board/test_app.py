"""How addresses become pages."""

import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import anyio
import pytest

from porcelain import config
from porcelain.board.app import make_app
from porcelain.board.opened import ShownProject
from porcelain.board.page import Page
from tests.porcelain.board.boards import HTML, JSON, RunningBoard


@pytest.fixture
def serve(project):
    """A function that answers requests with pages of its own: paths and kinds to a list of statuses and bodies."""
    with ShownProject(config.load(project.root)) as shown:

        def answer(pages, *asked, slow=None, then=None, ending=None):
            app = make_app(shown, ending or Event(), [*pages.items()], slow or {})
            # in a thread of its own: where a browser is driven a loop runs
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(anyio.run, _all, app, asked, then or (lambda _: None)).result()

        yield answer


async def _all(app, asked, then):
    found = {}
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for number, (path, accept) in enumerate(asked):
                group.start_soon(
                    _ask, app, (path, accept), lambda got, n=number: (found.update({n: got}), then(got))
                )
    return [found[number] for number in range(len(asked))]


async def _ask(app, asked, told):
    path, _, query = asked[0].partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"accept", asked[1].encode())],
    }
    got = {"status": 0, "body": b""}

    async def send(message):
        got["status"] = message.get("status", got["status"])
        got["body"] += message.get("body", b"")
        if not message.get("more_body", message["type"].endswith("start")) or message.get(
            "body", b""
        ).startswith(b"event"):
            told(got)

    await app(scope, anyio.sleep_forever, send)


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


# -- what is our bug -------------------------------------------------------------------------------------------


def shows_nothing(project, asked):
    raise ZeroDivisionError("in the page")


def lacks_what_its_template_names(project, asked):
    return Page("jobs.html", "lacking", {}, live=True)


def is_no_json(project, asked):
    return Page("error.html", "odd", {"error": float("nan"), "hint": None})


@pytest.mark.parametrize(
    ("page", "accept"),
    [(shows_nothing, HTML), (shows_nothing, JSON), (lacks_what_its_template_names, HTML), (is_no_json, JSON)],
)
def test_a_page_that_fails_says_so_and_where_is_logged(serve, caplog, page, accept):
    ((answer),) = serve({"/it": page}, ("/it", accept))
    assert answer["status"] == 500
    assert b"bug of acc" in answer["body"]
    (record,) = caplog.records
    assert (record.levelno, record.exc_info is not None) == (logging.ERROR, True)


def test_a_page_that_fails_while_it_is_followed_says_so_once(serve, caplog):
    ending = Event()
    ((answer),) = serve(
        {"/it": lacks_what_its_template_names},
        ("/watch?page=/it", HTML),
        ending=ending,
        then=lambda _: ending.set(),
    )
    shown = json.loads(answer["body"].partition(b"data: ")[2])
    assert "bug of acc" in shown
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1


# -- threads ---------------------------------------------------------------------------------------------------


def test_slow_pages_do_not_keep_others_waiting(serve):
    go_on = Event()

    def slow(project, asked):
        assert go_on.wait(20)
        return Page("error.html", "slow", {"error": "slow", "hint": None})

    def quick(project, asked):
        go_on.set()
        return Page("error.html", "quick", {"error": "quick", "hint": None})

    # more than there are threads
    asked = [("/slow", JSON)] * 60 + [("/quick", JSON)]
    answers = serve({"/slow": slow, "/quick": quick}, *asked, slow={slow: 2})
    assert {answer["status"] for answer in answers} == {200}
