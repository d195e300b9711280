"""Graphs of jobs."""

from cas.formats.node import put_node
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.run import Failure
from porcelain.board.graph import buildtime
from porcelain.board.graph.jobwalk import made_from


def described(graph):
    """The edges of a graph by labels."""
    label = {oid: node.label for oid, node in graph.nodes.items()}
    return {(label[edge.source], edge.name, label[edge.target]) for edge in graph.edges}


def labels(graph):
    return [node.label for node in graph.nodes.values()]


def test_a_job_has_all_that_it_was_made_from_nearest_first(project, shown_project):
    first = project.job("import")
    second = project.job("type", jobs={"source": first})
    project.job("other")
    last = project.job("plot", jobs={"table": second, "raw": first})
    graph = made_from(shown_project, [last.run])
    assert labels(graph) == ["dev-4", "dev-2", "dev-1"]
    assert described(graph) == {
        ("dev-1", "source", "dev-2"),
        ("dev-2", "table", "dev-4"),
        ("dev-1", "raw", "dev-4"),
    }
    assert graph.roots == [last.run]


def test_subjobs_are_part_of_it_and_failed_ones_are_seen(project, shown_project):
    failed = project.job("part", failure=Failure("boom", "analysis", 0, ""))
    whole = project.job("whole", subjobs=[failed])
    graph = made_from(shown_project, [whole.run])
    assert described(graph) == {("dev-1", "subjob", "dev-2")}
    assert graph.nodes[failed.run].state == "failed"


def test_a_walk_ends_where_it_is_told_to_and_says_so(project, shown_project):
    row = None
    for _ in range(5):
        row = project.job("link", jobs={"previous": row} if row else {})
    near = made_from(shown_project, [row.run], depth=1)
    assert (labels(near), [*near.limits]) == (
        ["dev-5", "dev-4"],
        ["what is more than 1 step away is left out"],
    )
    few = made_from(shown_project, [row.run], most=3)
    assert (labels(few), [*few.limits]) == (
        ["dev-5", "dev-4", "dev-3"],
        ["there are more than 3 jobs: the nearest are shown"],
    )
    assert made_from(shown_project, [row.run], depth=4).limits == []
    assert made_from(shown_project, [row.run], most=5).limits == []


def test_what_cannot_be_read_is_missing_and_the_rest_is_there(project, shown_project):
    first = project.job("import")
    # runs that were read once are kept: no other test has this one
    second = project.job("type", jobs={"source": first}, caption="soon gone")
    last = project.job("plot", jobs={"table": second})
    project.store.delete(second.run)
    graph = made_from(shown_project, [last.run])
    assert [(node.label, node.state) for node in graph.nodes.values()] == [
        ("dev-3", "done"),
        ("dev-2", "missing"),
    ]


def test_a_run_without_a_label_goes_by_its_id(project, shown_project):
    first = project.job("import")
    last = project.job("plot", jobs={"source": first})
    project.index.drop([first], "gone")
    graph = made_from(shown_project, [last.run])
    assert labels(graph) == ["dev-2", f"@{first.run[:12]}"]
    assert graph.nodes[first.run].group == "import"


def test_what_was_made_from_a_job_is_found_among_the_jobs_behind_it(project, shown_project):
    first = project.job("import")
    second = project.job("type", jobs={"source": first})
    project.job("other")
    third = project.job("plot", "old", jobs={"source": second})
    graph = made_from(shown_project, [first.run], later=True)
    assert {*graph.nodes} == {first.run, second.run, third.run}
    assert {*made_from(shown_project, [first.run], later=True, depth=1).nodes} == {first.run, second.run}


# -- what a build got ----------------------------------------------------------------------------------------


def at(project, row):
    """When a job was."""
    times = project.resolver.run(row).times
    return times.start, times.end


def write_build(project, number, rows, how="built"):
    start, end = at(project, rows[0])[0], at(project, rows[-1])[1]
    jobs = [BuiltJob(row.method, row.run, how, row.run if how == "built" else None) for row in rows]
    oid = put_node(project.store, Build("build", "done", start, end, jobs))
    with project.index.refs.transaction("a build") as transaction:
        transaction.set(f"builds/{number}", oid)
    return Build("build", "done", start, end, jobs)


def test_a_job_of_an_earlier_build_was_reused(project, shown_project):
    first = project.job("import")
    write_build(project, 1, [first])
    second = project.job("type", jobs={"source": first})
    third = project.job("plot", jobs={"source": second})
    write_build(project, 2, [second, third])
    later = project.job("more", jobs={"source": third})
    graph = made_from(
        shown_project, [third.run], got=buildtime.got_with(shown_project, third.run), later=True
    )
    found = {node.label: (node.how, node.is_reused) for node in graph.nodes.values()}
    assert found == {
        "dev-1": ("reused", True),
        "dev-2": ("built", False),
        "dev-3": ("built", False),
        later.label: (None, False),
    }


def test_without_a_build_nobody_knows_what_was_reused(project, shown_project):
    row = project.job("import")
    graph = made_from(shown_project, [row.run], got=buildtime.got_with(shown_project, row.run))
    assert [node.how for node in graph.nodes.values()] == [None]


def test_a_build_says_itself_how_it_got_its_jobs(project, shown_project):
    part = project.job("part")
    whole = project.job("whole", subjobs=[part])
    build = write_build(project, 1, [whole])
    early = project.job("early")
    got = buildtime.got_by(
        Build("b", "done", build.start - 10_000_000, build.end, [BuiltJob("w", whole.run, "cutoff")])
    )
    graph = made_from(shown_project, [whole.run, early.run], got=got)
    assert {node.label: node.how for node in graph.nodes.values()} == {
        "dev-2": "cutoff",
        "dev-1": "built",
        "dev-3": None,
    }
