"""Which jobs were given a job, have a file, or hold the same as another."""

import sqlite3
from contextlib import ExitStack, closing

import pytest

from cas.files import lock_file
from cas.oid import oid_of
from jobs.nodes.references import INPUT
from porcelain import config
from porcelain.board.graph.jobwalk import made_from
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked
from porcelain.board.pages import files, job, users
from porcelain.board.rendering import to_html
from tests.porcelain.board.filled import fill

DATA = b"what many have"


@pytest.fixture(params=["read", "listed", "half read", "nothing"])
def opened(request, project):
    """A function that opens the project with a catalogue that has come so far, and stays there."""
    with ExitStack() as held:

        def open_project():
            if request.param != "nothing":
                with ShownProject(config.load(project.root)) as found:
                    fill(found)
            cache = project.root / ".acc" / "cache"
            cache.mkdir(parents=True, exist_ok=True)
            if request.param in ("listed", "half read"):
                half = 0 if request.param == "listed" else project.index.rows()[2].ended
                with closing(sqlite3.connect(cache / "board.sqlite")) as connection, connection:
                    connection.execute("UPDATE jobs SET stored = NULL WHERE id > ?", (half,))
                    connection.execute("DELETE FROM given WHERE job > ?", (half,))
                    connection.execute("DELETE FROM held WHERE job > ?", (half,))
            # another board fills it, it seems
            held.enter_context(lock_file(cache / "board.lock", blocking=False))
            return held.enter_context(ShownProject(config.load(project.root)))

        yield open_project


def ask(shown, page, query=None, **names):
    return page(shown, Asked("/here", names, query or {}))


def test_what_used_a_job_is_found_however_far_the_catalogue_is(project, opened):
    made = project.job("make")
    project.job("use", jobs={"before": made, "previous": made})
    project.job("other")
    project.job("want", subjobs=[made])
    project.job("use", jobs={"before": made})
    shown = opened()
    page = ask(shown, users.users, spec=made.label)
    found = [(each["label"], each["how"]) for each in page.view["jobs"]]
    assert found == [("dev-2", "previous"), ("dev-4", "subjob"), ("dev-5", "input")]
    assert (page.view["total"], page.view["all"]) == (3, True)
    html = to_html(ask(shown, users.users, spec="dev-4"), Asked("/", {}, {}), "p")
    assert "No job was given it." in html


def test_the_next_of_a_chain_is_found_however_far_the_catalogue_is(project, opened):
    first = project.job("step")
    second = project.job("step", jobs={"previous": first})
    project.job("step")
    project.job("step", datasets={}, jobs={"previous": second, "source": first})
    shown = opened()
    found = [ask(shown, job.job, spec=f"dev-{number}").view["next"] for number in (1, 2, 3)]
    assert found == ["dev-2", "dev-4", None]


def test_what_was_made_from_a_job_is_found_however_far_the_catalogue_is(project, opened):
    first = project.job("import")
    second = project.job("type", jobs={"source": first})
    project.job("other")
    third = project.job("plot", "old", jobs={"source": second})
    shown = opened()
    assert {*made_from(shown, [first.run], later=True).nodes} == {first.run, second.run, third.run}
    assert {*made_from(shown, [first.run], later=True, depth=1).nodes} == {first.run, second.run}


def test_who_has_a_file_is_found_however_far_the_catalogue_is(project, opened):
    project.job("make", files={"a.txt": DATA})
    given = {"files": [{INPUT: {"content": oid_of(DATA), "name": "in/a.txt"}}]}
    project.job("read", option_references=given)
    project.job("other", files={"a.txt": b"else"})
    project.job("copy", files={"b.txt": DATA, "c.txt": DATA})
    view = ask(opened(), files.holders, blob=oid_of(DATA)).view
    assert [(each["how"], each["job"], each["name"]) for each in view["jobs"]] == [
        ("made", "dev-1", "a.txt"),
        ("given", "dev-2", "in/a.txt"),
        ("made", "dev-4", "b.txt"),
        ("made", "dev-4", "c.txt"),
    ]


# -- what only the catalogue knows ---------------------------------------------------------------------------


def test_users_come_by_pages(project, look, shown_project):
    made = project.job("make")
    for _ in range(60):
        project.job("use", jobs={"before": made})
    fill(shown_project)
    first, second = look(users.users, made.label), look(users.users, made.label, page="2")
    labels = [each["label"] for shown in (first, second) for each in shown.view["jobs"]]
    assert labels == [f"dev-{number}" for number in range(2, 62)]
    assert f'href="/job/{made.label}/users?page=2"' in first.html


def test_a_graph_stops_where_it_gets_too_large(project, shown_project):
    made = project.job("make")
    for number in range(30):
        project.job(f"use{number}", jobs={"before": made})
    fill(shown_project)
    graph = made_from(shown_project, [made.run], later=True, most=20)
    assert len(graph.nodes) == 20
    assert graph.limits == ["more than 20 jobs have to do with it: the nearest are shown"]


def test_what_a_job_printed_and_its_code_are_held_too(project, ask, shown_project):
    row = project.job("make", output={"synthesis": DATA})
    source = project.resolver.run(row).source
    fill(shown_project)
    found = [ask(files.holders, blob=blob).view["jobs"] for blob in (oid_of(DATA), source)]
    assert [[(each["how"], each["job"]) for each in jobs] for jobs in found] == [[("held", row.label)]] * 2


def test_a_job_that_goes_uses_and_holds_nothing_any_more(project, ask, shown_project):
    made = project.job("make", files={"a.txt": DATA})
    user = project.job("use", jobs={"before": made}, files={"b.txt": DATA})
    fill(shown_project)
    assert ask(users.users, spec=made.label).view["total"] == 1
    project.index.drop([user], "test")
    fill(shown_project)
    assert ask(users.users, spec=made.label).view["total"] == 0
    assert ask(files.holders, blob=oid_of(DATA)).view["total"] == 1


def test_jobs_that_share_most_come_first_and_what_all_share_is_not_looked_at(
    project, look, shown_project, monkeypatch
):
    monkeypatch.setattr("porcelain.board.catalogue.uses.MOST_SHARING", 3)
    large, small = b"large" * 500, b"small"
    one = project.job("one", files={"l": large, "s": small, "all": DATA, "own": b"own"})
    project.job("two", files={"s": small, "all": DATA})
    project.job("three", files={"l": large, "s": small, "all": DATA})
    project.job("four", files={"all": DATA})
    fill(shown_project)
    shown = look(users.shared, one.label)
    assert [(each["label"], each["objects"]) for each in shown.view["jobs"]] == [("dev-3", 2), ("dev-2", 1)]
    assert shown.view["jobs"][1]["shared"]["raw_bytes"] == len(small)
    assert (shown.view["total"], shown.view["all"], shown.view["common"] > 0) == (2, True, True)
    assert "dev-3" in shown.html
