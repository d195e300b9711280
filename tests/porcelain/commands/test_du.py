"""`acc du`: what jobs cost, alone and shared with others."""

import json

import pytest

from cas.oid import oid_of
from jobs.nodes.run import Failure

SMALL, LARGE = b"s" * 1_000, bytes(range(256)) * 4_000


@pytest.fixture
def project(project):
    """Three jobs: a small one, and two that hold the same large file."""
    project.job("small", files={"s": SMALL})
    project.job("large", files={"l": LARGE})
    project.job("again", files={"l": LARGE, "s": b"more"})
    return project


def lines(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()[1:]]


def test_jobs_are_listed_largest_first_and_together(acc, project):
    code, out, err = acc("du", "--bytes")
    assert (code, err) == (0, "")
    assert [line[0] for line in lines(out)] == ["dev-3", "dev-2", "dev-1", "total"]
    assert lines(out)[-1][1:3] == ["3", "jobs"]
    assert lines(out)[-1][-2:] == ["0", "0"]
    stored = project.store.sizes_of(oid_of(LARGE))
    assert [line[-2:] for line in lines(out)[:2]] == [list(map(str, stored))] * 2


def test_only_what_is_named_is_listed_in_its_order(acc, project):
    code, out, _ = acc("du", "dev-1", "large", "dev-1", "dev-2:l")
    assert (code, [line[0] for line in lines(out)]) == (0, ["dev-1", "dev-2", "total"])
    assert lines(out)[-1][1:3] == ["2", "jobs"]


def test_what_jobs_hold_together_is_alone_theirs(acc, project):
    large = len(LARGE)

    def total(*specs):
        found = json.loads(acc("du", "--json", *specs)[1])["total"]
        return found["jobs"], found["alone"]["raw_bytes"] > large, found["shared"]["raw_bytes"]

    assert total("dev-2") == (1, False, large)
    assert total("dev-2", "dev-3") == (2, True, 0)
    assert total() == (3, True, 0)


def test_json_holds_exact_sizes(acc, project):
    shown = json.loads(acc("du", "--json", "-n", "1")[1])
    assert [view["job"] for view in shown["jobs"]] == ["dev-3"]
    view = shown["jobs"][0]
    assert (view["method"], view["state"]) == ("again", "done")
    assert view["shared"]["raw_bytes"] == len(LARGE)
    assert 0 < view["shared"]["stored_bytes"] < len(LARGE) // 10
    assert shown["total"]["jobs"] == 3


def test_a_limit_says_how_many_are_left_out(acc, project):
    _, out, err = acc("du", "-n", "2")
    assert [line[0] for line in lines(out)] == ["dev-3", "dev-2", "total"]
    assert err == "... and 1 more job; 'acc du -n 0' lists all\n"
    assert len(lines(acc("du", "-n", "0")[1])) == 4


def test_a_failed_job_costs_something_too(acc, project):
    project.job("fail", failure=Failure("ValueError: no", "analysis", 1, "Traceback ..."))
    shown = json.loads(acc("du", "--json", "dev-4")[1])
    assert shown["jobs"][0]["state"] == "failed"
    assert shown["jobs"][0]["alone"]["raw_bytes"] > 0


def test_a_project_without_jobs_says_so(acc, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/acc.toml").touch()
    monkeypatch.chdir(tmp_path / "empty")
    assert acc("du") == (0, "", "no jobs yet; 'acc build' makes some\n")
    assert json.loads(acc("du", "--json")[1])["jobs"] == []


def test_what_is_missing_counts_as_nothing_and_is_said(acc, project):
    project.store.delete(oid_of(SMALL))
    code, out, err = acc("du", "--bytes")
    assert (code, [line[0] for line in lines(out)]) == (1, ["dev-3", "dev-2", "dev-1", "total"])
    assert err.startswith("acc: warning: objects of 1 job are missing or corrupt")


@pytest.mark.parametrize(("words", "code"), [(["dev-9"], 1), (["%"], 1), (["-n", "x"], 2)])
def test_bad_input_prints_no_table(acc, project, words, code):
    assert acc("du", *words)[:2] == (code, "")
