"""Outcomes of standard methods: the same in processes as in one, and as long as their version is."""

import importlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import JobFailed
from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.executors.serial import SerialExecutor
from jobs.method.arguments import Arguments
from jobs.wish import Wish
from porcelain import config
from porcelain.project import Project

TEXT = b"a,b,c\n" + b"".join(b'%d,%d.5,"x\n%d"\n' % (n, n % 7, n) for n in range(500)) + b"bad\n1,NA,z\n"
TYPES = {"a": "int64_10", "b": "float64", "c": "ascii"}


@pytest.fixture
def processes():
    executor = ProcessExecutor(config.job_environment(), 2)
    yield executor
    executor.close()


def make_project(root, executor, slices=3):
    """Return a project without inputs."""
    (root / "input").mkdir(parents=True)
    (root / "acc.toml").write_text(
        f'[project]\nslices = {slices}\ninput_directory = "input"\ndurability = "none"\n'
    )
    return Project(config.load(root), executor=executor)


def build_all(root, executor, slices=3):
    """Return the outcomes of some jobs, each under the name and version of its method and what it is."""
    outcomes = {}
    with make_project(root, executor, slices) as project:
        (root / "input" / "x.csv").write_bytes(TEXT)

        def build(method, what, **arguments):
            job = project.builder.build(method, Arguments({}, {}, {}), arguments, Wish()).job
            version = importlib.import_module(f"porcelain.methods.a_{method}").version
            outcomes[f"{method} {version}: {what}"] = job.row.outcome
            return job

        imported = build("csvimport", "quotes, a bad line", filename="x.csv", quotes='"', allow_bad=True)
        with pytest.raises(JobFailed, match=r"column 'b' .* 'NA' is no float64"):
            build("dataset_type", "fails", source=imported, column2type={"b": "float64"})
        build("dataset_type", "extends", source=imported, column2type=TYPES, none_values=("", "NA"))
        typed = build(
            "dataset_type", "moves, drops", source=imported, column2type=TYPES, hashlabel="a", filter_bad=True
        )
        build("csvexport", "one file", source=typed, quote_fields='"')
        build("csvexport", "sliced", source=typed, labels=["b"], sliced=True)
        build("dataset_concat", "a chain of one", source=typed)
        build("dataset_filter_columns", "one", source=typed, keep_columns=["c"])
        build("dataset_rename_columns", "one", source=typed, rename={"a": "x", "b": None})
        build("dataset_merge", "of one parent", source=[imported, typed_again(build, imported)])
        hashed = build("dataset_hashpart", "by text", source=typed, hashlabel="c")
        build("dataset_hashpart", "a chain of slices", source=typed, hashlabel="b", chain_slices=True)
        build("dataset_sort", "each slice", source=typed, sort_columns=["b", "c"], sort_order="descending")
        build("dataset_sort", "across", source=typed, sort_columns="c", sort_across_slices=True)
        build("dataset_unroundrobin", "all", source=typed)
        build("dataset_fanout", "by a float", source=typed, column="b")
        build("dataset_aggregate", "by a float", source=typed, group_by=["b"], aggregates={"n": "count"})
        build("dataset_join", "on a text", left=typed, right=hashed, on=["c"])
        build("dataset_describe", "all", source=typed)
        build("dataset_checksum", "of sorted rows", source=typed)
        build("dataset_checksum_chain", "a chain of one", source=typed)
    return outcomes


def typed_again(build, imported):
    """Return the job of a dataset whose parent is that of `imported`, with a column of another type."""
    return build(
        "dataset_type", "one column", source=imported, column2type={"a": "unicode:utf-8"}, filter_bad=False
    )


def test_outcomes_are_the_same_in_processes_as_in_one(tmp_path, processes):
    assert build_all(tmp_path / "apart", processes) == build_all(tmp_path / "together", SerialExecutor())


def build_parquet(root, executor, slices=3):
    """Return the outcomes of jobs that need pyarrow, whose version is written into Parquet files."""
    table = pa.table({"i": range(500), "t": [None if n % 3 else "å" * (n % 5) for n in range(500)]})
    with make_project(root, executor, slices) as project:
        pq.write_table(table, root / "input" / "x.parquet", row_group_size=90)

        def build(method, **arguments):
            return project.builder.build(method, Arguments({}, {}, {}), arguments, Wish()).job

        imported = build("parquetimport", filename="x.parquet")
        exported = [build("parquetexport", source=imported, sliced=sliced) for sliced in (False, True)]
        assert pq.read_table(exported[0].filename("result.parquet")).to_pydict() == table.to_pydict()
        return [job.row.outcome for job in (imported, *exported)]


def test_outcomes_of_parquet_methods_are_the_same_in_processes_as_in_one(tmp_path, processes):
    assert build_parquet(tmp_path / "apart", processes) == build_parquet(
        tmp_path / "together", SerialExecutor()
    )


def test_an_outcome_changes_only_with_the_version_of_its_method(tmp_path, golden):
    wanted = json.loads((golden / "methods" / "outcomes.json").read_text())
    assert build_all(tmp_path, SerialExecutor()) == wanted
