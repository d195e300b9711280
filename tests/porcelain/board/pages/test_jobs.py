"""The list of jobs."""

import pytest

from jobs.nodes.run import Failure
from porcelain.board.page import Asked, WrongQuestion
from porcelain.board.pages.jobs import jobs
from porcelain.board.rendering import to_html
from tests.porcelain.board.filled import fill

HOSTILE = "<script>alert(1)</script>'\"\u202e"


def ask(shown, **query):
    return jobs(shown, Asked("/jobs", {}, query))


def labels(shown, **query):
    return [job["label"] for job in ask(shown, **query).view["jobs"]]


def html(shown, **query):
    asked = Asked("/jobs", {}, query)
    return to_html(jobs(shown, asked), asked, "project")


@pytest.fixture
def filled(project, shown):
    project.job("plot_delays", caption="of spring")
    project.job("count", files={"large": b"x" * 10_000})
    project.job("count", workdir="old", failure=Failure("no", "synthesis", None, ""))
    fill(shown)
    return shown


def test_the_newest_come_first(filled):
    assert labels(filled) == ["old-1", "dev-2", "dev-1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"workdir": "dev"}, ["dev-2", "dev-1"]),
        ({"method": "count"}, ["old-1", "dev-2"]),
        ({"method": "count", "state": "failed"}, ["old-1"]),
        ({"text": "spri"}, ["dev-1"]),
        ({"text": "delays"}, ["dev-1"]),
        ({"text": "large"}, []),
        ({"text": "NEAR("}, []),
        ({"text": "***"}, []),
        ({"method": HOSTILE}, []),
        ({"sort": "size"}, ["dev-2", "dev-1", "old-1"]),
        ({"sort": "size", "order": "up"}, ["old-1", "dev-1", "dev-2"]),
        ({"sort": "job"}, ["dev-1", "dev-2", "old-1"]),
        ({"sort": "method"}, ["dev-2", "old-1", "dev-1"]),
        ({"page": "2"}, []),
    ],
)
def test_jobs_are_chosen_and_sorted(filled, query, found):
    assert labels(filled, **query) == found


@pytest.mark.parametrize(
    "query",
    [{"sort": "ended; DROP TABLE jobs"}, {"order": "x"}, {"state": "x"}, {"page": "0"}, {"page": "9" * 400}],
)
def test_what_cannot_be_asked_is_said(filled, query):
    with pytest.raises(WrongQuestion):
        ask(filled, **query)


def test_a_click_on_a_head_sorts_and_the_next_turns_it_round(filled):
    heads = ask(filled, method="count", page="1").drawn["heads"]
    assert heads["size"].address == "/jobs?method=count&sort=size&order=down"
    assert (heads["ended"].sorted, heads["ended"].address[-8:]) == ("descending", "order=up")
    assert 'aria-sort="descending"' in html(filled)


def test_what_jobs_say_is_never_markup(project, shown):
    project.job("odd", caption=HOSTILE, why=HOSTILE)
    fill(shown)
    assert "<script>alert" not in html(shown)
    assert "<script>alert" not in html(shown, text=HOSTILE, method=HOSTILE)


def test_an_empty_project_says_what_to_type(shown):
    assert "No jobs yet" in html(shown)
    assert ask(shown).view["jobs"] == []


def test_a_new_job_is_on_the_page_at_once(filled, project):
    project.job("new")
    assert labels(filled)[0] == "dev-3"


def test_a_list_is_sorted_by_clicks(many_jobs, browse):
    page = browse(f"{many_jobs.url}/jobs")
    assert page.locator("table.jobs tbody tr").count() == 50
    page.click("#sort-job")
    page.wait_for_url("**sort=job**")
    assert page.locator("table.jobs tbody td").first.inner_text() == "dev-1"
    page.click("#sort-job")
    page.wait_for_url("**order=down**")
    assert page.locator("table.jobs tbody td").first.inner_text() == "prod-715"
    page.select_option("#chosen-state", "failed")
    page.wait_for_url("**state=failed**")
    assert set(page.locator(".state").all_inner_texts()) == {"failed"}
    page.click("a[rel=next]")
    page.wait_for_url("**page=2**")
    assert "page 2 of 2" in page.locator(".pager").inner_text()


def test_what_is_typed_stays_while_the_list_follows(project, shown, board, browse):
    project.job("one")
    page = browse(f"{board.url}/jobs")
    page.type("#chosen-text", "half a wo")
    project.job("two")
    page.wait_for_selector("text=dev-2")
    assert page.input_value("#chosen-text") == "half a wo"
    assert page.evaluate("document.activeElement.id") == "chosen-text"
