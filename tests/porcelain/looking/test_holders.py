"""Which jobs and result links have a blob."""

from cas.formats.node import put_node
from cas.oid import oid_of
from jobs.nodes.references import INPUT
from jobs.nodes.result import Result
from jobs.nodes.run import Failure
from porcelain.looking.holders import find_code, find_jobs, find_results

DATA = b"some content"
OID = oid_of(DATA)


def test_the_first_job_that_made_it_comes_first(project):
    first = project.job("make", files={"a.txt": DATA})
    project.job("other", files={"b.txt": b"else"})
    second = project.job("copy", files={"b.txt": DATA, "c.txt": DATA})
    found = find_jobs(project.resolver, project.index.rows(), [OID])[OID]
    assert [(each.how, each.row.label, each.name) for each in found] == [
        ("made", first.label, "a.txt"),
        ("made", second.label, "b.txt"),
        ("made", second.label, "c.txt"),
    ]


def test_every_job_with_an_outcome_has_its_files(project):
    rows = [project.job("make", files={"a.txt": DATA}) for _ in range(3)]
    assert [each.row.label for each in find_jobs(project.resolver, project.index.rows(), [OID])[OID]] == [
        row.label for row in rows
    ]


def test_a_job_that_was_given_a_file_has_it(project):
    given = {"files": [{INPUT: {"content": OID, "name": "in/a.txt"}}]}
    project.job("first")  # which the next one refers to as where its option came from
    row = project.job("read", option_references=given)
    found = find_jobs(project.resolver, project.index.rows(), [OID])[OID]
    assert [(each.how, each.row.label, each.name) for each in found] == [("given", row.label, "in/a.txt")]


def test_nothing_is_found_of_what_nobody_has(project):
    project.job("make", files={"a.txt": b"else"})
    unknown = oid_of(b"unknown")
    assert find_jobs(project.resolver, project.index.rows(), [unknown]) == {unknown: []}
    assert find_code(project.resolver, project.index.rows(), [unknown]) == {unknown: []}
    assert find_results(project.resolver, [unknown]) == {unknown: []}


def test_a_failed_job_has_nothing(project):
    project.job("broken", failure=Failure("no", "synthesis", None, ""))
    assert find_jobs(project.resolver, project.index.rows(), [OID]) == {OID: []}


def test_what_is_damaged_hides_nothing_else(project):
    gone = project.job("make", files={"a.txt": DATA, "x": b"1"})
    kept = project.job("make", files={"a.txt": DATA})
    project.store.delete(gone.outcome)
    assert [each.row.label for each in find_jobs(project.resolver, project.index.rows(), [OID])[OID]] == [
        kept.label
    ]


def test_code_is_found_in_the_sources_of_jobs(project):
    row = project.job("make", files={"a.txt": DATA})
    code = oid_of(b"# make\n")
    found = find_code(project.resolver, project.index.rows(), [code])[code]
    assert [(each.how, each.row.label, each.name) for each in found] == [
        ("code", row.label, "mine/a_make.py")
    ]


def test_result_links_are_found_by_what_they_lead_to(project):
    row = project.job("make", files={"a.txt": DATA})
    with project.index.refs.transaction("link") as transaction:
        for name in ("x/a.txt", "b.txt"):
            transaction.set(f"results/{name}", put_node(project.store, Result(row.run, "a.txt", OID)))
        transaction.set("results/gone", oid_of(b"gone"))
    assert find_results(project.resolver, [OID]) == {OID: ["b.txt", "x/a.txt"]}


def test_progress_is_told(project):
    project.job("make", files={"a.txt": DATA})
    told = []
    find_jobs(project.resolver, project.index.rows(), [OID], lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]
