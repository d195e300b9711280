"""What a job holds of its own, and what of it other jobs hold too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.formats.node import put_node
from cas.memory import MemoryStore
from cas.oid import ObjectId, oid_of
from cas.store import Sizes
from jobs.dataset.head import ColumnNode, ColumnSlice, DatasetColumn, DatasetHead, DatasetRef
from jobs.footprint import Costs, own_objects
from jobs.nodes.job import JobNode
from jobs.nodes.outcome import FileEntry, Inputs, Outcome
from jobs.nodes.run import ActionKey, Failure, InputRun, Run, Subjob, Times
from jobs.nodes.source import Source

KEY = ActionKey("0" * 64)
FAILURE = Failure("ValueError: no", "analysis", 1, "Traceback ...")


def make_run(store, source, job=None, **extra) -> ObjectId:
    return put_node(
        store, Run(job=job, source=source, key=KEY, label="dev-1", method="m", times=Times(0, 1), **extra)
    )


def make_outcome(store, files=(), inputs=None, **datasets) -> ObjectId:
    entries = {name: FileEntry(store.put(name.encode()), len(name)) for name in files}
    return put_node(store, Outcome("m", 2, inputs or Inputs(), entries, datasets))


def make_source(store) -> ObjectId:
    return put_node(store, Source("m/a_m.py", {"m/a_m.py": store.put(b"# code")}))


def make_column(store, data: bytes) -> DatasetColumn:
    slices = (
        ColumnSlice(store.put(data), 1, len(data)),
        ColumnSlice(store.put(data + b"."), 1, len(data) + 1),
    )
    node = ColumnNode("ascii", False, None, None, slices)
    return DatasetColumn.of(data.decode(), node, put_node(store, node))


def make_job(store, outcome, **extra) -> ObjectId:
    source = make_source(store)
    return make_run(store, source, put_node(store, JobNode(source, outcome)), **extra)


def own_blobs(store, run) -> set[bytes]:
    """Return the blobs among what a run holds of its own."""
    return {data for data in map(store.get, own_objects(store, run)) if not data.startswith(b"{")}


def test_a_job_holds_its_nodes_source_files_output_and_kept_inputs(store):
    head = put_node(store, DatasetHead({"x": make_column(store, b"x")}, (1, 1)))
    outcome = make_outcome(store, files=["a", "b"], default=head)
    output, kept = store.put(b"printed"), store.put(b"kept")
    run = make_job(store, outcome, output={"synthesis": output}, kept_inputs={"in.csv": kept})
    assert set(own_objects(store, run)) == set(store.ids())


def test_a_failed_job_holds_its_run_and_source(store):
    run = make_run(store, make_source(store), failure=FAILURE, output={"0": store.put(b"before it failed")})
    assert set(own_objects(store, run)) == set(store.ids())


def test_what_a_job_was_given_is_not_its_own(store):
    head = put_node(store, DatasetHead({"x": make_column(store, b"given column")}, (1, 1)))
    given_outcome = make_outcome(store, files=["given file"], default=head)
    source_run = make_job(store, given_outcome, output={"0": store.put(b"given output")})
    withfile = {"$withfile": {"blobs": [oid_of(b"given file")], "extra": None, "name": "f", "sliced": False}}
    inputs = Inputs(
        {"f": withfile},
        {"d": {"$dataset": {"name": "default", "node": head}}},
        {"j": {"$job": given_outcome}},
    )
    run = make_job(
        store,
        make_outcome(store, files=["own file"], inputs=inputs),
        inputs=[InputRun("jobs.j", source_run)],
        subjobs=[Subjob(source_run, built=True)],
    )
    assert own_blobs(store, run) == {b"own file", b"# code"}
    assert not {source_run, given_outcome, head} & set(own_objects(store, run))


def test_datasets_before_and_below_its_own_are_not_but_columns_in_common_are(store):
    old, new = make_column(store, b"old"), make_column(store, b"new")
    before = put_node(store, DatasetHead({"o": make_column(store, b"of the previous")}, (1, 1)))
    parent = put_node(store, DatasetHead({"old": old}, (1, 1)))
    head = DatasetHead(
        {"old": old, "new": new},
        (1, 1),
        previous=DatasetRef(before, "default"),
        parents=(DatasetRef(parent, "default"),),
        depth=1,
    )
    run = make_job(store, make_outcome(store, default=put_node(store, head)))
    assert own_blobs(store, run) == {b"# code", b"old", b"old.", b"new", b"new."}
    assert not {before, parent} & set(own_objects(store, run))


file_names = st.sets(st.sampled_from("abcdef"), max_size=4)


@given(jobs=st.lists(file_names, min_size=1, max_size=5), chosen=st.sets(st.integers(0, 4), min_size=1))
def test_alone_is_what_no_other_job_holds_and_shared_the_rest(jobs, chosen):
    store = MemoryStore()
    runs = [
        make_job(store, make_outcome(store, files=sorted(names)), why=str(number))
        for number, names in enumerate(jobs)
    ]
    costs = Costs(store)
    for run in runs:
        costs.add(run)
    together = [run for number, run in enumerate(runs) if number in chosen]
    others = [run for run in runs if run not in together]
    inside = {oid for run in together for oid in own_objects(store, run)}
    outside = {oid for run in others for oid in own_objects(store, run)}

    def total(oids):
        size = sum(map(store.size_of, oids))
        return Sizes(size, size)

    assert costs.of(together) == (total(inside - outside), total(inside & outside))
    assert costs.damaged == set()


@pytest.mark.parametrize("lost", ["a file", "the outcome", "the run"])
def test_what_is_lost_costs_nothing_and_is_said(store, lost):
    outcome = make_outcome(store, files=["a file", "kept"])
    run = make_job(store, outcome)
    victim = {"a file": oid_of(b"a file"), "the outcome": outcome, "the run": run}[lost]
    found = {"a file": set(store.ids()) - {victim}, "the run": set()}
    found["the outcome"] = set(store.ids()) - {victim, oid_of(b"a file"), oid_of(b"kept")}
    store.delete(victim)
    costs = Costs(store)
    costs.add(run)
    assert costs.damaged == {run}
    assert costs.of([run]).alone.raw_bytes == sum(map(store.size_of, found[lost]))


def test_a_node_of_another_shape_is_damage_and_no_bug(store):
    class Odd(Run):
        def to_body(self):
            return {"source": 1, "job": None}

    odd = Odd(job=None, source=make_source(store), key=KEY, label="dev-1", method="m", times=Times(0, 1))
    costs = Costs(store)
    costs.add(run := put_node(store, odd))
    assert costs.damaged == {run}
