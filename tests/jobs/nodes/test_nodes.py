"""The nodes of a job come back from their bytes, and the bytes stay what they are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cas.errors import NotANode, NotCanonical
from cas.formats.canonical import dumps, loads
from cas.formats.node import decode, encode
from cas.oid import ObjectId, oid_of
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.facts import Fact
from jobs.nodes.job import JobNode
from jobs.nodes.outcome import FileEntry, Inputs, Outcome
from jobs.nodes.references import from_structure
from jobs.nodes.result import Result
from jobs.nodes.run import ActionKey, Failure, InputRun, Run, Subjob, Times
from jobs.nodes.session import Dependency, ListedRun, Session
from jobs.nodes.source import Source
from jobs.reuse.key import KeyParts, action_key

GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / "manifest"


def oid(name: str) -> ObjectId:
    return oid_of(name.encode())


INPUTS = Inputs(
    options={
        "factor": {"$f": "0x1.8000000000000p+0"},
        "file": {"$input": {"content": oid("csv"), "name": "in.csv"}},
        "plot": {"$withfile": {"blobs": [oid("plot")], "extra": None, "name": "plot.png", "sliced": False}},
    },
    datasets={"source": {"$dataset": {"name": "default", "node": oid("head")}}, "unset": None},
    jobs={"previous": {"$job": oid("earlier outcome")}, "many": [{"$job": oid("one")}, {"$job": oid("two")}]},
)
OUTCOME = Outcome(
    method="analyse",
    slices=3,
    inputs=INPUTS,
    files={"result.pickle": FileEntry(oid("result"), 42), "part.0": FileEntry(oid("part"), 7)},
    datasets={"zebra": oid("zebra head"), "default": oid("default head")},
)
RUN = Run(
    job=oid("job"),
    source=oid("source"),
    key=ActionKey(oid("key")),
    label="dev-12",
    method="analyse",
    times=Times(
        start=1_700_000_000_000_000, end=1_700_000_000_500_000, stages={"analysis": 400_000}, slices=(1, 2, 3)
    ),
    caption="a caption",
    why="first run of 'analyse'",
    parent="dev-11",
    inputs=(InputRun("jobs.previous", oid("earlier run")),),
    facts=(
        Fact("read", "input/notes.txt", oid("notes")),
        Fact("aside", {"outcome": oid("earlier outcome"), "of": "label"}, "dev-3"),
    ),
    environment={"python": "3.11", "acc": "1"},
    versions={"python": "3.11.7", "acc": "0.1.0"},
    host="a-host",
    user="someone",
    output={"prepare": oid("printed")},
    kept_inputs={"in.csv": oid("csv")},
    subjobs=(Subjob(oid("sub run"), built=True),),
)
FAILED = replace(RUN, job=None, facts=(), failure=Failure("ValueError: no", "analysis", 1, "Traceback ..."))
NODES = {
    "source": Source(main="mine/a_x.py", files={"mine/a_x.py": oid("code"), "mine/y.py": oid("more")}),
    "outcome": OUTCOME,
    "job": JobNode(source=oid("source"), outcome=oid("outcome")),
    "run": RUN,
    "failed-run": FAILED,
    "build": Build(
        script="walk",
        status="done",
        start=1,
        end=2,
        jobs=(BuiltJob("x", oid("run"), "cutoff", oid("new run")), BuiltJob("y", oid("other run"), "reused")),
        results={"plot.png": oid("result node")},
    ),
    "build-that-spoke": Build(
        script="walk",
        status="done",
        start=1,
        end=2,
        jobs=(BuiltJob("jan", oid("run"), "built", oid("run"), "import", "the first month"),),
        user="anna",
        asked={"flags": "quick", "horizon": "2019-12"},
        warnings=("a column is empty",),
        output=oid("said"),
    ),
    "session": Session(
        user="anna",
        name="import",
        timestamp="2019-12-09T12:19+3",
        jobs=(ListedRun("parse", oid("run")), ListedRun("type", oid("other run"))),
        finished=1_700_000_000_000_000,
        caption="a caption",
        deps={"anna/raw": Dependency("2019-12", oid("raw session"))},
        build="build-7",
        previous=oid("session before"),
    ),
    "result": Result(run=oid("run"), name="plot.png", blob=oid("plot")),
    "told-result": Result(
        run=oid("run"), name="plot.png", blob=oid("plot"), header="Delays", description="By day and hour."
    ),
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_comes_back_from_its_bytes(name: str) -> None:
    node = NODES[name]
    assert decode(encode(node), type(node)) == node


@pytest.mark.parametrize("name", NODES)
def test_the_bytes_of_a_node_are_those_of_version_1(name: str) -> None:
    assert encode(NODES[name]) == (GOLDEN / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", NODES)
def test_a_node_with_a_field_of_another_type_is_refused(name: str) -> None:
    node = NODES[name]
    body = loads(encode(node))
    assert isinstance(body, dict)
    for field in set(body) - {"kind", "format", "links"}:
        with pytest.raises(NotANode):
            decode(dumps({**body, field: {"$int": []}}), type(node))


@pytest.mark.parametrize(
    "given",
    [
        {"$job": "x"},
        {"$dataset": 1},
        {"$dataset": {"name": 1, "node": oid("head")}},
        {"$input": {"name": "in.csv"}},
        {"$input": {"content": 1, "name": "in.csv"}},
        {"$withfile": {"blobs": "x", "name": "a"}},
        {"$withfile": {"blobs": [oid("plot")], "name": None}},
    ],
)
def test_a_reference_that_is_none_makes_it_no_node(given: Any) -> None:
    whole: Any = loads(encode(OUTCOME))
    whole["inputs"]["options"]["file"] = [given]
    with pytest.raises(NotANode):
        decode(dumps(whole), Outcome)


def test_a_value_with_a_tag_of_a_later_version_is_refused() -> None:
    with pytest.raises(NotCanonical, match=r"an unknown tag '\$later'"):
        from_structure([{"$later": 1}], lambda *_: None)


def test_the_order_of_datasets_is_kept() -> None:
    assert list(decode(encode(OUTCOME), Outcome).datasets) == ["zebra", "default"]


def test_links_are_what_the_fields_say() -> None:
    assert set(OUTCOME.blobs()) == {oid("result"), oid("part"), oid("plot")}
    expected = {"zebra head", "default head", "head", "earlier outcome", "one", "two"}
    assert set(OUTCOME.nodes()) == {oid(name) for name in expected}
    session = NODES["session"]
    assert set(session.nodes()) == {
        oid(name) for name in ("run", "other run", "raw session", "session before")
    }
    assert set(NODES["build-that-spoke"].blobs()) == {oid("said")}
    assert set(RUN.nodes()) == {oid(name) for name in ("job", "source", "earlier run", "sub run")}


def test_the_action_key_is_that_of_version_1() -> None:
    parts = KeyParts("analyse", oid("source"), None, INPUTS, 3, {"python": "3.11", "acc": "1"})
    standard = replace(parts, version=2)
    keys = f"{action_key(parts)}\n{action_key(standard)}\n"
    assert keys == (GOLDEN / "action-keys.txt").read_text()


def test_each_part_changes_the_key() -> None:
    parts = KeyParts("analyse", oid("source"), None, INPUTS, 3, {"python": "3.11"})
    others = [
        replace(parts, method="other"),
        replace(parts, source=oid("other")),
        replace(parts, version=1),
        replace(parts, inputs=replace(INPUTS, options={})),
        replace(parts, slices=4),
        replace(parts, environment={"python": "3.12"}),
    ]
    assert len({action_key(each) for each in (parts, *others)}) == 1 + len(others)


def test_the_source_does_not_count_where_a_version_does() -> None:
    parts = KeyParts("csvimport", oid("source"), 1, INPUTS, 3, {})
    assert action_key(parts) == action_key(replace(parts, source=oid("other")))
