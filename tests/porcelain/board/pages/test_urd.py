"""Urd lists in the board."""

import pytest

from cas.formats.node import put_node
from jobs.nodes.result import Result
from jobs.nodes.session import Dependency, ListedRun, Session
from jobs.reuse.urdrefs import place_of, session_ref
from porcelain.board.page import NoSuchPage, WrongQuestion
from porcelain.board.pages import urd
from tests.porcelain.conftest import START

DAYS = {"user": "anna", "list": "days"}
HOSTILE = "<b onclick=alert(1)>"


@pytest.fixture
def finish(project):
    """A function that lists a session of anna's list "days", and returns its object id."""

    def run(timestamp, *rows, name="days", **more):
        jobs = [ListedRun(row.method, row.run) for row in rows]
        session = Session("anna", name, timestamp, jobs, START, **more)
        oid = put_node(project.store, session)
        with project.index.refs.transaction("urd") as transaction:
            transaction.set(session_ref(place_of(session)), oid)
        return oid

    return run


def test_lists_are_shown_by_user(project, finish, see):
    finish("2026-01", project.job("make"))
    finish("2026-02", name="other")
    shown = see(urd.urd)
    assert [each["list"] for each in shown.view["lists"]] == ["anna/days", "anna/other"]
    assert "<h2>anna</h2>" in shown.html
    assert 'href="/urd/anna/days?timestamp=2026-01"' in shown.html


def test_a_project_without_urd_says_how_to_make_a_list(project, see):
    assert "urd.finish" in see(urd.urd).html


def test_sessions_come_newest_first_in_pages(finish, see):
    for day in range(1, 32):
        for month in (1, 3):
            finish(f"2026-{month:02}-{day:02}", caption=HOSTILE)
    shown = see(urd.sessions, DAYS)
    assert shown.view["sessions"][0]["timestamp"] == "2026-03-31"
    assert (len(shown.view["sessions"]), shown.view["total"]) == (50, 62)
    assert see(urd.sessions, DAYS, page="2").view["sessions"][-1]["timestamp"] == "2026-01-01"
    assert HOSTILE not in shown.html


def test_a_session_shows_its_jobs_what_it_depends_on_and_what_came_of_it(project, finish, see):
    row = project.job("make", files={"a.txt": b"a"})
    before = finish("2026-01", row, name="other")
    finish("2026-01", row)
    finish("2026-02", row, caption="the second", deps={"anna/other": Dependency("2026-01", before)})
    finish("2026-03", row)
    blob = project.resolver.outcome(row).files["a.txt"].blob
    with project.index.refs.transaction("link") as transaction:
        transaction.set("results/final.txt", put_node(project.store, Result(row.run, "a.txt", blob)))
    shown = see(urd.sessions, DAYS, timestamp="2026-02")
    view = shown.view
    assert [each["job"] for each in view["jobs"]] == [row.label]
    assert [each["list"] for each in view["deps"]] == ["anna/other"]
    assert (view["earlier"], view["later"], view["results"]) == ("2026-01", "2026-03", ["final.txt"])
    assert 'data-load="/urd/anna/days/graph?timestamp=2026-02"' in shown.html
    assert row.label in see(urd.session_graph, DAYS, timestamp="2026-02").html


def test_what_is_not_there_is_said(finish, see):
    with pytest.raises(NoSuchPage, match="no urd list"):
        see(urd.sessions, DAYS)
    finish("2026-01")
    with pytest.raises(NoSuchPage, match="no session"):
        see(urd.sessions, DAYS, timestamp="2027-01")
    with pytest.raises(WrongQuestion):
        see(urd.sessions, DAYS, timestamp="yesterday")
