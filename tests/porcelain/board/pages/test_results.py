"""The first page: what was linked."""

import pytest

from cas.formats.node import put_node
from cas.oid import oid_of
from jobs.nodes.result import Result
from porcelain.board.pages.results import result, results


@pytest.fixture
def link(project):
    """A function that links a file of a job as `acc link` does, but for the link in the folder."""

    def run(row, file: str, name: str, **said) -> None:
        blob = project.resolver.outcome(row).files[file].blob
        with project.index.refs.transaction("link") as transaction:
            transaction.set(f"results/{name}", put_node(project.store, Result(row.run, file, blob, **said)))

    return run


def names(page) -> list[str]:
    return [found["name"] for found in page.view["results"]]


def test_what_was_linked_last_comes_first(project, link, ask):
    row = project.job("make", files={"a.txt": b"a", "b.txt": b"b"})
    link(row, "b.txt", "z")
    link(row, "a.txt", "a")
    link(row, "b.txt", "m")
    link(row, "a.txt", "z")
    assert names(ask(results)) == ["z", "m", "a"]


def test_each_says_what_it_is_made_of(project, link, ask):
    source = project.job("source", files={"a.txt": b"a"})
    row = project.job("make", files={"a.csv": b"x,y\n1,2\n"}, options={"year": 2013}, jobs={"source": source})
    link(row, "a.csv", "table.csv", header="Delays", description="by month")
    (found,) = ask(results).view["results"]
    assert (found["job"], found["method"], found["header"]) == ("dev-2", "make", "Delays")
    assert found["options"] == {"year": 2013}
    assert [(given["path"], given["job"]) for given in found["inputs"]] == [("jobs.source", "dev-1")]
    assert found["shown"]["table"]["rows"] == [["1", "2"]]


def test_folders_are_counted_and_chosen(project, link, ask):
    row = project.job("make", files={"a": b"a"})
    for name in ("top", "x/one", "x/y/two", "xy/three"):
        link(row, "a", name)
    page = ask(results)
    assert [(folder["path"], folder["results"]) for folder in page.view["folders"]] == [("x", 2), ("xy", 1)]
    within = ask(results, query={"folder": "x"})
    assert names(within) == ["x/y/two", "x/one"]
    assert [folder["path"] for folder in within.view["folders"]] == ["x/y"]
    assert ask(results, query={"folder": "../.."}).view["results"] == []


def test_many_are_shown_by_pages(project, link, ask):
    row = project.job("make", files={"a": b"a"})
    for number in range(30):
        link(row, "a", f"r{number}")
    second = ask(results, query={"page": "2"})
    assert names(second) == [f"r{number}" for number in range(5, -1, -1)]
    assert (second.view["pages"], second.view["total"]) == (2, 30)


def test_one_that_leads_nowhere_says_so_and_hides_no_other(project, link, ask):
    row = project.job("make", files={"a": b"a", "b": b"b"})
    blob = oid_of(b"a")
    link(row, "b", "sound")
    with project.index.refs.transaction("link") as transaction:
        transaction.set("results/no-node", oid_of(b"1"))
        transaction.set("results/no-run", put_node(project.store, Result(oid_of(b"2"), "a", blob)))
        transaction.set("results/no-blob", put_node(project.store, Result(row.run, "a", oid_of(b"3"))))
    found = {each["name"]: each for each in ask(results).view["results"]}
    assert "no object" in found["no-node"]["problem"]
    assert "its job is gone" in found["no-run"]["problem"]
    assert found["no-run"]["spec"] == f"@{blob}"
    assert (found["no-blob"]["content"], found["no-blob"]["job"]) == ("gone", "dev-1")
    assert found["sound"]["shown"]["text"] == "b"


def test_a_result_knows_what_it_was_before(project, link, ask):
    first, second = (project.job("make", files={"a": data}) for data in (b"1", b"2"))
    link(first, "a", "x/a")
    link(second, "a", "x/a")
    page = ask(result, name="x/a")
    assert [(entry["job"], entry["blob"]) for entry in page.view["history"]] == [
        ("dev-2", oid_of(b"2")),
        ("dev-1", oid_of(b"1")),
    ]
    assert page.view["commands"][1] == "acc show dev-2:a"


def test_a_name_that_no_result_has_is_not_found(ask):
    with pytest.raises(LookupError):
        ask(result, name="../x")
    with pytest.raises(LookupError):
        ask(result, name="")


def test_an_empty_project_says_so(ask):
    assert (ask(results).view["results"], ask(results).view["jobs"]) == ([], 0)
