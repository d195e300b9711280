"""Result links as dicts."""

import json
import time

import pytest

from cas.formats.node import put_node
from jobs.nodes.result import Result
from porcelain.views import result_views


@pytest.fixture
def linked(project):
    """A function that links the file "a" of a job under a name."""

    def run(row, name: str) -> None:
        blob = project.resolver.outcome(row).files["a"].blob
        with project.index.refs.transaction("link") as transaction:
            transaction.set(f"results/{name}", put_node(project.store, Result(row.run, "a", blob)))

    return run


def test_all_is_what_json_has(project, linked):
    linked(project.job("make", files={"a": b"a"}, options={"x": float("inf")}), "r")
    view = result_views.result(project.resolver, result_views.find(project.resolver, "r"))
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    assert (view["job"], view["content"]) == ("dev-1", "stored")


def test_results_whose_linking_was_forgotten_come_last(project, linked):
    row = project.job("make", files={"a": b"a"})
    linked(row, "old")
    project.index.refs.trim_log(time.time() + 1)
    linked(row, "new")
    assert [named.name for named in result_views.newest(project.resolver)] == ["new", "old"]
    assert result_views.result(project.resolver, result_views.find(project.resolver, "old"))["linked"] is None


def test_one_that_was_taken_away_was_there(project, linked):
    linked(project.job("make", files={"a": b"a"}), "r")
    with project.index.refs.transaction("no more") as transaction:
        transaction.delete("results/r")
    with pytest.raises(LookupError):
        result_views.find(project.resolver, "r")
    assert [entry["problem"] for entry in result_views.history(project.resolver, "r")] == ["no more", None]
