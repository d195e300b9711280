"""Graphs of datasets."""

from jobs.dataset.head import DatasetRef
from porcelain.board.graph.datasetwalk import chained
from porcelain.spec import Target
from tests.porcelain.board.graph.test_jobwalk import described, labels


def head_of(project, row):
    return project.resolver.outcome(row).datasets["default"]


def link(project, previous=None, **extra):
    """A job with a dataset, after that of another job."""
    ref = previous and DatasetRef(head_of(project, previous), "default")
    return project.job("make", made={"default": project.dataset(ref, **extra)})


def test_a_dataset_has_its_chain_and_what_it_extends(project, shown_project):
    base = link(project, caption="the base")
    first = link(project)
    second = link(project, first, parents=(DatasetRef(head_of(project, base), "default"),))
    graph = chained(shown_project, Target("dataset", head_of(project, second), second, "default"))
    assert described(graph) == {
        ("dev-2/default", "previous", "dev-3/default"),
        ("dev-1/default", "parent", "dev-3/default"),
    }
    newest = graph.nodes[head_of(project, second)]
    assert (newest.lines, newest.columns, newest.group, newest.to_view()["method"]) == (
        5,
        2,
        "make/default",
        "make",
    )


def test_a_long_chain_is_cut_and_says_so(project, shown_project):
    row = None
    for number in range(6):
        row = link(project, row, caption=f"{number}")
    target = Target("dataset", head_of(project, row), row, "default")
    assert len(labels(chained(shown_project, target))) == 6
    few = chained(shown_project, target, most=4)
    assert (len(few.nodes), len(few.edges), [*few.limits]) == (
        4,
        3,
        ["there are more than 4 datasets: the nearest are shown"],
    )
    assert labels(chained(shown_project, target, depth=2)) == [
        "dev-6/default",
        "dev-5/default",
        "dev-4/default",
    ]


def test_a_head_that_is_gone_is_missing(project, shown_project):
    first = link(project, caption="a")
    second = link(project, first, caption="b")
    project.store.delete(head_of(project, first))
    graph = chained(shown_project, Target("dataset", head_of(project, second), second, "default"))
    assert [node.state for node in graph.nodes.values()] == ["done", "missing"]
