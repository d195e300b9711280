"""Which runs are of use elsewhere: those whose facts anybody can check."""

import pytest

from cas.oid import oid_of
from jobs.nodes.facts import Fact, FactKind
from jobs.remote.privacy import why_private

ID = oid_of(b"something")


def subjob(path: str | None) -> Fact:
    file = {"content": ID, "name": "x.csv"} | ({} if path is None else {"path": path})
    return Fact("subjob", {"method": "m", "arguments": {"filename": {"$input": file}}}, ID)


@pytest.mark.parametrize(
    "fact",
    [
        Fact("read", "input/x.csv", ID),
        Fact("read", "input", ID),
        Fact("read", "project/notes/a.txt", ""),
        Fact("module", "project/mine/late.py", ID),
        Fact("module", "project/mine/late", ""),
        Fact("lookup", {"name": "import"}, ID),
        Fact("lookup", {"name": "import"}, ""),
        Fact("aside", {"outcome": ID, "of": "output"}, ID),
        subjob(None),
        subjob("project/x.csv"),
    ],
    ids=lambda fact: f"{fact.kind}-{fact.about}"[:40],
)
def test_what_anybody_can_check_is_not_private(fact: Fact) -> None:
    assert why_private([fact]) == ""


@pytest.mark.parametrize(
    ("kind", "about", "was", "why"),
    [
        ("read", "/home/ann/x.csv", ID, "it reads '/home/ann/x.csv', which lies outside the project"),
        ("read", "/home/ann/x.csv", "", "it reads '/home/ann/x.csv', which lies outside the project"),
        ("read", "inputs/x.csv", ID, "it reads 'inputs/x.csv', which lies outside the project"),
        ("read", "input/x.csv", "changed while it was read", "'input/x.csv' changed while it was read"),
        ("module", "/opt/late.py", ID, "it reads '/opt/late.py', which lies outside the project"),
        ("lookup", {"name": "dev-12"}, ID, "it looks up 'dev-12', which may be another job elsewhere"),
        (
            "lookup",
            {"name": "dev-LATEST"},
            ID,
            "it looks up 'dev-LATEST', which may be another job elsewhere",
        ),
        ("lookup", {"name": "import~2"}, ID, "it looks up 'import~2', which may be another job elsewhere"),
        ("aside", {"outcome": ID, "of": "label"}, "dev-1", "it looks at the label or directory of a job"),
        ("aside", {"outcome": ID, "of": "run"}, ID, "it looks at the times or folders of a job"),
        ("debug", None, "", "it ran under a debugger"),
    ],
)
def test_what_only_its_machine_can_check_is_private(
    kind: FactKind, about: object, was: str, why: str
) -> None:
    assert why_private([Fact("read", "input/x.csv", ID), Fact(kind, about, was)]) == why


def test_a_subjob_that_got_a_file_outside_the_project_is_private() -> None:
    assert (
        why_private([subjob("/data/x.csv")])
        == "it gives a subjob '/data/x.csv', which lies outside the project"
    )


@pytest.mark.parametrize("kind", ["read", "subjob", "lookup", "aside"])
@pytest.mark.parametrize("about", [None, 3, [], {}, {"method": "m", "arguments": 3}, {"of": "label"}])
def test_a_fact_that_cannot_be_looked_at_is_private(kind, about):
    assert "cannot be looked at" in why_private([Fact(kind, about, ID)])
