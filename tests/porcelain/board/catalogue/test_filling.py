"""What the catalogue knows of jobs, and how it follows them."""

import sqlite3
from contextlib import closing

import pytest

from cas.oid import oid_of
from jobs.footprint import Costs
from jobs.nodes.run import Failure
from porcelain import config
from porcelain.board.catalogue.listed import Choice
from porcelain.board.opened import ShownProject
from tests.porcelain.board.filled import fill


def labels(shown, sort="ended", **choice):
    found = shown.catalogue.jobs.page(Choice(**choice), sort, descending=True, start=0, limit=1_000)
    return [f"{each.workdir}-{each.number}" for each in found]


def totals(shown):
    return shown.catalogue.sizes.total(), shown.catalogue.sizes.days()


@pytest.fixture
def jobs(project):
    """A small job, two that hold the same file and column, one that failed."""
    data = b"x" * 5_000
    head = project.dataset()
    small = project.job("small", files={"s": b"small"}, options={"n": 1})
    project.job("large", files={"l": data}, made={"default": head}, jobs={"previous": small})
    project.job("again", files={"l": data}, made={"default": head}, workdir="old")
    project.job("bad", failure=Failure("no luck", "synthesis", None, "Traceback ..."))
    return project


def test_jobs_that_come_and_go_are_followed(project, shown):
    project.job("one")
    fill(shown)
    assert labels(shown) == ["dev-1"]
    project.job("two")
    project.index.drop([project.index.find("dev", 1)], "test")
    fill(shown)
    assert labels(shown) == ["dev-2"]


def test_an_old_job_that_comes_late_is_found(project, shown):
    project.job("one")
    project._clock -= 10**12
    fill(shown)
    project.job("from_long_ago")
    fill(shown)
    assert labels(shown) == ["dev-1", "dev-2"]


def test_another_run_under_the_same_label_replaces_the_first(project, shown):
    first = project.job("one", caption="first")
    fill(shown)
    project.index.drop([first], "test")
    second = project.job("one", caption="second")._replace(number=1)
    project.index.drop([project.index.find("dev", 2)], "test")
    project.index.publish(second, {})
    fill(shown)
    assert labels(shown) == ["dev-1"]
    assert labels(shown, text="second") == ["dev-1"]
    assert labels(shown, text="first") == []
    assert shown.catalogue.cost(first.run) is None


def test_jobs_cost_what_du_says(jobs, shown):
    fill(shown)
    costs = Costs(jobs.store)
    rows = jobs.index.rows()
    for row in rows:
        costs.add(row.run)
    assert [shown.catalogue.cost(row.run) for row in rows] == [costs.of([row.run]) for row in rows]
    together = costs.of(row.run for row in rows)
    assert shown.catalogue.sizes.total().once == together.alone


def test_what_a_job_held_goes_with_it(jobs, shown):
    fill(shown)
    before = totals(shown)
    extra = jobs.job("extra", files={"l": b"x" * 5_000, "e": b"extra"})
    fill(shown)
    assert totals(shown) != before
    jobs.index.drop([extra], "test")
    fill(shown)
    assert totals(shown) == before


def test_what_is_damaged_costs_nothing_and_hides_no_other(jobs, shown):
    row = jobs.index.find("dev", 1)
    path = jobs.store.loose.path_of(row.outcome)
    jobs.store.delete(row.outcome)
    with open(path, "wb") as file:
        file.write(b"no object")
    fill(shown)
    assert sorted(labels(shown)) == ["dev-1", "dev-2", "dev-3", "old-1"]
    cost = shown.catalogue.cost(row.run)
    assert cost.alone.raw_bytes + cost.shared.raw_bytes > 0
    assert shown.catalogue.progress().is_complete


def test_nothing_is_asked_of_remotes(jobs):
    class Remote:
        def __getattr__(self, name):
            raise AssertionError(f"a remote was asked: {name}")

    row = jobs.index.find("dev", 2)
    jobs.store.delete(oid_of(b"x" * 5_000))
    shown = ShownProject(config.load(jobs.root))
    shown.store.source = Remote()
    with shown:
        fill(shown)
        cost = shown.catalogue.cost(row.run)
    assert cost.alone.raw_bytes + cost.shared.raw_bytes < 5_000


def test_what_was_not_here_counts_when_it_has_come(jobs):
    data = b"x" * 5_000
    row = jobs.index.find("dev", 2)
    jobs.store.delete(oid_of(data))
    sizes = []
    for _ in range(2):
        with ShownProject(config.load(jobs.root)) as shown:
            fill(shown)
            sizes.append(shown.catalogue.cost(row.run).shared.raw_bytes)
        jobs.store.put(data)
    assert sizes[1] - sizes[0] == 5_000


def test_a_damaged_row_of_the_listing_hides_no_other(jobs):
    with closing(sqlite3.connect(jobs.root / ".acc" / "refs.sqlite")) as connection, connection:
        connection.execute("UPDATE jobs SET method = 'forged' WHERE number = 2 AND workdir = 'dev'")
    with ShownProject(config.load(jobs.root)) as shown:
        fill(shown)
        assert sorted(labels(shown)) == ["dev-1", "dev-3", "old-1"]


def test_jobs_that_ended_at_once_are_all_there(project, shown):
    row = project.job("one", files={"a": b"a"})
    for number in range(2, 200):
        project.index.publish(row._replace(number=number), {}, "never")
    fill(shown)
    assert len(set(labels(shown))) == 199


@pytest.mark.parametrize("ended", [-(2**63), 2**63 - 1])
def test_a_time_that_cannot_be_is_listed(project, shown, ended):
    project.index.publish(project.job("one")._replace(number=7, ended=ended), {}, "never")
    fill(shown)
    assert sorted(labels(shown)) == ["dev-1", "dev-7"]
